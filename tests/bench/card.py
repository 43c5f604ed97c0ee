"""How long the card of an offered call takes to build, with a thousand and with a million stored citizens.

Run: make bench-card (python -m tests.bench.card [--citizens 1000000] [--database sqlite|postgresql]).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.calls.model import CallFacts
from app.db import Database
from app.migrations.run import upgrade
from app.pop import build_card
from tests.bench.seed import seed, some_numbers

SMALL, CARDS, RATE = 1_000, 400, 20.0
BUFFERS = "1GB"  # what README.md advises for PostgreSQL
ZONE = ZoneInfo("Asia/Shanghai")
console = Console(stderr=True)


def measure(db: Database, citizens: int, run: str) -> list[float]:
    """Milliseconds of each card: `CARDS` calls at `RATE` a second, each on a thread, as they arrive in life."""
    taken: list[float] = []
    failed: list[BaseException] = []

    def card(n: int, number: str) -> None:
        began = time.perf_counter()
        try:
            build_card(db, CallFacts(f"{run}-{n}.1", number=number, path="greeting>person"), "1001", zone=ZONE)
        except BaseException as error:
            failed.append(error)
        taken.append((time.perf_counter() - began) * 1000)

    threads = []
    start = time.perf_counter()
    for n, number in enumerate(some_numbers(citizens, CARDS)):
        time.sleep(max(0.0, start + n / RATE - time.perf_counter()))
        threads.append(threading.Thread(target=card, args=(n, number)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return sorted(taken)


def bench(kind: str, large: int) -> dict[str, float]:
    """Both sizes on one kind of database."""
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        make = databases(kind, stack)
        for name, citizens in (("1k", SMALL), ("large", large)):
            db = make(name)
            with Progress(console=console, transient=True) as bar:
                task = bar.add_task(f"{kind}: {citizens:,} citizens", total=citizens)
                seed(db, citizens, progress=lambda done, total, bar=bar, task=task: bar.update(task, completed=done))
            measure(db, citizens, "warm")
            before = time.process_time()
            values = measure(db, citizens, "run")
            cpu = (time.process_time() - before) * 1000 / len(values)
            figures[f"{kind}_{name}_median_ms"] = round(values[len(values) // 2], 2)
            figures[f"{kind}_{name}_p99_ms"] = round(values[int(len(values) * 0.99)], 2)
            figures[f"{kind}_{name}_cpu_ms_per_card"] = round(cpu, 2)
            db.dispose()
    return figures


def databases(kind: str, stack: ExitStack) -> Callable[[str], Database]:
    """Makes fresh databases of this kind, gone when the stack closes."""
    if kind == "sqlite":
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hotline-bench-")))

        def on_file(name: str) -> Database:
            url = f"sqlite:///{folder / name}.sqlite3"
            upgrade(url)
            return Database(url)

        return on_file
    from tests.integration.postgres_server import PostgresServer

    server = PostgresServer(buffers=BUFFERS)
    stack.callback(server.stop)

    def on_server(name: str) -> Database:
        server.create(name)
        upgrade(server.url(name))
        return Database(server.url(name))

    return on_server


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    figures: dict[str, float] = {}
    for kind in kinds:
        figures |= bench(kind, chosen.citizens)
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    table = Table("database", "citizens", "median ms", "p99 ms", "CPU ms a card")
    met = True
    for kind in kinds:
        for name, citizens in (("1k", SMALL), ("large", chosen.citizens)):
            row = [f"{figures[f'{kind}_{name}_{what}']:.2f}" for what in ("median_ms", "p99_ms", "cpu_ms_per_card")]
            table.add_row(kind, f"{citizens:,}", *row)
        # A fifth and a millisecond of play: two runs of the same differ by as much.
        met &= figures[f"{kind}_large_median_ms"] <= figures[f"{kind}_1k_median_ms"] * 1.2 + 1
        met &= figures[f"{kind}_large_p99_ms"] <= 50
    Console().print(table)
    goals = {"p99_ms": 50, "large_median_at_most": "1.2 × small + 1 ms"}
    print(json.dumps({"name": "card", "figures": figures, "goals": goals, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
