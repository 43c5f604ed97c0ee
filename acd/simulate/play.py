"""Simulated days counted by half-hour, with the formulas that count real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from acd.model import Decision, Event
from acd.report.facts import Collector, Facts
from acd.report.groups import pieces
from acd.report.tally import Rules, Tally
from acd.simulate.day import Day, Listener
from acd.simulate.demand import Demand
from acd.simulate.scenario import SLOT_S, Roster, Scenario

_SLOT_MS = SLOT_S * 1000
_TOLD_EVERY = 1_024  # steps between two words about progress

OnProgress = Callable[[int, int], None]  # citizens who have called, of how many


@dataclass(frozen=True, slots=True)
class Played:
    """One simulated day: `callers` says by call id who called; `steps` counts what the engine handled."""

    facts: Facts
    callers: dict[str, str]
    steps: int
    opens_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Several simulated days with one roster: each half-hour over all of them, and the whole."""

    roster: Roster
    days: int
    slots: tuple[Tally, ...]
    whole: Tally
    steps: int


class _Progress:
    def __init__(self, tell: Callable[[], None]) -> None:
        self._steps, self._tell = 0, tell

    def step(self, _now_ms: int, _event: Event, _decisions: Sequence[Decision]) -> None:
        self._steps += 1
        if self._steps % _TOLD_EVERY == 0:
            self._tell()


def play_day(
    scenario: Scenario,
    roster: Roster | None = None,
    demand: Demand | None = None,
    *,
    listener: Listener | None = None,
    on_progress: OnProgress | None = None,
) -> Played:
    """One whole day. `listener` hears every step, as a journal would."""
    collector = Collector()
    listeners: list[Listener] = [collector] if listener is None else [collector, listener]
    day = Day(scenario, scenario.roster if roster is None else roster, demand or Demand(scenario), listeners)
    if on_progress is not None:
        tell = on_progress
        listeners.append(_Progress(lambda: tell(day.count.begun, scenario.calls)))
    day.finish()
    return Played(collector.facts(), day.callers, day.count.steps, day.opens_ms)


def play(
    scenario: Scenario, roster: Roster, demands: Sequence[Demand], on_progress: OnProgress | None = None
) -> Outcome:
    """A day for each demand, all with this roster."""
    slots, whole = tuple(Tally() for _ in roster), Tally()
    steps = 0
    for number, demand in enumerate(demands):

        def told(begun: int, calls: int, number: int = number) -> None:
            if on_progress is not None:
                on_progress(number * calls + begun, len(demands) * calls)

        day = play_day(scenario, roster, demand, on_progress=told)
        steps += day.steps
        _add(day, slots, whole, scenario.target.within_s, number)
    return Outcome(roster, len(demands), slots, whole, steps)


def _add(day: Played, slots: tuple[Tally, ...], whole: Tally, within_s: int, number: int) -> None:
    rules, last = Rules(target_s=within_s), len(slots) - 1
    for call in day.facts.calls:
        slot = slots[min(last, (call.joined_ms - day.opens_ms) // _SLOT_MS)]
        for tally in (slot, whole):
            tally.call(call, day.facts.until_ms, rules, f"{number}/{day.callers[call.call_id]}")
            for talk in call.talks:
                tally.talk(talk.began_ms, talk.ended_ms, talk.wrapped_ms)
    for span in day.facts.spans:
        whole.time(span.state, span.ended_ms - span.began_ms)
        for began_ms, lasted_ms in pieces(span):
            slots[min(last, (began_ms - day.opens_ms) // _SLOT_MS)].time(span.state, lasted_ms)
