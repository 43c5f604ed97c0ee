"""Outside systems over the real doors: tokens, the websocket, REST, pushes to real receivers that behave badly."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from websockets.asyncio.client import ClientConnection, connect

from app.actor import SYSTEM
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.certificates.service import look, watch
from app.citizens import service as citizens
from app.clock import utc_now
from app.db import Database
from app.errors import TooMany
from app.machines import service as machines
from app.machines.door import Door
from app.machines.model import Scope
from app.pushes.model import PushEvent
from app.settings import Settings
from asterisk_conf.certificates import certificate as telephone_certificate
from tests.bridge_kit import served
from tests.bridge_kit.outside import EVERY_SCOPE, House, Token, until
from tests.bridge_kit.rig import ms, offer_of
from tests.bridge_kit.served import Json
from tests.integration.web_browser import Browser

SECRET = "13912345678"
NUMBER = "13800138000"
NAMES = itertools.count(1)
ON_A_FILE = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # what is tried is ours, whatever the database


@pytest.fixture
async def house(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[House]:
    """A house on a file."""
    file = tmp_path / "house.sqlite3"
    shutil.copyfile(sqlite_template, file)
    async with House(tmp_path / "home", f"sqlite:///{file}").open() as made:
        yield made


async def frame(page: ClientConnection, kind: str = "") -> Json:
    """The next frame (of this type), also from a machine that has much to do."""
    return await served.frame(page, kind, timeout=20)


async def closing(page: ClientConnection) -> int:
    """The code with which the server closes."""
    return await served.closing(page, timeout=20)


async def command(page: ClientConnection, name: str, **args: Any) -> Json:
    """Ask for something and wait for the result."""
    await page.send(json.dumps({"type": "command", "id": "c1", "name": name, "args": args}))
    return await frame(page, "result")


async def hello(house: House, token: Token, **more: Any) -> ClientConnection:
    """A system's websocket that has said hello."""
    page = await connect(
        f"ws://127.0.0.1:{house.port}/ws", additional_headers=token.header, compression=None, open_timeout=60
    )
    await page.send(json.dumps({"type": "hello", **more}))
    return page


async def delta(page: ClientConnection, event: str) -> Json:
    """The data of the next delta of this name."""
    while (got := await frame(page, "delta"))["event"] != event:
        continue
    data: Json = got["data"]
    return data


def audited(db: Database, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Who did what to what."""
    with db.read() as session:
        rows = session.execute(select(AuditEntry).where(col(AuditEntry.action) == action).order_by(col(AuditEntry.id)))
        return [(row.actor, row.object, row.detail) for row in rows.scalars()]


async def ringing(house: House, number: str) -> tuple[str, str, str]:
    """A caller who rings at 1001: (call, leg, offer)."""
    before = len(house.asterisk.got("Redirect"))
    call = house.asterisk.citizen(number, ms())
    house.asterisk.join(call, number, ms())

    def sent() -> list[Any]:
        return [one for one in house.asterisk.got("Redirect")[before:] if one["Context"] == "acd-connect"]

    await until(lambda: sent(), "an offer")
    return call, house.asterisk.rings(call, "1001"), offer_of(sent()[0]).offer_id


# -- the websocket ---------------------------------------------------------------------------------------------------


async def test_a_system_follows_and_controls_the_call_of_its_agent(house: House) -> None:
    with house.db.session() as session:
        citizens.create(session, SYSTEM, numbers=[SECRET], name="欧阳守秘", flags=["confidential"])
    token = house.account()
    page = await hello(house, token, agents=["1001"], as_agent="1001")
    snapshot = await frame(page, "snapshot")
    assert [one["agent_id"] for one in snapshot["data"]["agents"]] == ["1001"]
    assert (await command(page, "agent.sign_in"))["data"]["state"] == "not_ready"
    assert (await command(page, "agent.ready"))["ok"]
    await until(lambda: house.bridge.core.book.on_shift["1001"].state.value == "ready", "ready")

    call, leg, offer_id = await ringing(house, SECRET)
    rings = await delta(page, "call.ringing")
    assert (rings["call_id"], rings["for_agent"]) == (call, "1001")
    assert (rings["call"]["number"], rings["call"]["line"]) == ("139****5678", "12345")
    house.asterisk.picks_up(call, "1001", leg, offer_id)
    await delta(page, "call.answered")
    held = asyncio.create_task(command(page, "call.hold", call_id=call))
    await until(lambda: [o for o in house.asterisk.got("Redirect") if o["Context"] == "acd-held"], "on hold")
    assert (await held)["data"]["call_id"] == call
    assert (await command(page, "call.hangup"))["ok"]
    house.asterisk.hangs_up(leg)
    house.asterisk.hangs_up(call)
    ended = await delta(page, "call.ended")
    assert ended["for_agent"] == "1001"
    assert "card" not in json.dumps(ended)

    acted = [(who, what, detail["command"]) for who, what, detail in audited(house.db, "machine.acted")]
    assert acted[:3] == [
        ("machine:crm", "agent:1001", "agent.sign_in"),
        ("machine:crm", "agent:1001", "agent.ready"),
        ("machine:crm", "agent:1001", "call.hold"),
    ]
    assert audited(house.db, "machine.read")[0][1] == f"machine:{token.machine_id}/agent:1001"
    assert house.bridge.core.book.on_shift["1001"].needs_page is False
    with house.db.read() as session:
        (row,) = machines.accounts(session, SYSTEM)
        assert row.last_used_at is not None
        assert row.last_address == "127.0.0.1"
        assert token.token not in row.model_dump_json()


async def test_what_was_missed_comes_after_a_reconnect_and_the_entitled_see_the_number(house: House) -> None:
    with house.db.session() as session:
        citizens.create(session, SYSTEM, numbers=[SECRET], name="欧阳守秘", flags=["confidential"])
    token = house.account("police", frozenset(Scope), agents=["*"])
    page = await hello(house, token, as_agent="1001")
    snapshot = await frame(page, "snapshot")
    assert len(snapshot["data"]["agents"]) == 2
    await command(page, "agent.sign_in")
    await command(page, "agent.ready")
    await page.close()
    await ringing(house, SECRET)
    await until(lambda: house.bridge.hub.stream(next(iter(house.bridge.feeds._feeds))).seq >= 4, "what is missed")
    back = await hello(house, token, resume={"epoch": snapshot["epoch"], "seq": snapshot["seq"]})
    got = await frame(back)
    assert (got["type"], got["seq"]) == ("delta", snapshot["seq"] + 1)
    while got.get("event") != "call.ringing":
        got = await frame(back, "delta")
    assert got["data"]["call"]["number"] == SECRET
    await back.close()


async def test_who_has_said_hello_in_time_is_not_sent_away_for_having_said_nothing_since(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti_bridge.client.HELLO_S", 0.5)
    page = await hello(house, house.account(), agents=["1001"])
    await frame(page, "snapshot")
    await asyncio.sleep(1.0)
    house.bridge.hub.to_agent("1001", "agent.state", {"agent_id": "1001"})
    assert (await delta(page, "agent.state"))["for_agent"] == "1001"
    await page.close()


async def test_an_account_does_not_follow_ever_more_sets_of_agents(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti_bridge.machine_feed.MOST_FEEDS", 1)
    many, other = house.account(agents=["*"]), house.account("other")
    for token, agents in ((many, ["1001"]), (many, ["1001"]), (other, ["1001"])):
        page = await hello(house, token, agents=agents)
        await frame(page, "snapshot")
        await page.close()
    assert await closing(await hello(house, many, agents=["1002"])) == 1013


async def test_a_feed_that_comes_to_grief_sends_its_listeners_away_instead_of_falling_silent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def learn(*_: Any, **__: Any) -> None:
        raise RuntimeError("not what a database says when it is busy")

    token = house.account()
    page = await hello(house, token, agents=["1001"], as_agent="1001")
    await frame(page, "snapshot")
    with monkeypatch.context() as grief:
        grief.setattr(house.bridge.machines, "learn", learn)
        house.bridge.hub.to_agent("1001", "call.ringing", {"call_id": "h-1.1"})
        assert (await closing(page), page.close_reason) == (4408, "what happened could not be told")
        assert await closing(await hello(house, token, agents=["1001"])) == 1013
    again = await hello(house, token, agents=["1001"], as_agent="1001")
    await frame(again, "snapshot")
    assert (await command(again, "agent.sign_in"))["ok"]
    assert (await delta(again, "agent.state"))["for_agent"] == "1001"
    await again.close()


async def test_who_may_not_come_in_and_what_is_not_for_systems_or_not_for_this_one(house: House) -> None:
    for number, (scopes, said) in enumerate(
        (
            (EVERY_SCOPE, {"agents": ["1002"]}),
            (EVERY_SCOPE, {"as_agent": "1002"}),
            (frozenset({Scope.calls_control}), {}),
        )
    ):
        assert await closing(await hello(house, house.account(f"no{number}", scopes), **said)) == 4403
    assert await closing(await hello(house, Token(0, "hl_nobody"))) == 4401
    assert await closing(await hello(house, house.account("elsewhere", sources=["192.0.2.0/24"]))) == 4401

    token = house.account()
    page = await hello(house, token)
    await frame(page, "snapshot")
    assert house.bridge.hub.pages("1001") == 0, "a system is no page"

    async def code(name: str, **more: Any) -> str:
        await page.send(json.dumps({"type": "command", "id": "1", "name": name, "args": {}, **more}))
        error: str = (await frame(page, "result"))["error"]["code"]
        return error

    assert await code("agent.ready") == "bad_input"  # for whom?
    assert await code("agent.ready", as_agent="1002") == "not_found"
    assert await code("agent.ready", as_agent="9999") == "not_found"
    assert await code("agent.ready", as_agent=["1001"]) == "bad_input"
    assert await code("agent.set_state", as_agent="1001") == "not_for_machines"
    assert await code("agent.ready", as_agent="1001") == "not_signed_in"
    await page.send("{")
    assert (await frame(page, "result"))["error"]["code"] == "bad_frame"
    with house.db.session() as session:
        machines.revoke(session, SYSTEM, token.machine_id)
    await page.send(json.dumps({"type": "command", "id": "1", "name": "agent.sign_in", "as_agent": "1001"}))
    assert await closing(page) == 4401
    assert house.bridge.core.book.get("1001") is None


# -- REST ------------------------------------------------------------------------------------------------------------


async def test_calls_are_controlled_without_a_websocket(house: House) -> None:
    token = house.account()
    async with httpx.AsyncClient(timeout=30, base_url=house.base, headers=token.header) as crm:
        assert (await crm.get("/api/cti/calls")).json() == []
        state = {"state": "signed_in"}
        assert (await crm.post("/api/cti/agents/1001/state", json=state)).json()["state"] == "not_ready"
        made = await crm.post("/api/cti/calls", json={"agent_id": "1001", "number": "110"})
        assert made.status_code == 201
        call_id = made.json()["call_id"]
        assert made.headers["location"] == f"/api/cti/calls/{call_id}"
        assert [one["call_id"] for one in (await crm.get("/api/cti/calls?agent_id=1001")).json()] == [call_id]
        shown = (await crm.get(f"/api/cti/calls/{call_id}")).json()
        assert (shown["live"]["number"], shown["live"]["outbound"]) == ("110", True)
        hangs = await crm.post(f"/api/cti/calls/{call_id}/hangup", json={"agent_id": "1001"})
        assert hangs.status_code == 200
        await house.asterisk.arrival("Hangup", timeout=20)
        for path, body, status, code in (
            ("/api/cti/calls", {"agent_id": "1002", "number": "110"}, 404, "not_found"),
            ("/api/cti/calls", {"agent_id": "1001", "number": "110", "as": "admin"}, 422, "bad_input"),
            ("/api/cti/calls", {"agent_id": "1001", "number": "1\r\nAction: x"}, 422, "bad_input"),
            (f"/api/cti/calls/{call_id}/listen", {"agent_id": "1001"}, 404, "not_found"),
            ("/api/cti/calls/other-1.1/hold", {"agent_id": "1001"}, 404, "not_found"),
        ):
            refused = await crm.post(path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (status, code), path
        assert (await crm.get("/api/cti/calls/other-1.1")).status_code == 404
        assert (await crm.get("/api/cti/calls?agent_id=1002")).status_code == 404
        # The account opens these doors only; nothing else of the house answers to it.
        for path in ("/api/me", "/api/calls", "/api/cases", "/api/machines", "/api/users", "/api/audit"):
            assert (await crm.get(path)).status_code == 401, path
    async with httpx.AsyncClient(timeout=30, base_url=house.base) as nobody:
        assert (await nobody.get("/api/cti/agents")).json()["error"]["code"] == "bad_token"
        reader = house.account("reader", frozenset({Scope.calls_read}))
        refused = await nobody.post("/api/cti/calls", json={"agent_id": "1001", "number": "110"}, headers=reader.header)
        assert (refused.status_code, refused.json()["scope"]) == (403, "calls.control")
    assert ("machine:crm", "agent:1001", {"machine": 1, "command": "call.hangup", "call": call_id}) in audited(
        house.db, "machine.acted"
    )


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


# -- the administrator's doors ---------------------------------------------------------------------------------------


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
