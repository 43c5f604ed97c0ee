"""The smallest roster that keeps a promise in every half-hour.

The day is gone through once, half-hour by half-hour, on several simulated days at a time. For each half-hour the
fewest agents with which its calls are answered as promised are found (beginning from what Erlang A says), from the very
state in which the half-hours before have left the hotline: lines left over, calls that last, citizens who call again.
Then the next half-hour begins with that. So each half-hour has enough, and with one agent fewer it would not.

At the end the whole is played once more as it will be: agents who go home at the end of a half-hour take no more calls,
and with shift lengths (the cheapest shifts that cover the need) other people have their breaks at other times. Where
that breaks the promise the half-hour gets one more.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from acd.model import CallJoined, CallLeft, Decision, Event, OfferAnswered
from acd.report.tally import Tally
from acd.simulate.day import Day
from acd.simulate.demand import Demand
from acd.simulate.erlang import agents_needed
from acd.simulate.play import Outcome, play
from acd.simulate.scenario import SLOT_S, Roster, Scenario, Target
from acd.simulate.shifts import Shift, cover, roster_of

_SLOT_MS = SLOT_S * 1000
_LONGEST_WAIT_MS = 3 * _SLOT_MS
_CALLS_WANTED = 5_000
_MOST_DAYS = 20
_MOST_REPAIRS = 40
_AGENTS_PER_ERLANG = 4  # with so many agents (and some) and the promise not kept, more agents are no help

OnSlot = Callable[[int, int], None]  # half-hours done, of how many


@dataclass(frozen=True, slots=True)
class Found:
    """`need`: the smallest roster by half-hour; `shifts` cover it (empty: no shift lengths are given). `outcome`: the
    days played with the roster that results."""

    need: Roster
    shifts: tuple[Shift, ...]
    outcome: Outcome


class NotFound(Exception):
    """No roster keeps the promise; the message names the half-hour."""


def days_for(scenario: Scenario) -> int:
    """How many days it takes until half-hours have enough calls to be judged by."""
    return min(_MOST_DAYS, max(1, ceil(_CALLS_WANTED / scenario.calls)))


def meets(tally: Tally, target: Target) -> bool:
    """Whether the calls of a half-hour were answered as promised. Nobody called: yes."""
    connected = target.connected is None or tally.answered >= target.connected * tally.settled
    return connected and (target.in_time is None or tally.in_target >= target.in_time * tally.judged)


def first_guess(scenario: Scenario, target: Target) -> Roster:
    """What Erlang A says for each half-hour by itself, shrinkage made up for."""
    return tuple(
        ceil(
            agents_needed(
                scenario.calls_in(slot) / SLOT_S,
                scenario.handling_s,
                scenario.patience.mean_s,
                target_s=target.within_s,
                service_level=target.in_time or 0.0,
                connected=target.connected or 0.0,
            )
            / (1 - scenario.shrinkage)
        )
        for slot in range(scenario.slots)
    )


def smallest(scenario: Scenario, target: Target, demands: Sequence[Demand], on_slot: OnSlot | None = None) -> Found:
    """Search. Raises NotFound."""
    search = _Search(scenario, target, demands)
    need: list[int] = []
    guesses = first_guess(scenario, target)
    for slot, guess in enumerate(guesses):
        # What Erlang A overlooks (how times are spread, who goes home, who is left in line) it overlooked just before.
        overlooked = need[-1] / guesses[slot - 1] if need and guesses[slot - 1] else 1.0
        need.append(search.next_slot(slot, round(guess * overlooked)))
        if on_slot is not None:
            on_slot(slot + 1, scenario.slots)
    return search.whole(tuple(need))


class _Watch:
    """How the calls that joined in one half-hour fared."""

    def __init__(self, begins_ms: int, within_s: int) -> None:
        self._begins_ms, self._within_ms = begins_ms, within_s * 1000
        self._open: dict[str, int] = {}
        self.tally = Tally()

    def step(self, now_ms: int, event: Event, _decisions: Sequence[Decision]) -> None:
        if isinstance(event, CallJoined):
            if self._begins_ms <= now_ms < self._begins_ms + _SLOT_MS:
                self._open[event.call_id] = now_ms
        elif isinstance(event, OfferAnswered | CallLeft):
            joined_ms = self._open.pop(event.call_id, None)
            if joined_ms is not None:
                answered = isinstance(event, OfferAnswered)
                self.tally.settled += 1
                self.tally.judged += 1
                self.tally.answered += answered
                self.tally.in_target += answered and now_ms - joined_ms <= self._within_ms

    @property
    def over(self) -> bool:
        """Whether all of them have been answered or are gone."""
        return not self._open

    def give_up(self) -> None:
        """Whoever has waited until now counts as not answered."""
        self.tally.settled += len(self._open)
        self.tally.judged += len(self._open)
        self._open.clear()


class _Search:
    def __init__(self, scenario: Scenario, target: Target, demands: Sequence[Demand]) -> None:
        self.scenario, self.target, self.demands = scenario, target, demands
        # The days as they stand at the beginning of the half-hour that is searched.
        self._days = [pickle.dumps(Day(scenario, (0,) * scenario.slots, demand, ())) for demand in demands]

    def next_slot(self, slot: int, guess: int) -> int:
        """The fewest agents for this half-hour; the days go on with them to the next."""
        most = ceil(self.scenario.load(slot) * _AGENTS_PER_ERLANG) + 4 * guess + 20
        low, high, step = -1, guess, 1  # low: not enough
        while not self._enough(slot, high):
            if high >= most:
                raise NotFound(f"{self.scenario.slot_name(slot)}: the target is missed even with {high} agents")
            low, high, step = high, min(most, high + step), step * 2
        step = 1
        while high - low > 1:
            middle = max(high - step, (low + high) // 2) if low >= 0 else max(high - step, 0)
            if self._enough(slot, middle):
                high, step = middle, step * 2
            else:
                low, step = middle, 1
            if high == 0:
                break
        self._days = [self._go_on(frozen, demand, slot, high) for frozen, demand in self._with_demand()]
        return high

    def _with_demand(self) -> list[tuple[bytes, Demand]]:
        return list(zip(self._days, self.demands, strict=True))

    def _thawed(self, frozen: bytes, demand: Demand, slot: int, agents: int) -> Day:
        day: Day = pickle.loads(frozen)  # our own bytes of a moment ago: the quick way to copy a whole day
        day.adopt(demand)
        day.roster[slot:] = [agents] * (self.scenario.slots - slot)
        return day

    def _go_on(self, frozen: bytes, demand: Demand, slot: int, agents: int) -> bytes:
        day = self._thawed(frozen, demand, slot, agents)
        day.advance(day.opens_ms + (slot + 1) * _SLOT_MS)
        return pickle.dumps(day)

    def _enough(self, slot: int, agents: int) -> bool:
        whole = Tally()
        for frozen, demand in self._with_demand():
            day = self._thawed(frozen, demand, slot, agents)
            begins_ms = day.opens_ms + slot * _SLOT_MS
            watch = _Watch(begins_ms, self.target.within_s)
            day.listeners = (watch,)
            until_ms = begins_ms + _SLOT_MS
            while day.advance(until_ms) and not watch.over and until_ms < begins_ms + _LONGEST_WAIT_MS:
                until_ms += 60_000
            watch.give_up()
            for name in ("settled", "judged", "answered", "in_target"):
                setattr(whole, name, getattr(whole, name) + getattr(watch.tally, name))
        return meets(whole, self.target)

    def whole(self, need: Roster) -> Found:
        """Play the need, or the shifts that cover it, as they are; where the promise is missed, one more."""
        lengths = self.scenario.shift_slots
        for _ in range(_MOST_REPAIRS):
            shifts = tuple(cover(need, lengths)) if lengths else ()
            roster = roster_of(shifts, self.scenario.slots) if lengths else need
            outcome = play(self.scenario, roster, self.demands)
            failing = [slot for slot, tally in enumerate(outcome.slots) if not meets(tally, self.target)]
            if not failing:
                return Found(need, shifts, outcome)
            # A half-hour may miss because of the line that the one before has left.
            first = [slot for slot in failing if slot - 1 not in failing]
            need = tuple(roster[slot] + 1 if slot in first else agents for slot, agents in enumerate(need))
        raise NotFound(f"{self.scenario.slot_name(failing[0])}: the target is missed with every roster tried")
