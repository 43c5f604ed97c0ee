"""What the pop bench found at each rate: its figures, its table and whether its goals are met."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from cti_bridge.pop import BUDGET_S
from tests.bench._load import quantile
from tests.bench._pop_desks import Painted

AGENTS = 200
GOAL_MS = 50.0
PAINTED_GOAL_MS = 150.0
SLOWER_BY = 1.25  # "no slower" within the noise of such a measurement


class Times(Protocol):
    """When each call reached each point, by call id."""

    join: dict[str, float]
    ring: dict[str, float]
    pop: dict[str, float]
    ringing: dict[str, float]


@dataclass
class Step:
    """What one rate gave, in milliseconds."""

    citizens: int
    rate: int
    calls: int = 0
    join_to_pop: list[float] = field(default_factory=list)
    join_to_painted: list[float] = field(default_factory=list)
    ring_to_message: list[float] = field(default_factory=list)
    ring_to_painted: list[float] = field(default_factory=list)
    pop_before_ring: list[float] = field(default_factory=list)
    desk_ms: list[float] = field(default_factory=list)
    bare_ms: list[float] = field(default_factory=list)
    never_painted: int = 0
    clock_known_to_ms: float = 0.0
    core_cpu: float = 0.0
    asterisk_cpu: float = 0.0
    driver_cpu: float = 0.0
    browser_cpu: float = 0.0
    core_mb: float = 0.0
    asterisk_mb: float = 0.0
    browser_mb: float = 0.0

    def measure(self, calls: set[str], times: Times, desks: Sequence[Painted], bare: Sequence[Painted]) -> None:
        """Works out the figures of these calls; `desks` and `bare` are what real pages noted."""
        self.calls = len(calls)
        self.join_to_pop = _between(calls, times.join, times.pop)
        self.ring_to_message = _between(calls, times.ring, times.ringing)
        self.pop_before_ring = _between(calls, times.pop, times.ring)
        for one in desks:
            if one.at is None:
                self.never_painted += 1
            elif one.event == "call.pop":
                self.desk_ms.append((one.at - one.got) * 1000)
                if one.call_id in times.join:
                    self.join_to_painted.append((one.at - times.join[one.call_id]) * 1000)
            elif one.call_id in times.ring:
                self.ring_to_painted.append((one.at - times.ring[one.call_id]) * 1000)
        self.bare_ms = [(one.at - one.got) * 1000 for one in bare if one.event == "call.pop" and one.at is not None]


def _between(calls: set[str], first: dict[str, float], then: dict[str, float]) -> list[float]:
    return [(then[call] - first[call]) * 1000 for call in calls if call in first and call in then]


def _middle(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


def _p50_p99(values: Sequence[float]) -> tuple[str, str]:
    return f"{_middle(values):.1f}", f"{quantile(values, 0.99):.1f}"


def report(steps: list[Step], rates: list[int], sizes: list[int]) -> bool:
    """The tables, and the last line; whether the goals are met."""
    table = Table(title=f"screen pop, {AGENTS} connected agents, milliseconds")
    for column in ("citizens", "calls/s", "calls", "join→pop median", "p99", "ring→message median", "p99",
                   "pop before ring (least)", "CPU % core", "Asterisk", "driver", "MB core", "Asterisk"):  # fmt: skip
        table.add_column(column, justify="right")
    seen = Table(title="on the screens of the real desks, milliseconds")
    for column in ("citizens", "calls/s", "cards", "join→painted median", "p99", "ring→painted median", "p99",
                   "socket→painted", "bare page", "ratio", "clock ±", "CPU % browser", "MB"):  # fmt: skip
        seen.add_column(column, justify="right")
    for s in steps:
        table.add_row(
            f"{s.citizens:,}", str(s.rate), str(s.calls), *_p50_p99(s.join_to_pop), *_p50_p99(s.ring_to_message),
            f"{min(s.pop_before_ring, default=0.0):.1f}", f"{s.core_cpu:.0f}", f"{s.asterisk_cpu:.0f}",
            f"{s.driver_cpu:.0f}", f"{s.core_mb:.0f}", f"{s.asterisk_mb:.0f}",
        )  # fmt: skip
        desk, bare = _middle(s.desk_ms), _middle(s.bare_ms)
        seen.add_row(
            f"{s.citizens:,}", str(s.rate), str(len(s.desk_ms)), *_p50_p99(s.join_to_painted),
            *_p50_p99(s.ring_to_painted), f"{desk:.1f}", f"{bare:.1f}", f"{desk / bare:.2f}" if bare else "–",
            f"{s.clock_known_to_ms:.2f}", f"{s.browser_cpu:.0f}", f"{s.browser_mb:.0f}",
        )  # fmt: skip
    wide = Console(width=170)
    wide.print(table)
    wide.print(seen)
    figures, goals, met = verdict(steps, rates, sizes)
    print(json.dumps({"name": "pop", "figures": figures, "goals": goals, "met": met}))
    return met


def verdict(steps: list[Step], rates: list[int], sizes: list[int]) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """The figures, the goals, and whether they are met. A rate that no real desk had a call at has not met its goal."""
    top = max(rates)
    at_top = {s.citizens: s for s in steps if s.rate == top}
    few, many = at_top[min(sizes)], at_top[max(sizes)]
    popped = sum(len(s.join_to_pop) for s in steps) / max(1, sum(s.calls for s in steps))
    leads = [lead for s in steps for lead in s.pop_before_ring]
    figures: dict[str, Any] = {
        "agents": AGENTS,
        "calls": sum(s.calls for s in steps),
        "popped_share": round(popped, 4),
        "pop_before_ring_share": round(sum(lead >= 0 for lead in leads) / max(1, len(leads)), 4),
        "cards_painted": sum(len(s.desk_ms) for s in steps),
        "cards_never_painted": sum(s.never_painted for s in steps),
    }
    for s in steps:
        at = f"{s.rate}_per_s_{s.citizens}_citizens"
        for name in ("join_to_pop", "join_to_painted", "ring_to_message", "ring_to_painted"):
            values = getattr(s, name)
            figures[f"{name}_p50_ms_at_{at}"] = round(_middle(values), 2)
            figures[f"{name}_p99_ms_at_{at}"] = round(quantile(values, 0.99), 2)
    desk, bare = _middle([ms for s in steps for ms in s.desk_ms]), _middle([ms for s in steps for ms in s.bare_ms])
    figures["desk_over_bare_page"] = round(desk / bare, 3) if bare else None
    slower = _middle(many.join_to_pop) / max(0.001, _middle(few.join_to_pop))
    figures["median_with_most_citizens_over_fewest"] = round(slower, 3)
    goals = {
        f"ring_to_message_p99_ms_at_{top}_per_s": GOAL_MS,
        "ring_to_painted_p99_ms": PAINTED_GOAL_MS,
        f"join_to_pop_p99_ms_at_{top}_per_s": 1000 * BUDGET_S,
        "pop_before_ring_share": 1.0,
        "median_with_most_citizens_over_fewest": SLOWER_BY,
        "popped_share": 1.0,
        "cards_never_painted": 0,
    }
    met = (
        all(s.ring_to_message and quantile(s.ring_to_message, 0.99) <= GOAL_MS for s in at_top.values())
        and all(s.ring_to_painted and quantile(s.ring_to_painted, 0.99) <= PAINTED_GOAL_MS for s in steps)
        and all(s.join_to_pop and quantile(s.join_to_pop, 0.99) <= 1000 * BUDGET_S for s in at_top.values())
        and figures["pop_before_ring_share"] == 1.0
        and slower <= SLOWER_BY
        and popped == 1.0
        and figures["cards_never_painted"] == 0
    )
    return figures, goals, met
