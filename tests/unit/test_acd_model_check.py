"""The state machines of agents and calls, walked as graphs: no state unreachable, none without a way out, no event
without an answer, no state that lasts for ever."""

from __future__ import annotations

import itertools

import pytest

from acd.limits import LIMITS
from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentRinging,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    AgentStateChanged,
    CallbackCancelled,
    CallbackChoosing,
    CallbackRequested,
    CallHeld,
    CallJoined,
    CallLeft,
    CallOutOfReach,
    CallState,
    CitizenNotReached,
    CitizenReached,
    EngineConfig,
    NextState,
    OfferAnswered,
    OfferFailed,
    PhoneChanged,
    Refused,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    WrapUpDone,
    WrapUpExtended,
)
from acd.states import FailCause
from acd.tables import AGENT_TABLE, CALL_TABLE, AgentEffect, AgentStep, CallStep
from tests.acd_kit.invariants import assert_sound
from tests.acd_kit.lab import T0, Lab, of, patient
from tests.unit.test_acd_tables import engine_with_agent, engine_with_call


def agent_ways() -> dict[AgentState, set[AgentState]]:
    """Where each state leads. A queued wish leads from wherever it is taken."""
    ways: dict[AgentState, set[AgentState]] = {state: set() for state in AgentState}
    for (state, _), cell in AGENT_TABLE.items():
        ways[state].add(cell.to)
        if AgentEffect.TAKE_NEXT in cell.effects:
            ways[state] |= {AgentState.NOT_READY, AgentState.SIGNED_OUT}
    return ways


def call_ways() -> dict[CallState | None, set[CallState | None]]:
    ways: dict[CallState | None, set[CallState | None]] = {state: set() for state in (None, *CallState)}
    for (state, _), cell in CALL_TABLE.items():
        ways[state].add(cell.to)
    return ways


def reachable(ways, start):
    seen, todo = {start}, [start]
    while todo:
        for state in ways[todo.pop()] - seen:
            seen.add(state)
            todo.append(state)
    return seen


@pytest.mark.parametrize(
    ("ways", "start"), [(agent_ways(), AgentState.SIGNED_OUT), (call_ways(), None)], ids=["agents", "calls"]
)
def test_every_state_is_reachable_and_leads_back_to_the_beginning(ways, start):
    assert reachable(ways, start) == set(ways)
    for state in ways:
        assert ways[state] - {state}, f"{state} has no way out"
        assert start in reachable(ways, state), f"{state} never ends"


def test_every_step_is_made_somewhere_and_every_state_is_spoken_of():
    assert {step for _, step in AGENT_TABLE} == set(AgentStep)
    assert {step for _, step in CALL_TABLE} == set(CallStep)
    assert {state for state, _ in AGENT_TABLE} == set(AgentState)


def test_every_state_of_an_agent_has_a_limit_that_leads_somewhere_else():
    assert set(LIMITS) == set(AgentState)
    for state, limit in LIMITS.items():
        assert getattr(EngineConfig(), limit.setting) > 0
        if limit.step is not None:
            assert AGENT_TABLE[(state, limit.step)].to is not state


AGENT_EVENTS = [
    AgentSignedIn("1001", {"zh": 5}, ("general",), True),
    AgentRestored("1001", {}, ("general",), AgentState.READY, T0, T0),
    AgentRestored("1001", {}, ("general",), AgentState.WRAP_UP, T0, T0, T0 + 9_000),
    AgentSignedOut("1001"),
    AgentReady("1001"),
    AgentNotReady("1001", "break"),
    NextState("1001", AgentState.NOT_READY, "meal"),
    NextState("1001", AgentState.SIGNED_OUT),
    NextState("1001", AgentState.READY),
    PhoneChanged("1001", False),
    PhoneChanged("1001", True, True),
    WrapUpDone("1001"),
    WrapUpExtended("1001", 30),
    AgentBusyOutside("1001", True),
    CallHeld("1001", True),
    CallHeld("1001", False),
    TalkAdopted("c9", "1001", T0),
    TalkEnded("c1", "1001"),
    CallLeft("c1", "hangup"),
    AgentRinging("c1", "1001", "o1"),
    OfferAnswered("c1", "1001", "o1"),
    OfferFailed("c1", "1001", "o1", FailCause.BUSY),
    TelephoneLink(False),
    Tick(),
]


@pytest.mark.parametrize(
    ("state", "event"),
    list(itertools.product(AgentState, AGENT_EVENTS)),
    ids=lambda item: getattr(item, "value", type(item).__name__),
)
def test_every_event_is_answered_in_every_state_of_an_agent(state, event):
    """Either the agent moves along the table, or the event is refused by name, or it changes nothing shown."""
    engine = engine_with_agent(state)
    event = with_real_offer(engine, event)
    decisions = engine.handle(event, T0 + 1_000)
    assert_sound(engine)
    after = engine._floor.agents["1001"].state
    allowed = reachable_in_one_event(state)
    assert after in allowed, f"{state} → {after}"
    for refused in of(Refused, decisions):
        assert refused.event == type(event).__name__
    for change in of(AgentStateChanged, decisions):
        assert change.reason.code


def with_real_offer(engine, event):
    offer_id = engine._floor.agents["1001"].offer_id
    if offer_id is None or not hasattr(event, "offer_id"):
        return event
    return type(event)(**{name: getattr(event, name) for name in event.__slots__} | {"offer_id": offer_id})


def reachable_in_one_event(state: AgentState) -> set[AgentState]:
    """A step, and at most one more that follows at once (a freed agent is offered the next caller)."""
    ways = agent_ways()
    first = ways[state] | {state}
    return first | {after for one in first for after in ways[one]}


CALL_EVENTS = [
    CallJoined("c1", attempt=0),
    CallJoined("c1", attempt=9),
    CallJoined("c1", "nowhere", T0 - 50_000, 100, {"yue": 5}, attempt=9),
    CallLeft("c1", "hangup"),
    CallLeft("c1", "voicemail"),
    TalkAdopted("c1", "1001", T0),
    TalkAdopted("c1", "1002", T0),
    TalkEnded("c1", "1001"),
    OfferAnswered("c1", "1001", "o1"),
    OfferFailed("c1", "1001", "o1", FailCause.NO_ANSWER),
    CallOutOfReach("c1"),
    CallbackChoosing("c1"),
    CallbackRequested("c1", "b1"),
    CitizenReached("c1"),
    CitizenNotReached("c1"),
    CallbackCancelled("c1"),
    AgentSignedOut("1001"),
    TelephoneLink(False),
]


@pytest.mark.parametrize(
    ("state", "event"),
    list(itertools.product([None, *CallState], CALL_EVENTS)),
    ids=lambda item: getattr(item, "value", type(item).__name__),
)
def test_every_event_is_answered_in_every_state_of_a_call(state, event):
    engine = engine_with_call(state)
    engine.handle(event, T0 + 1_000)
    assert_sound(engine)
    call = engine._floor.calls.get("c1")
    ways = call_ways()
    first = ways[state] | {state}
    assert (None if call is None else call.state) in first | {after for one in first for after in ways[one]}


# ------------------------------------------------------------------------------------------------ nobody is stuck

SHORT = EngineConfig(
    queues=(patient(),), ready_max_s=100, not_ready_max_s=200, talk_max_s=300, hold_max_s=50, forget_after_s=400
)


def test_who_is_ready_for_too_long_is_asked_whether_they_are_there():
    lab = Lab(SHORT)
    lab.sign_in("1001")
    lab.wait(99)
    assert lab.state("1001") == "ready"
    lab.wait(2)
    assert (lab.state("1001"), lab.agent("1001").not_ready_reason) == ("not_ready", "ready_too_long")


def test_who_is_not_ready_for_too_long_is_signed_out_and_then_forgotten():
    lab = Lab(SHORT)
    lab.sign_in("1001", ready=False)
    lab.wait(201)
    assert lab.state("1001") == "signed_out"
    lab.wait(398)
    assert lab.agent("1001") is not None
    lab.wait(2)
    assert lab.agent("1001") is None


def test_a_reason_of_not_ready_may_have_its_own_limit():
    lab = Lab(EngineConfig(queues=(patient(),), not_ready_limits={"break": 60}))
    lab.sign_in("1001")
    lab.do(AgentNotReady("1001", "meal"))
    lab.wait(30)
    lab.do(AgentNotReady("1001", "break"))
    lab.wait(59)
    assert lab.state("1001") == "not_ready"
    lab.wait(2)
    assert lab.state("1001") == "signed_out"


def test_a_talk_whose_end_is_never_reported_ends_all_the_same():
    lab = Lab(SHORT)
    lab.talk("c1", "1001")
    lab.wait(301)
    assert (lab.state("1001"), lab.call_state("c1")) == ("wrap_up", "finished")


def test_a_caller_on_hold_for_too_long_is_told_of_and_the_talk_goes_on():
    lab = Lab(SHORT)
    lab.talk("c1", "1001")
    lab.do(CallHeld("1001", True))
    assert lab.state("1001") == "hold"
    change = of(AgentStateChanged, lab.wait(51))[-1]
    assert (change.state, change.reason.code) == ("talking", "hold_too_long")


def test_a_phone_known_to_be_gone_is_not_forgotten_with_its_agent():
    lab = Lab(SHORT)
    lab.do(PhoneChanged("1001", False))
    lab.wait(900)
    lab.sign_in("1001")
    assert lab.agent("1001").unreachable


def test_a_ringing_phone_that_says_nothing_more_ends_like_any_offer():
    lab = Lab(SHORT)
    lab.sign_in("1001")
    lab.join("c1")
    lab.do(AgentRinging("c1", "1001", lab.offers["c1"].offer_id))
    assert lab.state("1001") == "ringing"
    lab.wait(31)
    assert lab.agent("1001").not_ready_reason == "no_answer"


def test_the_clock_may_jump_without_ending_states():
    lab = Lab(SHORT)
    lab.sign_in("1001")
    lab.now += 3_600_000
    lab.do(Tick())
    assert lab.state("1001") == "ready"
