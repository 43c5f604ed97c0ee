"""How far off is the wait that callers are told? Our engine's announcement against app_queue's, on the same callers.

Ten simulated days of three shapes: steady, two peaks, and a surge at noon. Whenever our engine announces a wait, what
app_queue would announce at that moment is worked out too, by its own rules (Asterisk 20, apps/app_queue.c):

- each answered call changes the queue's hold time by `hold = (3 * hold + waited) >> 2` (recalc_holdtime), in seconds;
- a caller is told `(hold + 30 - waited so far) / 60` whole minutes, without its sign (say_position); nothing when that
  is nought, and nothing to the first in line.

The error is what was told, ours by the middle of its range, minus what the caller then really waited. Callers who give
up never know; they are left out for both. `app_queue` is as spoken, at the moments at which it speaks; `app_queue
seconds` is kinder than the program: neither rounded nor without sign, never below nought, and for every caller.

    make bench-wait              (or: python -m tests.bench.wait)
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from acd.model import Announce, CallJoined, Decision, Event, OfferAnswered
from acd.simulate.demand import Demand
from acd.simulate.play import play_day
from acd.simulate.scenario import Scenario, build
from tests.bench._load import quantile

GOAL = 0.5  # our mean error ÷ app_queue's
SHAPES: dict[str, tuple[int, list[float], list[int]]] = {
    # days, calls by half-hour, agents by half-hour
    "steady": (4, [1.0] * 24, [24] * 24),
    "two peaks": (
        3,
        [0.5, 0.7, 0.9, 1.1, 1.3, 1.4, 1.3, 1.1, 0.8, 0.6, 0.5, 0.6, 0.8, 1.0, 1.3, 1.5, 1.4, 1.2, 0.9, 0.7, 0.6, 0.5,
         0.4, 0.3],
        [14, 18, 22, 26, 28, 28, 28, 26, 20, 14, 14, 16, 20, 24, 28, 28, 28, 26, 20, 16, 14, 12, 10, 8],
    ),
    "surge": (3, [*[0.7] * 10, 2.2, 2.6, 2.2, 1.6, 1.2, *[0.8] * 9], [*[20] * 11, *[32] * 7, *[22] * 6]),
}  # fmt: skip
SIZE = 4  # times the agents above: a city's centre of about a hundred
CALLS_PER_SLOT = 165 * SIZE


@dataclass
class Errors:
    """Seconds by which announcements were off, without sign, and what it took to simulate."""

    ours: list[float] = field(default_factory=list)
    both_ours: list[float] = field(default_factory=list)  # ours at the moments at which app_queue speaks too
    spoken: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def add(self, other: Errors) -> None:
        for name in ("ours", "both_ours", "spoken", "seconds", "waits"):
            getattr(self, name).extend(getattr(other, name))
        self.cpu_s += other.cpu_s


@dataclass
class Told:
    at_ms: int
    ours_s: float
    spoken_s: int | None
    seconds_s: float


class Listener:
    """Hears a simulated day as both would."""

    def __init__(self) -> None:
        self.errors = Errors()
        self._hold_s = 0
        self._joined: dict[str, int] = {}
        self._told: dict[str, list[Told]] = {}

    def step(self, now_ms: int, event: Event, decisions: Sequence[Decision]) -> None:
        if isinstance(event, CallJoined):
            self._joined[event.call_id] = now_ms
        elif isinstance(event, OfferAnswered):
            waited_s = (now_ms - self._joined[event.call_id]) // 1000
            self._hold_s = (3 * self._hold_s + waited_s) >> 2
            for told in self._told.pop(event.call_id, ()):
                self._judge(told, (now_ms - told.at_ms) / 1000)
        for decision in decisions:
            if isinstance(decision, Announce) and decision.wait_low_s is not None and decision.wait_high_s is not None:
                self._told.setdefault(decision.call_id, []).append(self._say(now_ms, decision))

    def _say(self, now_ms: int, announced: Announce) -> Told:
        waited_s = (now_ms - self._joined[announced.call_id]) // 1000
        minutes = abs(self._hold_s + 30 - waited_s) // 60
        assert announced.wait_low_s is not None
        assert announced.wait_high_s is not None
        return Told(
            now_ms,
            (announced.wait_low_s + announced.wait_high_s) / 2,
            minutes * 60 if minutes and announced.position > 1 else None,
            max(0, self._hold_s - waited_s),
        )

    def _judge(self, told: Told, really_s: float) -> None:
        errors = self.errors
        errors.waits.append(really_s)
        errors.ours.append(abs(told.ours_s - really_s))
        errors.seconds.append(abs(told.seconds_s - really_s))
        if told.spoken_s is not None:
            errors.both_ours.append(errors.ours[-1])
            errors.spoken.append(abs(told.spoken_s - really_s))


def scenario(shape: str) -> Scenario:
    """A middling centre that is just about overloaded, so that people wait."""
    _, profile, roster = SHAPES[shape]
    value: dict[str, Any] = {
        "name": shape.replace(" ", "-"),
        "title": {"zh": shape, "en": shape},
        "opens": "08:00",
        "closes": "20:00",
        "calls": round(CALLS_PER_SLOT * sum(profile)),
        "profile": profile,
        "handling": {
            "talk": {"shape": "lognormal", "mean_s": 200, "spread": 0.8},
            "wrapup": {"shape": "lognormal", "mean_s": 40, "spread": 0.6},
            "ring": {"shape": "constant", "mean_s": 4},
        },
        "patience": {"shape": "lognormal", "mean_s": 420, "spread": 1.0},
        "redial": {"chance": 0.4, "after": {"shape": "exponential", "mean_s": 300}, "most": 3},
        "shrinkage": 0.1,
        "roster": [agents * SIZE for agents in roster],
    }
    return build(value)


def measure() -> dict[str, Errors]:
    """Every shape's days."""
    found = {}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("days", total=sum(days for days, _, _ in SHAPES.values()))
        for shape, (days, _, _) in SHAPES.items():
            found[shape] = Errors()
            chosen = scenario(shape)
            for seed in range(days):
                cpu, listener = time.process_time(), Listener()
                play_day(chosen, demand=Demand(chosen, seed), listener=listener)
                listener.errors.cpu_s = time.process_time() - cpu
                found[shape].add(listener.errors)
                bar.advance(task)
    return found


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def main() -> int:
    """Exit status 0 only if our mean error is at most half of app_queue's."""
    shapes = measure()
    whole = Errors()
    for errors in shapes.values():
        whole.add(errors)
    table = Table(title="Seconds by which callers were told wrong", title_justify="left")
    table.add_column("shape")
    for head in ("told", "wait, mean", "who", "mean", "median", "p99", "CPU s"):
        table.add_column(head, justify="right")
    for name, errors in {**shapes, "all": whole}.items():
        rows = (("ours", errors.ours), ("app_queue", errors.spoken), ("app_queue seconds", errors.seconds))
        for number, (who, values) in enumerate(rows):
            first = (name, f"{len(errors.ours):,}", f"{mean(errors.waits):.0f}") if number == 0 else ("", "", "")
            figures = (f"{one:.0f}" for one in (mean(values), quantile(values, 0.5), quantile(values, 0.99)))
            table.add_row(*first, who, *figures, f"{errors.cpu_s:.1f}" if number == 0 else "")
        table.add_section()
    Console(width=100).print(table)
    figures_of = {
        "announcements": len(whole.ours),
        "ours_mean_s": round(mean(whole.ours), 1),
        "ours_median_s": round(quantile(whole.ours, 0.5), 1),
        "ours_p99_s": round(quantile(whole.ours, 0.99), 1),
        "app_queue_mean_s": round(mean(whole.spoken), 1),
        "app_queue_median_s": round(quantile(whole.spoken, 0.5), 1),
        "app_queue_p99_s": round(quantile(whole.spoken, 0.99), 1),
        "ours_where_app_queue_speaks_mean_s": round(mean(whole.both_ours), 1),
        "app_queue_seconds_mean_s": round(mean(whole.seconds), 1),
        "ratio": round(mean(whole.both_ours) / mean(whole.spoken), 3),
        "ratio_to_seconds": round(mean(whole.ours) / mean(whole.seconds), 3),
        **{
            f"ratio_{name.replace(' ', '_')}": round(mean(errors.both_ours) / mean(errors.spoken), 3)
            for name, errors in shapes.items()
        },
        "cpu_s": round(whole.cpu_s, 1),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    met = figures_of["ratio"] <= GOAL
    print(json.dumps({"name": "wait", "figures": figures_of, "goals": {"ratio": f"<= {GOAL}"}, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
