"""Everybody waiting, everybody working, and the indexes that find the next pair without looking at all of them.

A call's entry into and exit from the indexes follows from its state, an agent's from state and phone, so no handler
can forget one. How it grows: a change costs O(log n) in calls and in agents, times the number of *different demands*
(queue and required skills) an agent can serve, which the menu's flow bounds, not the number of callers.
"""

from __future__ import annotations

from acd.clock import Clock, Timers
from acd.model import (
    AgentState,
    AgentStateChanged,
    CallState,
    Decision,
    EngineConfig,
    QueueChanged,
    QueueConfig,
    Reason,
)
from acd.records import Agent, Call, Demand, DemandKey, Line
from acd.tables import IN_LINE, WORKING

_MAX_DEMANDS = 256
_MAX_PARKED = 2_000
_MIN_ANNOUNCE_S = 5


class Floor:
    """State and its upkeep; decisions are collected in `out`."""

    def __init__(self, config: EngineConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.clock = Clock(config.late_wake_s * 1000)
        self.timers = Timers()
        self.agents: dict[str, Agent] = {}
        self.calls: dict[str, Call] = {}
        self.lines: dict[str, Line] = {}
        self.demands: dict[DemandKey, Demand] = {}
        self.demand_names: dict[str, Demand] = {}
        self._demand_limit = _MAX_DEMANDS
        self.parked: dict[str, None] = {}  # finished or overflowed calls, oldest first
        self.out: list[Decision] = []
        self.fresh_agents: dict[str, Agent] = {}
        self.fresh_calls: dict[str, Call] = {}
        self.touched: dict[str, Line] = {}
        self.offers_made = 0
        self.link_up = True
        self._sequence = 0
        for queue in config.queues:
            self.lines[queue.queue] = Line(queue, config.expected_handling_s * 1000)
        if config.default_queue not in self.lines:
            self.lines[config.default_queue] = Line(
                QueueConfig(config.default_queue), config.expected_handling_s * 1000
            )

    def sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    # ---------------------------------------------------------------------------------------------------------- calls

    def add_call(self, call_id: str, queue: str, joined: int) -> Call:
        call = Call(call_id, self.sequence(), queue, joined)
        self.calls[call_id] = call
        return call

    def set_call(self, call: Call, state: CallState | None) -> None:
        """Put the call into this state, in and out of every index. None: the call is gone."""
        before, call.state = call.state, state
        if before is CallState.WAITING and call.demand is not None and call.key is not None:
            call.demand.waiting.remove(call.key)
        if before is CallState.RETURNING:
            self.timers.cancel(call.return_timer)
            call.return_timer = None
        if before in IN_LINE and state not in IN_LINE:
            self._leave_line(call)
        elif state in IN_LINE and before not in IN_LINE:
            self._enter_line(call)
        self.parked.pop(call.call_id, None)
        if state is None:
            self.calls.pop(call.call_id, None)
        elif state is CallState.WAITING:
            assert call.demand is not None
            assert call.key is not None
            call.demand.waiting.add(call.key)
            self.fresh_calls[call.call_id] = call
        elif state is CallState.RETURNING:
            due = self.clock.tau + self.config.return_s * 1000
            call.return_timer = self.timers.set(due, "return", call.call_id)
        elif state in (CallState.FINISHED, CallState.OVERFLOWED):
            self._park(call)

    def _park(self, call: Call) -> None:
        """Bounded memory of callers who were sent on and whose departure was never reported."""
        self.parked[call.call_id] = None
        if len(self.parked) > _MAX_PARKED:
            oldest = next(iter(self.parked))
            del self.parked[oldest]
            self.calls.pop(oldest, None)

    def _enter_line(self, call: Call) -> None:
        line = self.lines[call.queue]
        call.key = (-(call.priority + line.config.priority), call.joined, call.sequence, call.call_id)
        line.order.add(call.key)
        line.by_joined.add((call.joined, call.sequence))
        self.touched[call.queue] = line
        call.demand = self._demand(call)
        call.demand.calls += 1
        self._watch_unstaffed(call.demand)
        first = max(_MIN_ANNOUNCE_S, line.config.announce_first_s) * 1000
        if not call.newcomer:
            # All who are taken over after a restart come in one moment: do not speak to all in one moment.
            first += call.sequence * 997 % (max(_MIN_ANNOUNCE_S, line.config.announce_every_s) * 1000)
        call.announce_timer = self.timers.set(self.clock.tau + first, "announce", call.call_id)
        limit = line.config.overflow_wait_s
        call.overflow_due = None
        if limit is not None and call.priority < line.config.overflow_below_priority:
            call.overflow_due = self.clock.tau + max(0, limit * 1000 - (self.clock.wall - call.joined))
            call.overflow_timer = self.timers.set(call.overflow_due, "overflow", call.call_id)

    def _leave_line(self, call: Call) -> None:
        line = self.lines[call.queue]
        assert call.key is not None
        assert call.demand is not None
        line.order.remove(call.key)
        line.by_joined.remove((call.joined, call.sequence))
        self.touched[call.queue] = line
        call.demand.calls -= 1
        call.demand = None
        call.key = None
        self.timers.cancel(call.announce_timer)
        self.timers.cancel(call.overflow_timer)
        call.announce_timer = call.overflow_timer = None
        self.fresh_calls.pop(call.call_id, None)

    def position(self, call: Call) -> int:
        assert call.key is not None
        return self.lines[call.queue].order.rank(call.key) + 1

    def waited_s(self, call: Call) -> int:
        return (self.clock.wall - call.joined) // 1000

    # -------------------------------------------------------------------------------------------------------- demands

    def _demand(self, call: Call) -> Demand:
        key = (call.queue, tuple(sorted(call.skills.items())))
        demand = self.demands.get(key)
        if demand is None:
            if len(self.demands) >= self._demand_limit:
                self._drop_unused_demands()
            demand = Demand(key, f"d{self.sequence()}")
            self.demands[key] = self.demand_names[demand.name] = demand
            for agent in self.agents.values():
                if _serves(agent, demand):
                    self._attach(agent, demand)
            demand.unstaffed_since = self.clock.tau if demand.capable == 0 else None
        return demand

    def _drop_unused_demands(self) -> None:
        for key in [key for key, demand in self.demands.items() if demand.calls == 0]:
            demand = self.demands.pop(key)
            del self.demand_names[demand.name]
            self.timers.cancel(demand.unstaffed_timer)
        self._demand_limit = max(_MAX_DEMANDS, 2 * len(self.demands))
        for agent in self.agents.values():
            agent.demands = [demand for demand in agent.demands if demand.key in self.demands]

    def _attach(self, agent: Agent, demand: Demand) -> None:
        agent.demands.append(demand)
        demand.capable += agent.counted_capable
        demand.staffed += agent.counted_staffed
        if agent.idle_key is not None:
            demand.idle.add(agent.idle_key)

    def _watch_unstaffed(self, demand: Demand) -> None:
        """Keep the moment from which nobody has been able to serve this demand, and wake up when it has lasted."""
        if demand.capable > 0:
            self.timers.cancel(demand.unstaffed_timer)
            demand.unstaffed_timer = demand.unstaffed_since = None
            return
        if demand.unstaffed_since is None:
            demand.unstaffed_since = self.clock.tau
        limit = self.lines[demand.key[0]].config.overflow_unstaffed_s
        if limit is None or demand.calls == 0 or demand.unstaffed_timer is not None:
            return
        due = demand.unstaffed_since + limit * 1000
        if due > self.clock.tau:
            demand.unstaffed_timer = self.timers.set(due, "unstaffed", demand.name)

    def unstaffed_too_long(self, demand: Demand) -> bool:
        limit = self.lines[demand.key[0]].config.overflow_unstaffed_s
        since = demand.unstaffed_since
        return limit is not None and since is not None and self.clock.tau - since >= limit * 1000

    # --------------------------------------------------------------------------------------------------------- agents

    def agent(self, agent_id: str) -> Agent:
        """The agent's record, made when it is first spoken of: a phone may register before its agent signs in."""
        agent = self.agents.get(agent_id)
        if agent is None:
            agent = Agent(agent_id, self.sequence(), since=self.clock.wall, idle_since=self.clock.wall)
            self.agents[agent_id] = agent
        return agent

    def link(self, agent: Agent) -> None:
        """Find again which queues and demands the agent serves."""
        self._unindex(agent)
        agent.lines = [self.lines[queue] for queue in agent.queues if queue in self.lines]
        agent.demands = []
        for demand in self.demands.values():
            if _serves(agent, demand):
                agent.demands.append(demand)
        self.index(agent)

    def _unindex(self, agent: Agent) -> None:
        if agent.idle_key is not None:
            for demand in agent.demands:
                demand.idle.remove(agent.idle_key)
            agent.idle_key = None
        self.fresh_agents.pop(agent.agent_id, None)
        self._count(agent, False, False)

    def index(self, agent: Agent) -> None:
        """Bring the indexes in line with the agent's state and phone."""
        working = agent.state in WORKING and not agent.unreachable and not agent.leaving
        self._count(agent, agent.state is not AgentState.SIGNED_OUT and not agent.leaving, working)
        open_to_offers = (
            agent.state is AgentState.READY
            and not (agent.unreachable or agent.in_use or agent.outside)
            and agent.rest_timer is None
        )
        key = (agent.idle_since, agent.sequence, agent.agent_id) if open_to_offers else None
        if key == agent.idle_key:
            return
        if agent.idle_key is not None:
            for demand in agent.demands:
                demand.idle.remove(agent.idle_key)
        agent.idle_key = key
        if key is None:
            self.fresh_agents.pop(agent.agent_id, None)
            return
        for demand in agent.demands:
            demand.idle.add(key)
        self.fresh_agents[agent.agent_id] = agent

    def _count(self, agent: Agent, capable: bool, staffed: bool) -> None:
        more_capable = int(capable) - int(agent.counted_capable)
        more_staffed = int(staffed) - int(agent.counted_staffed)
        agent.counted_capable, agent.counted_staffed = capable, staffed
        if more_staffed:
            for line in agent.lines:
                line.staffed += more_staffed
        if more_capable or more_staffed:
            for demand in agent.demands:
                demand.capable += more_capable
                demand.staffed += more_staffed
                if more_capable:
                    self._watch_unstaffed(demand)

    def show(self, agent: Agent, reason: Reason) -> None:
        """Decide `AgentStateChanged` with everything a page shows of an agent."""
        self.out.append(
            AgentStateChanged(
                agent.agent_id,
                agent.state,
                self.clock.given_of_wall(agent.since),
                reason,
                unreachable=agent.unreachable,
                in_use=agent.in_use,
                busy_outside=agent.outside,
                not_ready_reason=agent.not_ready_reason,
                until_ms=self.until_ms(agent),
                next_state=agent.next_state,
                next_reason=agent.next_reason,
            )
        )

    def until_ms(self, agent: Agent) -> int | None:
        if agent.wrapup_timer is not None:
            return self.clock.given_of_tau(agent.wrapup_timer[0])
        if agent.offer_id is not None and agent.call_id is not None:
            return self.clock.given_of_tau(self.calls[agent.call_id].offer_deadline)
        return None

    # --------------------------------------------------------------------------------------------------------- queues

    def configure(self, config: QueueConfig) -> None:
        """A queue is new or has new rules. Rare, so everybody concerned is simply placed again."""
        line = self.lines.get(config.queue)
        if line is None:
            self.lines[config.queue] = Line(config, self.config.expected_handling_s * 1000)
            for agent in self.agents.values():
                if config.queue in agent.queues:
                    self.link(agent)
            return
        line.config = config
        for key in list(line.order):
            call = self.calls[key[3]]
            state, returning = call.state, call.return_timer
            call.return_timer = None  # its time goes on
            self.set_call(call, CallState.FINISHED)
            self.set_call(call, state)
            if returning is not None:
                self.timers.cancel(call.return_timer)
                call.return_timer = self.timers.set(returning[0], "return", call.call_id)
                self.timers.cancel(returning)
        for demand in self.demands.values():
            if demand.key[0] == config.queue:
                self.timers.cancel(demand.unstaffed_timer)
                demand.unstaffed_timer = None
                self._watch_unstaffed(demand)

    def show_queues(self) -> None:
        """Decide `QueueChanged` for every queue whose depth or oldest caller has changed."""
        for queue, line in self.touched.items():
            first = line.by_joined.first()
            shown = (len(line.order), None if first is None else self.clock.given_of_wall(first[0]))
            if shown != line.shown:
                line.shown = shown
                self.out.append(QueueChanged(queue, *shown))
        self.touched.clear()


def _serves(agent: Agent, demand: Demand) -> bool:
    queue, skills = demand.key
    return queue in agent.queues and all(agent.skills.get(skill, 0) >= level for skill, level in skills)
