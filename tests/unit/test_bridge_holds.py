"""How long a citizen was put on music in a call: counted once, however often and whatever is told of it."""

from __future__ import annotations

from cti_bridge import facts
from cti_bridge.model import Call, Phase


def test_holds_of_a_call_add_up_and_one_that_goes_on_ends_with_the_call() -> None:
    call = Call("h-1", started_ms=1_000, answered_ms=2_000)
    for now, phase in ((10_000, Phase.held), (12_000, Phase.held), (15_500, Phase.room), (16_000, Phase.room)):
        call.phase = phase
        facts.note_hold(call, now)
    assert facts.held_ms(call, 99_000) == 5_500
    call.phase = Phase.held
    facts.note_hold(call, 20_000)
    call.ended_ms = 22_600
    assert facts.ended(call, Phase.held, 16)["held_s"] == 8


def test_a_citizen_who_talks_on_with_a_third_is_held_no_more() -> None:
    call = Call("h-1", phase=Phase.held)
    facts.note_hold(call, 10_000)
    facts.end_hold(call, 13_000)
    call.ended_ms = 60_000
    assert facts.ended(call, Phase.held, 16)["held_s"] == 3


def test_a_call_that_was_never_held_says_nothing_of_it() -> None:
    call = Call("h-1", phase=Phase.talk, ended_ms=9_000)
    facts.note_hold(call, 5_000)
    assert "held_s" not in facts.ended(call, Phase.talk, 16)
