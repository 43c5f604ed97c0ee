"""Drill: the backend dies or freezes while citizens are in the menu, in the queue, and in talk.

Killed with SIGKILL: callers in the menu reach an agent through the failsafe or the queue; callers in the queue keep
their place and join time and are known again within 5 s; talks go on without a gap and are known again. Halted with
SIGSTOP: the process is replaced, and the callers of a frozen menu hear the apology within 10 s.
"""

from __future__ import annotations

import asyncio
import signal
import time

from tests.drills import _hold, _house
from tests.drills._hearing import prompt_at
from tests.drills._report import Report, Scenario
from tests.drills._run import command_line
from tests.drills._scene import Citizen, Scene, until

BACKEND = ("voice", "core")
FAILSAFE_WITHIN_S = 10.0
GAP_S = 1.0


def make_scene(report: Report) -> Scene:
    """Five agents."""
    return Scene(report.progress, agents=5)


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """All faults, one after the other."""
    async with report.scenario("kill in menu") as one:
        await killed_in_menu(report, scene, one, 3 if short else 5)
    await _afterwards(report, scene)
    async with report.scenario("kill in queue") as one:
        await killed_in_queue(report, scene, one, 10)
    await _afterwards(report, scene)
    async with report.scenario("kill in talk") as one:
        await killed_in_talk(report, scene, one, 3 if short else 5)
    await _afterwards(report, scene)
    async with report.scenario("freeze voice") as one:
        await frozen_voice(report, scene, one, 3 if short else 5)
    await _afterwards(report, scene)
    async with report.scenario("freeze core") as one:
        await frozen_core(report, scene, one, 4 if short else 8)
    await _afterwards(report, scene)


async def _afterwards(report: Report, scene: Scene) -> None:
    try:
        await asyncio.to_thread(scene.system.wait_healthy, 60)
        await scene.clear()
    except Exception as error:
        report.progress(f"not back to nothing: {error}")


async def killed_in_menu(report: Report, scene: Scene, one: Scenario, count: int) -> None:
    """The voice process dies under the menu's prompts."""
    await scene.pages.ready()
    citizens = await scene.call(count)
    one.before = _alive(citizens)
    mark, before = scene.manager.mark(), scene.system.pids()
    began = time.monotonic()
    scene.system.kill(*BACKEND)
    await scene.wait_replaced(before, *BACKEND)
    await asyncio.to_thread(scene.system.wait_healthy, 60)
    one.normal_s = time.monotonic() - began
    talks = await scene.talks(citizens, mark, timeout=60)
    report.samples("kill_in_menu.talk_after_s", [talk.began_at - began for talk in talks])
    one.after = _alive(citizens)
    await scene.pages.connected()
    await scene.hang_up(citizens)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)


async def killed_in_queue(report: Report, scene: Scene, one: Scenario, count: int) -> None:
    """Everything of ours dies while callers wait; nobody loses a place."""
    await scene.pages.all_not_ready()
    citizens = await scene.call(count)
    await scene.to_queue(citizens)
    ids = [citizen.call_id for citizen in citizens]
    order = [row["call_id"] for row in await scene.wait_waiting(ids)]
    one.before = _alive(citizens)
    before, began = scene.system.pids(), time.monotonic()
    scene.system.kill(*BACKEND)
    await scene.wait_replaced(before, *BACKEND)
    rows = await scene.wait_waiting(ids)
    one.normal_s = time.monotonic() - began
    scene.known_again(report, "kill_in_queue")
    report.figure("kill_in_queue.same_order", [row["call_id"] for row in rows] == order)
    report.goal("kill_in_queue.same_order", "==", True)
    one.after = _alive(citizens)
    await _house.served(report, scene, _in_order(citizens, order), _house.now(scene), "kill_in_queue")
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)


async def killed_in_talk(report: Report, scene: Scene, one: Scenario, pairs: int) -> None:
    """Everything of ours dies while people talk; they do not notice."""
    mark = scene.manager.mark()
    await scene.pages.ready(*scene.agent_ids[:pairs])
    citizens = await scene.call(pairs)
    await scene.to_queue(citizens)
    talks = await scene.talks(citizens, mark)
    one.before = _alive(citizens)
    await _hold.begin(talks)
    before, began = scene.system.pids(), time.monotonic()
    scene.system.kill(*BACKEND)
    await scene.wait_replaced(before, *BACKEND)
    await scene.pages.wait_talking(talk.agent_id for talk in talks)
    one.normal_s = time.monotonic() - began
    scene.known_again(report, "kill_in_talk")
    await asyncio.sleep(5)  # the talk goes on: this is what is measured
    report.samples("kill_in_talk.silence_s", silences := _hold.gaps(scene, talks))
    report.figure("kill_in_talk.silence_longest_s", max(silences))
    report.goal("kill_in_talk.silence_longest_s", "<=", GAP_S)
    one.after = _alive(citizens)
    await scene.hang_up(citizens)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)


async def frozen_voice(report: Report, scene: Scene, one: Scenario, count: int) -> None:
    """The voice process hangs; the supervisor kills it and Asterisk's own failsafe speaks."""
    await scene.pages.ready()
    citizens = await scene.call(count)
    one.before = _alive(citizens)
    mark, before = scene.manager.mark(), scene.system.pids()
    began = time.monotonic()
    scene.system.kill("voice", number=signal.SIGSTOP)
    report.figure("freeze_voice.replaced_s", await scene.wait_replaced(before, "voice"))
    apology = scene.prompt("apology")

    def heard(citizen: Citizen) -> float | None:
        return prompt_at(citizen.line.heard, apology)

    # To look takes some work; when the apology began is read from the sound itself.
    await until(
        lambda: all(heard(citizen) is not None for citizen in citizens), 30, "everybody to hear the apology", every=0.5
    )
    after = [citizen.answered_at + (heard(citizen) or 0.0) - began for citizen in citizens]
    told = [
        (await asyncio.to_thread(scene.manager.wait_event, "HotlineFailsafe", 1, mark, Call=citizen.call_id))["Cause"]
        for citizen in citizens
    ]
    one.notes.append(f"cause told: {', '.join(sorted(set(told)))}")
    report.samples("freeze_voice.apology_s", after)
    report.figure("freeze_voice.apology_latest_s", max(after))
    report.goal("freeze_voice.apology_latest_s", "<=", FAILSAFE_WITHIN_S)
    await scene.talks(citizens, mark, timeout=60)
    one.normal_s = time.monotonic() - began
    one.after = _alive(citizens)
    await scene.hang_up(citizens)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)


async def frozen_core(report: Report, scene: Scene, one: Scenario, count: int) -> None:
    """The core hangs while two talk and others wait; it is replaced and knows everybody."""
    mark = scene.manager.mark()
    await scene.pages.ready(*scene.agent_ids[:2])
    talking = await scene.call(2)
    await scene.to_queue(talking)
    talks = await scene.talks(talking, mark)
    waiting = await scene.call(count)
    await scene.to_queue(waiting)
    ids = [citizen.call_id for citizen in waiting]
    order = [row["call_id"] for row in await scene.wait_waiting(ids)]
    one.before = _alive(talking + waiting)
    await _hold.begin(talks)
    before, began = scene.system.pids(), time.monotonic()
    scene.system.kill("core", number=signal.SIGSTOP)
    report.figure("freeze_core.replaced_s", await scene.wait_replaced(before, "core"))
    report.goal("freeze_core.replaced_s", "<=", FAILSAFE_WITHIN_S)
    rows = await scene.wait_waiting(ids)
    scene.known_again(report, "freeze_core")
    report.figure("freeze_core.same_order", [row["call_id"] for row in rows] == order)
    report.goal("freeze_core.same_order", "==", True)
    one.normal_s = time.monotonic() - began
    await scene.pages.wait_talking(talk.agent_id for talk in talks)
    report.figure("freeze_core.silence_longest_s", max(_hold.gaps(scene, talks)))
    report.goal("freeze_core.silence_longest_s", "<=", GAP_S)
    one.after = _alive(talking + waiting)
    since = _house.now(scene)
    await scene.hang_up(talking)
    await _house.served(report, scene, _in_order(waiting, order), since, "freeze_core")
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in talking + waiting)


def _in_order(citizens: list[Citizen], order: list[str]) -> list[Citizen]:
    return sorted(citizens, key=lambda citizen: order.index(citizen.call_id))


def _alive(citizens: list[Citizen]) -> int:
    return sum(citizen.alive for citizen in citizens)


if __name__ == "__main__":
    command_line("backend", make_scene, steps)
