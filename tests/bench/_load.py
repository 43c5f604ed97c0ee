"""What benches under load share: quantiles, what processes took of processors and memory, and what others took."""

from __future__ import annotations

import contextlib
import os
import re
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Processors:
    """Seconds of all processors so far: busy, busy for this bench, and altogether."""

    busy: float
    own: float
    total: float


def quantile(values: Sequence[float], part: float) -> float:
    """The `part` quantile; 0 for no values."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def family(pid: int) -> list[int]:
    """The process and its living children: a core has a clerk."""
    children: list[int] = []
    with contextlib.suppress(OSError):  # it has just ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread has
                children += map(int, (task / "children").read_text().split())
    return [pid, *(one for child in children for one in family(child))]


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of processor time so far: the processes, and the children that they have ended."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(one) for one in fields[11:15]) / TICKS
    return total


def named(part: str) -> list[int]:
    """Our own living descendants whose program's name has this in it."""
    found = []
    for pid in family(os.getpid()):
        with contextlib.suppress(OSError):  # one has just ended
            if part in Path(f"/proc/{pid}/comm").read_text():
                found.append(pid)
    return found


def rss_mb(pids: Iterable[int]) -> float:
    """Resident megabytes of these processes; one that has ended has none."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
            total += int(found[1]) if found else 0
    return total / 1024


def processors(pids: Iterable[int]) -> Processors:
    """The processors so far. The bench's own are these processes, this one, and its children that have ended."""
    first = [int(one) / TICKS for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = first[3] + first[4]
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Processors(sum(first) - idle, cpu_s(pids) + sum(one.ru_utime + one.ru_stime for one in usages), sum(first))


def others(before: Processors, after: Processors) -> float:
    """Part of the machine that programs which are not of the bench took between two moments (0…1)."""
    total = after.total - before.total
    return max(0.0, (after.busy - before.busy - after.own + before.own) / total) if total else 0.0
