"""Callers whom Asterisk's failsafe took care of keep their places: nobody overtakes them on the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.model import TelephoneLink
from cti_bridge import takeback
from tests.bridge_kit.rig import NODE, Rig, channel, ms, ringing

pytest_plugins = ["tests.bridge_kit.fixtures"]


def waits(call: str, joined_ms: int, phase: str, application: str) -> list[tuple[str, str]]:
    """A caller as `Status` shows them."""
    return channel(call, application=application, CALL=call, PHASE=phase, NUMBER="13800000001", ATTEMPT="1",
                   JOINED=str(joined_ms), STARTED=str(joined_ms))  # fmt: skip


APOLOGY = "Playback(/p/zh/apology"
QUEUE = "Queue(hotline-failsafe,ciI,,,180"
EARLY, LATER, LAST = (f"{NODE}.{n}" for n in (71, 72, 73))


async def line_was_dead(rig: Rig, **found: tuple[str, str]) -> int:
    """The line is cut and made anew; `found`: caller → (phase, application), in the order of joining. When they began.

    Returns before Asterisk has brought anybody back.
    """
    joined = ms() - 60_000
    ids = {"early": EARLY, "later": LATER, "last": LAST}
    rig.asterisk.channels = {
        ids[who]: waits(ids[who], joined + n * 1000, *where) for n, (who, where) in enumerate(found.items())
    }
    rig.asterisk.cut()
    await rig.until(lambda: not rig.bridge.core.connected, "the cut noticed")
    await rig.until(lambda: rig.bridge.core.connected, "the line again")
    return joined


def redirected(rig: Rig) -> list[tuple[str, str]]:
    """(channel, context) of all redirects, in order."""
    return [(one["Channel"], one["Context"]) for one in rig.asterisk.got("Redirect")]


def back(rig: Rig, call: str, joined_ms: int) -> None:
    """The hold loop says that the caller is there again."""
    rig.asterisk.join(call, "13800000001", joined_ms, attempt=2)


@pytest.mark.parametrize("where", [APOLOGY, QUEUE], ids=["apology", "queue"])
async def test_who_waited_longer_and_fell_into_the_failsafe_is_offered_the_agent_before_those_on_hold(
    rig: Rig, where: str
) -> None:
    await rig.ready("1001")
    joined = await line_was_dead(rig, early=("failsafe", where), later=("hold", "WaitExten(3"))
    await rig.redirects("acd-hold")
    assert redirected(rig) == [(rig.asterisk.name_of(EARLY), "acd-hold")], "no offer while somebody is on the way"
    assert [one.call_id for one in rig.bridge.engine.snapshot().waiting] == [EARLY, LATER]
    back(rig, EARLY, joined)
    (offer,) = await rig.redirects("acd-connect")
    assert offer["Channel"] == rig.asterisk.name_of(EARLY)
    assert rig.bridge.engine.snapshot().waiting[0].joined_ms == joined


async def test_callers_in_the_failsafe_are_fetched_in_the_order_of_their_places_after_a_beat(rig: Rig) -> None:
    await rig.ready("1001")
    joined = await line_was_dead(
        rig, early=("failsafe", QUEUE), later=("failsafe", APOLOGY), last=("failsafe", APOLOGY)
    )
    await rig.redirects("acd-hold", 3)
    names = [rig.asterisk.name_of(call) for call in (EARLY, LATER, LAST)]
    assert [channel for channel, _ in redirected(rig)] == names
    order = [one.get("Variable") or one["Action"] for one in rig.asterisk.actions]
    looked = len(order) - 1 - order[::-1].index("Status")
    assert "HOTLINE_BEAT" in order[looked : order.index("Redirect")], "the hold loop must find a heart that beats"
    for number, call in enumerate((LAST, LATER)):
        back(rig, call, joined + (2 - number) * 1000)
    await rig.until(lambda: rig.bridge.core.telephony.calls[LATER].phase == "hold", "two back")
    assert not [one for one in redirected(rig) if one[1] == "acd-connect"], "the first in line is still on the way"
    back(rig, EARLY, joined)
    assert (await rig.redirects("acd-connect"))[0]["Channel"] == names[0]


async def test_a_caller_who_hangs_up_on_the_way_back_does_not_keep_the_others(rig: Rig) -> None:
    await rig.ready("1001")
    await line_was_dead(rig, early=("failsafe", APOLOGY), later=("hold", "WaitExten(3"))
    await rig.redirects("acd-hold")
    rig.asterisk.hangs_up(EARLY)
    assert (await rig.redirects("acd-connect"))[0]["Channel"] == rig.asterisk.name_of(LATER)


async def test_a_way_back_that_takes_too_long_keeps_the_others_for_a_moment_only(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeback, "ON_THE_WAY_S", 0.2)
    await rig.ready("1001")
    await line_was_dead(rig, early=("failsafe", APOLOGY), later=("hold", "WaitExten(3"))
    # Nobody has said that the first caller arrived: the offer itself fetches them.
    assert (await rig.redirects("acd-connect"))[0]["Channel"] == rig.asterisk.name_of(EARLY)


async def test_a_caller_whom_asterisks_own_queue_rings_is_left_with_that_agent_and_the_agent_gets_no_offer(
    rig: Rig,
) -> None:
    await rig.ready("1001")
    leg = f"{NODE}.90"
    rig.asterisk.devices["PJSIP/1001"] = "RINGING"
    joined = ms() - 60_000
    rig.asterisk.channels = {
        EARLY: waits(EARLY, joined, "failsafe", QUEUE),
        LATER: waits(LATER, joined + 1000, "hold", "WaitExten(3"),
        leg: ringing(leg, "PJSIP/1001-0000005a", FOR_CALL=EARLY),
    }
    rig.asterisk.cut()
    await rig.until(lambda: not rig.bridge.core.connected, "the cut noticed")
    await rig.until(lambda: len(rig.bridge.engine.snapshot().waiting) == 1, "the other caller waits")
    assert redirected(rig) == []
    # Nobody picks up: now the caller is fetched, and comes before the one who joined later.
    rig.asterisk.hangs_up(leg)
    await rig.redirects("acd-hold")
    rig.asterisk.phone("1001", "NOT_INUSE")
    back(rig, EARLY, joined)
    assert (await rig.redirects("acd-connect"))[0]["Channel"] == rig.asterisk.name_of(EARLY)


async def test_a_waiting_caller_who_falls_into_the_failsafe_while_the_heart_beats_is_fetched_at_once(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    joined = ms() - 30_000
    rig.asterisk.join(call, "13800000001", joined)
    rig.asterisk.user_event("HotlineFailsafe", call, Cause="acd-stale", From="hold", Joined=joined)
    await rig.redirects("acd-hold")
    assert [one.joined_ms for one in rig.bridge.engine.snapshot().waiting] == [joined]


async def test_a_caller_whose_menu_broke_hears_the_apology_to_its_end_before_being_fetched(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.user_event("HotlineFailsafe", call, Cause="agi-died", From="menu", Joined=ms())
    await rig.until(lambda: rig.bridge.core.call(call) and rig.bridge.core.call(call).phase == "failsafe", "the event")
    assert redirected(rig) == []
    rig.asterisk.event("QueueCallerJoin", Queue="hotline-failsafe", Uniqueid=call, Channel=rig.asterisk.name_of(call))
    assert (await rig.redirects("acd-hold"))[0]["Channel"] == rig.asterisk.name_of(call)


async def test_when_the_heart_stood_still_and_beats_again_everybody_is_fetched_who_fell_out_meanwhile(
    tmp_path: Path,
) -> None:
    shift = [0]
    rig = await Rig(tmp_path / "home", clock=lambda: ms() + shift[0], beat_s=1).start()
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(lambda: rig.bridge.engine.snapshot().waiting, "a waiting caller")
    shift[0] = 60_000  # frozen: no beat in all that time
    rig.asterisk.user_event("HotlineFailsafe", call, Cause="acd-stale", From="hold", Joined=ms())
    await rig.redirects("acd-hold")
    assert [one.call_id for one in rig.bridge.engine.snapshot().waiting] == [call]
    await rig.stop()


async def test_a_caller_who_leaves_a_message_is_not_fetched_out_of_it(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.user_event("HotlineFailsafe", call, Cause="agi-died", From="menu", Joined=ms())
    rig.asterisk.user_event("HotlineMessage", call)
    await rig.until(lambda: rig.bridge.core.call(call) and rig.bridge.core.call(call).phase == "voicemail", "a message")
    rig.bridge._take_back.everybody()
    other = rig.asterisk.citizen("13800000002", ms())
    await rig.until(lambda: rig.bridge.core.call(other), "all events handled")
    assert redirected(rig) == []


async def test_a_caller_who_falls_into_the_failsafe_again_and_again_is_left_there_in_the_end(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    for turn in range(6):
        rig.asterisk.user_event("HotlineFailsafe", call, Cause="acd-stale", From="hold", Joined=ms())
        rig.asterisk.join(call, "13800000001", ms(), attempt=turn + 1)
    other = rig.asterisk.citizen("13800000002", ms())
    await rig.until(lambda: rig.bridge.core.call(other), "all events handled")
    assert len(await rig.redirects("acd-hold", 3)) == 3


async def test_the_engine_is_told_of_every_loss_and_return_of_the_line_and_up_only_when_all_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path / "home")
    told: list[tuple[bool, int]] = []
    from cti_bridge.queueing import Queueing

    feed = Queueing.feed

    def watched(self: Queueing, *events: object) -> None:
        told.extend((one.up, len(self.engine.snapshot().waiting)) for one in events if isinstance(one, TelephoneLink))
        feed(self, *events)  # type: ignore[arg-type]

    monkeypatch.setattr(Queueing, "feed", watched)
    await rig.start()
    await rig.until(lambda: told == [(False, 0), (True, 0)], "down at the start, up with the first picture")
    joined = await line_was_dead(rig, early=("failsafe", APOLOGY), later=("hold", "WaitExten(3"))
    await rig.redirects("acd-hold")
    assert told[2:] == [(False, 0)]
    back(rig, EARLY, joined)
    await rig.until(lambda: len(told) == 4, "the line is up again")
    assert told[3] == (True, 2)
    await rig.asterisk.stop()
    await rig.until(lambda: len(told) == 5, "the second loss")
    assert told[4][0] is False
    await rig.asterisk.start()
    await rig.until(lambda: len(told) == 6, "and the second return", 10)
    assert told[5][0] is True
    await rig.stop()


async def test_while_the_line_is_away_no_offer_is_made_and_an_agent_who_gets_ready_is_offered_the_first_caller_after(
    rig: Rig,
) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    joined = ms()
    rig.asterisk.join(call, "13800000001", joined)
    await rig.until(lambda: rig.bridge.engine.snapshot().waiting, "a waiting caller")
    rig.asterisk.channels = {call: waits(call, joined, "hold", "WaitExten(3")}
    await rig.asterisk.stop()
    await rig.until(lambda: not rig.bridge.core.connected, "the cut noticed")
    await rig.bridge.sign_in("1001")
    assert rig.state("1001") == "ready"
    assert not rig.bridge.offers.runs
    await rig.asterisk.start()
    assert (await rig.redirects("acd-connect"))[0]["Channel"] == rig.asterisk.name_of(call)
