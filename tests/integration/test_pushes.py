"""Calls told to outside systems: receivers that are slow, dead or stumble, and what becomes of what is not taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlmodel import col

from app.actor import SYSTEM
from app.alarms.service import clear_alarm, open_alarms, open_subjects, raise_alarm
from app.citizens import service as citizens
from app.clock import to_ms, utc_now
from app.db import Database
from app.machines import service as machines
from app.machines.model import Scope
from app.outgoing import Away, DeliveryState
from app.pushes import reach, sending
from app.pushes import service as pushes
from app.pushes.model import KEPT, PATIENCE
from app.pushes.sending import PushSender, forget_old, settle_alarms, write_down
from app.pushes.tables import PushJob
from app.settings import Settings
from asterisk_conf.certificates import certificate as telephone_certificate
from cti_bridge.domain import AppDomain
from tests.bridge_kit.outside import EVERY_SCOPE, Receiver, until

SECRET = "13912345678"
NUMBER = "13800138000"
NAMES = itertools.count(1)
ON_A_FILE = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # what is tried is ours, whatever the database


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
def test_facts_that_tell_of_nothing_ask_nothing_of_the_database(
    db: Database, settings: Settings, told: Callable[..., int]
) -> None:
    system(db, settings, "http://127.0.0.1:9/x")
    asked: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    AppDomain(settings, db).record([("h-1.1", {"offered_at": to_ms(utc_now()), "agent_id": "1001", "rating": 5})])
    assert asked
    assert not [one for one in asked if "push_" in one]
    assert told("h-1.1", started_at=utc_now()) == 1
    assert [one for one in asked if "push_" in one]


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
        await round_of(sender(db, settings))
        assert [one.fields["from"] for one in plain.heard] == ["anonymous", "anonymous"]
        assert [one.fields["from"] for one in entitled.heard] == [SECRET, "anonymous"]


class Names:
    """A name server that changes its mind: asked a second time it leads somewhere else."""

    def __init__(self) -> None:
        self.asked = 0

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        address = "127.0.0.1" if self.asked == 1 else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


async def test_a_push_goes_to_the_address_that_was_judged_and_is_for_the_name_that_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Receiver().open() as crm:
        names = Names()
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
        await reach.post(f"http://crm.example:{crm.port}/x", b"event=newCall", {}, ["127.0.0.0/8"])
        assert names.asked == 1
        assert crm.heard[0].headers["host"] == f"crm.example:{crm.port}"


@ON_A_FILE
async def test_a_push_over_tls_is_for_whoever_has_a_certificate_of_that_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = telephone_certificate(settings.model_copy(update={"sip_host": "crm.example"}))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    trusted = ssl.create_default_context(cafile=str(certificate))
    async with Receiver().open(serving) as crm:

        async def push(name: str) -> None:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", Names().getaddrinfo)
            await reach.post(f"https://{name}:{crm.port}/x", b"event=newCall", {}, ["127.0.0.0/8"])

        with pytest.raises(Away, match="ConnectError"):
            await push("crm.example")  # made by nobody whom this machine trusts
        monkeypatch.setattr(reach, "trusted", lambda: trusted)
        await push("crm.example")
        with pytest.raises(Away, match="ConnectError"):
            await push("other.example")
        assert len(crm.heard) == 1


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
    db: Database, settings: Settings, told: Callable[..., int], clock: Clock, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setattr(sending, "AT_ONCE_FORGOTTEN", 1)
    assert forget_old(db, clock.now + KEPT + timedelta(days=1)) == 2


@ON_A_FILE
async def test_a_receiver_that_takes_most_and_stumbles_over_some_is_not_taken_for_one_that_is_away(
    db: Database, settings: Settings, told: Callable[..., int], clock: Clock
) -> None:
    async with Receiver().open() as crm:
        system(db, settings, crm.url)
        for number in range(2 * sending.FAILURES_TOLD):
            told(f"h-1.{number}", started_at=clock.now, number=NUMBER)
        crm.answers.extend([204, 500] * sending.FAILURES_TOLD)
        one = sender(db, settings, now=clock)
        for _ in range(sending.FAILURES_TOLD):
            await round_of(one)
            clock.now += PATIENCE.first  # longer than that it does not rest
        assert len(crm.heard) == 2 * sending.FAILURES_TOLD
        with db.read() as session:
            assert open_alarms(session) == []


@ON_A_FILE
@pytest.mark.parametrize("how", ["stopped", "revoked"])
def test_an_address_that_is_told_nothing_any_more_leaves_no_alarm_behind(
    db: Database, settings: Settings, how: str
) -> None:
    first, second = system(db, settings, "http://127.0.0.1:9/x"), system(db, settings, "http://127.0.0.1:9/y")
    for address in (*first, *second):
        raise_alarm(db, sending.ALARM, {"fault": "ConnectError"}, subject=str(address))
    assert settle_alarms(db, utc_now()) == 0
    with db.session() as session:
        if how == "stopped":
            pushes.change(session, SYSTEM, settings, first[0], active=False)
        else:
            machines.revoke(session, SYSTEM, min(one.id or 0 for one in machines.accounts(session, SYSTEM)))
    assert settle_alarms(db, utc_now()) == 1
    with db.read() as session:
        assert open_subjects(session, sending.ALARM) == {str(second[0])}
    clear_alarm(db, sending.ALARM, subject=str(second[0]))


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
