"""Every state meets every step: where it leads, or that it is refused and changes nothing."""

from __future__ import annotations

import itertools

import pytest

from acd.engine import Engine
from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentState,
    CallJoined,
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
)
from acd.moves import move_agent, move_call
from acd.tables import AGENT_TABLE, CALL_TABLE, AgentStep, CallStep
from tests.acd_kit.lab import T0, patient

# O signed out, R ready, F offered, T talking, W wrap-up, N not ready, . refused
AGENTS = """
                    signed_out ready offered talking wrap_up not_ready
sign_in_ready            R       R      F       T       W       N
sign_in_not_ready        N       R      F       T       W       N
restore_wrap_up          W       R      F       T       W       N
sign_out                 O       O      O       T       O       O
ready                    .       R      F       T       R       R
not_ready                .       N      F       T       N       N
next_ready               .       R      F       T       W       R
next_not_ready           .       N      F       T       W       N
next_sign_out            .       O      F       T       W       O
offer                    .       F      .       .       .       .
answer                   .       .      T       .       .       .
miss                     .       .      N       .       .       .
release                  .       .      R       .       .       .
adopt                    T       T      T       T       T       T
talk_end                 .       .      .       W       .       .
wrapup_done              .       R      .       .       R       N
wrapup_extend            .       .      .       .       W       .
wrapup_over              .       .      .       .       R       .
"""
# W waiting, B returning, F offered, T talking, S overflowed, D finished, - gone, . refused
CALLS = """
           unknown waiting returning offered talking overflowed finished
join          W       W       W         W       W        W         W
leave         .       -       -         -       -        -         -
offer         .       F       .         .       .        .         .
answer        .       T       T         T       .        .         .
fail          .       .       .         B       .        .         .
cancel        .       .       .         B       .        .         .
back          .       .       W         .       .        .         .
adopt         T       T       T         T       T        T         T
talk_end      .       .       .         .       D        .         .
overflow      .       S       .         .       .        .         .
"""
AGENT_LETTERS = {"O": "signed_out", "R": "ready", "F": "offered", "T": "talking", "W": "wrap_up", "N": "not_ready"}
CALL_LETTERS = {
    "W": "waiting",
    "B": "returning",
    "F": "offered",
    "T": "talking",
    "S": "overflowed",
    "D": "finished",
    "-": None,
}


def grid(text: str) -> dict[tuple[str, str], str]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {(state, row[0]): letter for row in rows for state, letter in zip(head, row[1:], strict=True)}


def engine_with_agent(state: AgentState) -> Engine:
    """Agent 1001 brought into this state the way real events do it; caller c1 with them where it takes one."""
    engine = Engine(EngineConfig(queues=(patient(),)))

    def do(*events):
        return [decision for event in events for decision in engine.handle(event, T0)]

    do(AgentSignedIn("1001", {}, ("general",), True))
    if state in (AgentState.OFFERED, AgentState.TALKING, AgentState.WRAP_UP):
        offer = next(decision for decision in do(CallJoined("c1")) if isinstance(decision, Offer))
        if state is not AgentState.OFFERED:
            do(OfferAnswered("c1", "1001", offer.offer_id))
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


def engine_with_call(state: CallState | None) -> Engine:
    """Caller c1 brought into this state the way real events do it."""
    if state is CallState.OVERFLOWED:
        engine = Engine(EngineConfig(queues=(patient(overflow_length=0),)))
        engine.handle(CallJoined("c1"), T0)
        return engine
    engine = Engine(EngineConfig(queues=(patient(),)))
    if state is None:
        return engine
    decisions = engine.handle(AgentSignedIn("1001", {}, ("general",), state is not CallState.WAITING), T0)
    decisions = engine.handle(CallJoined("c1"), T0)
    offers = [decision for decision in decisions if isinstance(decision, Offer)]
    if state is CallState.RETURNING:
        engine.handle(OfferFailed("c1", "1001", offers[0].offer_id, FailCause.NO_ANSWER), T0)
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
