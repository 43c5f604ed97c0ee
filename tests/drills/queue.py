"""Drill: a full house (20 in talk, 50 in line) while everything of ours is killed, and while the manager line is cut.

Then the same house with a standby beside the core (PostgreSQL), and the core that acts is killed. Nobody is dropped,
lost or served twice, and the line keeps its order.
"""

from __future__ import annotations

import asyncio
import time

from tests.drills import _house
from tests.drills._pair import PairScene
from tests.drills._report import Report, Scenario
from tests.drills._run import Act, command_line
from tests.drills._scene import Scene
from tests.drills.asterisk import known_again

BACKEND = ("voice", "core")
TALKING, WAITING, AWAY_S = 20, 50, 30.0
SHORT = (3, 6)
KNOWN_AGAIN_WITHIN_S = 8.0
"""Seventy calls, twenty pages and all who play them share the processors. `make drill-backend`, with fifteen calls,
asks for 5 s."""


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


def make_pair(report: Report) -> PairScene:
    """The same agents, and a core that stands by."""
    return PairScene(report.progress, agents=TALKING)


async def steps_of_pair(report: Report, scene: Scene, short: bool) -> None:
    """The fault that a standby is for."""
    assert isinstance(scene, PairScene)
    async with report.scenario("active core killed") as one:
        await taken_over(report, scene, one, TALKING, WAITING)


async def killed(report: Report, scene: Scene, one: Scenario, talking: int, waiting: int) -> None:
    """SIGKILL for everything of ours."""
    house = await _house.full(scene, talking, waiting)
    one.before = sum(citizen.alive for citizen in house.everybody)
    before, began = scene.system.pids(), time.monotonic()
    scene.system.kill(*BACKEND)
    await scene.wait_replaced(before, *BACKEND)
    rows = await scene.wait_waiting(list(house.order), timeout=60)
    one.normal_s = time.monotonic() - began
    scene.known_again(report, "full_house_killed", KNOWN_AGAIN_WITHIN_S)
    order = [row["call_id"] for row in rows]
    report.figure("full_house_killed.same_order", order == house.order)
    report.goal("full_house_killed.same_order", "==", True)
    if order != house.order:
        joined = {citizen.call_id: citizen.joined_ms for citizen in house.queued}
        moved = [(was, now) for was, now in zip(house.order, order, strict=True) if was != now]
        report.figure("full_house_killed.moved", [f"{was}@{joined[was]} {now}@{joined[now]}" for was, now in moved])
    await scene.pages.connected()
    await _house.unharmed(report, scene, one, house, "full_house_killed")


async def taken_over(report: Report, scene: PairScene, one: Scenario, talking: int, waiting: int) -> None:
    """SIGKILL for the core that acts; the supervisor's new one finds the lock taken and stands by."""
    house = await _house.full(scene, talking, waiting)
    one.before = sum(citizen.alive for citizen in house.everybody)
    began, killed_ms = time.monotonic(), time.time_ns() // 1_000_000
    scene.system.kill("core")
    scene.pages.move(scene.other_base)
    await scene.board_shows(list(house.order), 60, made_after_ms=killed_ms)
    one.normal_s = time.monotonic() - began
    report.figure("active_core_killed.known_again_s", one.normal_s)
    report.goal("active_core_killed.known_again_s", "<=", KNOWN_AGAIN_WITHIN_S)
    await _house.unharmed(report, scene, one, house, "active_core_killed")


async def cut(report: Report, scene: Scene, one: Scenario, house_of: tuple[int, int], away_s: float) -> None:
    """The manager line is closed and refused for a while: Asterisk's own queue takes over, and gives everybody back."""
    assert scene.relay is not None
    house = await _house.full(scene, *house_of)
    scene.relay.cut()
    await asyncio.sleep(away_s)  # the fault itself
    await known_again(report, scene, one, house, "full_house_cut")


if __name__ == "__main__":
    command_line("queue", make_scene, steps, Act(make_pair, steps_of_pair, "_of_pair"))
