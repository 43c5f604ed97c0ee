"""What happened to each call and what each agent did when, from the engine's events and decisions.

The same collector reads a journal (`collect`) and listens to an engine that runs (`Collector.step`), so that a
simulated day and a real one are counted alike. Times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from acd.calibration import Foretold
from acd.journal import DECISIONS, JournalError, decode
from acd.model import (
    AgentState,
    AgentStateChanged,
    CallJoined,
    CallLeft,
    Decision,
    Event,
    OfferAnswered,
    Overflow,
    Queued,
    Refused,
    TalkAdopted,
    WaitPredicted,
)

# A join time further in the past than this, or in the future, is taken for a wrong clock.
_OLDEST_JOIN_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Talk:
    """One agent's part in a call. None: still going on, or never seen to end."""

    agent_id: str
    began_ms: int
    ended_ms: int | None = None
    wrapped_ms: int | None = None  # the end of the wrap-up; the end of the talk when there was none


@dataclass(frozen=True, slots=True)
class CallFact:
    """One call that wanted a person.

    answered_ms: when somebody first spoke with the caller. ended_ms: when the caller was gone, or was sent on.
    foretold: the wait that the caller was told first.
    sent_on: where to (voicemail, callback); empty for others. skills: what the call needed, as `zh:2,water:1`.
    """

    call_id: str
    queue: str
    joined_ms: int
    skills: str = ""
    answered_ms: int | None = None
    ended_ms: int | None = None
    sent_on: str = ""
    talks: tuple[Talk, ...] = ()
    foretold: Foretold | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """An agent's stretch in one state, from sign-in to sign-out."""

    agent_id: str
    state: AgentState
    began_ms: int
    ended_ms: int


@dataclass(slots=True)
class Facts:
    """Calls in order of joining; agents' time in order of ending. `until_ms` is the time of the last step."""

    calls: list[CallFact] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    until_ms: int = 0


@dataclass(slots=True)
class _Talk:
    agent_id: str
    began_ms: int
    ended_ms: int | None = None
    wrapped_ms: int | None = None


@dataclass(slots=True)
class _Call:
    call_id: str
    queue: str
    joined_ms: int
    skills: str
    answered_ms: int | None = None
    ended_ms: int | None = None
    sent_on: str = ""
    talks: list[_Talk] = field(default_factory=list)
    foretold: Foretold | None = None

    def fact(self) -> CallFact:
        talks = tuple(Talk(one.agent_id, one.began_ms, one.ended_ms, one.wrapped_ms) for one in self.talks)
        return CallFact(
            self.call_id, self.queue, self.joined_ms, self.skills, self.answered_ms, self.ended_ms, self.sent_on, talks,
            self.foretold,
        )  # fmt: skip


@dataclass(slots=True)
class _Agent:
    state: AgentState = AgentState.SIGNED_OUT
    since_ms: int = 0
    talk: _Talk | None = None  # until its wrap-up is over
    call_id: str = ""


class Collector:
    """Keeps facts up to date, step by step."""

    def __init__(self) -> None:
        self.until_ms = 0
        self._calls: dict[str, _Call] = {}
        self._agents: dict[str, _Agent] = {}
        self._spans: list[Span] = []

    def step(self, now_ms: int, event: Event, decisions: Sequence[Decision]) -> None:
        """One `Engine.handle`: what went in and what came out. A refused event did not happen."""
        self.until_ms = now_ms
        take = _EVENTS.get(type(event))
        if take is not None and not (
            decisions and isinstance(first := decisions[0], Refused) and first.event == type(event).__name__
        ):
            take(self, now_ms, event)
        for decision in decisions:
            take_decision = _DECISIONS.get(type(decision))
            if take_decision is not None:
                take_decision(self, now_ms, event, decision)

    def new_life(self, now_ms: int) -> None:
        """The engine has started anew: what agents did in between is not known, so it counts nowhere."""
        for agent_id, agent in self._agents.items():
            self._close(agent_id, agent, min(self.until_ms, now_ms))
        self._agents.clear()

    def facts(self) -> Facts:
        """As of the last step; what is going on ends there for the agents' time."""
        running = [
            Span(agent_id, agent.state, agent.since_ms, self.until_ms)
            for agent_id, agent in self._agents.items()
            if agent.state is not AgentState.SIGNED_OUT and agent.since_ms < self.until_ms
        ]
        return Facts([call.fact() for call in self._calls.values()], self._spans + running, self.until_ms)

    # -- events -----------------------------------------------------------------------------------------------------

    def _talk(self, now_ms: int, event: OfferAnswered | TalkAdopted) -> None:
        call = self._calls.get(event.call_id)
        if call is None:
            return
        agent = self._agents.setdefault(event.agent_id, _Agent(since_ms=now_ms))
        if agent.call_id == event.call_id and agent.state is AgentState.TALKING:
            return
        self._end_wrapup(agent, now_ms)
        agent.call_id = event.call_id
        # A talk that was never seen to end is the same one, found again after a restart.
        agent.talk = next((one for one in call.talks if one.agent_id == event.agent_id and one.ended_ms is None), None)
        if agent.talk is None:
            agent.talk = _Talk(event.agent_id, now_ms)
            call.talks.append(agent.talk)
        if call.answered_ms is None:
            call.answered_ms = now_ms
        call.ended_ms, call.sent_on = None, ""

    def _left(self, now_ms: int, event: CallLeft) -> None:
        call = self._calls.get(event.call_id)
        if call is not None and call.ended_ms is None:
            call.ended_ms = now_ms

    # -- decisions --------------------------------------------------------------------------------------------------

    def _queued(self, now_ms: int, event: Event, decision: Queued) -> None:
        skills = str(decision.reason.facts.get("skills", ""))
        call = self._calls.get(decision.call_id)
        if call is not None:
            call.queue, call.skills = decision.queue, skills
            if call.sent_on:  # back from a way that led nowhere
                call.ended_ms, call.sent_on = None, ""
            return
        joined_ms = now_ms
        if isinstance(event, CallJoined) and now_ms - _OLDEST_JOIN_MS < event.joined_ms <= now_ms:
            joined_ms = event.joined_ms
        self._calls[decision.call_id] = _Call(decision.call_id, decision.queue, joined_ms, skills)

    def _overflowed(self, now_ms: int, _event: Event, decision: Overflow) -> None:
        call = self._calls.get(decision.call_id)
        if call is not None and call.answered_ms is None and call.ended_ms is None:
            call.ended_ms, call.sent_on = now_ms, str(decision.to.value)

    def _foretold(self, now_ms: int, _event: Event, decision: WaitPredicted) -> None:
        call = self._calls.get(decision.call_id)
        if call is not None and call.foretold is None:
            call.foretold = Foretold(now_ms, decision.low_s, decision.middle_s, decision.high_s)

    def _state(self, now_ms: int, _event: Event, decision: AgentStateChanged) -> None:
        agent = self._agents.get(decision.agent_id)
        if agent is None:
            agent = self._agents[decision.agent_id] = _Agent(since_ms=now_ms)
        if decision.state is agent.state:
            return
        self._close(decision.agent_id, agent, now_ms)
        if agent.talk is not None:
            if agent.state is AgentState.TALKING:
                agent.talk.ended_ms = now_ms
            if decision.state not in (AgentState.WRAP_UP, AgentState.TALKING):
                self._end_wrapup(agent, now_ms)
        agent.state, agent.since_ms = decision.state, now_ms

    def _close(self, agent_id: str, agent: _Agent, now_ms: int) -> None:
        if agent.state is not AgentState.SIGNED_OUT and agent.since_ms < now_ms:
            self._spans.append(Span(agent_id, agent.state, agent.since_ms, now_ms))

    @staticmethod
    def _end_wrapup(agent: _Agent, now_ms: int) -> None:
        if agent.talk is not None:
            if agent.talk.ended_ms is None:
                agent.talk.ended_ms = now_ms
            agent.talk.wrapped_ms = now_ms
        agent.talk, agent.call_id = None, ""


_EVENTS: Mapping[type, Callable[[Collector, int, Any], None]] = {
    OfferAnswered: Collector._talk,
    TalkAdopted: Collector._talk,
    CallLeft: Collector._left,
}
_DECISIONS: Mapping[type, Callable[[Collector, int, Any, Any], None]] = {
    Queued: Collector._queued,
    Overflow: Collector._overflowed,
    WaitPredicted: Collector._foretold,
    AgentStateChanged: Collector._state,
}


def collect(lines: Iterable[str], on_unreadable: Callable[[str], None] | None = None) -> Facts:
    """The facts of a journal, which may begin in the middle of a life.

    Raises JournalError for a broken line, unless `on_unreadable` is given: it hears why, and the line is passed over.
    """
    collector = Collector()
    pending: tuple[int, Event, list[Decision]] | None = None
    for line in lines:
        try:
            now_ms, item = decode(line)
        except JournalError as error:
            if on_unreadable is None:
                raise
            on_unreadable(str(error))
            continue
        if not isinstance(item, tuple) and type(item) in _JOURNAL_DECISIONS:
            if pending is not None:
                pending[2].append(item)  # type: ignore[arg-type]
            continue
        if pending is not None:
            collector.step(*pending)
        pending = None
        if isinstance(item, tuple):
            collector.new_life(now_ms)
        else:
            pending = (now_ms, item, [])  # type: ignore[assignment]
    if pending is not None:
        collector.step(*pending)
    return collector.facts()


def within(facts: Facts, since_ms: int, until_ms: int) -> Facts:
    """What belongs to this time (the end excluded): calls that joined in it, agents' time cut to it."""
    calls = [call for call in facts.calls if since_ms <= call.joined_ms < until_ms]
    spans = [
        Span(span.agent_id, span.state, max(span.began_ms, since_ms), min(span.ended_ms, until_ms))
        for span in facts.spans
        if span.began_ms < until_ms and span.ended_ms > since_ms
    ]
    return Facts(calls, spans, facts.until_ms)


_JOURNAL_DECISIONS = frozenset(DECISIONS.values())
