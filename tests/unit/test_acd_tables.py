"""Every state meets every step: where it leads, or that it is refused and changes nothing."""

from __future__ import annotations

import itertools

import pytest

from acd.engine import Engine
from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentRinging,
    AgentSignedIn,
    AgentState,
    CallbackRestored,
    CallbackRules,
    CallHeld,
    CallJoined,
    CallOutOfReach,
    CallState,
    EngineConfig,
    FailCause,
    Offer,
    OfferAnswered,
    OfferFailed,
    Reason,
    ReasonCode,
    TalkAdopted,
    TalkEnded,
    Window,
)
from acd.moves import move_agent, move_call
from acd.tables import AGENT_TABLE, CALL_TABLE, CALLBACKS, AgentStep, CallStep
from tests.acd_kit.lab import T0, patient

# O signed out, R ready, F offered, G ringing, T talking, H hold, W wrap-up, N not ready, . refused
AGENTS = """
                    signed_out ready offered ringing talking hold wrap_up not_ready
sign_in_ready            R       R      F       G       T     H      W       N
sign_in_not_ready        N       R      F       G       T     H      W       N
restore_wrap_up          W       R      F       G       T     H      W       N
sign_out                 O       O      O       O       T     H      O       O
ready                    .       R      F       G       T     H      R       R
not_ready                .       N      F       G       T     H      N       N
next_ready               .       R      F       G       T     H      W       R
next_not_ready           .       N      F       G       T     H      W       N
next_sign_out            .       O      F       G       T     H      W       O
offer                    .       F      .       .       .     .      .       .
ring                     .       .      G       G       .     .      .       .
answer                   .       .      T       T       .     .      .       .
miss                     .       .      N       N       .     .      .       .
release                  .       .      R       R       .     .      .       .
adopt                    T       T      T       T       T     T      T       T
hold                     .       .      .       .       H     H      .       .
resume                   .       .      .       .       T     T      .       .
talk_end                 .       .      .       .       W     W      .       .
wrapup_done              .       R      .       .       .     .      R       N
wrapup_extend            .       .      .       .       .     .      W       .
wrapup_over              .       .      .       .       .     .      R       .
state_over               .       N      .       .       W     T      .       O
"""
# W waiting, B returning, F offered, A out of reach, T talking, S overflowed, D finished; call-back: w in line,
# r resting, f offered, d dialling; - gone, . refused
CALLS = """
              unknown waiting returning offered out_of_reach talking overflowed finished callback_waiting callback_resting callback_offered callback_dialling
join             W       W       W         W   W                W        W         W            W                W                W                W
leave            .       -       -         -   -                -        -         -            -                -                -                -
offer            .       F       .         .   .                .        .         .            f                .                .                .
answer           .       T       T         T   T                .        .         .            d                d                d                .
fail             .       .       .         B   .                .        .         .            .                .                w                .
cancel           .       .       .         B   .                .        .         .            .                .                w                .
back             .       .       W         .   .                .        .         .            .                .                .                .
adopt            T       T       T         T   T                T        T         T            T                T                T                T
talk_end         .       .       .         .   .                D        .         .            .                .                .                d
overflow         .       S       .         .   .                .        .         .            .                .                .                .
choose           .       S       S         S   .                .        S         .         .                .                .                .
hand_over        .       S       S         .   S                .        S         .            .                .                .                .
away             .       A       A         .   A                .        .         .            .                .                .                .
callback         w       .       .         .   .                .        .         .            .                .                .                .
rest             .       .       .         .   .                .        .         .            r                .                .                .
wake             .       .       .         .   .                .        .         .            .                w                .                .
dial             .       .       .         .   .                .        .         .            d                .                .                .
reached          .       .       .         .   .                .        .         .            W                W                W                W
reached_agent    .       .       .         .   .                .        .         .            .                .                .                T
not_reached      .       .       .         .   .                .        .         .            .                .                .                r
"""  # noqa: E501
AGENT_LETTERS = {
    "O": "signed_out",
    "R": "ready",
    "F": "offered",
    "G": "ringing",
    "T": "talking",
    "H": "hold",
    "W": "wrap_up",
    "N": "not_ready",
}
CALL_LETTERS = {
    "W": "waiting",
    "B": "returning",
    "F": "offered",
    "A": "out_of_reach",
    "T": "talking",
    "S": "overflowed",
    "D": "finished",
    "w": "callback_waiting",
    "r": "callback_resting",
    "f": "callback_offered",
    "d": "callback_dialling",
    "-": None,
}


def grid(text: str) -> dict[tuple[str, str], str]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {(state, row[0]): letter for row in rows for state, letter in zip(head, row[1:], strict=True)}


WITH_A_CALL = (AgentState.OFFERED, AgentState.RINGING, AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP)


def engine_with_agent(state: AgentState) -> Engine:
    """Agent 1001 brought into this state the way real events do it; caller c1 with them where it takes one."""
    engine = Engine(EngineConfig(queues=(patient(),)))

    def do(*events):
        return [decision for event in events for decision in engine.handle(event, T0)]

    do(AgentSignedIn("1001", {}, ("general",), True))
    if state in WITH_A_CALL:
        offer = next(decision for decision in do(CallJoined("c1")) if isinstance(decision, Offer))
        if state is AgentState.RINGING:
            do(AgentRinging("c1", "1001", offer.offer_id))
        elif state is not AgentState.OFFERED:
            do(OfferAnswered("c1", "1001", offer.offer_id))
        if state is AgentState.HOLD:
            do(CallHeld("1001", True))
        if state is AgentState.WRAP_UP:
            do(TalkEnded("c1", "1001"))
    elif state is AgentState.NOT_READY:
        do(AgentNotReady("1001", "break"))
    elif state is AgentState.SIGNED_OUT:
        engine = Engine()
        engine.handle(TalkAdopted("other", "1001", T0), T0)
        engine.handle(TalkEnded("other", "1001"), T0)
    assert engine._floor.agents["1001"].state is state
    return engine


@pytest.mark.parametrize(("state", "step"), list(itertools.product(AgentState, AgentStep)), ids=str)
def test_every_agent_state_meets_every_step(state, step):
    expected = grid(AGENTS)[(state.value, step.value)]
    engine = engine_with_agent(state)
    agent, before = engine._floor.agents["1001"], engine.snapshot()
    wish = AgentState.SIGNED_OUT if step is AgentStep.NEXT_SIGN_OUT else AgentState.NOT_READY
    moved = move_agent(
        engine._floor, agent, step, Reason(ReasonCode.AGENT_CHOSE), wish=wish, wish_reason="meal", extend_ms=1000
    )
    if expected == ".":
        assert not moved
        assert engine.snapshot() == before
        assert (state, step) not in AGENT_TABLE
    else:
        assert moved
        assert agent.state.value == AGENT_LETTERS[expected]


NO_OFFER = (CallState.WAITING, CallState.OUT_OF_REACH)


def engine_with_callback(state: CallState) -> Engine:
    """Call-back c1, brought into this state the way real events do it."""
    rules = CallbackRules(windows=(Window(0, 0),))
    engine = Engine(EngineConfig(queues=(patient(callback=rules),)))
    if state is CallState.CALLBACK_RESTING:
        engine.handle(CallbackRestored("c1", "general", T0, not_before_ms=T0 + 60_000), T0)
        return engine
    engine.handle(AgentSignedIn("1001", {}, ("general",), state is not CallState.CALLBACK_WAITING), T0)
    decisions = engine.handle(CallbackRestored("c1", "general", T0), T0)
    if state is CallState.CALLBACK_DIALLING:
        offer = next(decision for decision in decisions if isinstance(decision, Offer))
        engine.handle(OfferAnswered("c1", "1001", offer.offer_id), T0)
    return engine


def engine_with_call(state: CallState | None) -> Engine:
    """Caller c1 brought into this state the way real events do it."""
    if state is CallState.OVERFLOWED:
        engine = Engine(EngineConfig(queues=(patient(overflow_length=0),)))
        engine.handle(CallJoined("c1"), T0)
        return engine
    if state in CALLBACKS:
        return engine_with_callback(state)
    engine = Engine(EngineConfig(queues=(patient(),)))
    if state is None:
        return engine
    decisions = engine.handle(AgentSignedIn("1001", {}, ("general",), state not in NO_OFFER), T0)
    decisions = engine.handle(CallJoined("c1"), T0)
    offers = [decision for decision in decisions if isinstance(decision, Offer)]
    if state is CallState.RETURNING:
        engine.handle(OfferFailed("c1", "1001", offers[0].offer_id, FailCause.NO_ANSWER), T0)
    elif state is CallState.OUT_OF_REACH:
        engine.handle(CallOutOfReach("c1"), T0)
    elif state in (CallState.TALKING, CallState.FINISHED):
        engine.handle(OfferAnswered("c1", "1001", offers[0].offer_id), T0)
        if state is CallState.FINISHED:
            engine.handle(TalkEnded("c1", "1001"), T0)
    return engine


@pytest.mark.parametrize(("state", "step"), list(itertools.product([None, *CallState], CallStep)), ids=str)
def test_every_call_state_meets_every_step(state, step):
    expected = grid(CALLS)[("unknown" if state is None else state.value, step.value)]
    cell = CALL_TABLE.get((state, step))
    if expected == ".":
        assert cell is None
    else:
        assert cell is not None
        assert (None if cell.to is None else cell.to.value) == CALL_LETTERS[expected]
    if state is None:
        return
    engine = engine_with_call(state)
    call = engine._floor.calls["c1"]
    assert call.state is state
    before = engine.snapshot()
    if expected == ".":
        assert not move_call(engine._floor, call, step)
        assert engine.snapshot() == before


def test_the_tables_speak_of_nothing_else():
    assert {(str(state), str(step)) for state, step in AGENT_TABLE} <= set(grid(AGENTS))
    assert {("unknown" if state is None else str(state), str(step)) for state, step in CALL_TABLE} <= set(grid(CALLS))


def test_a_double_click_on_ready_shows_nothing_twice():
    engine = engine_with_agent(AgentState.NOT_READY)
    assert engine.handle(AgentReady("1001"), T0)
    assert engine.handle(AgentReady("1001"), T0) == []
