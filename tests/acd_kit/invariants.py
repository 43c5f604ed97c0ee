"""What must hold between any two events, worked out the slow way from the engine's records."""

from __future__ import annotations

from collections import Counter

from acd.engine import Engine
from acd.model import AgentState, CallState
from acd.records import Agent, Call, PlaceKey
from acd.tables import BEING_OFFERED, IN_LINE, IN_OFFER, IN_TALK, MATCHABLE, WORKING


def assert_sound(engine: Engine) -> None:
    """Every index agrees with the records, every call and agent is in one place, no possible offer is left unmade."""
    floor = engine._floor
    _assert_calls(engine)
    _assert_agents(engine)
    for demand in floor.demands.values():
        serving = [agent for agent in floor.agents.values() if floor.band(agent, demand) is not None]
        assert set(demand.agents) == {agent.agent_id for agent in serving}
        assert all(dict(_bands(agent))[demand.name] == floor.band(agent, demand) for agent in serving)
        signed_in = [a for a in serving if a.state is not AgentState.SIGNED_OUT and not a.leaving]
        assert demand.capable == len(signed_in)
        assert demand.staffed == len([a for a in signed_in if a.state in WORKING and not a.unreachable])
        assert demand.pressure == (len(demand.waiting) / demand.staffed if demand.staffed else 0)
        free = sorted((floor.band(a, demand), *_idle_order(a), a.agent_id) for a in serving if _free(a))
        assert list(demand.idle) == free
        waiting = [c for c in floor.calls.values() if c.demand is demand and c.state in MATCHABLE]
        assert [key[3] for key in demand.waiting] == [c.call_id for c in sorted(waiting, key=_place)]
        assert demand.calls == len([c for c in floor.calls.values() if c.demand is demand])
        possible = len(demand.waiting) and len(demand.idle)
        assert not (possible and floor.link_up), "an offer could be made and was not"
        assert (demand.unstaffed_since is None) == (demand.capable > 0)
        assert not (demand.key.only and demand.calls and not demand.staffed), "kept for an agent who does not work"
        if demand.shared is not None and demand.shared.links == [agent.links for agent in demand.shared.looked_at]:
            looked_at = Counter(other for agent in demand.shared.looked_at for other in agent.demands)
            del looked_at[demand]
            stand_for = demand.shared.serving / len(demand.shared.looked_at)
            assert dict(zip(demand.shared.others, demand.shared.agents, strict=True)) == {
                other: count * stand_for for other, count in looked_at.items()
            }
    # Timers belong to somebody: at most six for a call, three for an agent, one for a demand, a queue, a rule.
    others = len(floor.demands) + len(floor.lines) + len(floor.nuisance.by_id)
    assert len(floor.timers) <= 6 * len(floor.calls) + 3 * len(floor.agents) + others
    assert not floor.turned_away or not floor.link_up
    assert not floor.touched
    if floor.link_up:
        assert not floor.fresh_calls
        assert not floor.fresh_agents
    assert all(agent.idle_key is not None for agent in floor.fresh_agents.values())
    assert set(floor.fresh_calls) <= set(floor.calls)


def _assert_calls(engine: Engine) -> None:
    floor = engine._floor
    for call in floor.calls.values():
        assert (call.state in IN_OFFER) == (call.offer_id is not None) == (call.offer_agent is not None)
        assert (call.state is CallState.TALKING) == bool(call.agents) or call.state is CallState.CALLBACK_DIALLING
        assert call.stage < max(1, len(call.stages))
        if call.state in (CallState.CALLBACK_RESTING, CallState.CALLBACK_DIALLING, CallState.CALLBACK_WAITING):
            assert call.callback_timer is not None, f"{call.call_id} would rest for ever"
        if call.state in IN_LINE:
            assert call.demand.key == call.stages[call.stage].reach
            assert call.stage + 1 == len(call.stages) or call.widen_timer is not None
        assert not call.caller_key or call.call_id in floor.of_key[call.caller_key]
        assert (call.state in IN_LINE) == (call.key is not None) == (call.demand is not None)
        assert (call.state in (CallState.FINISHED, CallState.OVERFLOWED)) == (call.call_id in floor.parked)
    for queue, line in floor.lines.items():
        here = sorted((c for c in floor.calls.values() if c.queue == queue and c.state in IN_LINE), key=_place)
        assert engine.waiting_order(queue) == [call.call_id for call in here]
        places = Counter(_place(call)[:3] for call in here if call.callback is None)
        assert set(places.values()) <= {1}, "two who called have one place"
        assert line.shown[0] == len(here)
        assert (line.shown[1] is None) == (not here)
        staff = [a for a in floor.agents.values() if queue in a.queues and a.state in WORKING]
        assert line.staffed == len([a for a in staff if not a.unreachable and not a.leaving])


def _assert_agents(engine: Engine) -> None:
    floor = engine._floor
    assert floor.with_wish == {agent.agent_id for agent in floor.agents.values() if agent.next_state is not None}
    for agent in floor.agents.values():
        offers = [call for call in floor.calls.values() if call.offer_agent == agent.agent_id]
        talks = [call for call in floor.calls.values() if agent.agent_id in call.agents]
        assert len(offers) == (agent.state in BEING_OFFERED)
        assert len(talks) == (agent.state in IN_TALK)
        assert agent.call_id == (next(iter(offers + talks)).call_id if offers or talks else None)
        assert (agent.wrapup_timer is not None) == (agent.state is AgentState.WRAP_UP)
        assert (agent.not_ready_reason != "") == (agent.state is AgentState.NOT_READY)
        if agent.next_state is not None:
            assert agent.state in BEING_OFFERED | IN_TALK | {AgentState.WRAP_UP}
        assert _free(agent) == (agent.idle_key is not None)


def _free(agent: Agent) -> bool:
    busy = agent.unreachable or agent.in_use or agent.outside or agent.rest_timer is not None
    return agent.state is AgentState.READY and not busy


def _bands(agent: Agent) -> list[tuple[str, int]]:
    return [(demand.name, band) for demand, band in agent.demands.items()]


def _idle_order(agent: Agent) -> tuple[int, int]:
    return agent.idle_since, agent.sequence


def _place(call: Call) -> PlaceKey:
    """Only a caller who is back and the call-back promised to them share moment and rank: then the id decides."""
    assert call.key is not None
    return call.key
