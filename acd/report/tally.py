"""Calls and agents' time added up. A tally of a whole is the sum of the tallies of its parts, callers excepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from acd.measures import ANSWER_TARGET_S
from acd.model import AgentState
from acd.report.facts import CallFact, Span


@dataclass(frozen=True, slots=True)
class Rules:
    """target_s: what "answered in time" means (GB/T 33358-2016: 15). short_s: who gives up within so many seconds is a
    short abandon, a misdial rather than a disappointed citizen; 0 for none."""

    target_s: int = ANSWER_TARGET_S
    short_s: int = 5


@dataclass(slots=True)
class Tally:
    """Counts, and sums in milliseconds.

    offered: calls that wanted a person. settled: those of them that were answered or are over. judged: those of which
    is known whether they were answered in time. abandoned: gone unanswered by themselves; short: as soon as `short_s`.
    sent_on: to voicemail or call-back. talks: talks that have ended; wrapped: those whose wrap-up is over too.
    busy, available, away: agents' time in talk and wrap-up, ready or being rung, and not ready.
    foretold: answered after they were told how long it would take; held: within the range that they were told; off_s:
    seconds between its middle and what came, summed without sign.
    callers: an opaque key of each citizen whose call's origin is known; unknown: calls of which it is not.
    """

    offered: int = 0
    settled: int = 0
    judged: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    short: int = 0
    sent_on: int = 0
    wait_answered_ms: int = 0
    wait_abandoned_ms: int = 0
    longest_wait_ms: int = 0
    talks: int = 0
    talk_ms: int = 0
    wrapped: int = 0
    wrapup_ms: int = 0
    wrapped_talk_ms: int = 0
    busy_ms: int = 0
    available_ms: int = 0
    away_ms: int = 0
    callers: set[str] = field(default_factory=set)
    unknown: int = 0
    foretold: int = 0
    foretold_held: int = 0
    foretold_off_s: float = 0.0

    def call(self, call: CallFact, now_ms: int, rules: Rules, caller: str | None) -> None:
        """Add a call as it stands at `now_ms`. How long agents spoke is added by `talk`."""
        self.offered += 1
        if caller is None:
            self.unknown += 1
        else:
            self.callers.add(caller)
        end_ms = call.answered_ms if call.answered_ms is not None else call.ended_ms
        wait_ms = (now_ms if end_ms is None else end_ms) - call.joined_ms
        self.longest_wait_ms = max(self.longest_wait_ms, wait_ms)
        self.judged += end_ms is not None or wait_ms > rules.target_s * 1000
        if end_ms is None:
            return
        self.settled += 1
        if call.answered_ms is not None:
            self.answered += 1
            self.wait_answered_ms += wait_ms
            self.in_target += wait_ms <= rules.target_s * 1000
            if call.foretold is not None:
                held, off_s = call.foretold.against(call.answered_ms)
                self.foretold += 1
                self.foretold_held += held
                self.foretold_off_s += abs(off_s)
        elif call.sent_on:
            self.sent_on += 1
        else:
            self.abandoned += 1
            self.wait_abandoned_ms += wait_ms
            self.short += wait_ms < rules.short_s * 1000

    def talk(self, began_ms: int, ended_ms: int | None, wrapped_ms: int | None) -> None:
        """Add one agent's part in a call, as far as it is over."""
        if ended_ms is None:
            return
        self.talks += 1
        self.talk_ms += ended_ms - began_ms
        if wrapped_ms is not None:
            self.wrapped += 1
            self.wrapped_talk_ms += ended_ms - began_ms
            self.wrapup_ms += wrapped_ms - ended_ms

    def time(self, state: AgentState, milliseconds: int) -> None:
        """Add an agent's time in one state."""
        if state in (AgentState.TALKING, AgentState.WRAP_UP):
            self.busy_ms += milliseconds
        elif state is AgentState.NOT_READY:
            self.away_ms += milliseconds
        elif state is not AgentState.SIGNED_OUT:
            self.available_ms += milliseconds


def tally(
    calls: Iterable[CallFact],
    spans: Iterable[Span],
    now_ms: int,
    rules: Rules | None = None,
    callers: Mapping[str, str] | None = None,
) -> Tally:
    """Everything once. `callers` says by call id who called, in a key that means nothing to anybody else."""
    whole, rules, callers = Tally(), rules or Rules(), callers or {}
    for call in calls:
        whole.call(call, now_ms, rules, callers.get(call.call_id))
        for talk in call.talks:
            whole.talk(talk.began_ms, talk.ended_ms, talk.wrapped_ms)
    for span in spans:
        whole.time(span.state, span.ended_ms - span.began_ms)
    return whole
