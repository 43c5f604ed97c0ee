"""Mute, confidential pause, swap, units in a talk and supervisors at one, on real Asterisk: proven by what is heard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from app.actor import SYSTEM
from app.auth.model import Role
from app.auth.tables import User
from app.calls import parts
from app.calls.tables import CallPause
from app.cases.history import events_of
from app.cases.tables import Case
from app.db import Database
from app.units import service as units
from app.units.fields import Phone
from app.units.model import PhoneKind
from tests.bridge_kit.core import CoreProcess
from tests.bridge_kit.page import OpenPage, talking
from tests.bridge_kit.recorded import stored
from tests.peers import audio
from tests.peers.baresip import BaresipPhone
from tests.peers.fixtures import PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.waiting import wait_until

pytest_plugins = ["tests.bridge_kit.fixtures"]

CITIZEN, AGENT, UNIT, BOSS, MUSIC = 440, 880, 700, 1000, 620
BUREAU = "02588886666"


@pytest.fixture
def database(hotline: AsteriskUnderTest) -> Iterator[Database]:
    one = Database(hotline.settings.url)
    yield one
    one.dispose()


def hears(phone: BaresipPhone, *tones: int) -> None:
    """The telephone hears these tones now, and none of the others."""
    for hz in tones:
        phone.wait_hears(hz)
    others = {CITIZEN, AGENT, UNIT, BOSS} - {*tones}

    def quiet() -> bool:
        return not any(audio.has_tone(phone.heard_files()[-1], hz, -0.6) for hz in others)

    wait_until(quiet, 5, f"{phone.account.agent_id} to hear nothing but {tones}", every=0.15)


def not_heard(line: Line, hz: int) -> None:
    """The tone ends for whoever is at the line, and does not come back at once."""
    wait_until(lambda: not line.hears(hz), 5, f"{hz} Hz to end for {line.number}", every=0.1)
    line.wait(0.5)
    assert not line.hears(hz)


def stretches(recording: Path, hz: int, channel: int) -> tuple[float, float, float]:
    """Of a tone in a recording: when it is heard first and last, and for how long (seconds)."""
    times = audio.tone_times(recording, hz, channel=channel)
    return times[0], times[-1], audio.tone_seconds(recording, hz, channel=channel)


def test_a_pause_is_silence_on_both_sides_and_a_mute_on_one_and_both_outlive_a_hold(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
    database: Database,
) -> None:
    desk = phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000031", CITIZEN)
    citizen.wait(1.2)
    agent.command("call.pause")
    citizen.wait(0.8)
    agent.command("call.hold")
    citizen.wait_hears(MUSIC, since=citizen.heard_s())
    agent.command("call.resume")  # a recording begins anew, in the room
    citizen.wait_hears(AGENT, since=citizen.heard_s())
    core_process.kill()
    core_process.start()
    agent.reconnect()
    assert agent.snapshot["calls"][0]["paused"], "the new core knows of it"
    agent.command("call.pause_end")
    citizen.wait(1.2)
    agent.command("call.mute", on=True)
    not_heard(citizen, AGENT)
    since = citizen.heard_s()
    agent.command("call.hold", 10.0)
    citizen.wait_hears(MUSIC, since=since)
    agent.command("call.resume", 10.0)
    hears(desk, CITIZEN)
    not_heard(citizen, MUSIC)
    assert not citizen.hears(AGENT), "still muted in the room"
    agent.command("call.mute", on=False)
    citizen.wait_hears(AGENT, since=citizen.heard_s())
    agent.command("call.hangup")
    citizen.wait_ended()
    talk, room = stored(hotline, call_id, 2)
    for side, hz in ((0, CITIZEN), (1, AGENT)):
        _, last, _ = stretches(talk, hz, side)
        assert 1.0 < last < audio.duration(talk) - 0.5, f"{talk.name}: silent from the pause on"
        first, last, whole = stretches(room, hz, side)
        assert first > 0.5, f"{room.name}: silent until the pause is over"
        assert last > audio.duration(room) - 1.0, f"{room.name}: sound again to the end"
        assert whole > 1.5
    assert stretches(room, CITIZEN, 0)[2] - stretches(room, AGENT, 1)[2] > 1.5, "the mute is heard on one side alone"
    with database.read() as session:
        (pause,) = session.exec(select(CallPause).where(col(CallPause.call_id) == call_id)).all()
    assert (pause.by_agent, pause.ended_by) == ("1001", "agent")


def test_a_swap_changes_who_hears_whom_and_a_unit_in_the_talk_has_a_record_of_its_own(
    public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage, database: Database
) -> None:
    with database.session() as session:
        centre = units.create(session, SYSTEM, {"code": "HUB", "name": "中心", "kind": "centre"})
        named = {"code": "WATER", "name": "城南水务局", "kind": "bureau"}
        phones = [Phone(PhoneKind.voice, BUREAU, "")]
        water = units.create(session, SYSTEM, named, phones, parent_id=centre.id).id
    desk, lines = phone("1001"), list[Line]()

    def bureau(line: Line) -> None:
        lines.append(line)
        line.tone(UNIT)

    public_network.answers(BUREAU, then=bureau)
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000032", CITIZEN)
    agent.command("call.consult", to="025-8888-6666")
    hears(desk, UNIT)
    lines[0].wait_hears(AGENT)
    assert not lines[0].hears(CITIZEN)
    since = lines[0].heard_s(), citizen.heard_s()
    agent.command("call.swap")
    citizen.wait_hears(AGENT, since=since[1])
    lines[0].wait_hears(MUSIC, since=since[0])
    hears(desk, CITIZEN)
    not_heard(lines[0], AGENT)
    not_heard(citizen, UNIT)
    since = lines[0].heard_s(), citizen.heard_s()
    agent.command("call.swap", call_id=call_id)
    lines[0].wait_hears(AGENT, since=since[0])
    citizen.wait_hears(MUSIC, since=since[1])
    hears(desk, UNIT)
    member = agent.all("call.room")[-1].data["members"][-1]
    assert (member["unit_id"], member["unit_name"], member["kind"]) == (water, "城南水务局", "consult")
    since = lines[0].heard_s(), citizen.heard_s()
    agent.command("call.swap")
    citizen.wait_hears(AGENT, since=since[1])
    since = lines[0].heard_s(), citizen.heard_s()
    agent.command("call.hangup")  # while the unit hears music
    citizen.wait_hears(UNIT, since=since[1])
    lines[0].wait_hears(CITIZEN, since=since[0])
    lines[0].hang_up()
    citizen.wait_ended()

    def kept() -> list[dict[str, object]]:
        with database.read() as session:
            return [one for one in parts.thirds_json(session, call_id, clear=False) if one["left_at"]]

    (third,) = wait_until(kept, 10, "the unit's part in the call")
    assert (third["number"], third["unit_id"], third["outcome"]) == (BUREAU, water, "talked")
    assert third["segment"] == 2, "the recording of the room"
    with database.read() as session:
        case = session.exec(select(Case).where(col(Case.call_id) == call_id)).one()
        lines_of_case = [event for event in events_of(session, case.id or 0) if event.event == parts.THREE_WAY]
    assert [event.detail["unit"] for event in lines_of_case] == ["城南水务局"]


def test_a_supervisor_listens_whispers_and_talks_with_all_and_goes_with_the_agent(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
    database: Database,
) -> None:
    with database.session() as session:
        user = session.exec(select(User).where(col(User.name) == "1003")).one()
        user.roles = [Role.supervisor.value]
        session.add(user)
    desk, ear = phone("1001"), phone("1003", tone_hz=BOSS)
    agent, boss = page("1001").ready(), page("1003").ready()
    citizen, call_id = talking(public_network, agent, "13900000033", CITIZEN)
    boss.command("call.oversee", call_id=call_id, mode="listen")
    hears(ear, CITIZEN, AGENT)
    agent.wait("call.marks", overseen="listen")
    hears(desk, CITIZEN)
    assert not citizen.hears(BOSS)
    assert boss.state["busy_outside"], "offered no calls"
    boss.command("call.oversee", call_id=call_id, mode="whisper")
    hears(desk, CITIZEN, BOSS)
    assert not citizen.hears(BOSS)
    agent.command("call.hold")
    citizen.wait_hears(MUSIC, since=citizen.heard_s())
    agent.command("call.resume")
    citizen.wait_hears(AGENT, since=citizen.heard_s())
    hears(desk, CITIZEN, BOSS)  # the agent's leg has moved twice
    since = citizen.heard_s()
    boss.command("call.oversee", call_id=call_id, mode="barge")
    citizen.wait_hears(BOSS, since=since)
    hears(desk, CITIZEN, BOSS)
    hears(ear, CITIZEN, AGENT)
    core_process.kill()
    core_process.start()
    agent.reconnect()
    boss.reconnect()
    assert boss.snapshot["agent"]["overseeing"]["mode"] == "barge"
    boss.command("call.oversee", 10.0, call_id=call_id, mode="listen")
    hears(ear, CITIZEN, AGENT)
    hears(desk, CITIZEN)
    not_heard(citizen, BOSS)
    mark = ear.mark()
    agent.command("call.hangup", call_id=call_id)
    ear.wait_idle(after=mark)
    boss.until(lambda: boss.state["overseeing"] is None and not boss.state["busy_outside"], "to be free again")
    citizen.wait_ended()
    talk, room = stored(hotline, call_id, 2)
    assert audio.tone_seconds(talk, BOSS, channel=1) < 0.3, "what is whispered is for the agent alone"
    assert audio.tone_seconds(room, BOSS, channel=1) > 0.5, "what all hear is recorded"
    for recording in (talk, room):
        assert audio.tone_seconds(recording, CITIZEN, channel=0) > 0.6 * audio.duration(recording)
