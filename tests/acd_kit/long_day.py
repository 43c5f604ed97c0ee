"""A long day with everything in it, drawn from one seed: the same events every time, and what was decided.

Some sixty agents of two groups, three queues, relaxed needs, callers kept for an agent, redials, rules, call-backs,
failing telephones, a silent link, a clock that jumps, queues set anew and, at noon, a restart. What the engine decides
steers what happens next, so one decision that differs makes the rest of the day differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import TypeVar

from acd import journal
from acd.engine import Engine
from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentRinging,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    CallbackOffered,
    CallbackRequested,
    CallbackRestored,
    CallbackRules,
    CallHeld,
    CallJoined,
    CallLeft,
    CancelOffer,
    CitizenNotReached,
    CitizenReached,
    Decision,
    DialCitizen,
    EngineConfig,
    Event,
    FailCause,
    GroupStep,
    NextState,
    NuisanceAction,
    NuisanceRule,
    NuisanceRuleSet,
    Offer,
    OfferAnswered,
    OfferFailed,
    Overflow,
    PhoneChanged,
    Prediction,
    QueueConfig,
    QueueConfigured,
    RelaxRule,
    RelaxStep,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    TurnedAway,
    WrapUpDone,
)
from tests.acd_kit.lab import T0

T = TypeVar("T")

STEPS = 3_000
# The ways in which waits are foretold, and by the rules of which time.
FORETELLING = ((Prediction.FLOW, 4), (Prediction.FLOW, 3), (Prediction.REMAINING, 4))
_SKILLS = ("zh", "yue", "en", "water", "tax", "housing", "traffic", "school")
_GROUPS = ("city", "district")
_QUEUES = ("general", "enterprise", "night")
CONFIG = EngineConfig(
    queues=(
        QueueConfig(
            "general", overflow_wait_s=1_500, overflow_length=260, last_agent_s=15, callback=CallbackRules(180)
        ),
        QueueConfig("enterprise", priority=3, wrapup_s=10, groups=(GroupStep("city"), GroupStep("district", 90))),
        QueueConfig("night", overflow_wait_s=None, choice=None, level_band=1, announce_first_s=5, announce_every_s=20),
    ),
    relax=(
        RelaxRule("yue", (RelaxStep(20, {"yue": 1}), RelaxStep(90, {"zh": 2}))),
        RelaxRule("tax", (RelaxStep(60, {"housing": 2}),)),
    ),
    rare_skills=("en", "school"),
    flag_priority={"elderly": 5, "accessibility": 8},
)


class LongDay:
    """`lines` is the journal. Every step is half a second or so; the engine is woken whenever it asks to be."""

    def __init__(
        self, seed: int = 1, prediction: Prediction = Prediction.FLOW, behaviour: int = CONFIG.behaviour
    ) -> None:
        self._random = Random(seed).random
        self._first = replace(CONFIG, prediction=prediction, behaviour=behaviour)
        self.config, self.now = self._first, T0
        self.engine = Engine(self._first)
        self.lines = [journal.header(self._first, 0, T0)]
        self.offers: dict[str, Offer] = {}  # by call: ringing
        self.talks: dict[str, str] = {}  # call → agent
        self.calls = 0
        for number in range(60):
            self._sign_in(f"{1000 + number}", ready=self._chance(0.8))

    def play(self, steps: int) -> None:
        for step in range(steps):
            if step == steps // 2:
                self._restart()
            self._wait(100 + self._upto(900))
            for happens, in_rush, in_calm in _HAPPENINGS:
                if self._chance(in_rush if step % _TIDE < _RUSH else in_calm):
                    happens(self)

    # ------------------------------------------------------------------------------------------------------ the means

    def _chance(self, chance: float) -> bool:
        return self._random() < chance

    def _upto(self, most: int) -> int:
        return int(self._random() * most)

    def _one(self, items: Sequence[T]) -> T:
        return items[int(self._random() * len(items))]

    def _agent(self) -> str:
        return f"{1000 + self._upto(60)}"

    def _caller(self) -> str:
        return f"k{self._upto(400)}"

    def do(self, event: Event) -> None:
        decisions = self.engine.handle(event, self.now)
        self.lines.append(journal.encode(event, self.now))
        self.lines += [journal.encode(decision, self.now) for decision in decisions]
        for decision in decisions:
            self._heed(decision)

    def _heed(self, decision: Decision) -> None:
        if isinstance(decision, Offer):
            self.offers[decision.call_id] = decision
        elif isinstance(decision, CancelOffer):
            self.offers.pop(decision.call_id, None)
            if decision.recall:
                self.do(CallJoined(decision.call_id, attempt=0))
        elif isinstance(decision, Overflow | TurnedAway):
            self.do(CallLeft(decision.call_id, "voicemail"))
        elif isinstance(decision, CallbackOffered) and self._chance(0.4):
            self.do(CallbackRequested(decision.call_id, f"b{decision.call_id}", self._caller()))
            self.do(CallLeft(decision.call_id, "callback"))
        elif isinstance(decision, DialCitizen):
            reached = self._chance(0.6)
            self.do((CitizenReached if reached else CitizenNotReached)(decision.callback_id))

    def _wait(self, milliseconds: int) -> None:
        until = self.now + milliseconds
        while (wake := self.engine.next_wake_ms()) is not None and wake <= until:
            self.now = max(self.now, wake)
            self.do(Tick())
        self.now = until

    # ------------------------------------------------------------------------------------------------- what can happen

    def _sign_in(self, agent_id: str, *, ready: bool) -> None:
        skills = {"zh": 1 + self._upto(5)}
        for _ in range(self._upto(4)):
            skills[self._one(_SKILLS)] = 1 + self._upto(5)
        queues = _QUEUES[: 1 + self._upto(3)]
        self.do(AgentSignedIn(agent_id, skills, queues, ready, self._one(_GROUPS)))

    def join(self) -> None:
        self.calls += 1
        skills = {"zh": 1} if self._chance(0.6) else {self._one(_SKILLS): 1 + self._upto(3)}
        emergency = self._chance(0.01)
        self.do(
            CallJoined(
                f"c{self.calls}",
                self._one(_QUEUES),
                self.now - self._upto(3_000),
                120 if emergency else self._one((0, 0, 0, 0, 2, 10, -5)),
                skills,
                attempt=1,
                flags=("elderly",) if self._chance(0.1) else (),
                last_agent=self._agent() if self._chance(0.2) else "",
                caller_key=self._caller(),
            )
        )

    def rejoin(self) -> None:
        if self.offers:
            self.do(CallJoined(self._one(list(self.offers)), attempt=0))

    def give_up(self) -> None:
        waiting = self.engine.waiting_order(self._one(_QUEUES))
        if waiting:
            call_id = self._one(waiting)
            self.offers.pop(call_id, None)
            self.do(CallLeft(call_id, "hangup"))

    def phones_answer(self) -> None:
        for call_id, offer in list(self.offers.items()):
            if self.offers.pop(call_id, None) is None:
                continue
            self.do(AgentRinging(call_id, offer.agent_id, offer.offer_id))
            if self._chance(0.9):
                self.talks[call_id] = offer.agent_id
                self.do(OfferAnswered(call_id, offer.agent_id, offer.offer_id))
            elif self._chance(0.8):
                self.do(OfferFailed(call_id, offer.agent_id, offer.offer_id, self._one(list(FailCause))))
                self.do(CallJoined(call_id, attempt=0))

    def talks_end(self) -> None:
        if self.talks:
            call_id = self._one(list(self.talks))
            agent_id = self.talks.pop(call_id)
            self.do(TalkEnded(call_id, agent_id))
            self.do(CallLeft(call_id))
            if self._chance(0.5):
                self.do(WrapUpDone(agent_id))

    def agents_change(self) -> None:
        agent_id = self._agent()
        self.do(
            self._one(
                (
                    AgentReady(agent_id),
                    AgentReady(agent_id, "2001"),
                    AgentNotReady(agent_id, self._one(("meal", "break"))),
                    AgentSignedOut(agent_id),
                    NextState(agent_id, self._one((AgentState.NOT_READY, AgentState.SIGNED_OUT)), "meal"),
                    AgentBusyOutside(agent_id, self._chance(0.3)),
                    CallHeld(agent_id, self._chance(0.5)),
                    PhoneChanged(agent_id, self._chance(0.8), self._chance(0.3)),
                )
            )
        )

    def agents_come(self) -> None:
        self._sign_in(self._agent(), ready=True)

    def breaks_end(self) -> None:
        self.do(AgentReady(self._agent()))

    def rule_begins(self) -> None:
        rule = NuisanceRule(
            f"r{self._upto(20)}", self._caller(), self._one(list(NuisanceAction)), self.now + 600_000, "2001", value=1
        )
        self.do(NuisanceRuleSet(rule))

    def queue_changes(self) -> None:
        line = self._one(CONFIG.queues)
        self.do(QueueConfigured(replace(line, priority=self._upto(4), level_band=1 + self._upto(3))))

    def link_changes(self) -> None:
        self.do(TelephoneLink(False))
        self._wait(3_000)
        self.do(TelephoneLink(True))

    def clock_jumps(self) -> None:
        self.now += self._one((-5_000, 40_000))
        self.do(Tick())

    def _restart(self) -> None:
        """As `cti_bridge` does it: agents, talks, callers with their first time, call-backs."""
        seen = self.engine.snapshot()
        self.engine = Engine(self._first, seed=1)
        self.offers.clear()
        self.lines.append(journal.header(self._first, 1, self.now))
        kept = (AgentState.READY, AgentState.NOT_READY, AgentState.WRAP_UP)
        for agent in seen.agents:
            if agent.state in kept:
                state, since, idle = agent.state, agent.since_ms, agent.idle_since_ms
                skills = {"zh": 3, self._one(_SKILLS): 4}
                restored = AgentRestored(agent.agent_id, skills, agent.queues, state, since, idle, agent.until_ms)
                self.do(replace(restored, group=agent.group))
        for talk in seen.talks:
            self.do(TalkAdopted(talk.call_id, talk.agent_id, talk.started_ms))
        for call in seen.waiting:
            if call.callback:
                self.do(CallbackRestored(call.call_id, call.queue, call.joined_ms, call.priority, {"zh": 1}))
            else:
                self.do(CallJoined(call.call_id, call.queue, call.joined_ms, call.priority, {"zh": 1}, attempt=2))


# What happens with which chance in each step, in the rush and when it is calm.
_TIDE, _RUSH = 1_000, 650
_HAPPENINGS = (
    (LongDay.join, 0.8, 0.2),
    (LongDay.phones_answer, 0.6, 0.6),
    (LongDay.talks_end, 0.25, 0.7),
    (LongDay.give_up, 0.1, 0.2),
    (LongDay.rejoin, 0.01, 0.01),
    (LongDay.agents_change, 0.12, 0.12),
    (LongDay.agents_come, 0.02, 0.02),
    (LongDay.breaks_end, 0.3, 0.3),
    (LongDay.rule_begins, 0.01, 0.01),
    (LongDay.queue_changes, 0.002, 0.002),
    (LongDay.link_changes, 0.002, 0.002),
    (LongDay.clock_jumps, 0.002, 0.002),
)


def digests(lines: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Of every kind of decision how many were made, and the beginning of the SHA-256 of their lines in order."""
    kinds: dict[str, list[str]] = {}
    for line in lines:
        _, found, rest = line.partition('"d":"')
        if found:
            kinds.setdefault(rest.partition('"')[0], []).append(line)
    return {
        kind: (len(of_kind), sha256("\n".join(of_kind).encode()).hexdigest()[:16])
        for kind, of_kind in sorted(kinds.items())
    }


if __name__ == "__main__":
    for _prediction, _behaviour in FORETELLING:
        _day = LongDay(prediction=_prediction, behaviour=_behaviour)
        _day.play(STEPS)
        for _kind, (_count, _digest) in digests(_day.lines).items():
            print(f'    "{_kind}": ({_count:_}, "{_digest}"),  # {_prediction.value}, behaviour {_behaviour}')
