"""Two cores, one Asterisk: one acts, the other takes over with every caller in place, and nothing is done twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from app.auth.sessions import COOKIE
from app.compose import running_app
from app.db import Database
from app.secrets import secret
from app.settings import Settings
from cti_bridge.activity import State
from cti_bridge.ami import LinkDown
from tests.bridge_kit.core import CoreProcess
from tests.bridge_kit.pair import SETTLE_S, Door, Pair, Twin
from tests.bridge_kit.rig import NODE, PlayedAsterisk, channel, ms, offer_of, until
from tests.bridge_kit.served import closing, frame
from tests.integration.postgres_server import PostgresServer
from tests.peers.ports import port_block

HEART_BEATS_AGAIN_WITHIN_S = 6.0  # a look every 0.5 s, two seconds of waiting, and a busy machine
RUNG, EARLY, LATE = (f"{NODE}.{n}" for n in (1, 2, 3))


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    pair = await Pair(tmp_path).start()
    yield pair
    await pair.stop()


def in_line(twin: Twin) -> list[str]:
    """Who waits on this core, the next one first."""
    return [one.call_id for one in twin.bridge.engine.snapshot().waiting]


async def one_is_rung_and_two_wait(pair: Pair, twin: Twin) -> tuple[int, str]:
    """Three callers on the core that acts; Asterisk shows them as they are. (first join, offer of the one rung)."""
    joined = ms() - 90_000
    await twin.bridge.sign_in("1001")
    for n, call in enumerate((RUNG, EARLY, LATE)):
        assert pair.asterisk.citizen(f"1380000000{n}", joined) == call
        pair.asterisk.join(call, f"1380000000{n}", joined + n * 1000)
    await until(pair.offered, "an offer")
    await until(lambda: {EARLY, LATE} <= set(in_line(twin)), "two who wait")
    (offer_id,) = [offer_of(one).offer_id for one in pair.asterisk.got("Redirect")]

    def row(call: str, n: int, phase: str, application: str) -> list[tuple[str, str]]:
        return channel(call, application=application, CALL=call, PHASE=phase, NUMBER=f"1380000000{n}",
                       JOINED=str(joined + n * 1000), STARTED=str(joined))  # fmt: skip

    pair.asterisk.channels = {
        LATE: row(LATE, 2, "hold", "WaitExten(3"),
        RUNG: row(RUNG, 0, "connect", "Dial"),
        EARLY: row(EARLY, 1, "hold", "WaitExten(3"),
    }
    return joined, offer_id


async def taken_over(pair: Pair, first: Twin, second: Twin) -> None:
    await until(second.acts, "the second core acts")
    await until(lambda: first.core.state is State.standby, "the first stands by")


async def test_waiting_callers_keep_their_order_and_no_offer_is_doubled_when_the_other_core_takes_over(
    pair: Pair,
) -> None:
    first, second = await pair.both()
    joined, offer_id = await one_is_rung_and_two_wait(pair, first)
    leg = pair.asterisk.rings(RUNG, "1001")
    first.lock.unreachable = True
    pair.server.end_session(first.lock)
    await taken_over(pair, first, second)
    waiting = second.bridge.engine.snapshot().waiting
    assert [(one.call_id, one.joined_ms) for one in waiting] == [(EARLY, joined + 1000), (LATE, joined + 2000)]
    pair.asterisk.picks_up(RUNG, "1001", leg, offer_id)
    await second.bridge.sign_in("1002")
    await until(lambda: len(pair.offered()) >= 2, "an offer to the next")
    await second.bridge.sign_in("1003")
    await until(lambda: len(pair.offered()) >= 3, "an offer to the last")
    await until(lambda: second.bridge.core.telephony.calls[RUNG].phase == "talk", "the talk that the first core began")
    assert pair.offered() == [pair.asterisk.name_of(call) for call in (RUNG, EARLY, LATE)]


async def test_with_a_shared_journal_the_agents_on_shift_are_known_after_the_take_over(tmp_path: Path) -> None:
    pair = await Pair(tmp_path, "journal").start()
    try:
        first, second = await pair.both()
        await first.bridge.sign_in("1001")
        book = first.bridge.core.book
        await until(lambda: [one.state for one in book.remembered()] == ["ready"], "the book")
        first.lock.unreachable = True
        pair.server.end_session(first.lock)
        await taken_over(pair, first, second)
        assert second.bridge.core.book.on_shift["1001"].state == "ready"
    finally:
        await pair.stop()


async def test_the_lines_of_two_cores_do_not_mingle_in_a_shared_journal(tmp_path: Path) -> None:
    pair = await Pair(tmp_path, "journal", settle_s=0.6).start()
    try:
        first, second = await pair.both(first_looks_every_s=0.2)
        first.lock.unreachable = True
        pair.server.end_session(first.lock)
        while first.core.state is not State.standby:  # it has not looked yet, and goes on hearing
            pair.asterisk.join(pair.asterisk.citizen("13800000000", ms()), "13800000000", ms())
            await asyncio.sleep(0.01)
        await taken_over(pair, first, second)
        second.bridge._engine_file.flush()
        (file,) = (tmp_path / "first/journal").glob("acd-*.jsonl")
        lines = file.read_text().splitlines()
        heads = [n for n, line in enumerate(lines) if '"seed":' in line]
        assert len(heads) == 2
        assert any(NODE in line for line in lines[: heads[1]])
        assert not any(NODE in line for line in lines[heads[1] :]), "only the first core has heard of these calls"
    finally:
        await pair.stop()


async def test_a_core_that_stands_by_leaves_asterisk_alone_and_writes_no_journal(pair: Pair, tmp_path: Path) -> None:
    _, second = await pair.both()
    asked = second.lock.asked
    await until(lambda: second.lock.asked > asked + 5, "some more looks")
    assert pair.asterisk.logins == 1
    assert list((tmp_path / "second/journal").iterdir()) == []


async def test_a_core_that_is_stopped_hands_over_at_once(pair: Pair) -> None:
    first, second = await pair.both()
    await first.core.stop()
    await until(second.acts, "the second core acts", 2)


async def test_a_core_that_has_lost_its_session_acts_no_more_even_before_it_has_looked(pair: Pair) -> None:
    first, second = await pair.both(first_looks_every_s=3600)
    pair.asterisk.join(pair.asterisk.citizen("13800000000", ms()), "13800000000", ms())
    await until(lambda: first.bridge.engine.snapshot().waiting, "somebody who waits")
    first.lock.unreachable = True
    pair.server.end_session(first.lock)
    await first.bridge.sign_in("1001")
    await taken_over(pair, first, second)
    assert pair.offered() == []


async def test_a_core_that_slept_reads_everything_anew_before_it_goes_on(pair: Pair) -> None:
    first, _ = await pair.both(first_looks_every_s=3600)
    before, announced = first.bridge, len(pair.asterisk.got("UserEvent"))
    first.lock.unreachable = True
    first.asleep_s = 60
    with pytest.raises(LinkDown):
        await before.core.asterisk.beat(1)
    await until(lambda: len(pair.asterisk.got("UserEvent")) > announced, "somebody takes over, and says so")
    assert not before.started


async def test_a_core_that_nobody_told_hears_in_asterisk_that_another_one_acts_and_stops(pair: Pair) -> None:
    first, second = await pair.both()
    old = first.bridge
    pair.server.lose_silently(first.lock)
    await until(lambda: first.core.state is State.standby, "the first stands by")
    assert first.asleep_s == 0, "long before its lease was over"
    with pytest.raises(LinkDown):
        await old.core.asterisk.beat(1)
    await until(second.acts, "the second core acts")


async def test_what_the_other_core_has_sent_is_done_before_the_channels_are_read(pair: Pair) -> None:
    first, _ = await pair.both()
    pair.asterisk.actions.clear()
    pair.server.lose_silently(first.lock)
    await pair.asterisk.arrival("UserEvent")
    said = time.monotonic()
    await pair.asterisk.arrival("Status")
    assert time.monotonic() - said > SETTLE_S / 2


async def test_a_silent_database_does_not_stop_the_core_that_acts(pair: Pair) -> None:
    first, second = await pair.both()
    first.lock.frozen = True
    await until(lambda: first.core.state is State.unsure, "doubt")
    assert first.core.health()["core_lock"] != "ok"
    pair.asterisk.join(pair.asterisk.citizen("13800000000", ms()), "13800000000", ms())
    await first.bridge.sign_in("1001")
    await until(pair.offered, "an offer")
    assert second.core.stands_by()


async def test_pages_are_refused_by_the_core_that_stands_by_and_served_once_it_acts(pair: Pair) -> None:
    first, second = await pair.both()
    door = Door(second)
    serving = asyncio.create_task(door.serve())
    await until(lambda: door.server.started, "the server")
    there, cookie = f"ws://127.0.0.1:{door.port}/ws", {"Cookie": f"{COOKIE}=token-1001"}
    async with connect(there, additional_headers=cookie) as page:
        assert await closing(page) == 1013
        assert "stands by" in (page.close_reason or "")
    await first.core.stop()
    await until(second.acts, "the second core acts")
    async with connect(there, additional_headers=cookie) as page:
        await page.send('{"type":"hello","streams":["agent"],"resume":null}')
        assert (await frame(page))["type"] == "snapshot"
    door.server.should_exit = True
    await serving


# -- with the real lock ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
async def test_the_supervisor_sees_a_core_that_stands_by_alive_and_a_proxy_sees_where_pages_belong(
    settings: Settings, db: Database, tmp_path: Path
) -> None:
    roles = frozenset({"realtime", "web"})
    one = settings.model_copy(update={"standby": True, "ami_port": 1})
    two = one.model_copy(update={"home": tmp_path / "other"})
    two.ensure_dirs()
    async with running_app(one, db, roles) as acting:
        await until(lambda: not acting.state.web.realtime.stands_by(), "the first acts")
        async with running_app(two, db, roles) as waiting:
            await until(lambda: waiting.state.web.realtime.health()["core_lock"] == "ok", "the second waits")
            found = {}
            for name, app in (("acting", acting), ("waiting", waiting)):
                async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://core") as client:
                    assert (await client.get("/livez")).status_code == 200
                    health = await client.get("/healthz")
                    found[name] = (health.status_code, health.json()["status"], health.json()["parts"]["realtime"])
            assert found["waiting"] == (503, "standby", "standby")
            assert found["acting"] == (503, "degraded", "no connection to Asterisk")


async def test_a_core_killed_with_kill_9_is_replaced_by_its_standby_within_seconds(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    postgres_server.create("twins", "template_hotline")
    base = Settings(home=tmp_path / "first", database_url=postgres_server.url("twins"), standby=True)
    base.ensure_dirs()
    asterisk = await PlayedAsterisk(secret(base, "ami")).start()
    ports = port_block()
    cores = [
        CoreProcess(base.model_copy(update={"ami_port": asterisk.port, "http_port": ports.take()}), tmp_path / name)
        for name in ("first.log", "second.log")
    ]
    try:
        for core in cores:
            await asyncio.to_thread(core.start)
            await until(lambda: asterisk.got("Setvar"), "the first one's heart", 20)
        async with httpx.AsyncClient(base_url=cores[1].base) as client, asyncio.timeout(20):
            while (await client.get("/healthz")).json()["parts"] != {"core_lock": "ok"}:
                await asyncio.sleep(0.05)
        assert asterisk.logins == 1
        began = time.monotonic()
        await asyncio.to_thread(cores[0].kill)
        asterisk.actions.clear()
        await asterisk.arrival("Setvar", timeout=10)
        assert time.monotonic() - began < HEART_BEATS_AGAIN_WITHIN_S
        done = [one["Action"] for one in asterisk.actions if one["Action"] != "Filter"]  # what it wants to hear
        assert done[:2] == ["Login", "UserEvent"], "first its word, then the rest"
    finally:
        for core in cores:
            await asyncio.to_thread(core.stop)
        await asterisk.stop()
        ports.release()
        postgres_server.drop("twins")
