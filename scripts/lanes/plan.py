"""Which test file runs in which lane, and in what order. Pure: names and durations in, runs of pytest out.

Two lanes run beside each other. The first holds what is real and has a clock to meet: calls, browsers, drills; it
mostly waits. The second holds what only computes, and yields the processors to the first whenever that wants them
(`processes.py`), so it fills the time in which nobody speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TIERS = ("unit", "integration", "calls", "browser", "drills")
REAL_CALLS = 3
"""Files with real calls at a time; with four, calls on two processors are late now and then."""
DRILLS = 2
BROWSERS = 3
PATIENT = 2


@dataclass(frozen=True)
class Run:
    """One pytest: these files in this order, so many at a time (1: in one process, without workers)."""

    name: str
    files: tuple[str, ...]
    at_a_time: int = 1


@dataclass(frozen=True)
class Lane:
    """Runs one after the other; a lane that yields leaves the processors to whoever else wants them."""

    runs: tuple[Run, ...]
    yields: bool = False


def lanes(files: Iterable[str], telephones: frozenset[str], durations: Mapping[str, float]) -> list[Lane]:
    """Every file in exactly one run.

    `telephones`: the files of the browser tier that have real calls. `durations`: file → seconds; a file that nobody
    has measured begins first. Raises ValueError for a file of no tier.
    """
    of: dict[str, list[str]] = {name: [] for name in ("calls", "browser", "drills", "patient")}
    for file in files:
        of[_run_of(file, telephones)].append(file)

    def run(name: str, at_a_time: int) -> Run:
        return Run(name, tuple(longest_first(of[name], durations)), at_a_time)

    real = (run("calls", REAL_CALLS), run("browser", BROWSERS), run("drills", DRILLS))
    return [
        lane
        for lane in (
            Lane(tuple(one for one in real if one.files)),
            Lane(tuple(one for one in (run("patient", PATIENT),) if one.files), yields=True),
        )
        if lane.runs
    ]


def longest_first(files: Iterable[str], durations: Mapping[str, float]) -> list[str]:
    """None that takes long may begin when all the others are about to end."""
    return sorted(files, key=lambda file: (-durations.get(file, float("inf")), file))


def _run_of(file: str, telephones: frozenset[str]) -> str:
    _tests, tier, _name = file.split("/", 2)
    if tier == "calls" or file in telephones:
        return "calls"
    if tier in ("browser", "drills"):
        return tier
    if tier in ("unit", "integration"):
        return "patient"
    raise ValueError(f"{file} belongs to no tier; tiers are {', '.join(TIERS)}")
