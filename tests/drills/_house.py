"""A house full of callers: some in talk, others in line behind them; and the proof that a fault has harmed none."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.drills import _hold
from tests.drills._report import Report, Scenario
from tests.drills._scene import Citizen, Scene, Talk

GAP_S = 1.0


@dataclass(frozen=True)
class House:
    """`order`: the waiting calls' ids, first in line first."""

    talks: Sequence[Talk]
    queued: Sequence[Citizen]
    order: Sequence[str]

    @property
    def everybody(self) -> list[Citizen]:
        """Who talks and who waits."""
        return [*(talk.citizen for talk in self.talks), *self.queued]


async def full(scene: Scene, talking: int, waiting: int) -> House:
    """So many agents in talk, everybody else not ready, and so many in the queue."""
    mark = scene.manager.mark()
    await scene.pages.ready(*scene.agent_ids[:talking])
    citizens = await scene.call(talking)
    await scene.to_queue(citizens)
    talks = await scene.talks(citizens, mark)
    queued = await scene.call(waiting)
    await scene.to_queue(queued)
    rows = await scene.wait_waiting([citizen.call_id for citizen in queued], timeout=60)
    house = House(talks, queued, [row["call_id"] for row in rows])
    await _hold.begin(talks)
    return house


async def unharmed(report: Report, scene: Scene, one: Scenario, house: House, name: str) -> None:
    """Talks went on without a gap; then everybody in line is served, first come first, and nobody twice."""
    await scene.pages.wait_talking(talk.agent_id for talk in house.talks)
    report.figure(f"{name}.silence_longest_s", max(_hold.gaps(scene, house.talks)))
    report.goal(f"{name}.silence_longest_s", "<=", GAP_S)
    one.after = sum(citizen.alive for citizen in house.everybody)
    since = now(scene)
    await scene.hang_up(talk.citizen for talk in house.talks)
    joined = {citizen.call_id: citizen for citizen in house.queued}
    await served(report, scene, [joined[call_id] for call_id in house.order], since, name)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in house.everybody)


@dataclass(frozen=True)
class Moment:
    """A place in what Asterisk said and in what every page was told."""

    events: int
    told: dict[str, int]


def now(scene: Scene) -> Moment:
    """This moment."""
    return Moment(scene.manager.mark(), scene.pages.marks())


async def served(report: Report, scene: Scene, line: Sequence[Citizen], since: Moment, name: str) -> None:
    """Agents take everybody in line: first come first, nobody twice, each with the join time of before.

    `line` is in the old order; `since` is from before any of them could be offered.
    """
    await scene.pages.connected()
    await scene.pages.ready()

    async def one(citizen: Citizen) -> None:
        await scene.talks([citizen], since.events, timeout=180)
        await scene.hang_up([citizen])

    await asyncio.gather(*map(one, line))
    order = [citizen.call_id for citizen in line]
    report.figure(f"{name}.offered_in_order", scene.offered(order) == order)
    report.goal(f"{name}.offered_in_order", "==", True)
    pops = [data for _at, _agent, data in scene.pages.pops(since.told)]
    times = Counter(data["call_id"] for data in pops)
    report.figure(f"{name}.doubled", sum(times[call_id] > 1 for call_id in order))
    report.goal(f"{name}.doubled", "==", 0)
    cards = {data["call_id"]: data["card"]["joined_ms"] for data in pops if data.get("card")}
    report.figure(f"{name}.join_times_kept", sum(cards.get(one.call_id) == one.joined_ms for one in line))
    report.goal(f"{name}.join_times_kept", "==", len(line))
