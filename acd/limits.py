"""How long may an agent stay in a state, and where does it lead then? Nobody is stuck anywhere for ever.

Offers and wrap-up have timers of their own, exact to the moment (`EngineConfig.offer_timeout_s`, `wrapup_s`). The other
states have one lazy timer per agent, which looks, when it rings, whether the present state has really lasted too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from acd.config import EngineConfig
from acd.records import Agent
from acd.states import AgentState
from acd.tables import AgentStep

if TYPE_CHECKING:
    from acd.floor import Floor


class Limit(NamedTuple):
    """The setting that limits a state, and the step that is made then; None: the record is forgotten."""

    setting: str
    step: AgentStep | None


# `tests/unit/test_acd_model_check.py` sees to it that every state is here.
LIMITS: dict[AgentState, Limit] = {
    AgentState.SIGNED_OUT: Limit("forget_after_s", None),
    AgentState.READY: Limit("ready_max_s", AgentStep.STATE_OVER),
    AgentState.OFFERED: Limit("offer_timeout_s", AgentStep.MISS),
    AgentState.RINGING: Limit("offer_timeout_s", AgentStep.MISS),
    AgentState.TALKING: Limit("talk_max_s", AgentStep.STATE_OVER),
    AgentState.HOLD: Limit("hold_max_s", AgentStep.STATE_OVER),
    AgentState.WRAP_UP: Limit("wrapup_s", AgentStep.WRAPUP_OVER),
    AgentState.NOT_READY: Limit("not_ready_max_s", AgentStep.STATE_OVER),
}
_WATCHED = frozenset(LIMITS) - {AgentState.OFFERED, AgentState.RINGING, AgentState.WRAP_UP}
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_NOT_READY = AgentState.NOT_READY


def longest_ms(config: EngineConfig) -> dict[AgentState, int | None]:
    """The most milliseconds an agent may stay in each state; None: no limit, or a timer of its own."""
    longest = {state: getattr(config, LIMITS[state].setting) if state in _WATCHED else None for state in LIMITS}
    return {state: None if limit_s is None else max(1, limit_s) * 1000 for state, limit_s in longest.items()}


def _longest_ms(floor: Floor, agent: Agent) -> int | None:
    """The same for the present state, and the reason for it."""
    if agent.state is _NOT_READY and agent.not_ready_reason in floor.config.not_ready_limits:
        return max(1, floor.config.not_ready_limits[agent.not_ready_reason]) * 1000
    return floor.longest_ms[agent.state]


def watch(floor: Floor, agent: Agent) -> None:
    """The agent has entered a state: see to it that somebody looks when its time is over."""
    agent.entered = floor.clock.tau
    longest = _longest_ms(floor, agent)
    if longest is None:
        return
    due = floor.clock.tau + longest
    if agent.watch_timer is None or due < agent.watch_timer[0]:
        floor.timers.cancel(agent.watch_timer)
        agent.watch_timer = floor.timers.set(due, "watch", agent.agent_id)


def overdue(floor: Floor, agent: Agent) -> bool:
    """The lazy timer has rung: has the present state lasted too long? If not, it is set again."""
    agent.watch_timer = None
    longest = _longest_ms(floor, agent)
    if longest is None:
        return False
    due = agent.entered + longest
    if due > floor.clock.tau:
        agent.watch_timer = floor.timers.set(due, "watch", agent.agent_id)
        return False
    return True
