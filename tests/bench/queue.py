"""How soon does a phone ring, and what does it cost? Our queue against Asterisk's own, before the same phones.

One Asterisk; the same agents' phones and the same seeded callers for both, in sessions that take turns (ours,
app_queue, app_queue, ours): our core process as the supervisor runs it, deciding over the manager line, and app_queue
at its fairest (`leastrecent`, `autofill`, no announcements, no wrap-up, `retry` as short as it can be, 1 s). Callers
come straight to the queue, without the voice menu; agents have desk phones and no page.

- join → ring: a caller joins while an agent is free, and a phone rings
- free → ring: an agent hangs up while callers wait, and the phone rings again; of the 20 or 200 agents all but a few
  are in one endless talk meanwhile, so that callers wait at each rate

Both times are Asterisk's, by the same three events for both (see _queue_watch.py). Processor time is that of Asterisk
and, for ours, the core, while callers find agents free and until the last of them has gone, divided by the calls.

    make bench-queue      (or: python -m tests.bench.queue [--rates 1,10,20] [--agents 20,200]; at most 10 minutes)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench._load import cpu_s, family, others, processors, quantile, rss_mb
from tests.bench._queue_people import RING_S
from tests.bench._queue_world import ARMS, NATIVE, NUMBERS, OURS, World, until

GOALS = {
    "join_to_ring_p50_ratio": 1.0,
    "join_to_ring_p99_ratio": 1.0,
    "free_to_ring_p50_ratio": 1.0,
    "free_to_ring_p99_ratio": 1.0,
    "cpu_ratio": 1.2,
    "failed": 0,
}
"""Ratios are ours ÷ app_queue's: of times the worst of all rates and sizes, of processor time the median."""
ROUNDS = ((OURS, NATIVE), (NATIVE, OURS))
BUDGET_S = 555.0
LONGEST_PAIR_S = 160.0
TALK_S = 2.0
LOAD_FREE, LOAD_WAITING = 0.5, 1.3
"""Of the agents' time, how much is asked for while callers shall find agents free, and while callers shall wait."""

console = Console(stderr=True, width=120)


def seconds_at(rate: int) -> float:
    """How long one rate is kept up: few calls a second need longer for their figures."""
    return 10.0 if rate < 5 else 5.0


def cycling(rate: int, agents: int) -> int:
    """How many agents are not in an endless talk while callers wait."""
    return min(agents, max(3, 2 * rate))


@dataclass
class Cell:
    """One arm at one rate before so many agents, all its sessions together."""

    join_to_ring: list[float] = field(default_factory=list)
    free_to_ring: list[float] = field(default_factory=list)
    calls: int = 0
    failed: int = 0
    asterisk_s: float = 0.0
    core_s: float = 0.0
    asterisk_mb: float = 0.0
    core_mb: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of one processor per call."""
        return 1000 * (self.asterisk_s + self.core_s) / self.calls if self.calls else 0.0


class Bench:
    """Runs the sessions and keeps what they gave."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cells: dict[tuple[int, int, str], Cell] = {}  # agents, rate, arm
        self.others: list[float] = []
        self.end = time.monotonic() + BUDGET_S

    async def run(self, sizes: list[int], rates: list[int]) -> None:
        """All sessions; a second pair is left out when there is no time for it."""
        for number, arms in enumerate(ROUNDS):
            for agents in sizes:
                if number and self.end - time.monotonic() < LONGEST_PAIR_S:
                    console.print(f"no time left for the second turn with {agents} agents")
                    continue
                for arm in arms:
                    await self._session(arm, agents, rates, number)

    async def _session(self, arm: str, agents: int, rates: list[int], number: int) -> None:
        began = time.monotonic()
        async with self.world.session(arm, agents):
            for rate in rates:
                with console.status(f"{arm}, {agents} agents: {rate} calls/s, agents free"):
                    await self._free(arm, agents, rate, number)
            for rate in rates:
                with console.status(f"{arm}, {agents} agents: {rate} calls/s, callers waiting"):
                    await self._waiting(arm, agents, rate, number)
            await self.world.people("stand", to=NUMBERS[arm], count=0)
            await self._quiet(0)
        console.print(f"{arm:10} {agents:4} agents  [dim]{time.monotonic() - began:.0f} s[/]")

    async def _free(self, arm: str, agents: int, rate: int, number: int) -> None:
        """Callers come while most agents are free."""
        world, cell = self.world, self._cell(arm, agents, rate)
        world.floor.begin()
        machine, asterisk, core = processors(world.own), cpu_s([world.asterisk]), self._core_s()
        count = round(rate * seconds_at(rate))
        talk_s = min(TALK_S, LOAD_FREE * agents / rate) - RING_S
        await world.people(
            "arrive", to=NUMBERS[arm], seed=f"free {agents} {rate} {number}", rate=rate, count=count, talk_s=talk_s
        )
        await self._joined(count)
        await self._quiet(0)
        times = world.floor.times
        cell.asterisk_s += cpu_s([world.asterisk]) - asterisk
        cell.core_s += self._core_s() - core
        cell.calls += count
        cell.failed += count - times.rung
        cell.join_to_ring += times.join_to_ring
        self._remember(cell, machine)

    async def _waiting(self, arm: str, agents: int, rate: int, number: int) -> None:
        """Callers come faster than agents become free."""
        world, cell, to = self.world, self._cell(arm, agents, rate), NUMBERS[arm]
        few = cycling(rate, agents)
        machine = processors(world.own)
        await world.people("stand", to=to, count=agents - few)
        await self._quiet(agents - few)
        talk_s = LOAD_WAITING * few / rate - RING_S
        world.floor.begin()
        first = few + max(3, few // 4)
        await world.people("fill", to=to, count=first, talk_s=talk_s)
        await self._joined(first)
        world.floor.begin()
        count = round(rate * seconds_at(rate))
        await world.people(
            "arrive", to=to, seed=f"waiting {agents} {rate} {number}", rate=rate, count=count, talk_s=talk_s
        )
        await self._joined(count)
        cell.free_to_ring += world.floor.times.free_to_ring
        await world.people("leave")
        await self._quiet(agents - few)
        self._remember(cell, machine)

    async def _joined(self, count: int) -> None:
        """Until so many callers have joined since times began to count."""
        floor = self.world.floor
        await until(lambda: floor.times.joined >= count, 10, f"{count} callers to join, {floor.times.joined} did")

    async def _quiet(self, standing: int) -> None:
        """Until only the endless talks are left."""
        floor = self.world.floor
        await until(lambda: len(floor.busy) == len(floor.present) == standing and not floor.waiting, 45, "calls to end")

    def _cell(self, arm: str, agents: int, rate: int) -> Cell:
        return self.cells.setdefault((agents, rate, arm), Cell())

    def _core_s(self) -> float:
        return cpu_s(family(self.world.core)) if self.world.core is not None else 0.0

    def _remember(self, cell: Cell, before: Any) -> None:
        world = self.world
        cell.asterisk_mb = max(cell.asterisk_mb, rss_mb([world.asterisk]))
        cell.core_mb = max(cell.core_mb, rss_mb(family(world.core)) if world.core is not None else 0.0)
        self.others.append(others(before, processors(world.own)))


def show(cells: dict[tuple[int, int, str], Cell]) -> None:
    """All cells as a table."""
    table = Table(title="time to ring in milliseconds, processor time in milliseconds per call", title_justify="left")
    columns = ("agents", "calls/s", "queue", "joins", "p50", "p99", "frees", "p50", "p99", "CPU", "of it core")
    for column in (*columns, "MB Asterisk", "MB core"):
        table.add_column(column, justify="left" if column == "queue" else "right")
    for (agents, rate, arm), cell in sorted(cells.items(), key=lambda one: (*one[0][:2], ARMS.index(one[0][2]))):
        row = [str(agents), str(rate), arm]
        for values in (cell.join_to_ring, cell.free_to_ring):
            row += [str(len(values)), f"{quantile(values, 0.5):.1f}", f"{quantile(values, 0.99):.1f}"]
        core_ms = 1000 * cell.core_s / cell.calls if cell.calls else 0.0
        row += [f"{cell.cpu_ms:.1f}", f"{core_ms:.1f}", f"{cell.asterisk_mb:.0f}", f"{cell.core_mb:.0f}"]
        table.add_row(*row, end_section=arm == ARMS[-1])
    Console(width=130).print(table)


def figures(bench: Bench) -> dict[str, Any]:
    """What the last line says: the ratios, then what they were made of."""
    places = sorted({(agents, rate) for agents, rate, _ in bench.cells})
    worst = dict.fromkeys((goal for goal in GOALS if goal.endswith(("p50_ratio", "p99_ratio"))), 0.0)
    single: dict[str, Any] = {}
    for agents, rate in places:
        pair = [bench.cells[agents, rate, arm] for arm in ARMS]
        for what in ("join_to_ring", "free_to_ring"):
            for name, part in (("p50", 0.5), ("p99", 0.99)):
                ours, native = (quantile(getattr(cell, what), part) for cell in pair)
                ratio = ours / native if ours and native else float("inf")
                worst[f"{what}_{name}_ratio"] = max(worst[f"{what}_{name}_ratio"], ratio)
                single |= {
                    f"{arm}_{what}_{name}_ms_at_{rate}_per_s_{agents}_agents": round(value, 2)
                    for arm, value in zip(ARMS, (ours, native), strict=True)
                }
        for arm, cell in zip(ARMS, pair, strict=True):
            single[f"{arm}_cpu_ms_per_call_at_{rate}_per_s_{agents}_agents"] = round(cell.cpu_ms, 2)
    cpu = [bench.cells[a, r, OURS].cpu_ms / bench.cells[a, r, NATIVE].cpu_ms for a, r in places]
    return {
        # A queue that gave no time at all cannot be compared.
        **{name: round(ratio, 3) if math.isfinite(ratio) else None for name, ratio in worst.items()},
        "cpu_ratio": round(statistics.median(cpu), 3),
        "failed": sum(cell.failed for cell in bench.cells.values()),
        "others_took": round(statistics.median(bench.others), 2),
        "mb_core": round(max(cell.core_mb for cell in bench.cells.values())),
        "mb_asterisk": round(max(cell.asterisk_mb for cell in bench.cells.values())),
        **single,
    }


async def main(sizes: list[int], rates: list[int]) -> int:
    """0 if every goal is met, else 1."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="queue-bench-"))
    console.print("database, Asterisk and phones are being made ready")
    world = World(folder, max(sizes))
    async with world.running():
        bench = Bench(world)
        await bench.run(sizes, rates)
    show(bench.cells)
    found = {**figures(bench), "seconds": round(time.monotonic() - started)}
    met = all(found[name] is not None and found[name] <= most for name, most in GOALS.items())
    shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"name": "queue", "figures": found, "goals": GOALS, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="1,10,20")
    parser.add_argument("--agents", default="20,200")
    given = parser.parse_args()
    numbers = [[int(one) for one in text.split(",")] for text in (given.agents, given.rates)]
    sys.exit(asyncio.run(main(*numbers)))
