"""Who may be given to whom: the demands of the callers in line and, for each, the agents who can serve it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from acd.reach import Reach
from acd.records import Agent, Demand

if TYPE_CHECKING:
    from acd.floor import Floor

_MAX_DEMANDS = 256


class Demands:
    """All demands by what they ask for and by name. Those nobody has any more are forgotten from time to time."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._by_reach: dict[Reach, Demand] = {}
        self.by_name: dict[str, Demand] = {}
        self._limit = _MAX_DEMANDS
        self._having: dict[str, dict[str, Agent]] = {}  # skill → agents who have it, at whatever level

    def __len__(self) -> int:
        return len(self._by_reach)

    def values(self) -> Iterator[Demand]:
        return iter(self._by_reach.values())

    def of_queue(self, queue: str) -> list[Demand]:
        return [demand for demand in self._by_reach.values() if demand.key.queue == queue]

    def get(self, reach: Reach) -> Demand:
        """The demand for these agents, made when it is first asked for."""
        demand = self._by_reach.get(reach)
        if demand is None:
            if len(self._by_reach) >= self._limit:
                self._drop_unused()
            demand = Demand(reach, f"d{self._floor.sequence()}")
            self._by_reach[reach] = self.by_name[demand.name] = demand
            for agent in self._who_might(reach):
                self._attach(agent, demand)
            demand.unstaffed_since = self._floor.clock.tau if demand.capable == 0 else None
        return demand

    def _who_might(self, reach: Reach) -> Iterable[Agent]:
        """Agents among whom everybody is who can serve this reach, the longest known first."""
        if reach.only:
            only = self._floor.agents.get(reach.only)
            return [] if only is None else [only]
        found: dict[str, Agent] = {}
        for need in reach.needs:
            asked = [skill for skill, level in need if level > 0]
            if not asked:
                return self._floor.agents.values()
            rarest = min(asked, key=lambda skill: len(self._having.get(skill, ())))
            found.update(self._having.get(rarest, {}))
        return sorted(found.values(), key=lambda agent: agent.sequence)

    def _drop_unused(self) -> None:
        for reach in [reach for reach, demand in self._by_reach.items() if demand.calls == 0]:
            demand = self._by_reach.pop(reach)
            del self.by_name[demand.name]
            self._floor.timers.cancel(demand.unstaffed_timer)
        self._limit = max(_MAX_DEMANDS, 2 * len(self._by_reach))
        for agent in self._floor.agents.values():
            agent.demands = {demand: fit for demand, fit in agent.demands.items() if demand.key in self._by_reach}
            agent.links += 1

    def link(self, agent: Agent) -> None:
        """Find again which demands the agent serves. They must be neither counted nor indexed while this is done."""
        agent.links += 1
        for demand in agent.demands:
            demand.agents.pop(agent.agent_id, None)
        agent.demands = {}
        for skill in agent.listed:
            del self._having[skill][agent.agent_id]
            if not self._having[skill]:
                del self._having[skill]
        agent.listed = tuple(agent.skills)
        for skill in agent.listed:
            self._having.setdefault(skill, {})[agent.agent_id] = agent
        if agent.queues:
            for demand in self._by_reach.values():
                self._attach(agent, demand)

    def _attach(self, agent: Agent, demand: Demand) -> None:
        fit = self._floor.band(agent, demand)
        if fit is None:
            return
        agent.links += 1
        agent.demands[demand] = fit
        demand.agents[agent.agent_id] = agent
        demand.capable += agent.counted_capable
        demand.staffed += agent.counted_staffed
        demand.weigh()
        if agent.indexed and agent.idle_key is not None:
            demand.idle.add((fit, *agent.idle_key))

    def count(self, demand: Demand, more_capable: int, more_staffed: int) -> None:
        """So many agents more (or fewer) are signed in, or work."""
        demand.capable += more_capable
        demand.staffed += more_staffed
        demand.weigh()
        if not self._floor.foretells_seldom:
            demand.profile = None
        if more_capable:
            self.watch_unstaffed(demand)
        if demand.key.only and demand.staffed == 0 and demand.calls:
            self._floor.timers.set(self._floor.clock.tau, "release", demand.name)

    def watch_unstaffed(self, demand: Demand) -> None:
        """Keep the moment from which nobody has been able to serve this demand, and wake up when it has lasted."""
        timers, tau = self._floor.timers, self._floor.clock.tau
        if demand.capable > 0:
            if demand.unstaffed_timer is not None:
                timers.cancel(demand.unstaffed_timer)
            demand.unstaffed_timer = demand.unstaffed_since = None
            return
        if demand.unstaffed_since is None:
            demand.unstaffed_since = tau
        limit = self._floor.lines[demand.key.queue].config.overflow_unstaffed_s
        if limit is None or demand.calls == 0 or demand.unstaffed_timer is not None:
            return
        due = demand.unstaffed_since + limit * 1000
        if due > tau:
            demand.unstaffed_timer = timers.set(due, "unstaffed", demand.name)

    def unstaffed_too_long(self, demand: Demand) -> bool:
        limit = self._floor.lines[demand.key.queue].config.overflow_unstaffed_s
        since = demand.unstaffed_since
        return limit is not None and since is not None and self._floor.clock.tau - since >= limit * 1000
