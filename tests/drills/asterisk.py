"""Drill: the line to Asterisk's manager port is cut or goes dead, and Asterisk itself is killed.

The first two cost nobody anything: whoever waits and whoever talks is known again once the line works, in order. A
killed Asterisk takes its calls with it; what counts is how soon a new citizen reaches an agent, that the agents'
telephones come back by themselves, and that no case of a call that was cut off is lost.
"""

from __future__ import annotations

import asyncio
import time

from tests.drills import _house
from tests.drills._house import House
from tests.drills._report import Report, Scenario
from tests.drills._run import command_line
from tests.drills._scene import Scene

KNOWN_WITHIN_S = 5.0
NEW_CALL_WITHIN_S = 30.0


def make_scene(report: Report) -> Scene:
    """Four agents; the core's line to the manager port runs through a relay."""
    return Scene(report.progress, agents=4, relay=True)


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """All faults, one after the other."""
    waiting = 3 if short else 6
    async with report.scenario("manager line cut") as one:
        await line_cut(report, scene, one, waiting, 6.0 if short else 15.0)
    await scene.clear()
    async with report.scenario("manager line dead") as one:
        await line_dead(report, scene, one, waiting)
    await scene.clear()
    async with report.scenario("asterisk killed") as one:
        await asterisk_killed(report, scene, one, waiting)


async def line_cut(report: Report, scene: Scene, one: Scenario, waiting: int, away_s: float) -> None:
    """The connection is closed and refused for a while."""
    assert scene.relay is not None
    house = await _house.full(scene, 2, waiting)
    scene.relay.cut()
    await asyncio.sleep(away_s)  # the fault itself
    await known_again(report, scene, one, house, "manager_line_cut")


async def line_dead(report: Report, scene: Scene, one: Scenario, waiting: int) -> None:
    """The connection stays open and nothing passes: only the link's own pings can find out.

    It works again at the worst moment: the first callers hear the failsafe's apology, others are still on hold.
    """
    assert scene.relay is not None
    house = await _house.full(scene, 2, waiting)
    before, mark = scene.relay.accepted, scene.manager.mark()
    began = time.monotonic()
    scene.relay.mute()
    while scene.relay.accepted == before and time.monotonic() - began < 40:
        await asyncio.sleep(0.05)
    noticed = time.monotonic() - began
    report.figure("manager_line_dead.noticed_s", noticed)
    report.goal("manager_line_dead.noticed_s", "<=", 20.0)
    await asyncio.to_thread(scene.manager.wait_event, "HotlineFailsafe", 30, mark)
    await known_again(report, scene, one, house, "manager_line_dead")


async def known_again(report: Report, scene: Scene, one: Scenario, house: House, name: str) -> None:
    """Restores the line; by then the core must have noticed that it is away."""
    assert scene.relay is not None
    one.before = len(house.everybody)
    restored, restored_ms = time.monotonic(), time.time_ns() // 1_000_000
    scene.relay.restore()
    # The board as it was before the fault shows the same order: only one that was made since proves anything.
    await scene.wait_order(list(house.order), 60, made_after_ms=restored_ms)
    one.normal_s = time.monotonic() - restored
    report.figure(f"{name}.known_again_s", one.normal_s)
    report.goal(f"{name}.known_again_s", "<=", KNOWN_WITHIN_S)
    await _house.unharmed(report, scene, one, house, name)


async def asterisk_killed(report: Report, scene: Scene, one: Scenario, waiting: int) -> None:
    """SIGKILL for Asterisk, with two talks and a queue."""
    house = await _house.full(scene, 2, waiting)
    before = scene.system.pids()
    began = time.monotonic()
    scene.system.kill("asterisk")
    for citizen in scene.everybody:
        # The network does not know that the other side is dead: the citizens give up by themselves.
        await asyncio.to_thread(citizen.line.hang_up)
    await scene.wait_replaced(before, "asterisk")
    report.figure("asterisk_killed.running_again_s", time.monotonic() - began)
    await scene.wait_manager(30)
    await scene.wait_phones()
    report.figure("asterisk_killed.phones_back_s", time.monotonic() - began)
    await asyncio.to_thread(scene.system.wait_healthy, 60)
    await scene.pages.connected()
    await scene.pages.wait_idle(30)
    await scene.pages.ready()
    mark = scene.manager.mark()
    fresh = await scene.call(2)
    await scene.to_queue(fresh)
    await scene.talks(fresh, mark)
    one.normal_s = time.monotonic() - began
    report.figure("asterisk_killed.new_call_connected_s", one.normal_s)
    report.goal("asterisk_killed.new_call_connected_s", "<=", NEW_CALL_WITHIN_S)
    lost = len(house.everybody)
    one.notes.append(f"{lost} calls ended with Asterisk, as they must; new calls counted")
    one.before, one.after = 2, sum(citizen.alive for citizen in fresh)
    await scene.hang_up(fresh)
    numbers = [talk.citizen.number for talk in house.talks] + [citizen.number for citizen in fresh]
    one.cases_lost = await scene.pages.lost_cases(numbers)
    cut_off = [citizen.number for citizen in house.everybody]
    closed = await scene.pages.calls_that(lambda row: row["ended_at"] is not None, cut_off)
    report.figure("asterisk_killed.calls_left_open", len(cut_off) - closed)
    report.goal("asterisk_killed.calls_left_open", "==", 0)


if __name__ == "__main__":
    command_line("asterisk", make_scene, steps)
