"""What is known of a caller moves their place, and never holds a join up: on a played Asterisk."""

from __future__ import annotations

import threading

import pytest

from acd.model import NuisanceAction, NuisanceRule, NuisanceRuleSet
from app.queues.source import RulesFile
from cti_bridge.ports import CallerKnown
from tests.bridge_kit.rig import NODE, Rig, channel, ms, offer_of

pytest_plugins = ["tests.bridge_kit.fixtures"]

NUMBER = "13800000001"
KEEPING = "queues: {general: {last_agent_s: 15}}\n"


async def waiting(rig: Rig, number: str) -> str:
    """A caller who has come through the menu and waits; the call."""
    call = rig.asterisk.citizen(number, ms())
    await rig.until(lambda: call in rig.bridge.core.telephony.calls and rig.bridge.callers.idle(), "an answer")
    rig.asterisk.join(call, number, ms())
    await rig.until(lambda: call in places(rig), "a waiting caller")
    return call


def places(rig: Rig) -> dict[str, int]:
    return {one.call_id: one.joined_ms for one in rig.bridge.engine.snapshot().waiting}


@pytest.fixture
async def rig(rig: Rig) -> Rig:
    """A bridge whose queue keeps callers for the agent who spoke with them last."""
    await rig.bridge.stop()
    rig.settings.paths.queues.write_text(KEEPING)
    rig.rules = RulesFile(rig.settings)
    await rig.start_bridge()
    return rig


async def test_who_hangs_up_in_line_and_calls_again_stands_where_they_stood_also_after_a_restart(rig: Rig) -> None:
    first = await waiting(rig, NUMBER)
    place = places(rig)[first]
    rig.asterisk.hangs_up(first)
    await rig.until(lambda: first not in places(rig), "the caller gone")
    await waiting(rig, "13800000002")
    again = await waiting(rig, "+86 138 0000 0001")
    assert places(rig)[again] == place

    def kept() -> list[str]:
        return [a["Value"] for a in rig.asterisk.got("Setvar") if a["Variable"] == "HOTLINE_PLACE_MS"]

    await rig.until(kept, "the place on the channel")
    assert kept() == [str(place)]
    await rig.bridge.stop()
    rig.asterisk.channels = {
        again: channel(again, CALL=again, PHASE="hold", NUMBER=NUMBER, JOINED=str(ms()), PLACE_MS=kept()[0])
    }
    await rig.start_bridge()
    assert places(rig)[again] == place


async def test_the_agent_who_spoke_with_the_caller_last_goes_with_the_join(rig: Rig) -> None:
    rig.domain.known[NUMBER] = CallerKnown(frozenset({"elderly"}), "1002")
    call = await waiting(rig, NUMBER)
    assert rig.bridge.core.telephony.calls[call].last_agent == "1002"


async def test_nobody_is_asked_about_a_caller_whom_no_rule_would_move_until_one_would(rig: Rig) -> None:
    rig.settings.paths.queues.write_text("queues: {general: {last_agent_s: 0}}\n")
    await rig.bridge.rules.reload(rig.bridge.core.queue)
    rig.domain.known[NUMBER] = CallerKnown(frozenset(), "1002")
    call = await waiting(rig, NUMBER)
    assert not rig.bridge.core.telephony.calls[call].asked
    rig.settings.paths.queues.write_text(KEEPING)
    await rig.bridge.rules.reload(rig.bridge.core.queue)
    rig.asterisk.join(call, NUMBER, ms(), attempt=2)
    await rig.until(lambda: rig.bridge.core.telephony.calls[call].last_agent == "1002", "the answer")


async def test_a_caller_goes_to_the_agent_who_spoke_with_them_last_not_to_the_longest_idle(rig: Rig) -> None:
    rig.domain.known[NUMBER] = CallerKnown(frozenset(), "1002")
    await rig.ready("1001")
    await rig.ready("1002")
    call = rig.asterisk.citizen(NUMBER, ms())
    await rig.until(lambda: call in rig.bridge.core.telephony.calls and rig.bridge.callers.idle(), "an answer")
    rig.asterisk.join(call, NUMBER, ms())
    assert [offer_of(one).agent_id for one in await rig.redirects("acd-connect")] == ["1002"]


async def test_only_flags_that_the_queue_gives_points_for_leave_the_domain(rig: Rig) -> None:
    rig.domain.known[NUMBER] = CallerKnown(frozenset({"confidential", "harassment"}))
    call = await waiting(rig, NUMBER)
    assert rig.bridge.core.telephony.calls[call].flags == ()


async def test_a_domain_that_hangs_delays_no_join(rig: Rig) -> None:
    rig.domain.slow = threading.Event()
    try:
        call = rig.asterisk.citizen(NUMBER, ms())
        rig.asterisk.join(call, NUMBER, ms())
        await rig.until(lambda: call in places(rig), "a waiting caller", timeout=1.0)
        assert rig.bridge.core.telephony.calls[call].last_agent == ""
    finally:
        rig.domain.slow.set()


async def test_a_domain_that_is_locked_is_asked_again_at_the_next_join(rig: Rig) -> None:
    rig.domain.known[NUMBER] = CallerKnown(frozenset(), "1002")
    rig.domain.locked = True
    call = await waiting(rig, NUMBER)
    rig.domain.locked = False
    rig.asterisk.join(call, NUMBER, ms(), attempt=2)
    await rig.until(lambda: rig.bridge.core.telephony.calls[call].last_agent == "1002", "the answer")


async def test_callers_found_waiting_after_a_start_are_asked_about_first(rig: Rig) -> None:
    await rig.bridge.stop()
    call = f"{NODE}.77"
    rig.domain.known[NUMBER] = CallerKnown(frozenset(), "1003")
    rig.asterisk.channels = {call: channel(call, CALL=call, PHASE="hold", NUMBER=NUMBER, JOINED=str(ms()))}
    await rig.start_bridge()
    assert rig.bridge.core.telephony.calls[call].last_agent == "1003"
    assert call in places(rig)


async def test_a_start_does_not_wait_for_a_domain_that_hangs(rig: Rig) -> None:
    await rig.bridge.stop()
    call = f"{NODE}.78"
    rig.asterisk.channels = {call: channel(call, CALL=call, PHASE="hold", NUMBER=NUMBER, JOINED=str(ms()))}
    rig.domain.slow = threading.Event()
    try:
        await rig.start_bridge()
        assert call in places(rig)
    finally:
        rig.domain.slow.set()


async def test_a_caller_whom_a_rule_turns_away_is_sent_to_voicemail_and_leaves_the_line(rig: Rig) -> None:
    rig.bridge.core.queue.feed(rule_about(rig, NuisanceAction.ANNOUNCEMENT))
    call = rig.asterisk.citizen(NUMBER, ms())
    rig.asterisk.join(call, NUMBER, ms())
    (sent,) = await rig.redirects("hotline-voicemail")
    assert sent["Channel"] == rig.asterisk.name_of(call)
    await rig.until(lambda: call not in places(rig), "out of the line")


async def test_a_rule_never_turns_an_emergency_away(rig: Rig) -> None:
    rig.bridge.core.queue.feed(rule_about(rig, NuisanceAction.ANNOUNCEMENT))
    call = rig.asterisk.citizen(NUMBER, ms())
    rig.asterisk.join(call, NUMBER, ms(), Prio=100)
    await rig.until(lambda: call in places(rig), "a waiting caller")
    assert not [a for a in rig.asterisk.got("Redirect") if a["Context"] == "hotline-voicemail"]


def rule_about(rig: Rig, action: NuisanceAction) -> NuisanceRuleSet:
    key = rig.bridge.core.caller_key(NUMBER)
    return NuisanceRuleSet(NuisanceRule("rule-1", key, action, ms() + 3_600_000, "watch"))
