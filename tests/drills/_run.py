"""How every drill is run: from the command line or from pytest."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.drills._report import Report
from tests.drills._scene import Scene

MOST_LOOKS = 200
Steps = Callable[[Report, Scene, bool], Awaitable[None]]
MakeScene = Callable[[Report], Scene]


@dataclass(frozen=True)
class Act:
    """A hotline and what happens to it; `mark` is added to the names of its processes in the report."""

    make_scene: MakeScene
    steps: Steps
    mark: str = ""


async def drill(name: str, make_scene: MakeScene, steps: Steps, short: bool, *more: Act) -> dict[str, Any]:
    """Starts a hotline, runs the steps, prints the report; returns its last line as an object.

    `more` are acts with a hotline of their own each; the full drill plays them after the first.
    """
    report = Report(name)
    # A waiting look blocks a thread, and a full house of callers is looked at by one each.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MOST_LOOKS, "look"))
    # Somebody else's work on the same machine makes every start slower: a reader of the figures should know.
    report.figure("machine_load_per_core", os.getloadavg()[0] / (os.cpu_count() or 1))
    usage: list[list[str]] = []
    for act in (Act(make_scene, steps), *(() if short else more)):
        async with act.make_scene(report) as scene:
            await act.steps(report, scene, short)
            for key, value in scene.usage.figures().items():
                report.figure(f"{key}{act.mark}", value)
            usage += [[f"{row[0]}{act.mark}", *row[1:]] for row in scene.usage.rows()]
    return report.finish(usage)


def command_line(name: str, make_scene: MakeScene, steps: Steps, *more: Act) -> None:
    """`python -m tests.drills.NAME [--short]`; exit status 0 only if every goal is met."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.drills.{name}")
    parser.add_argument("--short", action="store_true", help="fewer callers; what `make test` runs")
    chosen = parser.parse_args()
    result = asyncio.run(drill(name, make_scene, steps, chosen.short, *more))
    sys.exit(0 if result["met"] else 1)
