"""Outside systems over the real doors: tokens, the websocket, REST, pushes to real receivers that behave badly."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from websockets.asyncio.client import ClientConnection, connect

from app.actor import SYSTEM
from app.alarms.service import open_alarms
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.certificates.service import look, watch
from app.citizens import service as citizens
from app.clock import to_ms, utc_now
from app.db import Database
from app.errors import TooMany
from app.machines import service as machines
from app.machines.door import Door
from app.machines.model import Scope
from app.outgoing import DeliveryState
from app.pushes import reach, sending
from app.pushes import service as pushes
from app.pushes.model import KEPT, PATIENCE, PushEvent
from app.pushes.sending import PushSender, forget_old, write_down
from app.pushes.tables import PushJob
from app.settings import Settings
from asterisk_conf.certificates import certificate as telephone_certificate
from cti_bridge.domain import AppDomain
from tests.bridge_kit import served
from tests.bridge_kit.outside import EVERY_SCOPE, House, Receiver, Token, until
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
    page = await connect(f"ws://127.0.0.1:{house.port}/ws", additional_headers=token.header, compression=None)
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


# -- pushes ----------------------------------------------------------------------------------------------------------


class Clock:
    """The time of day; it goes on by hand."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What time it is for the clerk."""
    made = Clock()
    monkeypatch.setattr("cti_bridge.domain.utc_now", made)
    return made


@pytest.fixture
def told(db: Database, settings: Settings, clock: Clock) -> Callable[..., int]:
    """Facts as the bridge tells them; the events that they made wait."""
    domain = AppDomain(settings.model_copy(update={"push_networks": ["127.0.0.0/8"]}), db)

    def tell(call_id: str, **facts: Any) -> int:
        typed = {k: to_ms(v) if isinstance(v, datetime) else v for k, v in facts.items()}
        domain.record([(call_id, typed)])
        with db.read() as session:
            return len(session.execute(select(PushJob)).scalars().all())

    return tell


def system(
    db: Database, settings: Settings, *urls: str, scopes: frozenset[Scope] = EVERY_SCOPE, **more: Any
) -> list[int]:
    """An outside system that is told of calls at these addresses; their ids."""
    allowed = settings.model_copy(update={"push_networks": ["127.0.0.0/8"]})
    with db.session() as session:
        end = utc_now() + timedelta(days=30)
        row, _ = machines.create(session, SYSTEM, f"crm-{next(NAMES)}", scopes, agents=["*"], expires_at=end)
        begun = utc_now() - timedelta(hours=1)
        made = [pushes.add(session, SYSTEM, allowed, row.id or 0, url, now=begun, **more)[0] for url in urls]
        return [one.id or 0 for one in made]


def sender(db: Database, settings: Settings, **more: Any) -> PushSender:
    """What sends; `look` is called by hand."""
    return PushSender(db, settings.model_copy(update={"push_networks": ["127.0.0.0/8"]}), chance=lambda: 0.5, **more)


async def round_of(one: PushSender) -> None:
    """One look, and everything that came of it."""
    await one.look()
    await one.settled()


def states(db: Database) -> list[tuple[str, str, str]]:
    """What became of every job, in their order."""
    with db.read() as session:
        rows = session.execute(select(PushJob).order_by(col(PushJob.id))).scalars()
        return [(row.event, row.state, row.fault) for row in rows]


async def test_a_call_is_told_to_a_system_in_order_and_once(
    db: Database, settings: Settings, told: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    async with Receiver().open() as crm:
        (address,) = system(db, settings, crm.url, signed=True)
        began = utc_now()
        assert told("h-1.1", started_at=began, number=NUMBER, line="12345", queue="general", direction="in") == 1
        assert told("h-1.1", offered_at=began, agent_id="1001") == 1
        answered = {"answered_at": began, "agent_id": "1001", "outcome": "answered"}
        assert told("h-1.1", **answered) == told("h-1.1", **answered) == 2  # a clerk that died over it: told twice
        ended = {"ended_at": began, "outcome": "answered", "cause": "16"}
        assert told("h-1.1", started_at=began, **answered | ended) == 3
        assert told("h-1.1", started_at=began, answered_at=began, agent_id="1002") == 3  # too late to be told
        one = sender(db, settings)
        await round_of(one)
        await round_of(one)
        assert crm.events() == ["newCall", "answer", "hangup"]
        assert crm.heard[0].fields["from"] == NUMBER
        heard = crm.heard[2]
        assert heard.fields["cause"] == "normalClearing"
        with db.session() as session:
            _, key = pushes.new_key(session, SYSTEM, settings, address)
        assert told("h-1.2", started_at=utc_now()) == 4
        await round_of(one)
        last = crm.heard[3]
        signed = f"{last.headers['x-hotline-timestamp']}.".encode() + last.body
        right = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
        assert last.headers["x-hotline-signature"] == f"sha256={right}"
        assert last.headers["x-hotline-signature"] != heard.headers["x-hotline-signature"]
        assert len({one.headers["x-hotline-delivery"] for one in crm.heard}) == 4
    assert {state for _, state, _ in states(db)} == {"sent"}
    assert "s3cret" not in caplog.text
    assert NUMBER not in caplog.text


@ON_A_FILE
async def test_secret_numbers_are_withheld_by_the_rules_that_hold_when_it_is_sent(
    db: Database, settings: Settings, told: Callable[..., int]
) -> None:
    async with AsyncExitStack() as stack:
        plain, entitled = [await stack.enter_async_context(Receiver().open()) for _ in range(2)]
        system(db, settings, plain.url)
        system(db, settings, entitled.url, scopes=frozenset(Scope))
        told("h-1.1", started_at=utc_now(), number=SECRET, line="12345")
        told("h-1.2", started_at=utc_now(), number="", line="12345")
        with db.session() as session:  # only now somebody learns that it must be kept secret
            made = citizens.create(session, SYSTEM, numbers=[SECRET], name="欧阳守秘", flags=["confidential"])
            assert made.id
        told("h-1.1", started_at=utc_now())
        await round_of(sender(db, settings))
        assert [one.fields["from"] for one in plain.heard] == ["anonymous", "anonymous"]
        assert [one.fields["from"] for one in entitled.heard] == [SECRET, "anonymous"]


async def test_a_receiver_that_stumbles_gets_it_again_and_holds_up_its_own_call_only_in_order(
    db: Database, settings: Settings, told: Callable[..., int], clock: Clock
) -> None:
    async with AsyncExitStack() as stack:
        ill, well = [await stack.enter_async_context(Receiver().open()) for _ in range(2)]
        ill.answers.extend([500, 429, 302])
        system(db, settings, ill.url)
        system(db, settings, well.url)
        told("h-1.1", started_at=clock.now, number=NUMBER, ended_at=clock.now)
        one = sender(db, settings, now=clock)
        for tries in range(1, 4):
            await round_of(one)
            assert ill.events() == ["newCall"] * tries, "what comes later waits"
            await round_of(one)
            assert len(ill.heard) == tries, "it rests"
            clock.now += PATIENCE.pause(tries)
        assert ("newCall", "waiting", "http_302") in states(db)
        await round_of(one)
        assert ill.events()[3:] == ["newCall", "hangup"]
        assert len({h.headers["x-hotline-delivery"] for h in ill.heard}) == 2
        assert well.events() == ["newCall", "hangup"]


@ON_A_FILE
async def test_a_slow_a_dead_and_a_dripping_receiver_hold_up_nobody(
    db: Database, settings: Settings, told: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "PATIENCE_S", 1.0)
    async with AsyncExitStack() as stack:
        slow, drip, well = [await stack.enter_async_context(Receiver().open()) for _ in range(3)]
        slow.answers.extend(["silence"] * 9)
        drip.answers.extend(["drip"] * 9)
        for url in (slow.url, drip.url, "http://127.0.0.1:9/dead", well.url):
            system(db, settings, url)
        told("h-1.1", started_at=utc_now(), number=NUMBER)
        one = sender(db, settings)
        await one.look()
        await until(lambda: well.heard, "the one that is well")
        assert len(one._in_hand) >= 2, "the slow ones are still at it"
        began = time.monotonic()
        await one.settled()
        assert time.monotonic() - began < 4
    faults = sorted(fault for _, state, fault in states(db) if state == "waiting")
    assert faults == ["ConnectError", "TimeoutError", "TimeoutError"]


async def test_what_nobody_takes_is_given_up_told_and_sent_again_by_hand(
    db: Database, settings: Settings, told: Callable[..., int], clock: Clock
) -> None:
    async with Receiver().open() as crm:
        (address,) = system(db, settings, crm.url)
        crm.answers.extend([500] * 5 + [410])
        told("h-1.1", started_at=clock.now, number=NUMBER)
        one = sender(db, settings, now=clock)
        for tries in range(1, 6):
            await round_of(one)
            clock.now += PATIENCE.pause(tries)
        with db.read() as session:
            (alarm,) = open_alarms(session)
            assert (alarm.code, alarm.detail) == ("pushes_not_sent", {"fault": "http_500"})
        told("h-1.2", started_at=clock.now, number=NUMBER)
        clock.now += PATIENCE.whole  # nobody could use the first one any more
        await round_of(one)
        assert [state for _, state, _ in states(db)] == ["given_up", "refused"]
        assert crm.heard[-1].fields["callId"] == "h-1.2"
        with db.session() as session:
            assert pushes.counts(session) == {address: {"waiting": 0, "dead": 2}}
            assert pushes.jobs(session, SYSTEM, state="dead").total == 2
            assert pushes.send_again(session, SYSTEM, address_id=address, now=clock.now) == 2
            assert pushes.send_again(session, SYSTEM, address_id=address, now=clock.now) == 0  # a double click
        await round_of(one)
        assert [state for _, state, _ in states(db)] == ["sent", "sent"]
        with db.read() as session:
            assert open_alarms(session) == []
    assert forget_old(db, clock.now + KEPT / 2) == 0
    assert forget_old(db, clock.now + KEPT + timedelta(days=1)) == 2


@ON_A_FILE
async def test_a_job_that_was_lost_with_its_sender_is_found_again(
    db: Database, settings: Settings, told: Callable[..., int], clock: Clock
) -> None:
    async with Receiver().open() as crm:
        (address,) = system(db, settings, crm.url)
        told("h-1.1", started_at=clock.now, ended_at=clock.now)
        assert len(sending.claim(db, settings, address, clock.now)) == 2  # and then it is killed
        one = sender(db, settings, now=clock)
        await round_of(one)
        assert crm.heard == []
        clock.now += sending.LEASE + timedelta(seconds=1)
        await round_of(one)
        assert crm.events() == ["newCall", "hangup"]


@ON_A_FILE
async def test_who_may_not_be_told_any_more_is_told_nothing(
    db: Database, settings: Settings, told: Callable[..., int]
) -> None:
    async with Receiver().open() as crm:
        (address,) = system(db, settings, crm.url)
        began = utc_now()
        told("h-1.1", started_at=began)
        with db.session() as session:
            (row,) = machines.accounts(session, SYSTEM)
            machines.revoke(session, SYSTEM, row.id or 0)
        assert told("h-1.1", started_at=began, ended_at=began) == 1
        await round_of(sender(db, settings))
        assert (crm.heard, states(db)) == ([], [("newCall", "off", "")])
        write_down(db, {1: sending.Outcome(DeliveryState.sent)}, [], utc_now(), 0.5)
        assert states(db) == [("newCall", "off", "")], "what was settled meanwhile stays as it is"
        with db.session() as session:
            assert pushes.change(session, SYSTEM, settings, address, active=False).active is False


@ON_A_FILE
def test_the_sender_starts_sends_and_stops_by_itself(
    db: Database, settings: Settings, told: Callable[..., int]
) -> None:
    heard: list[str] = []

    async def post(url: str, body: bytes, headers: Any, networks: Any) -> None:
        heard.append(body.decode())

    system(db, settings, "http://127.0.0.1:9/x")
    one = sender(db, settings, post=post, look_s=0.01)
    one.start()
    with ExitStack() as stack:
        stack.callback(one.stop)
        told("h-1.1", started_at=utc_now())
        end = time.monotonic() + 5
        while not heard and time.monotonic() < end:
            one._stopping.wait(0.01)
    assert not one._thread.is_alive()
    assert "newCall" in heard[0]


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
