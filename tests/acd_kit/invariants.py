"""What must hold between any two events, worked out the slow way from the engine's records."""

from __future__ import annotations

from acd.engine import Engine
from acd.model import AgentState, CallState
from acd.records import Agent, Call
from acd.tables import IN_LINE, WORKING


def assert_sound(engine: Engine) -> None:
    """Every index agrees with the records, every call and agent is in one place, no possible offer is left unmade."""
    floor = engine._floor
    _assert_calls(engine)
    _assert_agents(engine)
    for demand in floor.demands.values():
        serving = [agent for agent in floor.agents.values() if _serves(agent, *demand.key)]
        signed_in = [a for a in serving if a.state is not AgentState.SIGNED_OUT and not a.leaving]
        assert demand.capable == len(signed_in)
        assert demand.staffed == len([a for a in signed_in if a.state in WORKING and not a.unreachable])
        assert [key[2] for key in demand.idle] == [a.agent_id for a in sorted(filter(_free, serving), key=_idle_order)]
        waiting = [c for c in floor.calls.values() if c.demand is demand and c.state is CallState.WAITING]
        assert [key[3] for key in demand.waiting] == [c.call_id for c in sorted(waiting, key=_place)]
        assert demand.calls == len([c for c in floor.calls.values() if c.demand is demand])
        possible = len(demand.waiting) and len(demand.idle)
        assert not (possible and floor.link_up), "an offer could be made and was not"
        assert (demand.unstaffed_since is None) == (demand.capable > 0)
    # Timers belong to somebody: at most four for a call, two for an agent, one for a demand.
    assert len(floor.timers) <= 4 * len(floor.calls) + 2 * len(floor.agents) + len(floor.demands)
    assert not floor.touched
    if floor.link_up:
        assert not floor.fresh_calls
        assert not floor.fresh_agents
    assert all(agent.idle_key is not None for agent in floor.fresh_agents.values())
    assert set(floor.fresh_calls) <= set(floor.calls)


def _assert_calls(engine: Engine) -> None:
    floor = engine._floor
    for call in floor.calls.values():
        assert (call.state is CallState.OFFERED) == (call.offer_id is not None) == (call.offer_agent is not None)
        assert (call.state is CallState.TALKING) == bool(call.agents)
        assert (call.state in IN_LINE) == (call.key is not None) == (call.demand is not None)
        assert (call.state in (CallState.FINISHED, CallState.OVERFLOWED)) == (call.call_id in floor.parked)
    for queue, line in floor.lines.items():
        here = sorted((c for c in floor.calls.values() if c.queue == queue and c.state in IN_LINE), key=_place)
        assert engine.waiting_order(queue) == [call.call_id for call in here]
        assert line.shown[0] == len(here)
        assert (line.shown[1] is None) == (not here)
        staff = [a for a in floor.agents.values() if queue in a.queues and a.state in WORKING]
        assert line.staffed == len([a for a in staff if not a.unreachable and not a.leaving])


def _assert_agents(engine: Engine) -> None:
    floor = engine._floor
    for agent in floor.agents.values():
        offers = [call for call in floor.calls.values() if call.offer_agent == agent.agent_id]
        talks = [call for call in floor.calls.values() if agent.agent_id in call.agents]
        assert len(offers) == (agent.state is AgentState.OFFERED)
        assert len(talks) == (agent.state is AgentState.TALKING)
        assert agent.call_id == (next(iter(offers + talks)).call_id if offers or talks else None)
        assert (agent.wrapup_timer is not None) == (agent.state is AgentState.WRAP_UP)
        assert (agent.not_ready_reason != "") == (agent.state is AgentState.NOT_READY)
        if agent.next_state is not None:
            assert agent.state in (AgentState.OFFERED, AgentState.TALKING, AgentState.WRAP_UP)
        assert _free(agent) == (agent.idle_key is not None)


def _free(agent: Agent) -> bool:
    busy = agent.unreachable or agent.in_use or agent.outside or agent.rest_timer is not None
    return agent.state is AgentState.READY and not busy


def _serves(agent: Agent, queue: str, skills: tuple[tuple[str, int], ...]) -> bool:
    return queue in agent.queues and all(agent.skills.get(skill, 0) >= level for skill, level in skills)


def _idle_order(agent: Agent) -> tuple[int, int]:
    return agent.idle_since, agent.sequence


def _place(call: Call) -> tuple[int, int, int]:
    assert call.key is not None
    return call.key[:3]
