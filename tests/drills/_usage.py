"""CPU and memory of an instance's processes while a drill runs, across their restarts."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.drills._report import median, p99

EVERY_S = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Usage:
    """Samples the processes that `pids()` names, twice a second. Use as a context manager."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids
        self.cpu: dict[str, list[float]] = defaultdict(list)
        self.memory: dict[str, list[float]] = defaultdict(list)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)

    def __enter__(self) -> Usage:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)

    def rows(self) -> list[list[str]]:
        """Per process: name, CPU median and 99th percentile (% of one core), memory median and 99th percentile."""
        rows = []
        for name in sorted(self.cpu):
            figures = [median(self.cpu[name]), p99(self.cpu[name]), median(self.memory[name]), p99(self.memory[name])]
            rows.append([name, *(f"{value:.0f}" if value is not None else "–" for value in figures)])
        return rows

    def figures(self) -> dict[str, float]:
        """The same as figures of a report."""
        found = {}
        for name in sorted(self.cpu):
            found[f"cpu_{name}_median_pct"] = round(median(self.cpu[name]) or 0.0, 1)
            found[f"memory_{name}_p99_mb"] = round(p99(self.memory[name]) or 0.0, 1)
        return found

    def _run(self) -> None:
        before: dict[tuple[str, int], tuple[float, float]] = {}
        while not self._ended.wait(EVERY_S):
            for name, pid in self._pids().items():
                if (now := read(pid)) is None:
                    continue
                cpu_s, memory_mb = now
                at = time.monotonic()
                if (last := before.get((name, pid))) is not None and at > last[0]:
                    self.cpu[name].append(100 * (cpu_s - last[1]) / (at - last[0]))
                self.memory[name].append(memory_mb)
                before[name, pid] = (at, cpu_s)


def read(pid: int) -> tuple[float, float] | None:
    """(CPU seconds used so far, resident megabytes) of a process; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(stat[11]) + int(stat[12])) / _TICKS, int(stat[21]) * _PAGE_MB
