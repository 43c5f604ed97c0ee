"""What a drill prints: progress while it runs, a table, and as the last line one JSON object with its verdict."""

from __future__ import annotations

import contextlib
import json
import operator
import statistics
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass
class Scenario:
    """One fault. `before`: callers connected (in the menu, the queue, a talk); `after`: how many of these still are."""

    name: str
    before: int | None = None
    after: int | None = None
    cases_lost: int | None = None
    normal_s: float | None = None
    error: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class Report:
    """Collects figures and goals; `finish()` prints them. A goal whose figure is missing is not met."""

    name: str
    say: Callable[[str], None] = field(default=lambda text: print(text, file=sys.stderr, flush=True))
    scenarios: list[Scenario] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    _goals: list[tuple[str, str, Any]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def progress(self, text: str) -> None:
        """One line about what is going on, with the seconds since the drill began."""
        self.say(f"[{time.monotonic() - self._began:6.1f} s] {text}")

    def figure(self, name: str, value: Any) -> None:
        """A measured value; numbers are rounded to what the clock can tell."""
        self.figures[name] = round(value, 2) if isinstance(value, float) else value

    def samples(self, name: str, values: Sequence[float]) -> None:
        """Median and 99th percentile of several measurements of one thing."""
        self.figure(f"{name}_median", median(values))
        self.figure(f"{name}_p99", p99(values))

    def goal(self, name: str, sign: str, limit: Any) -> None:
        """Demands that the figure `name` is `<=`, `>=` or `==` the limit."""
        if sign not in _COMPARE:
            raise ValueError(f"{sign!r} is not one of {', '.join(_COMPARE)}")
        self._goals.append((name, sign, limit))

    def missed(self) -> list[str]:
        """The goals that are not met, in words."""
        found = []
        for name, sign, limit in self._goals:
            value = self.figures.get(name)
            if value is None or not _COMPARE[sign](value, limit):
                found.append(f"{name} is {value!r}, wanted {sign} {limit!r}")
        return found

    @contextlib.asynccontextmanager
    async def scenario(self, name: str) -> AsyncIterator[Scenario]:
        """One fault: counted as lost callers == 0 and lost cases == 0; an exception in it is a goal missed, and the
        next scenario is still run."""
        one = Scenario(name)
        self.scenarios.append(one)
        self.progress(f"-- {name}")
        try:
            yield one
        except Exception as error:
            one.error = f"{type(error).__name__}: {error}"
            self.progress(f"{name} FAILED: {one.error}")
            self.say(traceback.format_exc())
        key = name.replace(" ", "_")
        self.figure(f"{key}.completed", not one.error)
        self.goal(f"{key}.completed", "==", True)
        if one.before is not None:
            self.figure(f"{key}.callers_before", one.before)
            self.figure(f"{key}.callers_after", one.after)
            self.goal(f"{key}.callers_after", "==", one.before)
        if one.cases_lost is not None:
            self.figure(f"{key}.cases_lost", one.cases_lost)
            self.goal(f"{key}.cases_lost", "==", 0)
        if one.normal_s is not None:
            self.figure(f"{key}.normal_s", one.normal_s)

    def result(self) -> dict[str, Any]:
        """The last line as an object."""
        goals = {name: limit if sign == "==" else f"{sign} {limit}" for name, sign, limit in self._goals}
        missed = self.missed()
        return {"name": self.name, "figures": self.figures, "goals": goals, "missed": missed, "met": not missed}

    def finish(self, usage: Sequence[Sequence[str]] = ()) -> dict[str, Any]:
        """Prints the tables and the JSON line (on standard output); returns the object."""
        console = Console(width=120, highlight=False)
        table = Table(title=f"drill {self.name}")
        for head in ("fault", "callers before", "after", "cases lost", "seconds to normal", "remarks"):
            table.add_column(head, justify="left" if head in ("fault", "remarks") else "right")
        for one in self.scenarios:
            remarks = "; ".join([*one.notes, *([f"FAILED: {one.error.splitlines()[0][:160]}"] if one.error else [])])
            table.add_row(one.name, *map(_cell, (one.before, one.after, one.cases_lost, one.normal_s)), remarks)
        console.print(table)
        if usage:
            load = Table(title="our processes")
            for head in ("process", "CPU median %", "CPU p99 %", "memory median MB", "memory p99 MB"):
                load.add_column(head, justify="left" if head == "process" else "right")
            for row in usage:
                load.add_row(*row)
            console.print(load)
        for text in self.missed():
            console.print(f"goal missed: {text}")
        result = self.result()
        print(json.dumps(result, ensure_ascii=False), flush=True)
        return result


def median(values: Sequence[float]) -> float | None:
    """The middle value, None of nothing."""
    return float(statistics.median(values)) if values else None


def p99(values: Sequence[float]) -> float | None:
    """The smallest value that 99 % do not exceed, None of nothing."""
    return float(sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]) if values else None


def _cell(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
