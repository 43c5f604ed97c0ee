"""How many times will the agents of a demand become free, cell of time by cell? What they are doing, played on.

Who asks wants to know of the next few callers more often than of the last in line, so a cell is worked out when it is
asked for. What it rests on is fixed when the flow is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import fsum
from operator import mul
from typing import TYPE_CHECKING

from acd.freeing import CELLS, Ends, Rhythm
from acd.records import Agent, Demand
from acd.states import AgentState
from acd.tables import BEING_OFFERED, IN_TALK

if TYPE_CHECKING:
    from acd.floor import Floor

_MOST_AGENTS = 200  # of more agents so many are looked at and stand for all
_BLOCKS = {0: 6, 6: CELLS}  # from one cell to another at once: short waits need no more than the first few
_LONGER = 1.4  # beyond the grid every step is so much longer than the one before
_NO_TALK = -1
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_NOT_READY = AgentState.NOT_READY
_WRAP_UP = AgentState.WRAP_UP


# One cell of the grid, or a longer step beyond it: ms, how many times agents become free in it, how many times up to
# its end, and the variance of that.
Step = tuple[float, float, float, float]


@dataclass(slots=True)
class Flow:
    """`pace`: how many times a millisecond agents become free, beyond the grid of cells."""

    rhythm: Rhythm
    weight: float  # so many agents stand behind each who was looked at
    pace: float
    talks: int
    wrapups: int
    talks_end: Ends
    wrapups_end: Ends
    free: list[float]  # of those who are free, or whose wrap-up ends by itself: how many from each cell on
    back: list[float]  # from a break
    ended: list[float] = field(default_factory=list)  # talks, by cell
    first: list[float] = field(default_factory=list)  # by cell: agents who become free for the first time
    so_far: tuple[float, float, float] = (0.0, 0.0, 0.0)  # free after a talk, after a wrap-up, ever
    last: Step = (0.0, 0.0, 0.0, 0.0)

    def steps(self) -> Iterable[Step]:
        """The next steps: a block of cells, and when the grid is at its end ever longer ones without end."""
        begin = len(self.first)
        return self._cells(begin, _BLOCKS[begin]) if begin < CELLS else self._beyond()

    def _cells(self, begin: int, end: int) -> list[Step]:
        self.ended += self.rhythm.talk.ending(self.talks_end, begin, end)
        from_talk = self.rhythm.wrap_up(self.ended)[begin:]
        from_wrapup = self.rhythm.wrapup.ending(self.wrapups_end, begin, end)
        first, ever_after, weight, cell_ms = self.first, self.rhythm.ever_after, self.weight, float(self.rhythm.cell_ms)
        talks, wrapups, ever = self.talks, self.wrapups, self.last[2]
        after_talk, after_wrapup, every = self.so_far
        steps: list[Step] = []
        for talked, wrapped, at_once, back in zip(
            from_talk, from_wrapup, self.free[begin:end], self.back[begin:end], strict=True
        ):
            first.append(talked + wrapped + at_once)
            free = fsum(map(mul, reversed(first), ever_after))
            after_talk, after_wrapup, every = after_talk + talked, after_wrapup + wrapped, every + free
            # Who is sure to be free by then varies no more.
            sure = after_talk * after_talk / talks if talks else 0.0
            sure += after_wrapup * after_wrapup / wrapups if wrapups else 0.0
            free = (free + back) * weight
            ever += free
            steps.append((cell_ms, free, ever, (every - sure) * weight if every > sure else 0.0))
        self.so_far, self.last = (after_talk, after_wrapup, every), steps[-1]
        return steps

    def _beyond(self) -> Iterator[Step]:
        """Each starts from `last`, the end of the grid: there is no going on in the middle."""
        ms, _, on_grid, variance = self.last
        ever = on_grid
        while True:
            ms *= _LONGER
            free, varied = self.pace * ms, variance + ever - on_grid
            ever += free
            yield ms, free, ever, varied


def flow_of(floor: Floor, demand: Demand, rhythm: Rhythm) -> Flow:
    """As the agents of the demand are at this moment."""
    everybody = list(demand.agents.values())
    looked_at = everybody[:: -(-len(everybody) // _MOST_AGENTS)]
    weight = len(everybody) / len(looked_at)
    wrapups: dict[int, int] = {}  # by cells since they began
    free = [0.0] * CELLS
    away: list[int] = []  # for how long
    tau, cell_ms = floor.clock.tau, rhythm.cell_ms
    now = tau + cell_ms // 2  # to the nearest cell

    def otherwise(agent: Agent) -> int:
        """For one who will be in a talk only: cells since it began. The others are put where they belong."""
        state = agent.state
        if not agent.counted_staffed:
            if state is _NOT_READY:
                away.append(tau - agent.entered)
        elif agent.next_state is not None:
            pass
        elif state in IN_TALK or state in BEING_OFFERED:
            return 0
        elif state is _WRAP_UP:
            left = 0 if agent.wrapup_timer is None else max(0, agent.wrapup_timer[0] - tau)
            if left <= rhythm.wrapup.mean_ms:
                free[min(left // cell_ms, CELLS - 1)] += 1
            else:
                cell = (now - agent.entered) // cell_ms
                wrapups[cell] = wrapups.get(cell, 0) + 1
        elif agent.in_use or agent.outside:
            return int(rhythm.talk.mean_ms) // cell_ms
        else:
            free[0] += 1
        return _NO_TALK

    talks = Counter(
        [
            (now - agent.work_started) // cell_ms
            if agent.state in IN_TALK
            and agent.counted_staffed
            and agent.next_state is None
            and agent.work_started is not None
            else otherwise(agent)
            for agent in looked_at
        ]
    )
    talks.pop(_NO_TALK, None)
    talking, wrapping_up = sum(talks.values()), sum(wrapups.values())
    back = floor.breaks.back(away, cell_ms)
    pace = (talking + wrapping_up + fsum(free)) / rhythm.mean_ms + fsum(back) / (CELLS * cell_ms)
    return Flow(
        rhythm, weight, pace * weight, talking, wrapping_up, rhythm.talk.ends(talks), rhythm.wrapup.ends(wrapups), free,
        back,
    )  # fmt: skip
