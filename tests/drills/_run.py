"""How every drill is run: from the command line or from pytest."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.drills._report import Report
from tests.drills._scene import Scene

MOST_LOOKS = 200
Steps = Callable[[Report, Scene, bool], Awaitable[None]]
MakeScene = Callable[[Report], Scene]


async def drill(name: str, make_scene: MakeScene, steps: Steps, short: bool) -> dict[str, Any]:
    """Starts a hotline, runs the steps, prints the report; returns its last line as an object."""
    report = Report(name)
    # A waiting look blocks a thread, and a full house of callers is looked at by one each.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MOST_LOOKS, "look"))
    # Somebody else's work on the same machine makes every start slower: a reader of the figures should know.
    report.figure("machine_load_per_core", os.getloadavg()[0] / (os.cpu_count() or 1))
    scene = make_scene(report)
    async with scene:
        await steps(report, scene, short)
        for key, value in scene.usage.figures().items():
            report.figure(key, value)
        usage = scene.usage.rows()
    return report.finish(usage)


def command_line(name: str, make_scene: MakeScene, steps: Steps) -> None:
    """`python -m tests.drills.NAME [--short]`; exit status 0 only if every goal is met."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.drills.{name}")
    parser.add_argument("--short", action="store_true", help="fewer callers; what `make test` runs")
    chosen = parser.parse_args()
    result = asyncio.run(drill(name, make_scene, steps, chosen.short))
    sys.exit(0 if result["met"] else 1)
