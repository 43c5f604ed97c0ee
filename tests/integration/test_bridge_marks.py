"""Mute, confidential pause, help, swap and third parties on a played Asterisk: what is asked of it, told and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInput, Busy, Forbidden, NotFound, Refused
from cti_bridge.hub import StreamKey
from cti_bridge.model import LegState, Phase, pause_of
from tests.bridge_kit.fake_ami import Fields, ok
from tests.bridge_kit.rig import Listener, Rig, channel
from tests.bridge_kit.talking import BOSS, asked, fails, listens, talk, told

pytest_plugins = ["tests.bridge_kit.fixtures"]


# ---- mute


async def test_a_muted_agent_stays_so_wherever_the_talk_goes_and_is_told_since_when(rig: Rig) -> None:
    one, page = await talk(rig), listens(rig)
    control = rig.bridge.control
    await control.mute("1001", None, True)
    assert asked(rig, "MuteAudio") == [("MuteAudio", one.agent.channel, "on")]
    (mark,) = told(page, "call.marks")
    assert mark["muted_ms"] == one.agent.muted_ms
    await control.hold("1001", None)
    await control.resume("1001", None)
    order = [name for name, *_ in asked(rig, "MuteAudio", "Redirect")]
    assert order[-4:] == ["Redirect", "MuteAudio", "Redirect", "MuteAudio"], "again after every move of the leg"
    assert (await control.mute("1001", None, True))["muted_ms"] == mark["muted_ms"], "pressed twice"
    assert await control.mute("1001", None, False) == {"call_id": one.call_id, "muted_ms": None}
    assert asked(rig, "MuteAudio")[-1] == ("MuteAudio", one.agent.channel, "off")
    assert told(page, "call.marks")[-1]["muted_ms"] is None
    with pytest.raises(NotFound):
        await control.mute("1002", one.call_id, True)


async def test_a_new_leg_of_an_agent_begins_unmuted(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.mute("1001", None, True)
    await rig.bridge.control.hold("1001", None)
    rig.asterisk.hangs_up(one.leg_id, cause=44)
    await rig.redirects("acd-hold")
    page = listens(rig)
    leg = rig.asterisk.rings(one.call_id, "1001")
    rig.asterisk.picks_up(one.call_id, "1001", leg, "o9")
    await rig.until(lambda: leg in one.call.legs and one.call.legs[leg].state is LegState.up, "the agent again")
    assert one.call.legs[leg].muted_ms is None
    assert not [mark for mark in told(page, "call.marks") if mark["muted_ms"]]


# ---- the confidential pause


async def test_a_pause_silences_the_recording_where_it_is_made_is_kept_and_ends_by_itself(tmp_path: Path) -> None:
    rig = await Rig(tmp_path / "home", pause_default_s=1, pause_longest_s=1).start()
    one, page = await talk(rig), listens(rig)
    answer = await rig.bridge.control.pause("1001", None, None)
    assert ("MixMonitorMute", one.agent.channel, "1") in asked(rig, "MixMonitorMute")
    (mark,) = told(page, "call.marks")
    assert mark["paused"]["until_ms"] == answer["until_ms"]
    pause = one.call.pause
    assert pause is not None
    assert answer["until_ms"] - pause.since_ms == 1000
    (variable,) = [
        value for _, who, name, value in asked(rig, "Setvar") if name == "HOTLINE_PAUSE" and who == one.citizen
    ]
    assert pause_of(variable) == pause_of(pause.text())
    await rig.until(lambda: one.call.pause is None, "the end of the pause")
    assert asked(rig, "MixMonitorMute")[-1] == ("MixMonitorMute", one.agent.channel, "0")
    assert ("Setvar", one.citizen, "HOTLINE_PAUSE", "") in asked(rig, "Setvar")
    assert told(page, "notice")[-1]["code"] == "pause_over"
    await rig.until(lambda: len(rig.domain.pauses) == 2, "both facts")
    (_, begun), (_, over) = rig.domain.pauses
    assert (begun["by_agent"], begun["due"]) == ("1001", pause.until_ms)
    assert (over["since"], over["ended_by"]) == (begun["since"], "time")
    assert over["until"] >= pause.until_ms - 50
    await rig.stop()


async def test_a_pause_that_the_recording_does_not_take_is_refused_in_words_and_taken_back(rig: Rig) -> None:
    one, page = await talk(rig), listens(rig)
    fails(rig, "MixMonitorMute")
    with pytest.raises(Refused) as caught:
        await rig.bridge.control.pause("1001", None, 60)
    assert caught.value.code == "cannot_pause"
    assert one.call.pause is None
    assert asked(rig, "Setvar")[-1][2:] == ("HOTLINE_PAUSE", "")
    assert not told(page, "call.marks")


@pytest.mark.parametrize("seconds", [0, -1, 301, True, "60", 1.5])
async def test_a_pause_has_a_sensible_length(rig: Rig, seconds: object) -> None:
    await talk(rig)
    with pytest.raises(BadInput):
        await rig.bridge.control.pause("1001", None, seconds)


async def test_the_end_of_a_pause_can_be_moved_but_never_beyond_the_longest(rig: Rig) -> None:
    one = await talk(rig)
    first = (await rig.bridge.control.pause("1001", None, 10))["until_ms"]
    later = (await rig.bridge.control.pause("1001", None, 300))["until_ms"]
    pause = one.call.pause
    assert pause is not None
    assert first < later == pause.since_ms + 300_000
    await rig.bridge.control.pause_end("1001", None)
    await rig.bridge.control.pause_end("1001", None)
    await rig.until(lambda: len(rig.domain.pauses) == 3, "three facts")
    assert rig.domain.pauses[-1][1]["ended_by"] == "agent"


async def test_a_recording_that_begins_in_a_room_is_silent_before_it_hears_anybody(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.pause("1001", None, 60)
    await rig.bridge.control.hold("1001", None)
    await rig.bridge.control.resume("1001", None)
    before = len(asked(rig, "MixMonitorMute"))
    rig.asterisk.user_event("HotlineSegment", one.call_id, Rec=f"/x/{one.call_id}-2", Mix="0x1")
    await rig.until(lambda: len(asked(rig, "MixMonitorMute")) > before, "silence")
    said = asked(rig, "MixMonitorMute", "Setvar")[-2:]
    assert said == [("MixMonitorMute", one.citizen, "1"), ("Setvar", one.citizen, "HOTLINE_HUSHED", "0x1")]
    assert one.call.segment == 2
    await rig.bridge.control.pause_end("1001", None)
    rig.asterisk.user_event("HotlineSegment", one.call_id, Rec=f"/x/{one.call_id}-3", Mix="0x2")
    await rig.until(lambda: asked(rig, "Setvar")[-1][3] == "0x2", "an answer to who waits for one")
    assert asked(rig, "MixMonitorMute")[-1][2] == "0", "nothing is silent any more"


async def test_a_recording_that_was_not_begun_because_of_a_pause_begins_after_it(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.pause("1001", None, 60)
    await one.gathered()
    fails(rig, "MixMonitorMute")
    await rig.bridge.control.pause_end("1001", None)
    assert asked(rig, "Redirect")[-1] == ("Redirect", one.citizen, "acd-room")


async def test_a_pause_ends_when_the_agent_is_gone_and_with_the_call(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.pause("1001", None, 60)
    await one.gathered()
    rig.asterisk.hangs_up(one.leg_id, cause=44)
    await rig.until(lambda: any(fact.get("ended_by") == "left" for _, fact in rig.domain.pauses), "the end")
    assert one.call.pause is None
    rig.asterisk.hangs_up(one.call_id)


@pytest.mark.parametrize("left_s", [60, -5])
async def test_a_core_that_starts_anew_takes_a_pause_over_or_ends_it_when_it_was_due(rig: Rig, left_s: int) -> None:
    one = await talk(rig)
    since = rig.clock() - 10_000
    until = (rig.clock() // 1000) + left_s
    await rig.bridge.stop()
    rig.asterisk.channels = {
        "citizen": channel(
            one.call_id,
            CALL=one.call_id,
            PHASE="talk",
            AGENT="1001",
            TALKED="1",
            application="Dial(PJSIP/1001",
            PAUSE=f"{since}:{until}:1001",
            HELP="5",
        ),
        "agent": channel(
            one.leg_id, name="PJSIP/1001-000003ea", application="AppDial((Outgoing Line)", PEER_CALL=one.call_id,
            LEG="agent", AGENT="1001", MUTED="7",
        ),
    }  # fmt: skip
    await rig.start_bridge()
    assert (one.agent.muted_ms, one.call.help_ms) == (7, 5)
    if left_s > 0:
        assert one.call.pause == pause_of(f"{since}:{until}:1001")
        return
    await rig.until(lambda: one.call.pause is None, "the end that was due")
    assert asked(rig, "MixMonitorMute")[-1] == ("MixMonitorMute", "PJSIP/1001-000003ea", "0")
    await rig.until(lambda: any(fact.get("ended_by") == "time" for _, fact in rig.domain.pauses), "the fact")


# ---- help


async def test_help_is_seen_on_the_boards_until_the_talk_is_over(rig: Rig) -> None:
    one, board = await talk(rig), listens(rig, "", board=True)
    await rig.bridge.control.help("1001", None, True)
    await rig.bridge.control.help("1001", None, True)
    (notice,) = told(board, "notice")
    assert (notice["code"], notice["agent"]) == ("help_asked", "1001 坐席1001")
    figures = rig.bridge.board.figures()
    assert [(ask["call_id"], ask["agent_id"], ask["since_ms"]) for ask in figures["help"]] == [
        (one.call_id, "1001", one.call.help_ms)
    ]
    (shown,) = [agent["call"] for agent in figures["agents"] if agent["agent_id"] == "1001"]
    assert (shown["help_ms"], shown["held"], shown["paused"]) == (one.call.help_ms, False, False)
    await rig.bridge.control.help("1001", None, False)
    assert rig.bridge.board.figures()["help"] == []
    await rig.bridge.control.help("1001", None, True)
    rig.asterisk.hangs_up(one.call_id)
    await rig.until(lambda: rig.bridge.board.figures()["help"] == [], "nobody who asks")


# ---- swap, emergency, third parties


async def test_a_swap_leaves_everybody_connected_whoever_leaves(rig: Rig) -> None:
    one, page = await talk(rig), listens(rig)
    third = await one.consulting()
    await rig.bridge.control.swap("1001", None)
    assert (one.call.phase, third.held) == (Phase.room, True)
    assert told(page, "call.marks")[-1]["talks_with"] == "citizen"
    one.enter(one.call_id)
    await rig.bridge.control.swap("1001", None)
    assert told(page, "call.marks")[-1]["talks_with"] == "third"
    await rig.bridge.control.swap("1001", None)
    rig.asterisk.hangs_up(one.leg_id)  # the agent
    await rig.until(lambda: len([one for one in asked(rig, "Redirect") if one[1] == third.channel]) >= 4, "the third")
    assert asked(rig, "Redirect")[-2:] == [
        ("Redirect", one.citizen, "acd-room"),
        ("Redirect", third.channel, "acd-room"),
    ]


async def test_a_citizen_who_is_in_the_room_before_asterisks_answer_is_read_is_swapped_all_the_same(rig: Rig) -> None:
    one = await talk(rig)
    third = await one.consulting()

    def quick(action: Fields) -> bytes:
        if action["Context"] == "acd-room":
            one.enter(one.call_id)
        return ok(action)

    rig.asterisk.on("Redirect", quick)
    await rig.bridge.control.swap("1001", None)
    await rig.until(lambda: one.call.phase is Phase.room, "the citizen in the room")
    assert third.held
    await rig.bridge.control.swap("1001", None)
    assert asked(rig, "Redirect")[-2:] == [
        ("Redirect", one.citizen, "acd-held"),
        ("Redirect", third.channel, "acd-room"),
    ]


async def test_a_citizen_who_leaves_a_swapped_talk_leaves_agent_and_third_together(rig: Rig) -> None:
    one = await talk(rig)
    third = await one.consulting()
    await rig.bridge.control.swap("1001", None)
    rig.asterisk.hangs_up(one.call_id)
    await rig.until(lambda: asked(rig, "Redirect")[-1] == ("Redirect", third.channel, "acd-room"), "the third")


async def test_a_third_party_is_kept_with_unit_times_segment_and_outcome(rig: Rig) -> None:
    rig.domain.units["02588886666"] = (4, "城南水务局")
    one, page = await talk(rig), listens(rig)
    third = await one.consulting("025-8888-6666")
    await rig.until(lambda: told(page, "call.room")[-1]["members"][-1]["unit_name"] == "城南水务局", "the unit's name")
    assert told(page, "call.room")[-1]["members"][-1]["kind"] == "consult"
    await rig.bridge.control.resume("1001", None)
    rig.asterisk.user_event("HotlineSegment", one.call_id, Rec=f"/x/{one.call_id}-2", Mix="")
    one.enter(one.call_id)
    await rig.until(lambda: third.segment, "the recording that covers them")
    assert told(page, "call.marks")[-1]["talks_with"] == "all"
    rig.asterisk.hangs_up(third.unique_id)
    await rig.until(lambda: rig.domain.thirds.get(third.unique_id, {}).get("outcome"), "the end")
    kept = rig.domain.thirds[third.unique_id]
    assert (kept["number"], kept["kind"], kept["by_agent"], kept["segment"]) == ("02588886666", "consult", "1001", 2)
    assert kept["dialled_at"] <= kept["joined_at"] <= kept["left_at"]
    assert kept["outcome"] == "talked"


@pytest.mark.parametrize(("status", "outcome"), [("BUSY", "busy"), ("NOANSWER", "no_answer"), ("", "cancelled")])
async def test_a_third_party_who_never_came_is_kept_with_why(rig: Rig, status: str, outcome: str) -> None:
    one = await talk(rig)
    await rig.bridge.control.conference("1001", None, "02588886666")
    (third,) = one.call.thirds
    if status:
        fields = {"Agent": "1001", "Number": third.number, "Status": status, "Cause": 17}
        rig.asterisk.user_event("AcdOutboundEnd", one.call_id, "Local/x;2", "x", **fields)
    else:
        await rig.bridge.control.cancel_consult("1001", None)
    rig.asterisk.event("OriginateResponse", Response="Failure", Uniqueid=third.unique_id, Reason=0)
    await rig.until(lambda: rig.domain.thirds.get(third.unique_id, {}).get("outcome"), "the outcome")
    assert rig.domain.thirds[third.unique_id]["outcome"] == outcome


async def test_an_emergency_line_joins_at_once_also_beside_a_third_party(rig: Rig) -> None:
    one = await talk(rig)
    await one.consulting()
    await rig.bridge.control.emergency("1001", None, "120")
    assert [(leg.number, leg.kind) for leg in one.call.thirds] == [("02588886666", "consult"), ("120", "emergency")]
    with pytest.raises(Refused) as caught:
        await rig.bridge.control.emergency("1001", None, "120")
    assert caught.value.code == "third_there"
    with pytest.raises(BadInput):
        await rig.bridge.control.emergency("1001", None, "02588887777")


# ---- oversight


async def rung(rig: Rig, call_id: str, mode: str = "listen") -> str:
    """The supervisor asks, and their telephone rings; its unique id."""
    await rig.bridge.commands.run(BOSS, "call.oversee", {"call_id": call_id, "mode": mode})
    return rig.asterisk.got("Originate")[-1]["ChannelId"]


def up(rig: Rig, ident: str) -> None:
    """The supervisor picks up."""
    rig.asterisk.event("Newstate", Uniqueid=ident, Channel="PJSIP/1003-00000bad", ChannelStateDesc="Up")


async def test_a_supervisor_is_written_down_before_the_telephone_rings_and_is_offered_nothing_meanwhile(
    rig: Rig,
) -> None:
    one = await talk(rig)
    await rig.ready("1003")
    page, boss = listens(rig), listens(rig, "1003")
    await rig.bridge.control.help("1001", None, True)
    rig.domain.locked = True
    with pytest.raises(Busy):
        await rung(rig, one.call_id)
    assert not rig.asterisk.got("Originate")
    rig.domain.locked = False
    ident = await rung(rig, one.call_id, "whisper")
    assert rig.domain.overseen == [("boss", one.call_id, "1001", "whisper")]
    originate = rig.asterisk.got("Originate")[-1]
    assert (originate["Channel"], originate["Context"]) == ("PJSIP/1003", "acd-oversee")
    assert f"HOTLINE_SPY_LEG={one.leg_id}" in originate["Variable"]
    agent = rig.bridge.core.book.get("1003")
    assert agent is not None
    assert agent.busy_outside
    assert told(boss, "agent.state")[-1]["overseeing"]["state"] == "ringing"
    assert one.call.help_ms is not None, "nobody has come yet"
    up(rig, ident)
    await rig.until(lambda: told(page, "call.marks")[-1]["overseen"] == "whisper", "the agent to be told")
    assert one.call.help_ms is None
    assert told(boss, "agent.state")[-1]["overseeing"] == {
        "call_id": one.call_id, "agent_id": "1001", "mode": "whisper", "state": "up",
    }  # fmt: skip
    await rung(rig, one.call_id, "listen")
    assert len(rig.asterisk.got("Originate")) == 1, "it does not ring again"
    assert asked(rig, "Redirect")[-1] == ("Redirect", "PJSIP/1003-00000bad", "acd-oversee")
    assert [mode for *_, mode in rig.domain.overseen] == ["whisper", "listen"]
    await rig.bridge.commands.run(BOSS, "call.oversee_end", {})
    assert asked(rig, "Hangup")[-1] == ("Hangup", "PJSIP/1003-00000bad")
    rig.asterisk.hangs_up(ident)
    await rig.until(lambda: not agent.busy_outside, "to be offered calls again")
    assert told(page, "call.marks")[-1]["overseen"] is None


async def test_whoever_is_to_be_heard_by_all_joins_the_room_and_leaves_it_with_the_agent(rig: Rig) -> None:
    one = await talk(rig)
    ident = await rung(rig, one.call_id, "barge")
    up(rig, ident)
    await rig.redirects("acd-room")
    await one.gathered()
    boss = ("Redirect", "PJSIP/1003-00000bad", "acd-oversee")
    await rig.until(lambda: asked(rig, "Redirect")[-1] == boss, "the supervisor into the room")
    assert rig.asterisk.got("Redirect")[-1]["Exten"] == "barge"
    one.enter(ident)
    await rig.bridge.control.hold("1001", None)
    one.leave(ident)
    one.leave(one.leg_id)
    await rig.until(lambda: not one.agent.in_room, "a talk on hold")
    assert [leg.role.value for leg in one.call.legs.values()] == ["citizen", "agent"], "no third party"
    rig.asterisk.hangs_up(one.leg_id)
    await rig.until(lambda: ("Hangup", "PJSIP/1003-00000bad") in asked(rig, "Hangup"), "the end of it")


async def test_whoever_changes_to_all_while_the_citizen_is_on_hold_is_heard_by_the_agent_first(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.hold("1001", None)
    up(rig, await rung(rig, one.call_id))
    spies = rig.bridge.core.telephony.spies.values()
    await rig.until(lambda: any(spy.up for spy in spies), "the supervisor")
    await rung(rig, one.call_id, "barge")
    assert asked(rig, "Redirect")[-1] == ("Redirect", "PJSIP/1003-00000bad", "acd-oversee")
    assert rig.asterisk.got("Redirect")[-1]["Exten"] == "s"
    await rig.bridge.control.resume("1001", None)
    await one.gathered()
    await rig.until(lambda: rig.asterisk.got("Redirect")[-1]["Exten"] == "barge", "into the room with the others")


async def test_a_supervisor_who_hangs_up_before_it_is_picked_up_is_told_of_no_failure(rig: Rig) -> None:
    one = await talk(rig)
    boss = listens(rig, "1003")
    ident = await rung(rig, one.call_id)
    await rig.bridge.commands.run(BOSS, "call.oversee_end", {})
    rig.asterisk.hangs_up(ident)
    await rig.until(lambda: not rig.bridge.core.telephony.spies, "the end")
    assert not told(boss, "notice")


@pytest.mark.parametrize(
    ("who", "mode", "code"),
    [("1001", "listen", "own_call"), ("1003", "shout", "bad_input"), ("", "listen", "no_staff_number")],
)
async def test_oversight_that_makes_no_sense_is_refused(rig: Rig, who: str, mode: str, code: str) -> None:
    one = await talk(rig)
    from dataclasses import replace

    rig.bridge.core.telephony.calls["other"] = replace(one.call, call_id="other", legs={})
    actor = replace(BOSS, agent_id=who or None)
    with pytest.raises((Refused, BadInput)) as caught:
        await rig.bridge.commands.run(actor, "call.oversee", {"call_id": one.call_id, "mode": mode})
    assert caught.value.code in (code, "in_a_call")
    assert not rig.domain.overseen


async def test_a_supervisor_without_a_telephone_or_in_a_call_or_who_may_not_know_the_citizen_is_refused(
    rig: Rig,
) -> None:
    one = await talk(rig)
    rig.domain.secret_calls.add(one.call_id)
    with pytest.raises(Forbidden):
        await rung(rig, one.call_id)
    rig.asterisk.phone("1003", "INUSE")
    await rig.until(lambda: rig.bridge.core.telephony.phones["1003"].in_use, "a telephone in use")
    with pytest.raises(Refused) as busy:
        await rung(rig, one.call_id)
    assert busy.value.code == "in_a_call"
    rig.asterisk.phone("1003", "UNAVAILABLE")
    await rig.until(lambda: not rig.bridge.core.telephony.phones["1003"].reachable, "no telephone")
    with pytest.raises(Refused) as away:
        await rung(rig, one.call_id)
    assert away.value.code == "no_phone"
    assert not rig.asterisk.got("Originate")


async def test_a_telephone_that_nobody_picks_up_is_said_and_frees_the_supervisor(rig: Rig) -> None:
    one = await talk(rig)
    boss = listens(rig, "1003")
    ident = await rung(rig, one.call_id)
    rig.asterisk.event("OriginateResponse", Response="Failure", Uniqueid=ident, Reason=3)
    await rig.until(lambda: told(boss, "notice"), "a notice")
    assert told(boss, "notice")[-1]["code"] == "oversee_failed"
    assert told(boss, "agent.state")[-1]["overseeing"] is None
    assert rig.bridge.core.telephony.spies == {}


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_core_that_starts_anew_finds_the_supervisor_or_ends_it(rig: Rig, goes_on: bool) -> None:
    one = await talk(rig)
    await rig.bridge.stop()
    spy = channel(
        f"{rig.asterisk.node}.7777",
        name="PJSIP/1003-00000bad",
        application="ChanSpy(x",
        SPY_CALL=one.call_id,
        SPY_BY="1003",
        SPY_AGENT="1001",
        SPY_LEG=one.leg_id,
        SPY_MODE="whisper",
    )
    citizen = channel(one.call_id, CALL=one.call_id, PHASE="talk", AGENT="1001", TALKED="1", application="Dial(x")
    marks = {"PEER_CALL": one.call_id, "LEG": "agent", "AGENT": "1001"}
    agent = channel(one.leg_id, name="PJSIP/1001-000003ea", application="AppDial((Outgoing Line)", **marks)
    rig.asterisk.channels = {"spy": spy, "citizen": citizen, **({"agent": agent} if goes_on else {})}
    await rig.start_bridge()
    if goes_on:
        view = rig.bridge.snapshot(BOSS, rig.bridge.hub.stream(_key()).key)["agent"]
        assert view["overseeing"] == {"call_id": one.call_id, "agent_id": "1001", "mode": "whisper", "state": "up"}
        assert not asked(rig, "Hangup")
    else:
        await rig.until(lambda: ("Hangup", "PJSIP/1003-00000bad") in asked(rig, "Hangup"), "the end of it")


def _key() -> StreamKey:
    return StreamKey("1003", False)


async def test_listening_is_hidden_from_the_agent_where_the_office_says_so(tmp_path: Path) -> None:
    rig = await Rig(tmp_path / "home", oversight_visible=False).start()
    one, page = await talk(rig), listens(rig)
    up(rig, await rung(rig, one.call_id))
    await rig.until(lambda: any(spy.up for spy in rig.bridge.core.telephony.spies.values()), "the supervisor")
    assert not told(page, "call.marks")

    # Agents may look at a board as well: only one of who controls agents tells of it.
    keys, boards = [StreamKey("", True), StreamKey("", True, True)], [Listener(), Listener()]
    for key, board in zip(keys, boards, strict=True):
        rig.bridge.hub.join(key, board)
    rig.bridge.core.board_changed()
    await rig.until(lambda: all(told(one, "wallboard.figures") for one in boards), "both boards")
    first = [rig.bridge.snapshot(BOSS, key)["wallboard"] for key in keys]
    for seen in (first, [told(one, "wallboard.figures")[-1] for one in boards]):
        assert [one["agents"][0]["call"]["overseen"] for one in seen] == [None, "listen"]
    await rig.stop()
