"""Which test file runs in which lane, and in what order. Pure: names and durations in, runs of pytest out.

The lanes run beside each other. The first holds what has a telephone and a clock to meet, calls and then drills; it
mostly waits. The others fill the time in which nobody speaks, and yield the processors (`processes.py`): pages, which
are patient for some seconds, and what only computes, which has no clock at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TIERS = ("unit", "integration", "calls", "browser", "drills")
REAL_CALLS = 3
"""Files with real calls at a time; with four, calls on two processors are late now and then."""
DRILLS = 2
"""A drill waits for four fifths of its time, and its goals leave room for company; all five meet them with ten times
as much to do as there are processors."""
BROWSERS = 1
COMPUTING = 2
"""Where a kernel heeds niceness little, more of these make calls late. With 2 and 3 the whole took 1,340 s there; with
1 and 2, and more tests in it, 1,750 s, of the 2,400 that it may."""
PAGES_NICENESS, COMPUTING_NICENESS = 5, 10
"""A third and a tenth of a share: next to nothing while calls want the processors, and enough to meet a deadline of
seconds."""


@dataclass(frozen=True)
class Run:
    """One pytest: these files in this order, so many at a time (1: in one process, without workers)."""

    name: str
    files: tuple[str, ...]
    at_a_time: int = 1


@dataclass(frozen=True)
class Lane:
    """Runs one after the other. The nicer a lane, the more it leaves the processors to others; 0: it has its share."""

    runs: tuple[Run, ...]
    niceness: int = 0


def lanes(files: Iterable[str], telephones: frozenset[str], durations: Mapping[str, float]) -> list[Lane]:
    """Every file in exactly one run.

    `telephones`: the files of the browser tier that have real calls. `durations`: file → seconds; a file that nobody
    has measured begins first. Raises ValueError for a file of no tier.
    """
    of: dict[str, list[str]] = {name: [] for name in ("calls", "drills", "pages", "computing")}
    for file in files:
        of[_run_of(file, telephones)].append(file)

    def lane(niceness: int, **at_a_time: int) -> Lane:
        runs = [Run(name, tuple(longest_first(of[name], durations)), count) for name, count in at_a_time.items()]
        return Lane(tuple(run for run in runs if run.files), niceness)

    all_lanes = (
        lane(0, calls=REAL_CALLS, drills=DRILLS),
        lane(PAGES_NICENESS, pages=BROWSERS),
        lane(COMPUTING_NICENESS, computing=COMPUTING),
    )
    return [one for one in all_lanes if one.runs]


def longest_first(files: Iterable[str], durations: Mapping[str, float]) -> list[str]:
    """None that takes long may begin when all the others are about to end."""
    return sorted(files, key=lambda file: (-durations.get(file, float("inf")), file))


def _run_of(file: str, telephones: frozenset[str]) -> str:
    _tests, tier, _name = file.split("/", 2)
    if tier == "calls" or file in telephones:
        return "calls"
    if tier in TIERS:
        return {"drills": "drills", "browser": "pages"}.get(tier, "computing")
    raise ValueError(f"{file} belongs to no tier; tiers are {', '.join(TIERS)}")
