"""Outside systems over the real doors: tokens, the websocket, REST, pushes to real receivers that behave badly."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from websockets.asyncio.client import ClientConnection, connect

from app.actor import SYSTEM
from app.audit.tables import AuditEntry
from app.citizens import service as citizens
from app.db import Database
from app.machines import service as machines
from app.machines.model import Scope
from tests.bridge_kit import served
from tests.bridge_kit.outside import EVERY_SCOPE, House, Token, until
from tests.bridge_kit.rig import ms, offer_of
from tests.bridge_kit.served import Json

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
