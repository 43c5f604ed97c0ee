"""Drill: a full house (20 in talk, 50 in line) while everything of ours is killed, and while the manager line is cut.

Nobody is dropped, lost or served twice, and the line keeps its order. What a standby does when the active core is
killed is tried in tests/calls/test_standby_calls.py.
"""

from __future__ import annotations

import asyncio
import time

from tests.drills import _house
from tests.drills._report import Report, Scenario
from tests.drills._run import command_line
from tests.drills._scene import Scene
from tests.drills.asterisk import known_again

BACKEND = ("voice", "core")
TALKING, WAITING, AWAY_S = 20, 50, 30.0
SHORT = (3, 6)


def make_scene(report: Report) -> Scene:
    """Twenty agents; the core's line to the manager port runs through a relay."""
    return Scene(report.progress, agents=TALKING, relay=True)


def make_short_scene(report: Report) -> Scene:
    """As many agents as talk in the short form."""
    return Scene(report.progress, agents=SHORT[0], relay=True)


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """Both faults, one after the other; in short only the first (the asterisk drill has a cut line as well)."""
    async with report.scenario("full house killed") as one:
        await killed(report, scene, one, *(SHORT if short else (TALKING, WAITING)))
    if short:
        return
    await scene.clear()
    async with report.scenario("full house cut") as one:
        await cut(report, scene, one, (TALKING, WAITING), AWAY_S)


async def killed(report: Report, scene: Scene, one: Scenario, talking: int, waiting: int) -> None:
    """SIGKILL for everything of ours."""
    house = await _house.full(scene, talking, waiting)
    one.before = sum(citizen.alive for citizen in house.everybody)
    before, began = scene.system.pids(), time.monotonic()
    scene.system.kill(*BACKEND)
    await scene.wait_replaced(before, *BACKEND)
    rows = await scene.wait_waiting(list(house.order), timeout=60)
    one.normal_s = time.monotonic() - began
    scene.known_again(report, "full_house_killed")
    report.figure("full_house_killed.same_order", [row["call_id"] for row in rows] == house.order)
    report.goal("full_house_killed.same_order", "==", True)
    await scene.pages.connected()
    await _house.unharmed(report, scene, one, house, "full_house_killed")


async def cut(report: Report, scene: Scene, one: Scenario, house_of: tuple[int, int], away_s: float) -> None:
    """The manager line is closed and refused for a while: Asterisk's own queue takes over, and gives everybody back."""
    assert scene.relay is not None
    house = await _house.full(scene, *house_of)
    scene.relay.cut()
    await asyncio.sleep(away_s)  # the fault itself
    await known_again(report, scene, one, house, "full_house_cut")


if __name__ == "__main__":
    command_line("queue", make_scene, steps)
