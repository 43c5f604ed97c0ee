"""Doors for outside systems: who comes in how often, the administrator's pages of them, certificates that end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.actor import SYSTEM
from app.auth.model import Role
from app.certificates.service import look, watch
from app.clock import utc_now
from app.db import Database
from app.errors import TooMany
from app.machines import service as machines
from app.machines.door import Door
from app.pushes.model import PushEvent
from app.settings import Settings
from asterisk_conf.certificates import certificate as telephone_certificate
from tests.bridge_kit.outside import EVERY_SCOPE
from tests.integration.web_browser import Browser

ON_A_FILE = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # what is tried is ours, whatever the database


@ON_A_FILE
def test_a_system_that_asks_too_often_is_told_when_to_come_back_and_others_go_on(db: Database) -> None:
    clock = {"s": 0.0}
    door = Door(now_s=lambda: clock["s"])
    with db.session() as session:
        end = utc_now() + timedelta(days=1)
        tokens = [
            machines.create(session, SYSTEM, name, EVERY_SCOPE, agents=["*"], expires_at=end)[1] for name in ("a", "b")
        ]

    def enter(token: str) -> str:
        try:
            return "in" if door.enter(db, token, "10.1.2.3") else "nobody"
        except TooMany as error:
            return f"wait {error.retry_after}"

    assert [enter(tokens[0]) for _ in range(101)] == ["in"] * 100 + ["wait 1"]
    assert enter(tokens[1]) == "in"
    assert [enter("hl_wrong") for _ in range(51)] == ["nobody"] * 50 + ["wait 1"]
    assert enter(tokens[1]) == "in", "from the same address, while somebody tries tokens there"
    clock["s"] += 1
    assert (enter(tokens[0]), enter("hl_wrong")) == ("in", "nobody")
    assert enter("hl_" + "x" * 200) == "nobody"


@ON_A_FILE
def test_many_who_enter_at_once_are_counted_one_by_one(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.session() as session:
        end = utc_now() + timedelta(days=1)
        row, token = machines.create(session, SYSTEM, "a", EVERY_SCOPE, agents=["*"], expires_at=end)
        row.last_used_at, row.last_address = utc_now(), "10.1.2.3"
    door = Door(now_s=lambda: 0.0)
    monkeypatch.setattr(door, "_row", lambda _db, _key: row)

    def enter(_turn: int) -> bool:
        try:
            return door.enter(db, token, "10.1.2.3") is not None
        except TooMany:
            return False

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as many:
            assert sum(many.map(enter, range(4000))) == 100
    finally:
        sys.setswitchinterval(before)


@ON_A_FILE
def test_an_administrator_lets_systems_in_and_shuts_them_out(browser: Callable[..., Browser], db: Database) -> None:
    admin = browser(Role.admin)
    body = {
        "name": "市民服务 CRM",
        "scopes": ["push", "calls.read"],
        "agents": ["*"],
        "expires_at": "2027-06-01T00:00:00Z",
    }
    made = admin.send("POST", "/api/machines", json=body).json()
    assert made["token"].startswith("hl_")
    assert made["token"].endswith(made["hint"])
    assert "token" not in admin.get("/api/machines").json()[0]
    assert admin.send("POST", "/api/machines", json=body).status_code == 409
    for wrong in ({"name": "x", "scopes": []}, {"scopes": ["calls.control"], "agents": []}, {"agents": ["9999"]},
                  {"sources": ["crm"]}, {"expires_at": "2020-01-01T00:00:00Z"}, {"name": "<script>"}):  # fmt: skip
        refused = admin.send("POST", "/api/machines", json={**body, "name": "other", **wrong})
        assert refused.status_code == 422, wrong
        assert len(refused.json()["error"]["fields"]) == 1
    one = f"/api/machines/{made['id']}"
    changed = admin.send("PATCH", one, json={"scopes": ["push"], "sources": ["10.1.2.3"]}).json()
    assert (changed["scopes"], changed["sources"]) == (["push"], ["10.1.2.3/32"])
    renewed = admin.send("POST", f"{one}/token", json={}).json()["token"]
    assert renewed != made["token"]
    address = {"machine_id": made["id"], "url": "https://crm.example/api/v1/cti/s3cret", "signed": True}
    pushed = admin.send("POST", "/api/pushes/addresses", json=address).json()
    assert (pushed["url"], len(pushed["key"])) == ("https://crm.example/…", 32)
    for url in ("http://10.0.0.1/x", "http://localhost/x", "ftp://crm.example/"):
        assert admin.send("POST", "/api/pushes/addresses", json={**address, "url": url}).status_code == 422
    there = f"/api/pushes/addresses/{pushed['id']}"
    assert admin.send("PATCH", there, json={"events": ["hangup"], "active": False}).json()["events"] == ["hangup"]
    assert admin.send("POST", f"{there}/key", json={}).json()["key"] != pushed["key"]
    assert admin.send("POST", f"{there}/again", json={}).json() == {"count": 0}
    assert admin.send("POST", "/api/pushes/77/again", json={}).status_code == 404
    assert admin.send("POST", f"{one}/revoke", json={}).json()["revoked_at"]
    assert admin.send("POST", f"{one}/token", json={}).json()["error"]["code"] == "revoked"
    assert admin.send("POST", "/api/pushes/addresses", json=address).json()["error"]["code"] == "no_push_scope"
    said = json.dumps(admin.get("/api/audit?page_size=50").json(), ensure_ascii=False)
    for word in ("machine.created", "machine.changed", "machine.token", "machine.revoked", "push_address.set"):
        assert word in said
    assert "s3cret" not in said
    assert made["token"] not in said
    for other in (browser(Role.supervisor), browser(Role.auditor)):
        for path in ("/api/machines", "/api/pushes", "/api/pushes/addresses"):
            assert other.get(path).status_code == 403
    assert browser(Role.auditor).get("/api/certificates").json() == []
    assert list(PushEvent) == ["newCall", "answer", "hangup"]


@ON_A_FILE
def test_a_certificate_that_ends_is_told_as_an_alarm_at_each_threshold_and_the_hotline_stays_well(
    browser: Callable[..., Browser], db: Database, settings: Settings
) -> None:
    made, _ = telephone_certificate(settings)
    ends = look(settings)[0].ends
    assert ends is not None
    auditor = browser(Role.auditor)
    assert [one["state"] for one in auditor.get("/api/certificates").json()] == ["ok"]

    def told() -> list[tuple[str, int]]:
        return [(one["code"], one["detail"]["days"]) for one in auditor.get("/api/alarms").json()]

    for left, days in ((31, None), (29, 30), (20, 30), (6.5, 7), (0.5, 1), (-1, 0)):
        watch(db, settings, ends - timedelta(days=left))
        assert told() == ([] if days is None else [("certificate_ends", days)])
    assert auditor.get("/healthz").json()["parts"]["alarms"] == "ok"
    made.write_text("not a certificate")
    watch(db, settings, utc_now())
    assert auditor.get("/api/alarms").json()[0]["detail"]["state"] == "unreadable"
    made.unlink()
    watch(db, settings, utc_now())
    assert told() == []
