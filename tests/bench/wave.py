"""How long the wave form of a talk of half an hour takes the first time that somebody looks at it.

Beside merely reading the file, on the same machine.

Run: make bench-wave (python -m tests.bench.wave [--minutes 30]).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from app.audio import write_wav
from recordings.peaks import KEPT, peaks_of
from tests.bench._load import quantile

RATE, TIMES = 8_000, 20
GOAL_MS = 300.0


def taken(do: Callable[[], object], times: int = TIMES) -> tuple[list[float], float]:
    """Milliseconds of each time, and of processor on the average."""
    each, cpu = [], time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        do()
        each.append((time.perf_counter() - began) * 1000)
    return each, (time.process_time() - cpu) * 1000 / times


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    minutes = parser.parse_args().minutes
    dice = np.random.default_rng(7)
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        file = Path(folder) / "talk.wav"
        write_wav(file, dice.integers(-20_000, 20_000, (minutes * 60 * RATE, 2), np.int16), RATE)

        def first_time() -> None:
            file.with_suffix(KEPT).unlink(missing_ok=True)
            peaks_of(file)

        work: dict[str, Callable[[], object]] = {
            "reference": lambda: np.frombuffer(file.read_bytes(), np.int16),
            "first": first_time,
            "again": lambda: peaks_of(file),
        }
        found = {name: taken(do) for name, do in work.items()}
    table = Table("wave form", "median ms", "p99 ms", "CPU ms", "÷ reading the file")
    figures: dict[str, float] = {}
    for name, (each, cpu) in found.items():
        ratio = quantile(each, 0.5) / quantile(found["reference"][0], 0.5)
        row = {"p50_ms": quantile(each, 0.5), "p99_ms": quantile(each, 0.99), "cpu_ms": cpu, "ratio": ratio}
        figures |= {f"{name}_{what}": round(value, 2) for what, value in row.items()}
        table.add_row(name, *(f"{value:.1f}" for value in row.values()))
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    met = figures["first_p99_ms"] <= GOAL_MS
    Console().print(table)
    print(json.dumps({"name": "wave", "figures": figures, "goals": {"first_p99_ms": GOAL_MS}, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
