"""Which shifts cover a need by half-hour with the fewest paid hours?

Shifts are runs of half-hours, so the covering problem is a flow: time runs from half-hour to half-hour, a shift carries
agents from its beginning to its end, and agents beyond the need flow back. The cheapest flow is the best cover, exactly
(successive shortest paths).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """`agents` who work `slots` half-hours from half-hour `begins`."""

    begins: int
    slots: int
    agents: int


@dataclass(slots=True)
class _Arc:
    to: int
    room: int
    cost: int
    back: int  # the opposite arc's place in its list


class _Network:
    def __init__(self, nodes: int) -> None:
        self.arcs: list[list[_Arc]] = [[] for _ in range(nodes)]

    def add(self, here: int, there: int, room: int, cost: int) -> _Arc:
        arc = _Arc(there, room, cost, len(self.arcs[there]))
        self.arcs[there].append(_Arc(here, 0, -cost, len(self.arcs[here])))
        self.arcs[here].append(arc)
        return arc

    def push(self, source: int, sink: int) -> int:
        """Send as much as fits along the cheapest path; how much that was, 0 when there is none."""
        came: dict[int, tuple[int, _Arc]] = {}
        cost = {source: 0}
        todo = deque([source])
        while todo:
            here = todo.popleft()
            for arc in self.arcs[here]:
                dearer = cost.get(arc.to)
                if arc.room > 0 and (dearer is None or cost[here] + arc.cost < dearer):
                    cost[arc.to] = cost[here] + arc.cost
                    came[arc.to] = (here, arc)
                    todo.append(arc.to)
        if sink not in came:
            return 0
        path = []
        at = sink
        while at != source:
            at, arc = came[at]
            path.append(arc)
        amount = min(arc.room for arc in path)
        for arc in path:
            arc.room -= amount
            self.arcs[arc.to][arc.back].room += amount
        return amount


def cover(need: Sequence[int], lengths: Sequence[int]) -> list[Shift]:
    """The shifts of these lengths (half-hours) that give every half-hour at least the agents it needs, in the fewest
    agent-half-hours. No shift begins before the first half-hour or ends after the last. Raises ValueError when no
    length fits into the day."""
    slots = len(need)
    fitting = sorted({length for length in lengths if 0 < length <= slots})
    if not fitting:
        raise ValueError("no shift fits into the day")
    source, sink, plenty = slots + 1, slots + 2, sum(need) + 1
    network = _Network(slots + 3)
    carried = [
        (begins, length, network.add(begins, begins + length, plenty, length))
        for length in fitting
        for begins in range(slots - length + 1)
    ]
    for slot in range(slots):
        network.add(slot + 1, slot, plenty, 0)  # more than needed in this half-hour
    for slot, (before, after) in enumerate(zip([0, *need], [*need, 0], strict=True)):
        if after > before:
            network.add(source, slot, after - before, 0)
        elif after < before:
            network.add(slot, sink, before - after, 0)
    while network.push(source, sink):
        pass
    return sorted(Shift(begins, length, plenty - arc.room) for begins, length, arc in carried if plenty - arc.room > 0)


def roster_of(shifts: Sequence[Shift], slots: int) -> tuple[int, ...]:
    """How many agents these shifts bring into each half-hour."""
    roster = [0] * slots
    for shift in shifts:
        for slot in range(shift.begins, shift.begins + shift.slots):
            roster[slot] += shift.agents
    return tuple(roster)
