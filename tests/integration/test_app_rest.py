"""The REST surface as the pages use it, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from app.actor import Actor
from app.audio import write_wav
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.calls.model import CallFacts
from app.calls.service import record
from app.db import Database
from app.http.files import Span, Unsatisfiable, parse_range
from app.pop import build_card
from app.settings import Settings
from app.voicemails import service as voicemails
from app.web import create_app
from tests.integration.conftest import PASSWORD

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


@dataclass
class Browser:
    """A signed-in browser: it keeps the cookie and sends the CSRF word."""

    client: TestClient
    csrf: str = ""

    def sign_in(self, name: str) -> Response:
        """Sign in and remember the word."""
        answer = self.client.post("/api/login", json={"name": name, "password": PASSWORD})
        self.csrf = answer.json().get("csrf", "")
        return answer

    def send(self, method: str, path: str, **more: Any) -> Response:
        """An unsafe request as the page makes it."""
        headers = {"X-CSRF-Token": self.csrf, **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Response:
        """A safe request."""
        return self.client.get(path, **more)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """What a build leaves."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>12345</title>")
    (dist / "assets" / "index-abc123.js").write_text("console.log(1)")
    (dist / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return dist


@pytest.fixture
def client(settings: Settings, db: Database, pages: Path) -> TestClient:
    app = create_app(settings, db, phones_changed=lambda: None, explain=lambda call_id, lang: [f"why {lang}"])
    app.state.pages = pages
    return TestClient(app, base_url="http://hotline.test", raise_server_exceptions=False)


@pytest.fixture
def browser(client: TestClient, person: People) -> Callable[..., Browser]:
    """A browser signed in as somebody with these roles."""

    def open_(*roles: Role, agent_id: str | None = None) -> Browser:
        actor = person(*roles, agent_id=agent_id)
        one = Browser(TestClient(client.app, base_url="http://hotline.test", raise_server_exceptions=False))
        assert one.sign_in(actor.name).status_code == 200
        return one

    return open_


def draft_for(db: Database, agent_id: str, call_id: str = "h-1.1") -> dict[str, Any]:
    record(db, call_id, number="13800138000", started_at=NOW, agent_id=agent_id)
    card = build_card(db, CallFacts(call_id, number="13800138000"), agent_id, now=NOW)
    assert card.draft is not None
    return dict(card.draft)


# ---- signing in


def test_nobody_signed_in_sees_nothing(client: TestClient):
    for path in ("/api/me", "/api/cases", "/api/calls", "/api/users", "/api/recordings", "/api/audit", "/api/faxes"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "signed_out"


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(client: TestClient, person: People):
    person(Role.supervisor, name="alice")
    answer = client.post("/api/login", json={"name": "alice", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].casefold()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    me = client.get("/api/me").json()
    assert me["user"]["name"] == "alice"
    assert me["csrf"] == answer.json()["csrf"]


def test_wrong_credentials_and_too_many_are_told_in_the_readers_language(client: TestClient, person: People):
    person(Role.supervisor, name="alice")
    bad = {"name": "alice", "password": "nope"}
    first = client.post("/api/login", json=bad)
    assert (first.status_code, first.json()["error"]["code"]) == (401, "bad_credentials")
    assert first.json()["error"]["message"] == "用户名或密码错误。"
    english = client.post("/api/login", json=bad, headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert english.json()["error"]["message"] == "The name or the password is wrong."
    for _ in range(3):
        client.post("/api/login", json=bad)
    last = client.post("/api/login", json=bad)
    assert (last.status_code, last.json()["error"]["code"]) == (429, "too_many_attempts")
    assert int(last.headers["Retry-After"]) > 0


def test_a_change_without_the_csrf_word_or_from_another_site_is_refused(browser: Callable[..., Browser]):
    admin = browser(Role.admin)
    body = {"name": "bob", "roles": ["agent"]}
    assert admin.client.post("/api/users", json=body).json()["error"]["code"] == "csrf"
    foreign = admin.send("POST", "/api/users", json=body, headers={"Origin": "http://evil.test"})
    assert foreign.json()["error"]["code"] == "wrong_origin"
    own = admin.send("POST", "/api/users", json=body, headers={"Origin": "http://hotline.test"})
    assert own.status_code == 201


def test_another_site_cannot_sign_a_browser_in(client: TestClient, person: People):
    person(Role.supervisor, name="alice")
    body = {"name": "alice", "password": PASSWORD}
    assert client.post("/api/login", json=body, headers={"Origin": "http://evil.test"}).status_code == 403
    assert client.post("/api/login", json=body, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_one_time_password_opens_only_the_door_to_change_it(browser: Callable[..., Browser], client: TestClient):
    made = browser(Role.admin).send("POST", "/api/users", json={"name": "bob", "roles": ["supervisor"]}).json()
    bob = Browser(client)
    answer = client.post("/api/login", json={"name": "bob", "password": made["one_time_password"]})
    bob.csrf = answer.json()["csrf"]
    assert answer.json()["user"]["must_change_password"] is True
    assert bob.get("/api/cases").json()["error"]["code"] == "password_change_required"
    weak = bob.send("POST", "/api/me/password", json={"old": made["one_time_password"], "new": "short"})
    assert (weak.status_code, "new" in weak.json()["error"]["fields"]) == (422, True)
    good = bob.send("POST", "/api/me/password", json={"old": made["one_time_password"], "new": "Viele-Worte-99"})
    assert good.status_code == 204
    assert bob.get("/api/cases").status_code == 200


def test_signing_out_ends_the_session(browser: Callable[..., Browser]):
    one = browser(Role.supervisor)
    token = one.client.cookies["hotline_session"]
    assert one.send("POST", "/api/logout").status_code == 204
    one.client.cookies.set("hotline_session", token)
    assert one.client.get("/api/me").status_code == 401


def test_every_route_of_the_api_asks_who_is_there(client: TestClient):
    """A new route that forgets to ask fails here."""
    open_routes = {("POST", "/api/login")}
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        if not path.startswith("/api/"):
            continue
        for method in operations:
            if (method.upper(), path) in open_routes:
                continue
            concrete = re.sub(r"\{(\w+)\}", lambda m: "2026-01-01" if m[1] == "day" else "1001", path)
            answer = client.request(method, concrete, json={})
            assert answer.status_code in (401, 422), f"{method} {path}: {answer.status_code}"
            if answer.status_code == 422:
                body = {"version": 1, "fields": {}}
                assert client.request(method, concrete, json=body).status_code in (401, 422), path


# ---- cases


def test_a_draft_is_typed_registered_and_read_again(browser: Callable[..., Browser], db: Database):
    agent = browser(agent_id="1001")
    draft = draft_for(db, "1001")
    path = f"/api/cases/{draft['case_id']}"
    saved = agent.send("PATCH", path, json={"version": 1, "fields": {"content": "人民路路灯不亮"}})
    assert (saved.status_code, saved.json()["version"]) == (200, 2)
    missing = agent.send("POST", f"{path}/register", json={"version": 2, "fields": {}})
    assert (missing.status_code, set(missing.json()["error"]["fields"])) == (422, {"type"})
    for _ in range(2):  # a double click
        done = agent.send("POST", f"{path}/register", json={"version": 2, "fields": {"type": "complaint"}})
        assert (done.status_code, done.json()["state"], done.json()["version"]) == (200, "registered", 3)
    full = agent.get(path).json()
    assert (full["fields"]["title"], full["call"]["call_id"], full["citizen"]["numbers"]) == (
        "人民路路灯不亮",
        "h-1.1",
        ["13800138000"],
    )
    events = agent.get(f"{path}/events").json()
    assert [event["event"] for event in events] == ["opened", "edited", "registered"]


def test_an_old_version_is_answered_with_what_is_stored(browser: Callable[..., Browser], db: Database):
    agent, chief = browser(agent_id="1001"), browser(Role.supervisor)
    path = f"/api/cases/{draft_for(db, '1001')['case_id']}"
    chief.send("PATCH", path, json={"version": 1, "fields": {"content": "newer"}})
    answer = agent.send("PATCH", path, json={"version": 1, "fields": {"content": "mine"}})
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (409, "version_conflict")
    assert (body["current"]["version"], body["current"]["fields"]["content"]) == (2, "newer")
    assert body["changed_by"]


def test_bad_input_names_the_field_and_never_repeats_what_was_sent(browser: Callable[..., Browser], db: Database):
    agent = browser(agent_id="1001")
    path = f"/api/cases/{draft_for(db, '1001')['case_id']}"
    for body in (
        {"version": 1, "fields": {"secretfield": "13911112222"}},
        {"version": "13911112222x", "fields": {}},
        {"version": 1, "fields": {"title": ["13911112222"]}},
    ):
        answer = agent.send("PATCH", path, json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["fields"]
        assert "13911112222" not in answer.text


def test_a_case_opened_by_hand_with_one_key_is_one_case(browser: Callable[..., Browser]):
    agent = browser(agent_id="1001")
    ids = {
        agent.send("POST", "/api/cases", json={"fields": {"content": "x"}}, headers={"Idempotency-Key": "k"}).json()[
            "id"
        ]
        for _ in range(3)
    }
    assert len(ids) == 1


def test_lists_have_the_agreed_shape(browser: Callable[..., Browser], db: Database):
    chief = browser(Role.supervisor)
    draft_for(db, "1001")
    cases = chief.get("/api/cases?state=draft&source=call&page_size=10&from=2020-01-01&to=2099-01-01").json()
    assert (cases["total"], cases["page"], cases["page_size"]) == (1, 1, 10)
    assert "content" not in cases["items"][0]["fields"]
    calls = chief.get("/api/calls?number=13800138000").json()
    assert calls["items"][0]["case_number"] == cases["items"][0]["number"]
    call = chief.get("/api/calls/h-1.1", headers={"Accept-Language": "en"}).json()
    assert call["explain"] == ["why en"]
    assert call["events"][0]["event"] == "started"
    assert call["recordings"] == []


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=999999999",
        "page_size=0",
        "page_size=101",
        "from=yesterday",
        "state=murdered",
        "page=a",
        "agent=x",
    ],
)
def test_impossible_queries_are_bad_input(browser: Callable[..., Browser], query: str):
    assert browser(Role.supervisor).get(f"/api/cases?{query}").status_code == 422


@pytest.mark.parametrize("query", ["q=%00", "q=%ED%A0%80", "from=0001-01-01&to=9999-12-31", "number=%27;--", "q=%25_"])
def test_odd_queries_are_answered(browser: Callable[..., Browser], query: str):
    one = browser(Role.supervisor)
    for path in ("/api/cases", "/api/calls"):
        assert one.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize("case_id", ["0", "-1", "99999999999999999999", "abc", "1%00"])
def test_impossible_ids_are_bad_input_not_a_crash(browser: Callable[..., Browser], case_id: str):
    assert browser(Role.supervisor).get(f"/api/cases/{case_id}").status_code in (404, 422)


# ---- sound and pages


@pytest.fixture
def voicemail(db: Database, settings: Settings) -> int:
    """A stored voicemail's id."""
    wav = settings.paths.voicemail_spool / "h-2.2.wav"
    t = np.arange(16000) / 8000
    write_wav(wav, (9000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16), 8000)
    wav.with_suffix(".json").write_text('{"number": "13800138000", "status": "complete"}')
    voicemails.take_in(db, settings, wav.with_suffix(".json"))
    return 1


def listened(db: Database) -> int:
    with db.read() as session:
        return len(session.exec(select(AuditEntry).where(AuditEntry.action == "voicemail.listened")).all())


def test_sound_comes_in_ranges_and_every_listening_is_audited_once(
    browser: Callable[..., Browser], voicemail: int, db: Database
):
    agent = browser(agent_id="1001")
    path = f"/api/voicemails/{voicemail}/audio"
    whole = agent.get(path)
    assert (whole.status_code, whole.headers["accept-ranges"], whole.headers["content-type"]) == (
        200,
        "bytes",
        "audio/wav",
    )
    size = len(whole.content)
    part = agent.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 100-199/{size}")
    assert part.content == whole.content[100:200]
    tail = agent.get(path, headers={"Range": "bytes=-50"})
    assert (tail.status_code, tail.content) == (206, whole.content[-50:])
    rest = agent.get(path, headers={"Range": f"bytes={size - 10}-"})
    assert (rest.status_code, rest.content) == (206, whole.content[-10:])
    beyond = agent.get(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert agent.get(path, headers={"Range": "bytes=5-1"}).status_code == 200
    assert agent.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200
    assert listened(db) == 1


def test_those_who_may_not_hear_neither_hear_nor_are_audited(
    browser: Callable[..., Browser], voicemail: int, db: Database
):
    for role in (Role.auditor, Role.admin, Role.city_leader):
        assert browser(role).get(f"/api/voicemails/{voicemail}/audio").status_code == 403
    assert listened(db) == 0


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=10-", Span(10, 100)),
        ("bytes=10-999", Span(10, 100)),
        ("bytes=-1", Span(99, 100)),
        ("bytes=-1000", Span(0, 100)),
        ("BYTES = 1 - 2", Span(1, 3)),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=9-3", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 50 + "-", None),
    ],
)
def test_ranges_are_read_as_the_standard_says(header: str | None, span: Span | None):
    assert parse_range(header, 100) == span


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=-5", 0), ("bytes=0-", 0)])
def test_ranges_behind_the_end_cannot_be_satisfied(header: str, size: int):
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


# ---- agents, health, headers, pages


def test_an_agent_is_made_with_a_telephone_and_a_password(browser: Callable[..., Browser], client: TestClient):
    admin = browser(Role.admin)
    made = admin.send("POST", "/api/agents", json={"name": "王芳", "skills": {"zh": 5, "yue": 3}}).json()
    assert (made["agent_id"], made["sip"]["username"], made["skills"]) == ("1001", "1001", {"zh": 5, "yue": 3})
    answer = client.post("/api/login", json={"name": "1001", "password": made["one_time_password"]})
    assert answer.json()["agent"]["agent_id"] == "1001"
    assert admin.get("/api/agents/1001/sip").json()["password"] == made["sip"]["password"]
    assert "password" not in admin.get("/api/agents").text
    audit = admin.get("/api/audit?action=agent.phone_read").json()
    assert audit["items"][0]["object"] == "agent:1001"


def test_an_agent_sees_only_their_own_telephone(browser: Callable[..., Browser]):
    mine = browser(agent_id="1001")
    browser(agent_id="1002")
    assert mine.get("/api/agents/1001/sip").status_code == 200
    assert mine.get("/api/agents/1002/sip").status_code == 403


def test_a_page_gets_the_account_of_its_own_browser_phone_and_of_no_other(browser: Callable[..., Browser]):
    mine, other = browser(agent_id="1001"), browser(agent_id="1002")
    answer = mine.get("/api/agents/me/browser-phone")
    told = answer.json()
    assert (told["username"], told["uri"].split("@")[0]) == ("1001w", "sip:1001w")
    assert told["wss_url"].startswith("wss://")
    assert told["password"] == mine.get("/api/agents/1001/sip").json()["password"]
    assert told["password"] != other.get("/api/agents/me/browser-phone").json()["password"]
    assert told["password"] not in told["wss_url"]
    assert answer.headers["cache-control"] == "no-store"
    assert browser(Role.admin).get("/api/agents/me/browser-phone").status_code == 403


def test_health_names_every_part_and_liveness_needs_no_database(client: TestClient, db: Database):
    assert client.get("/healthz").json() == {
        "status": "ok",
        "parts": {"database": "ok", "disk": "ok", "alarms": "ok"},
    }
    assert client.get("/livez").text == "ok"


def test_metrics_are_for_this_machine_and_for_those_who_may(
    browser: Callable[..., Browser], client: TestClient, settings: Settings, db: Database
):
    assert client.get("/metrics").status_code == 403
    assert browser(agent_id="1001").get("/metrics").status_code == 403
    text = browser(Role.auditor).get("/metrics").text
    assert "hotline_http_requests_total" in text
    assert "hotline_spool_files" in text
    local = TestClient(client.app, base_url="http://127.0.0.1", client=("127.0.0.1", 5000))
    assert local.get("/metrics").status_code == 200


def test_every_answer_is_guarded_by_headers(client: TestClient):
    for path in ("/", "/api/me", "/nothing", "/healthz"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "script-src 'self';" in headers["content-security-policy"] + ";"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert client.get("/api/me").headers["cache-control"] == "no-store"


def test_a_hostile_host_header_does_not_enter_the_policy(client: TestClient):
    policy = client.get("/", headers={"Host": "x; script-src *"}).headers["content-security-policy"]
    assert "script-src *" not in policy


def test_pages_are_served_for_every_address_of_the_application(client: TestClient):
    for path in ("/", "/agent", "/calls/hotline1-1700000000.1", "/cases/1", "/admin/agents", "/login"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert "12345" in answer.text
    asset = client.get("/assets/index-abc123.js")
    assert (asset.headers["cache-control"], asset.headers["content-type"].split(";")[0]) == (
        "public, max-age=31536000, immutable",
        "text/javascript",
    )
    assert client.get("/assets/gone.js").status_code == 404
    assert client.get("/favicon.svg").headers["content-type"].startswith("image/svg")
    assert client.get("/api/nothing").json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00"])
def test_no_address_leads_out_of_the_pages(client: TestClient, path: str):
    assert "secret" not in client.get(path).text


def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(browser: Callable[..., Browser]):
    one = browser(Role.supervisor)
    huge = b'{"name": "' + b"x" * 1_100_000 + b'"}'
    assert one.send("POST", "/api/cases", content=huge).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    headers = {"Content-Type": "application/json"}
    assert one.send("POST", "/api/cases", content=pieces(), headers=headers).status_code == 413


def test_a_busy_database_is_told_with_a_time_to_come_back(settings: Settings, db: Database, person: People):
    impatient = Database(db.url.render_as_string(hide_password=False), wait_s=0.3)
    app = create_app(settings, impatient, phones_changed=lambda: None)
    one = Browser(TestClient(app, base_url="http://hotline.test"))
    agent = person(agent_id="1001")
    one.sign_in(agent.name)
    draft = draft_for(db, "1001")
    with db.session() as session:
        session.connection().exec_driver_sql("UPDATE case_file SET updated_at = updated_at")
        answer = one.send("PATCH", f"/api/cases/{draft['case_id']}", json={"version": 1, "fields": {"title": "x"}})
    impatient.dispose()
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["retry-after"]) == (503, "busy", "2")


def test_announcements_and_special_days_are_kept(browser: Callable[..., Browser]):
    leader = browser(Role.duty_leader)
    body = {
        "texts": {"zh": "城南停水", "en": "No water in the south"},
        "active_from": "2026-01-01T00:00:00+08:00",
        "active_until": "2199-01-01T00:00:00+08:00",
    }
    made = leader.send("POST", "/api/announcements", json=body)
    assert (made.status_code, made.json()["active"]) == (201, True)
    ended = leader.send("POST", f"/api/announcements/{made.json()['id']}/end").json()
    assert ended["active"] is False
    day = leader.send(
        "PUT", "/api/hours/days/2026-10-01", json={"kind": "holiday", "opens": "09:00", "closes": "17:00"}
    )
    assert day.status_code == 200
    assert [item["day"] for item in leader.get("/api/hours?year=2026").json()["days"]] == ["2026-10-01"]
    assert leader.send("DELETE", "/api/hours/days/2026-10-01").status_code == 204
    assert browser(agent_id="1001").send("POST", "/api/announcements", json=body).status_code == 403
