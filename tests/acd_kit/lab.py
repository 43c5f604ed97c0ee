"""An engine with a clock that only moves when a test says so, and a journal of everything that happened."""

from __future__ import annotations

from typing import TypeVar

from acd import journal
from acd.engine import Engine
from acd.model import (
    AgentReady,
    AgentSignedIn,
    AgentStateChanged,
    CallJoined,
    Decision,
    EngineConfig,
    Event,
    FailCause,
    Offer,
    OfferAnswered,
    OfferFailed,
    QueueConfig,
    TalkEnded,
    Tick,
)
from acd.views import AgentSeen

T0 = 1_795_000_000_000
D = TypeVar("D")


def patient(queue: str = "general", **rules: object) -> QueueConfig:
    """A queue from which nobody overflows unless a test says so."""
    limits: dict[str, object] = {"overflow_wait_s": None, "overflow_unstaffed_s": None, **rules}
    return QueueConfig(queue, **limits)  # type: ignore[arg-type]


class Lab:
    """Seconds in, decisions out. `lines` is the journal so far, `seen` every decision so far."""

    def __init__(self, config: EngineConfig | None = None, *, start_ms: int = T0) -> None:
        self.config = config or EngineConfig(queues=(patient(),))
        self.engine = Engine(self.config)
        self.now = start_ms
        self.lines = [journal.header(self.config, 0, start_ms)]
        self.seen: list[Decision] = []
        self.offers: dict[str, Offer] = {}  # by call, the latest

    def do(self, *events: Event) -> list[Decision]:
        """Hand the events over at the present moment."""
        decided: list[Decision] = []
        for event in events:
            decisions = self.engine.handle(event, self.now)
            self.lines.append(journal.encode(event, self.now))
            self.lines.extend(journal.encode(decision, self.now) for decision in decisions)
            decided.extend(decisions)
        self.seen.extend(decided)
        self.offers.update({decision.call_id: decision for decision in decided if isinstance(decision, Offer)})
        return decided

    def wait(self, seconds: float) -> list[Decision]:
        """Let time pass, waking the engine whenever it asks to be woken."""
        until = self.now + round(seconds * 1000)
        decided: list[Decision] = []
        while (wake := self.engine.next_wake_ms()) is not None and wake <= until:
            self.now = max(self.now, wake)
            decided += self.do(Tick())
        self.now = until
        return decided

    # ------------------------------------------------------------------------------------------- the usual happenings

    def join(self, call_id: str, **values: object) -> list[Decision]:
        values.setdefault("joined_ms", self.now)
        return self.do(CallJoined(call_id, **values))  # type: ignore[arg-type]

    def sign_in(self, agent_id: str, *, ready: bool = True, queues: tuple[str, ...] = ("general",), **skills: int):
        return self.do(AgentSignedIn(agent_id, skills, queues, ready))

    def answer(self, call_id: str) -> list[Decision]:
        offer = self.offers[call_id]
        return self.do(OfferAnswered(call_id, offer.agent_id, offer.offer_id))

    def fail(self, call_id: str, cause: FailCause, *, back: bool = True) -> list[Decision]:
        """The telephone reports a failed offer and, unless told otherwise, the caller's return to the hold loop."""
        offer = self.offers[call_id]
        decided = self.do(OfferFailed(call_id, offer.agent_id, offer.offer_id, cause))
        return decided + (self.rejoin(call_id) if back else [])

    def rejoin(self, call_id: str) -> list[Decision]:
        call = self.engine._floor.calls[call_id]
        again = CallJoined(
            call_id, call.queue, 0, call.asked_priority, dict(call.skills), call.language, call.caller, call.attempt + 1
        )
        return self.do(again)

    def talk(self, call_id: str, agent_id: str) -> None:
        """This agent signs in (if need be), is offered this call and answers it."""
        if self.agent(agent_id) is None:
            self.sign_in(agent_id)
        else:
            self.do(AgentReady(agent_id))
        if call_id not in self.offers:
            self.join(call_id)
        assert self.offers[call_id].agent_id == agent_id
        self.answer(call_id)

    def end_talk(self, call_id: str) -> list[Decision]:
        agent_id = next(talk.agent_id for talk in self.engine.snapshot().talks if talk.call_id == call_id)
        return self.do(TalkEnded(call_id, agent_id))

    # ------------------------------------------------------------------------------------------------------ questions

    def agent(self, agent_id: str) -> AgentSeen | None:
        return next((agent for agent in self.engine.snapshot().agents if agent.agent_id == agent_id), None)

    def state(self, agent_id: str) -> str:
        agent = self.agent(agent_id)
        return "" if agent is None else agent.state.value

    def call_state(self, call_id: str) -> str:
        call = self.engine._floor.calls.get(call_id)
        return "gone" if call is None or call.state is None else call.state.value

    def waiting(self, queue: str = "general") -> list[str]:
        return self.engine.waiting_order(queue)


def of(kind: type[D], decisions: list[Decision]) -> list[D]:
    """The decisions of one kind."""
    return [decision for decision in decisions if isinstance(decision, kind)]


def offered(decisions: list[Decision]) -> list[tuple[str, str]]:
    """(call, agent) of every offer made."""
    return [(offer.call_id, offer.agent_id) for offer in of(Offer, decisions)]


def shown(decisions: list[Decision], agent_id: str) -> AgentStateChanged:
    """The last that was shown of an agent."""
    return [change for change in of(AgentStateChanged, decisions) if change.agent_id == agent_id][-1]
