"""Supervisors at a talk, on a played Asterisk: who may, what is asked of it and told, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadInput, Busy, Forbidden, Refused
from cti_bridge.hub import StreamKey
from tests.bridge_kit.rig import Listener, Rig, channel, ms
from tests.bridge_kit.talking import BOSS, asked, listens, talk, told

pytest_plugins = ["tests.bridge_kit.fixtures"]


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


async def test_a_supervisor_to_whom_a_call_comes_while_it_is_written_down_is_not_rung_a_second_time(rig: Rig) -> None:
    one = await talk(rig)
    await rig.ready("1003")
    rig.domain.slow = threading.Event()
    asks = asyncio.ensure_future(rung(rig, one.call_id))
    await asyncio.sleep(0)
    other = rig.asterisk.citizen("13800000002", ms())
    rig.asterisk.join(other, "13800000002", ms())
    await rig.until(lambda: rig.state("1003") == "offered", "an offer")
    rig.domain.slow.set()
    with pytest.raises(Refused) as caught:
        await asks
    assert caught.value.code == "in_a_call"
    assert not rig.asterisk.got("Originate")
    assert not rig.bridge.core.telephony.spies


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
