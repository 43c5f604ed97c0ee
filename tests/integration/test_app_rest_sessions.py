"""REST: who may come in, and what a session can and cannot do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi.testclient import TestClient

from app.actor import Actor
from app.auth.model import Role
from tests.integration.web_browser import PASSWORD, Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


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
