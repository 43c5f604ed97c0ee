"""The confidential pause on a played Asterisk: what is asked of it, told and kept, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInput, Refused
from cti_bridge import pauses
from cti_bridge.ami import ActionTimeout, AmiError
from cti_bridge.asterisk import Action
from cti_bridge.model import pause_of
from tests.bridge_kit.rig import Rig, channel
from tests.bridge_kit.talking import asked, fails, listens, talk, told

pytest_plugins = ["tests.bridge_kit.fixtures"]


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


async def test_a_pause_whose_end_asterisk_did_not_hear_of_ends_a_little_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "AGAIN_S", 0.05)
    one = await talk(rig)
    asterisk = rig.bridge.core.asterisk
    each, deaf = asterisk.each, [ActionTimeout("MixMonitorMute")]

    async def answers(*actions: Action) -> list[AmiError | None]:
        return [deaf.pop()] * len(actions) if deaf else await each(*actions)

    await rig.bridge.control.pause("1001", None, 1)
    monkeypatch.setattr(asterisk, "each", answers)
    await rig.until(lambda: one.call.pause is None, "the end of the pause")
    assert not deaf
    await rig.until(lambda: rig.domain.pauses[-1][1].get("ended_by") == "time", "the fact")


async def test_a_pause_of_which_asterisk_knows_no_more_is_closed_by_a_core_that_starts_anew(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.pause("1001", None, 60)
    await rig.bridge.stop()
    rig.asterisk.channels = {
        "citizen": channel(one.call_id, CALL=one.call_id, PHASE="talk", AGENT="1001", TALKED="1"),
        "agent": channel(one.leg_id, name="PJSIP/1001-000003ea", PEER_CALL=one.call_id, LEG="agent", AGENT="1001"),
    }
    await rig.start_bridge()
    await rig.until(lambda: rig.domain.pauses[-1][1].keys() == {"over"}, "the end")
    assert rig.domain.pauses[-1][0] == one.call_id
