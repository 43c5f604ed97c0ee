"""One day on the real engine and a clock that jumps from one happening to the next.

What citizens, agents and telephones do comes from the scenario; who is offered to whom, who is told what and when, is
decided by `acd.engine.Engine` as on any other day. Callers in line at closing are still served. An agent's break falls
due once an hour and begins when the call at hand is done; a shift ends the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from heapq import heappop, heappush
from typing import Any, Protocol

from acd.engine import Engine
from acd.model import (
    AgentReady,
    AgentSignedIn,
    AgentState,
    AgentStateChanged,
    CallJoined,
    CallLeft,
    CancelOffer,
    Decision,
    EngineConfig,
    Event,
    NextState,
    Offer,
    OfferAnswered,
    Overflow,
    Tick,
    WrapUpDone,
)
from acd.simulate.demand import Demand, Try
from acd.simulate.scenario import SLOT_S, Kind, Roster, Scenario

# Midnight in China of the day that all simulated days play on.
MIDNIGHT_MS = int(datetime(2026, 11, 24, 16, tzinfo=UTC).timestamp() * 1000)
_SLOT_MS = SLOT_S * 1000
_HOUR_MS = 3_600_000
_NEVER = 2**62
_PATIENT_MS = 6 * _HOUR_MS  # after closing nobody waits longer for an agent who never comes
_GOLDEN = 0.6180339887498949  # spreads breaks and skills evenly over agents


class _Do(IntEnum):
    ROSTER = 0
    JOIN = 1
    ANSWER = 2
    GIVE_UP = 3
    TALK_END = 4
    WRAPPED = 5
    BREAK = 6
    BACK = 7
    SENT_ON = 8


@dataclass(slots=True)
class _Call:
    drawn: Try
    offer_id: str = ""
    answered: bool = False


@dataclass(slots=True)
class _Agent:
    agent_id: str
    break_ms: int
    call: _Call | None = None
    state: AgentState = AgentState.SIGNED_OUT
    going: bool = False


@dataclass(slots=True)
class _Counts:
    waiting: int = 0
    steps: int = 0
    begun: int = 0  # first tries


class Listener(Protocol):
    """Who hears everything that goes into the engine and comes out."""

    def step(self, now_ms: int, event: Event, decisions: Sequence[Decision]) -> None: ...


class Day:
    """`advance` plays on, `finish` to the end. It can be pickled between two happenings: a day that goes on in several
    ways is copied so; `demand` is given back to a copy by `adopt`."""

    def __init__(self, scenario: Scenario, roster: Roster, demand: Demand, listeners: Sequence[Listener]) -> None:
        self.scenario, self.roster, self.listeners = scenario, list(roster), listeners
        self._demand = demand
        self._engine = Engine(engine_config(scenario))
        self.opens_ms = MIDNIGHT_MS + scenario.opens_slot * _SLOT_MS
        self.closes_ms = self.opens_ms + scenario.slots * _SLOT_MS
        self.now = self.opens_ms
        self.count = _Counts()
        self.callers: dict[str, str] = {}  # by call id
        self._heap: list[tuple[int, int, _Do, Any]] = []
        self._sequence = 0
        self._calls: dict[str, _Call] = {}
        self._agents: dict[str, _Agent] = {}
        self._on: list[_Agent] = []  # at work, longest first
        self._hired = 0
        for slot in range(scenario.slots):
            self._at(self.opens_ms + slot * _SLOT_MS, _Do.ROSTER, slot)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_demand": None}

    def adopt(self, demand: Demand) -> None:
        """Go on with the citizens of this demand, which must be the one that the day began with."""
        self._demand = demand

    def advance(self, until_ms: int) -> bool:
        """Play everything that happens before `until_ms`; whether anything is left to happen."""
        arrivals, engine, heap, counts = self._demand.first, self._engine, self._heap, self.count
        while True:
            joins = self.opens_ms + arrivals[counts.begun].at_ms if counts.begun < len(arrivals) else _NEVER
            own = heap[0][0] if heap else _NEVER
            wake = engine.next_wake_ms()
            if joins == own == _NEVER and (not self._calls or wake is None or self.now > self.closes_ms + _PATIENT_MS):
                return False
            due = _NEVER if wake is None else max(wake, self.now)
            if min(joins, own, due) >= until_ms:
                return True
            if due <= joins and due <= own:
                self.now = due
                self._step(Tick(), due)
            elif joins < own:
                self.now = joins
                counts.begun += 1
                self._join(arrivals[counts.begun - 1], joins)
            else:
                at, _, what, of_what = heappop(heap)
                self.now = max(self.now, at)
                _ACTS[what](self, of_what, self.now)
            if self.now >= self.closes_ms and counts.waiting == 0 and self._on:
                self._go_home(self.now)

    def finish(self) -> None:
        """Play to the end; whoever is in line for agents that never come is sent home."""
        while self.advance(_NEVER):
            pass
        for call_id in list(self._calls):
            self._step(CallLeft(call_id, "closed"), self.now)

    # -- what is due ------------------------------------------------------------------------------------------------

    def _at(self, when_ms: int, what: _Do, of_what: Any) -> None:
        self._sequence += 1
        heappush(self._heap, (when_ms, self._sequence, what, of_what))

    def _step(self, event: Event, now: int) -> None:
        decisions = self._engine.handle(event, now)
        self.count.steps += 1
        for listener in self.listeners:
            listener.step(now, event, decisions)
        for decision in decisions:
            kind = type(decision)
            if kind is Offer:
                call = self._calls[decision.call_id]  # type: ignore[union-attr]
                call.offer_id = decision.offer_id  # type: ignore[union-attr]
                self._at(now + call.drawn.ring_ms, _Do.ANSWER, decision)
            elif kind is AgentStateChanged:
                self._agent_is(decision, now)  # type: ignore[arg-type]
            elif kind is CancelOffer:
                gone = self._calls.get(decision.call_id)  # type: ignore[union-attr]
                if gone is not None:
                    gone.offer_id = ""
            elif kind is Overflow:
                self._at(now, _Do.SENT_ON, decision.call_id)  # type: ignore[union-attr]

    # -- citizens ---------------------------------------------------------------------------------------------------

    def _join(self, drawn: Try, now: int) -> None:
        call_id = drawn.call_id
        call = self._calls[call_id] = _Call(drawn)
        self.callers[call_id] = str(drawn.citizen)
        self.count.waiting += 1
        if drawn.patience_ms is not None:
            self._at(now + drawn.patience_ms, _Do.GIVE_UP, call)
        kind = drawn.kind
        self._step(CallJoined(call_id, kind.queue, now, kind.priority, kind.skills, attempt=1), now)

    def _give_up(self, call: _Call, now: int) -> None:
        call_id = call.drawn.call_id
        if call.answered or self._calls.pop(call_id, None) is None:
            return
        self.count.waiting -= 1
        self._step(CallLeft(call_id, "abandoned"), now)
        again = self._demand.again(call.drawn, now)
        if again is not None and again.at_ms < self.closes_ms:
            self._at(again.at_ms, _Do.JOIN, again)

    def _sent_on(self, call_id: str, now: int) -> None:
        if self._calls.pop(call_id, None) is not None:
            self.count.waiting -= 1
            self._step(CallLeft(call_id, "overflow"), now)

    # -- telephones and agents --------------------------------------------------------------------------------------

    def _answer(self, offer: Offer, now: int) -> None:
        call = self._calls.get(offer.call_id)
        if call is None or call.offer_id != offer.offer_id:
            return
        call.answered = True
        self.count.waiting -= 1
        self._agents[offer.agent_id].call = call
        self._at(now + call.drawn.talk_ms, _Do.TALK_END, offer.call_id)
        self._step(OfferAnswered(offer.call_id, offer.agent_id, offer.offer_id), now)

    def _talk_end(self, call_id: str, now: int) -> None:
        del self._calls[call_id]
        self._step(CallLeft(call_id, "hangup"), now)

    def _agent_is(self, change: AgentStateChanged, now: int) -> None:
        agent = self._agents[change.agent_id]
        before, agent.state = agent.state, change.state
        if change.state is before:
            return
        if change.state is AgentState.WRAP_UP and agent.call is not None:
            self._at(now + agent.call.drawn.wrapup_ms, _Do.WRAPPED, (agent, agent.call))
        elif change.state is AgentState.NOT_READY:
            self._at(now + agent.break_ms, _Do.BACK, agent)

    def _wrapped(self, what: tuple[_Agent, _Call], now: int) -> None:
        agent, call = what
        if agent.state is AgentState.WRAP_UP and agent.call is call:
            self._step(WrapUpDone(agent.agent_id), now)

    def _break(self, agent: _Agent, now: int) -> None:
        if agent.going or now >= self.closes_ms:
            return
        self._at(now + _HOUR_MS, _Do.BREAK, agent)
        if agent.state is not AgentState.NOT_READY:
            self._step(NextState(agent.agent_id, AgentState.NOT_READY, "break"), now)

    def _back(self, agent: _Agent, now: int) -> None:
        if agent.state is AgentState.NOT_READY:
            self._step(AgentReady(agent.agent_id), now)

    def _roster_of(self, slot: int, now: int) -> None:
        wanted = self.roster[slot]
        while len(self._on) > wanted:
            self._leave(self._on.pop(0), now)
        while len(self._on) < wanted:
            self._arrive(now)

    def _arrive(self, now: int) -> None:
        part = self._hired * _GOLDEN % 1.0
        self._hired += 1
        break_ms = round(self.scenario.shrinkage * _HOUR_MS)
        agent = _Agent(str(1000 + self._hired), break_ms)
        self._agents[agent.agent_id] = agent
        self._on.append(agent)
        skills = _pick(self.scenario.crew, part).skills
        queues = tuple(queue.queue for queue in self.scenario.queues)
        self._step(AgentSignedIn(agent.agent_id, skills, queues, True), now)
        if break_ms:
            self._at(now + round(part * (_HOUR_MS - break_ms)), _Do.BREAK, agent)

    def _leave(self, agent: _Agent, now: int) -> None:
        agent.going = True
        self._step(NextState(agent.agent_id, AgentState.SIGNED_OUT), now)

    def _go_home(self, now: int) -> None:
        leaving, self._on = self._on, []
        for agent in leaving:
            self._leave(agent, now)


_ACT: dict[_Do, Callable[[Day, Any, int], None]] = {
    _Do.ROSTER: Day._roster_of,
    _Do.JOIN: Day._join,
    _Do.ANSWER: Day._answer,
    _Do.GIVE_UP: Day._give_up,
    _Do.TALK_END: Day._talk_end,
    _Do.WRAPPED: Day._wrapped,
    _Do.BREAK: Day._break,
    _Do.BACK: Day._back,
    _Do.SENT_ON: Day._sent_on,
}
# A list is looked up faster than an enumeration is hashed, a million times a day.
_ACTS = [_ACT[what] for what in _Do]


def _pick(kinds: tuple[Kind, ...], part: float) -> Kind:
    for kind in kinds:
        if part < kind.share:
            return kind
        part -= kind.share
    return kinds[-1]


def engine_config(scenario: Scenario) -> EngineConfig:
    """The engine as it would be set up for this day; wrap-up ends when the agent says so."""
    return EngineConfig(
        queues=scenario.queues,
        default_queue=scenario.queues[0].queue,
        offer_timeout_s=120,
        wrapup_s=round(_HOUR_MS / 1000) if scenario.wrapup.mean_s else 0,
        expected_handling_s=max(1, round(scenario.handling_s)),
    )
