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
    mark, marks = scene.manager.mark(), scene.pages.marks()
    await scene.hang_up(talk.citizen for talk in house.talks)
    await scene.pages.ready()
    joined = {citizen.call_id: citizen for citizen in house.queued}

    async def served(call_id: str) -> None:
        await scene.talks([joined[call_id]], mark, timeout=180)
        await scene.hang_up([joined[call_id]])

    await asyncio.gather(*map(served, house.order))
    report.figure(f"{name}.offered_in_order", scene.offered(house.order) == list(house.order))
    report.goal(f"{name}.offered_in_order", "==", True)
    popped = Counter(data["call_id"] for _at, _agent, data in scene.pages.pops(marks))
    report.figure(f"{name}.doubled", sum(popped[call_id] > 1 for call_id in house.order))
    report.goal(f"{name}.doubled", "==", 0)
    one.cases_lost = await scene.pages.lost_cases(citizen.number for citizen in house.everybody)
