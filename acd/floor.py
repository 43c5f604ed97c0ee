"""Everybody waiting, everybody working, and the indexes that find the next pair without looking at all of them.

A call's entry into and exit from the indexes follows from its state, an agent's from state and phone, so no handler
can forget one. How it grows: a change costs O(log n) in calls and in agents, times the number of *different demands*
(who may serve a call) an agent can serve, which the menu's flow bounds, not the number of callers.
"""

from __future__ import annotations

from acd import staging
from acd.clock import Clock, Timers
from acd.config import EngineConfig, Prediction, QueueConfig, in_force
from acd.decisions import AgentStateChanged, Decision, QueueChanged
from acd.demands import Demands
from acd.freeing import Breaks
from acd.hours import limits_at, next_change
from acd.limits import longest_ms, watch
from acd.reach import band, rules_of
from acd.reasons import Reason, ReasonCode
from acd.records import Agent, Call, Demand, Line, NuisanceRules, PlaceKey
from acd.states import AgentState, CallState
from acd.tables import CALLBACKS, IN_LINE, MATCHABLE, WORKING

_MAX_PARKED = 2_000
_MIN_ANNOUNCE_S = 5
_MINUTE_MS = 60_000
_PARKED = frozenset({CallState.FINISHED, CallState.OVERFLOWED})
# Emergencies come before everybody else, whatever points age or a queue may give.
_EMERGENCY_CLASS = 10_000
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_READY = AgentState.READY
_SIGNED_OUT = AgentState.SIGNED_OUT
_RETURNING = CallState.RETURNING


class Floor:
    """State and its upkeep; decisions are collected in `out`."""

    def __init__(self, config: EngineConfig, seed: int) -> None:
        self.config = config = in_force(config)
        self.seed = seed
        # What was foretold is used for longer; see `acd.outlook` and `acd.announce`.
        self.foretells_seldom = config.behaviour >= 4 and config.prediction is Prediction.FLOW
        self.clock = Clock(config.late_wake_s * 1000)
        self.timers = Timers()
        self.agents: dict[str, Agent] = {}
        self.calls: dict[str, Call] = {}
        self.lines: dict[str, Line] = {}
        self.demands = Demands(self)
        self.breaks = Breaks()
        self.parked: dict[str, None] = {}  # finished or overflowed calls, oldest first
        self.out: list[Decision] = []
        self.with_wish: set[str] = set()  # agents for whom another state is queued
        self.fresh_agents: dict[str, Agent] = {}
        self.fresh_calls: dict[str, Call] = {}
        self.touched: dict[str, Line] = {}
        self.offers_made = 0
        self.offer_prefix = ""  # made when the first offer is
        self.link_up = True
        self.longest_ms = longest_ms(config)
        self.of_key: dict[str, dict[str, None]] = {}  # caller key → calls that are known of that caller
        self.abandoned: dict[str, tuple[int, int]] = {}  # caller key → place and moment of hanging up, oldest first
        self.nuisance = NuisanceRules()
        self.turned_away: dict[str, Call] = {}  # not yet decided aloud
        self.to_dial: dict[str, tuple[str, ReasonCode]] = {}  # call-back → agent on the line, why; not yet aloud
        self._sequence = 0
        for queue in config.queues:
            self._add_line(queue)
        if config.default_queue not in self.lines:
            self._add_line(QueueConfig(config.default_queue))

    def _add_line(self, queue: QueueConfig) -> None:
        self.lines[queue.queue] = Line(queue, self.config.expected_handling_s * 1000, rules_of(self.config, queue))

    def sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    # ---------------------------------------------------------------------------------------------------------- calls

    def add_call(self, call_id: str, queue: str, joined: int, rank: int = 0) -> Call:
        """Know a call; `rank` is its place among those who joined at the same moment, 0: after who came before."""
        sequence = self.sequence()
        call = Call(call_id, sequence, queue, joined, joined, rank or sequence)
        self.calls[call_id] = call
        return call

    def set_call(self, call: Call, state: CallState | None) -> None:
        """Put the call into this state, in and out of every index. None: the call is gone."""
        before, call.state = call.state, state
        if before in MATCHABLE and call.demand is not None and call.key is not None:
            call.demand.leave(call.key)
        in_line = state in IN_LINE
        if before is _RETURNING:
            self.timers.cancel(call.return_timer)
            call.return_timer = None
        if (before in IN_LINE) is not in_line:
            (self._enter_line if in_line else self._leave_line)(call)
        if before in CALLBACKS or state in CALLBACKS:
            staging.time_callback(self, call)
        if before in _PARKED:
            self.parked.pop(call.call_id, None)
        if state is None:
            self._forget(call)
        elif state in MATCHABLE:
            assert call.demand is not None
            assert call.key is not None
            call.demand.enter(call.key)
            self.fresh_calls[call.call_id] = call
        elif state is _RETURNING:
            due = self.clock.tau + self.config.return_s * 1000
            call.return_timer = self.timers.set(due, "return", call.call_id)
        elif state in _PARKED:
            self._park(call)

    def _park(self, call: Call) -> None:
        """Bounded memory of callers who were sent on and whose departure was never reported."""
        self.parked[call.call_id] = None
        if len(self.parked) > _MAX_PARKED:
            oldest = next(iter(self.parked))
            del self.parked[oldest]
            self._forget(self.calls[oldest])

    def _forget(self, call: Call) -> None:
        self.calls.pop(call.call_id, None)
        if self.turned_away:
            self.turned_away.pop(call.call_id, None)
        if call.caller_key:
            self.name_caller(call, "")

    def name_caller(self, call: Call, caller_key: str) -> None:
        """Keep in mind which caller this call is of; an empty key: of nobody."""
        if call.caller_key:
            known = self.of_key[call.caller_key]
            del known[call.call_id]
            if not known:
                del self.of_key[call.caller_key]
        call.caller_key = caller_key
        if caller_key:
            self.of_key.setdefault(caller_key, {})[call.call_id] = None

    def place_key(self, call: Call) -> PlaceKey:
        """Where the call stands in line. Age is part of the place, not of the time: a point of priority is worth as
        much as waiting 60 s ÷ `ageing_per_minute` longer, so the order of two callers never changes by waiting."""
        points = call.priority + self.lines[call.queue].config.priority
        per_minute = self.config.ageing_per_minute
        if per_minute <= 0:
            return (-points, call.joined, call.rank, call.call_id)
        if call.priority >= self.config.emergency_priority:
            return (-_EMERGENCY_CLASS - points, call.joined, call.rank, call.call_id)
        return (0, call.joined - points * _MINUTE_MS // per_minute, call.rank, call.call_id)

    def _enter_line(self, call: Call) -> None:
        line = self.lines[call.queue]
        call.key = self.place_key(call)
        line.order.add(call.key)
        line.by_joined.add((call.joined, call.sequence))
        self.touched[call.queue] = line
        staging.first_stage(self, call, line)
        assert call.demand is not None
        self.demands.watch_unstaffed(call.demand)
        if call.state not in CALLBACKS:
            self._time_wait(call, line)
        staging.time_widening(self, call)

    def _time_wait(self, call: Call, line: Line) -> None:
        first = line.config.announce_first_s * 1000
        if first < _MIN_ANNOUNCE_S * 1000:
            first = _MIN_ANNOUNCE_S * 1000
        if not call.newcomer:
            # All who are taken over after a restart come in one moment: do not speak to all in one moment.
            first += call.sequence * 997 % (max(_MIN_ANNOUNCE_S, line.config.announce_every_s) * 1000)
        call.announce_timer = self.timers.set(self.clock.tau + first, "announce", call.call_id)
        self.time_overflow(call)
        if line.config.hours and line.hours_timer is None:
            self.time_hours(line)
        rules = line.config.callback
        if rules is not None and rules.offer_after_s is not None and not call.callback_offered and not call.callback:
            left = max(0, rules.offer_after_s * 1000 - (self.clock.wall - call.began))
            call.callback_timer = self.timers.set(self.clock.tau + left, "ask", call.call_id)

    def time_overflow(self, call: Call) -> None:
        """When this caller has waited too long by the limits of the hour. Whoever is called back is not sent on."""
        config = self.lines[call.queue].config
        limits = limits_at(config, self.clock.given, self.config.zone_offset_min) if config.hours else config
        limit = limits.overflow_wait_s
        if call.overflow_timer is not None:
            self.timers.cancel(call.overflow_timer)
        call.overflow_due = call.overflow_timer = None
        if limit is not None and call.priority < config.overflow_below_priority and call.callback is None:
            call.overflow_due = self.clock.tau + max(0, limit * 1000 - (self.clock.wall - call.began))
            call.overflow_timer = self.timers.set(call.overflow_due, "overflow", call.call_id)

    def time_hours(self, line: Line) -> None:
        """Wake up when other limits may begin to hold."""
        windows = [rule.window for rule in line.config.hours]
        at = next_change(windows, self.clock.given, self.config.zone_offset_min)
        self.timers.cancel(line.hours_timer)
        line.hours_timer = None
        if at is not None:
            line.hours_timer = self.timers.set(self.clock.tau + at - self.clock.given, "hours", line.config.queue)

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
        for timer in (call.announce_timer, call.overflow_timer, call.widen_timer, call.callback_timer):
            if timer is not None:
                self.timers.cancel(timer)
        call.announce_timer = call.overflow_timer = call.widen_timer = call.callback_timer = None
        self.fresh_calls.pop(call.call_id, None)

    def position(self, call: Call) -> int:
        assert call.key is not None
        return self.lines[call.queue].order.rank(call.key) + 1

    def waited_s(self, call: Call) -> int:
        return (self.clock.wall - call.joined) // 1000

    # --------------------------------------------------------------------------------------------------------- agents

    def agent(self, agent_id: str) -> Agent:
        """The agent's record, made when it is first spoken of: a phone may register before its agent signs in."""
        agent = self.agents.get(agent_id)
        if agent is None:
            agent = Agent(agent_id, self.sequence(), since=self.clock.wall, idle_since=self.clock.wall)
            self.agents[agent_id] = agent
            watch(self, agent)
        return agent

    def link(self, agent: Agent) -> None:
        """Find again which queues and demands the agent serves."""
        self._close(agent)
        self._count(agent, False, False)
        agent.lines = [self.lines[queue] for queue in agent.queues if queue in self.lines]
        self.demands.link(agent)
        self.index(agent)

    def band(self, agent: Agent, demand: Demand) -> int | None:
        """How well the agent suits this demand; None when not at all."""
        line = self.lines.get(demand.key.queue)
        if line is None:
            return None
        return band(demand.key, agent.agent_id, agent.group, agent.queues, agent.skills, line.rules)

    def index(self, agent: Agent) -> None:
        """Bring the indexes in line with the agent's state and phone."""
        state, stays = agent.state, not agent.leaving
        self._count(agent, state is not _SIGNED_OUT and stays, state in WORKING and stays and not agent.unreachable)
        open_to_offers = (
            state is _READY and not (agent.unreachable or agent.in_use or agent.outside) and agent.rest_timer is None
        )
        key = (agent.idle_since, agent.sequence, agent.agent_id) if open_to_offers else None
        if key == agent.idle_key:
            return
        self._close(agent)
        if key is not None:
            agent.idle_key = key
            self.fresh_agents[agent.agent_id] = agent

    def _close(self, agent: Agent) -> None:
        """No offers to this agent for the time being."""
        if agent.indexed and agent.idle_key is not None:
            for demand, fit in agent.demands.items():
                demand.idle.remove((fit, *agent.idle_key))
        agent.indexed, agent.idle_key = False, None
        self.fresh_agents.pop(agent.agent_id, None)

    def set_wish(self, agent: Agent, state: AgentState | None, reason: str = "") -> None:
        """Queue a state (and its reason) for after the call; None: nothing is queued."""
        agent.next_state, agent.next_reason = state, reason
        if state is None:
            self.with_wish.discard(agent.agent_id)
        else:
            self.with_wish.add(agent.agent_id)

    def settle(self, agent: Agent) -> None:
        """Put an agent who is open to offers among the idle of every demand they serve.

        Not done at once when they become free: more often than not somebody waits for them, and they are gone again.
        """
        if agent.idle_key is not None and not agent.indexed:
            agent.indexed = True
            for demand, fit in agent.demands.items():
                demand.idle.add((fit, *agent.idle_key))

    def free(self, demand: Demand) -> int:
        """How many agents are free for this demand."""
        if not self.fresh_agents:
            return demand.idle.size
        fresh = (agent for agent in self.fresh_agents.values() if not agent.indexed)
        return demand.idle.size + sum(1 for agent in fresh if self.band(agent, demand) is not None)

    def _count(self, agent: Agent, capable: bool, staffed: bool) -> None:
        if capable == agent.counted_capable and staffed == agent.counted_staffed:
            return
        more_capable = int(capable) - int(agent.counted_capable)
        more_staffed = int(staffed) - int(agent.counted_staffed)
        agent.counted_capable, agent.counted_staffed = capable, staffed
        if more_staffed:
            for line in agent.lines:
                line.staffed += more_staffed
        if more_capable or more_staffed:
            for demand in agent.demands:
                self.demands.count(demand, more_capable, more_staffed)

    def show(self, agent: Agent, reason: Reason) -> None:
        """Decide `AgentStateChanged` with everything a page shows of an agent."""
        self.out.append(
            AgentStateChanged(
                agent.agent_id,
                agent.state,
                self.clock.given_of_wall(agent.since),
                reason,
                agent.unreachable,
                agent.in_use,
                agent.outside,
                agent.not_ready_reason,
                self.until_ms(agent),
                agent.next_state,
                agent.next_reason,
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
            self._add_line(config)
            for agent in self.agents.values():
                if config.queue in agent.queues:
                    self.link(agent)
            return
        line.config = config
        line.plans.clear()
        rules = rules_of(self.config, config)
        if rules != line.rules:
            line.rules = rules
            for agent in self.agents.values():
                if config.queue in agent.queues:
                    self.link(agent)
        for key in list(line.order):
            self._place_again(self.calls[key[3]])
        if config.hours:
            self.time_hours(line)
        for demand in self.demands.of_queue(config.queue):
            self.timers.cancel(demand.unstaffed_timer)
            demand.unstaffed_timer = None
            self.demands.watch_unstaffed(demand)

    def _place_again(self, call: Call) -> None:
        state, returning = call.state, call.return_timer
        call.return_timer = None  # its time goes on
        self.set_call(call, CallState.FINISHED)
        self.set_call(call, state)
        if returning is not None:
            self.timers.cancel(call.return_timer)
            call.return_timer = self.timers.set(returning[0], "return", call.call_id)
            self.timers.cancel(returning)

    def show_queues(self) -> None:
        """Decide `QueueChanged` for every queue whose depth or oldest caller has changed."""
        for queue, line in self.touched.items():
            first = line.by_joined.head
            shown = (line.order.size, None if first is None else self.clock.given_of_wall(first[0]))
            if shown != line.shown:
                line.shown = shown
                self.out.append(QueueChanged(queue, *shown))
        self.touched.clear()
