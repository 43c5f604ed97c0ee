"""Drill: the backend is killed, and restarted politely, while agents talk by the telephone in their pages.

Ten real Chromium pages, each registered with the exchange as a telephone of its own and in a talk with a citizen: no
call is dropped, both sides hear each other all the time, and every desk is back within 5 s with its call, its card and
what was typed into it. Each fault meets a house whose spares are ready, as it is a quarter of a minute after a start.
"""

from __future__ import annotations

import asyncio
import signal
import time

from app.supervisor.identity import waited_for_cpu_s
from tests.bench._load import cpu_s, named, rss_mb
from tests.drills._desks import SAYS, Desk, Desks
from tests.drills._hearing import longest_gap
from tests.drills._hold import LAG_S
from tests.drills._report import Report, Scenario
from tests.drills._run import command_line
from tests.drills._scene import Citizen, Scene

BACKEND = ("voice", "core")
MOST, FEW = 10, 2
BACK_WITHIN_S = 5.0
GAP_S = 1.0
LISTENED_S = 3.0
"""How long the talks are listened to after everybody is back."""


def make_scene(report: Report) -> Scene:
    """Nobody with a desk phone: the agents of this drill sit in a browser."""
    return Scene(report.progress, agents=0, spares=True)


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """One talk per desk, which goes on through both faults."""
    ids = [str(1001 + place) for place in range(FEW if short else MOST)]
    async with Desks(scene, ids) as desks:
        report.figure("desks", len(ids))
        report.progress(f"{len(ids)} desks are ready, each a telephone of its own")
        citizens = await talking(scene, desks)
        report.figure("desks_passed_over", sum(desk.passed_over for desk in desks.all))
        used, began = cpu_s(named("chrom")), time.monotonic()
        await asyncio.sleep(LISTENED_S)  # what ten talks take of the machine
        report.figure("browser_cpu_percent", (cpu_s(named("chrom")) - used) / (time.monotonic() - began) * 100)
        report.figure("browser_mb", rss_mb(named("chrom")))
        for name, number in (("kill", signal.SIGKILL), ("restart", signal.SIGTERM)):
            async with report.scenario(name) as one:
                await restarted(report, scene, one, desks, citizens, number)
        await scene.hang_up(citizens)
        await asyncio.gather(*(desk.is_free() for desk in desks.all))
        lost = await scene.pages.lost_cases(citizen.number for citizen in citizens)
        report.figure("cases_lost", lost)
        report.goal("cases_lost", "==", 0)
        report.figure("page_errors", sum(len(desk.problems) for desk in desks.all))
        report.goal("page_errors", "==", 0)


async def talking(scene: Scene, desks: Desks) -> list[Citizen]:
    """As many citizens as there are desks; everybody hears and is heard.

    The next one calls when one more talks: ten pages of one machine that are shown a card in one moment are too slow to
    say so in a second, and are passed over.
    """
    answering = {asyncio.create_task(desk.answers()) for desk in desks.all}
    citizens: list[Citizen] = []
    while answering:
        caller = await scene.call(1)
        await scene.to_queue(caller)
        citizens += caller
        done, answering = await asyncio.wait(answering, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*done)
    await heard(desks, citizens)
    return citizens


async def heard(desks: Desks, citizens: list[Citizen]) -> None:
    """Everybody hears the other side right now."""
    for citizen in citizens:
        since = max(citizen.line.heard_s() - 0.5, 0.0)
        await asyncio.to_thread(citizen.line.wait_hears, SAYS, 15.0, since)
    await asyncio.gather(*(desk.hears_now() for desk in desks.all))


async def restarted(
    report: Report, scene: Scene, one: Scenario, desks: Desks, citizens: list[Citizen], number: signal.Signals
) -> None:
    """The backend goes and comes; nobody in a talk notices, and every page is whole again."""
    await asyncio.to_thread(scene.system.wait_spares)
    one.before = alive(citizens)
    await asyncio.gather(*(desk.notes_anew() for desk in desks.all))
    marks = [(time.monotonic(), citizen.line.heard_s()) for citizen in citizens]
    before, went = scene.system.pids(), time.time()
    spare = scene.system.spare_pid("core") or 0
    while_reading = waited_for_cpu_s(spare)
    scene.system.kill(*BACKEND, number=number)
    await scene.wait_replaced(before, *BACKEND)
    returns = await asyncio.gather(*(desk.back_after_s(went) for desk in desks.all), return_exceptions=True)
    if away := [one for one in returns if isinstance(one, Exception)]:
        raise ExceptionGroup(f"{len(away)} of {len(returns)} desks", away)
    back = [one for one in returns if isinstance(one, float)]
    # The goal is for a machine of its own, as with the other drills (see Scene.known_again).
    follows = scene.system.pids()["core"]
    report.figure(f"{one.name}.a_spare_follows", follows == spare)
    report.goal(f"{one.name}.a_spare_follows", "==", True)
    queued = waited_for_cpu_s(follows) - while_reading
    report.samples(f"{one.name}.desk_back_wall_s", back)
    report.figure(f"{one.name}.core_waited_for_cpu_s", queued)
    report.figure(f"{one.name}.desk_back_latest_s", max(back) - queued)
    report.goal(f"{one.name}.desk_back_latest_s", "<=", BACK_WITHIN_S)
    one.normal_s = max(back)
    await asyncio.to_thread(scene.system.wait_healthy, 60)
    await asyncio.sleep(LISTENED_S)  # the talks go on: this is what is measured
    report.figure(f"{one.name}.citizens_silence_longest_s", max(map(silence, citizens, marks)))
    report.figure(f"{one.name}.agents_silence_longest_s", max([await desk.silent_s() for desk in desks.all]))
    for side in ("citizens", "agents"):
        report.goal(f"{one.name}.{side}_silence_longest_s", "<=", GAP_S)
    await asyncio.gather(*map(Desk.holds_and_resumes, desks.all))
    await heard(desks, citizens)
    one.after = alive(citizens)


def silence(citizen: Citizen, mark: tuple[float, float]) -> float:
    """Seconds of the longest stretch without the agent's tone since the mark; a recording that stopped counts too."""
    began, start = mark
    end = citizen.line.heard_s()
    stopped = time.monotonic() - began - (end - start) - LAG_S
    return max(longest_gap(citizen.line.heard, SAYS, start, end), stopped, 0.0)


def alive(citizens: list[Citizen]) -> int:
    """How many are still connected to us."""
    return sum(citizen.alive for citizen in citizens)


if __name__ == "__main__":
    command_line("desktop", make_scene, steps)
