"""The queue calls citizens back, on real Asterisk with real telephones, real scripts and a database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from agi_scripts.scripts import SCRIPTS
from agi_scripts.server import FastAgiServer
from app.actor import SYSTEM
from app.agents.service import change_agent
from app.callbacks import service as callbacks
from app.callbacks.tables import Callback
from app.calls.service import find
from app.cases.tables import Case
from app.clock import utc_now
from app.db import Database
from app.voice_services import VoiceServices
from tests.bridge_kit.core import CoreProcess
from tests.bridge_kit.fixtures import running_core
from tests.bridge_kit.page import OpenPage, Page
from tests.peers import audio
from tests.peers.fixtures import Exchange, PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import BUSY, Line, PublicNetwork
from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ
from tests.peers.waiting import wait_until

pytest_plugins = ["tests.bridge_kit.fixtures"]

RULES = """
queues:
  general:
    wrapup_s: 0
    callback:
      {{first: {first}, offer_after_s: null, retry_s: 2, attempts: 2, windows: [{{from: "00:00", to: "24:00"}}]}}
"""


@pytest.fixture(scope="module")
def core_process(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreProcess]:
    """The core with a queue that calls back, the agent first."""
    exchange.hotline.settings.paths.queues.write_text(RULES.format(first="agent"))
    yield from running_core(exchange, tmp_path_factory)


@pytest.fixture
def database(asterisk_under_test: AsteriskUnderTest, core_process: CoreProcess) -> Iterator[Database]:
    opened = Database(asterisk_under_test.settings.url)
    yield opened
    opened.dispose()


@pytest.fixture
def hotline(asterisk_under_test: AsteriskUnderTest, database: Database) -> Iterator[AsteriskUnderTest]:
    """Asterisk with the real voice scripts; people are at work, at whatever hour the test runs."""
    settings = asterisk_under_test.settings
    services = VoiceServices(settings, database)
    services.is_open = lambda at: True  # type: ignore[method-assign]
    voice = FastAgiServer(settings.agi_host, settings.agi_port, SCRIPTS, services, 20)
    voice.start()
    yield asterisk_under_test
    voice.stop(0.5)


def promise(database: Database, number: str) -> Callback:
    with database.read() as session:
        rows = session.execute(select(Callback).where(Callback.number == number)).scalars().all()
    assert len(rows) == 1, rows
    return rows[0]


def asks_to_be_called(hotline: AsteriskUnderTest, network: PublicNetwork, database: Database, number: str) -> int:
    """A citizen waits, chooses a call-back, confirms the number by a key, and hangs up. The promise."""
    line = network.call(number).wait_answered()
    call = hotline.wait_call(number)["Call"]
    line.press("0")
    hotline.manager.wait_event("AcdJoin", 15, Call=call)
    return chooses(hotline, database, line, call, number)


def chooses(hotline: AsteriskUnderTest, database: Database, line: Line, call: str, number: str) -> int:
    """Who waits in line chooses a call-back, confirms the number by a key, and hangs up. The promise."""
    mark = hotline.manager.mark()
    line.press("2")
    hotline.manager.wait_event("AcdKey", 10, mark, Call=call)
    line.press("1")
    line.wait_ended()

    def in_line() -> int | None:
        with database.read() as session:
            row = session.execute(select(Callback).where(Callback.number == number)).scalar_one_or_none()
            return row.id if row is not None and row.in_line else None

    return wait_until(in_line, 10, "the promise in line")


def call_of(hotline: AsteriskUnderTest, callback_id: int) -> str:
    return f"{hotline.settings.node}-cb{callback_id}.0"


def on_shift(agent: Page) -> Page:
    """Ready; whoever waits to be called back may be offered in the same moment."""
    agent.command("agent.sign_in")
    agent.command("agent.ready")
    return agent


def answering(lines: list[Line]):
    def talk(line: Line) -> None:
        lines.append(line)
        line.tone(700)

    return talk


def ends(agent: Page, call_id: str, citizen: Line) -> None:
    mark = agent.mark()
    agent.command("call.hangup")
    agent.wait("call.ended", after=mark, call_id=call_id)
    citizen.hang_up()


def test_agent_first_both_hear_each_other_though_the_core_was_killed_while_it_waited(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    database: Database,
    core_process: CoreProcess,
) -> None:
    number, lines = "13911110001", []
    public_network.answers(number, then=answering(lines))
    callback_id = asks_to_be_called(hotline, public_network, database, number)
    asked_at = utc_now()
    core_process.kill()
    core_process.start()
    desk = phone("1001")
    agent = on_shift(page("1001"))
    call_id = call_of(hotline, callback_id)
    pop = agent.wait("call.pop", call_id=call_id)
    assert pop.data["card"]["number"] == number
    agent.wait("call.ringing", call_id=call_id)
    agent.wait("call.answered", call_id=call_id)
    desk.wait_hears(700)
    citizen = lines[0]
    citizen.wait_hears(880)
    assert agent.state["state"] == "talking"
    agent.until(lambda: agent.all("call.room")[-1].data["talked"], "the talk")
    since = citizen.heard_s()
    agent.command("call.hold", 10.0)
    citizen.wait_hears(MUSIC_HZ, since=since)
    since = citizen.heard_s()
    agent.command("call.resume", 10.0)
    citizen.wait_hears(880, since=since)
    ends(agent, call_id, citizen)
    agent.wait_state("ready")
    row = promise(database, number)
    assert (row.state, row.attempts, row.result, row.in_line) == ("done", 1, "reached", False)
    with database.read() as session:
        record = wait_until(lambda: ended(database, call_id), 10, "the record's end")
        assert (record.direction, record.agent_id, record.outcome) == ("out", "1001", "answered")
        assert record.joined_at is not None
        assert record.joined_at < asked_at < (record.answered_at or asked_at), "the wait from the first join on"
        cases = session.execute(select(Case).where(Case.call_id == call_id)).scalars().all()
        assert [(case.source, case.agent_id) for case in cases] == [("callback", "1001")]
    found = wait_until(
        lambda: sorted(hotline.settings.paths.recordings.rglob(f"*{call_id}*.wav")), 20, "the recording in the store"
    )
    assert audio.tone_seconds(found[0], 700, channel=0) > 0.5, "the citizen"
    assert audio.tone_seconds(found[0], 880, channel=1) > 0.5, "the agent"


def ended(database: Database, call_id: str):
    with database.read() as session:
        row = find(session, call_id)
        return row if row is not None and row.ended_at is not None else None


def test_a_citizen_who_is_not_reached_is_tried_again_and_the_agent_hears_of_it(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage, database: Database
) -> None:
    number, lines = "13911110002", []
    public_network.refuses(number, BUSY)
    callback_id = asks_to_be_called(hotline, public_network, database, number)
    desk = phone("1001")
    agent = on_shift(page("1001"))
    call_id = call_of(hotline, callback_id)
    notice = agent.wait("notice", code="not_reached")
    assert (notice.data["number"], notice.data["status"]) == (number, "BUSY")
    desk.wait_hears(450)
    agent.wait("call.ended", call_id=call_id)
    row = wait_until(lambda: (r := promise(database, number)).state == "open" and r, 5, "to be tried later")
    assert (row.attempts, row.result, row.in_line) == (1, "busy", True)
    assert row.due_at is not None
    assert utc_now() - timedelta(seconds=5) < row.due_at
    public_network.answers(number, then=answering(lines))
    agent.until(lambda: len(agent.all("call.pop")) == 2, "the second attempt", 20)
    desk.wait_hears(700)
    lines[0].wait_hears(880)
    assert wait_until(lambda: promise(database, number).state == "done", 5, "the promise kept")
    assert promise(database, number).attempts == 2
    drafts = {one.data["card"]["draft"]["case_id"] for one in agent.all("call.pop")}
    assert len(drafts) == 1, "one draft for one promise"
    ends(agent, call_id, lines[0])


def test_a_core_that_is_killed_while_the_citizens_phone_rings_dials_once_and_finds_them_talking(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    database: Database,
    core_process: CoreProcess,
) -> None:
    number, lines = "13911110003", []
    public_network.answers(number, ring_s=4, then=answering(lines))
    callback_id = asks_to_be_called(hotline, public_network, database, number)
    desk = phone("1001")
    agent = on_shift(page("1001"))
    call_id = call_of(hotline, callback_id)
    wait_until(
        lambda: any(one["Uniqueid"] == call_id for one in hotline.manager.channels()), 15, "the citizen's channel"
    )
    core_process.kill()
    core_process.start()
    desk.wait_hears(700)
    citizen = lines[0]
    citizen.wait_hears(880)
    assert len(lines) == 1
    agent.reconnect()
    agent.wait_state("talking")
    wait_until(lambda: promise(database, number).state == "done", 10, "the promise kept")
    assert promise(database, number).attempts == 1
    ends(agent, call_id, citizen)


def test_citizen_first_they_hear_who_calls_and_wait_at_the_kept_place(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    database: Database,
    core_process: CoreProcess,
) -> None:
    watch = page("watch", streams=("wallboard",))
    hotline.settings.paths.queues.write_text(RULES.format(first="citizen"))
    watch.wait("notice", code="queue_rules", timeout=10)
    number, lines = "13911110004", []
    public_network.answers(number, then=answering(lines))
    callback_id = asks_to_be_called(hotline, public_network, database, number)
    watch.until(lambda: watch.all("wallboard.figures")[-1].data["callbacks"] == 1, "one who waits to be called")
    desk = phone("1001")
    agent = on_shift(page("1001"))
    call_id = call_of(hotline, callback_id)
    wait_until(lambda: lines, 15, "the citizen to answer")
    citizen = lines[0]
    citizen.wait_hears(PROMPT_HZ["callback_calling"])
    pop = agent.wait("call.pop", call_id=call_id)
    assert pop.data["card"]["waited_s"] >= 1
    desk.wait_hears(700)
    citizen.wait_hears(880)
    row = promise(database, number)
    assert (row.state, row.attempts) == ("done", 1)
    ends(agent, call_id, citizen)
    assert [step for step in told(core_process, call_id) if "市民已接回拨" in step]


@pytest.mark.parametrize("first", ["agent", "citizen"])
def test_all_the_skills_a_caller_needs_reach_the_citizens_channel_and_whoever_has_them_all(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    database: Database,
    core_process: CoreProcess,
    first: str,
) -> None:
    watch = page("watch", streams=("wallboard",))
    rules = RULES.format(first=first).replace("retry_s: 2", f"retry_s: {3 + len(first)}")  # others than before
    hotline.settings.paths.queues.write_text(rules)
    watch.wait("notice", code="queue_rules", timeout=10)
    change_agent(database, SYSTEM, "1003", skills={"zh": 5, "yue": 4, "water": 2})
    number, lines = f"1391111001{len(first)}", []
    public_network.answers(number, ring_s=2, then=answering(lines))
    line, mark = public_network.call(number).wait_answered(), hotline.manager.mark()
    start = hotline.wait_call(number)
    hotline.manager.set_variable(start["Channel"], "HOTLINE_SKILLS", "yue:3,water:1")
    hotline.redirect(start["Channel"], "acd-hold")
    hotline.manager.wait_event("AcdJoin", 10, mark, Call=start["Call"], Skills="yue:3,water:1")
    callback_id = chooses(hotline, database, line, start["Call"], number)
    assert promise(database, number).skills == {"yue": 3, "water": 1}

    phone("1001")
    desk = phone("1003")
    speaks_yue, knows_water = on_shift(page("1001")), on_shift(page("1003"))
    call_id = call_of(hotline, callback_id)
    channel = wait_until(
        lambda: next((one["Channel"] for one in hotline.manager.channels() if one["Uniqueid"] == call_id), None),
        20,
        "the citizen's channel",
    )
    assert hotline.manager.variable(channel, "HOTLINE_SKILLS") == "water:1,yue:3"
    if first == "citizen":
        hotline.manager.wait_event("AcdJoin", 15, mark, Call=call_id, Skills="water:1,yue:3")
    knows_water.wait("call.pop", call_id=call_id)
    desk.wait_hears(700)
    lines[0].wait_hears(880)
    assert not speaks_yue.all("call.pop")
    ends(knows_water, call_id, lines[0])


def test_a_caller_who_keys_in_a_premium_number_hears_so_at_once_and_is_promised_a_call_at_another(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, database: Database, core_process: CoreProcess
) -> None:
    number, other = "13911110021", "02555550021"
    line = public_network.call(number).wait_answered()
    call = hotline.wait_call(number)["Call"]
    line.press("0")
    hotline.manager.wait_event("AcdJoin", 15, Call=call)
    line.press("2")
    hotline.manager.wait_event("AcdKey", 10, Call=call)
    line.press("2")  # another number
    asked = line.wait_hears(PROMPT_HZ["callback_number_ask"])
    line.press("16887788#")
    refused = line.wait_hears(PROMPT_HZ["callback_number_refused"], since=asked)
    again = line.wait_hears(PROMPT_HZ["callback_number_ask"], since=refused)
    line.press("02555550021#")
    line.wait_hears(PROMPT_HZ["digit_5"], since=again)  # the number is read back
    line.press("1")
    line.wait_ended()
    row = wait_until(lambda: promise(database, other), 10, "the promise")
    with database.read() as session:
        numbers = set(session.execute(select(Callback.number)).scalars())
    assert not {"16887788", number} & numbers
    callbacks.cancel(database, SYSTEM, row.id or 0)


def told(core_process: CoreProcess, call_id: str) -> list[str]:
    steps: list[str] = httpx.get(f"{core_process.base}/explain/{call_id}", timeout=10).json()
    return steps
