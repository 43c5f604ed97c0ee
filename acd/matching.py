"""Who is offered to whom? The longest idle agent gets the first caller in line whom they can serve.

Between events no caller waits whom an idle agent could serve, so only agents who have just become free and callers who
have just come (back) into line need to be looked at.
"""

from __future__ import annotations

from acd.floor import Floor
from acd.model import AgentState, CallState, Offer, Reason, ReasonCode
from acd.moves import move_agent, move_call
from acd.records import Agent, Call, PlaceKey
from acd.tables import AgentStep, CallStep


def match(floor: Floor) -> None:
    """Make every offer that can be made."""
    agents = sorted((a for a in floor.fresh_agents.values() if a.idle_key is not None), key=lambda a: a.idle_key or ())
    floor.fresh_agents.clear()
    for agent in agents:
        key = _first_for(agent)
        if key is not None:
            _offer(floor, floor.calls[key[3]], agent, ReasonCode.NEXT_IN_LINE)
    fresh = sorted((c for c in floor.fresh_calls.values() if c.state is CallState.WAITING), key=lambda c: c.key or ())
    for call in fresh:
        assert call.demand is not None
        idle = call.demand.idle.first()
        if idle is not None:
            _offer(floor, call, floor.agents[idle[2]], ReasonCode.LONGEST_IDLE)


def _first_for(agent: Agent) -> PlaceKey | None:
    """The first caller in line among all demands that this agent can serve."""
    best: PlaceKey | None = None
    for demand in agent.demands:
        first = demand.waiting.first()
        if first is not None and (best is None or first < best):
            best = first
    return best


def _offer(floor: Floor, call: Call, agent: Agent, code: ReasonCode) -> None:
    assert call.demand is not None
    config = floor.lines[call.queue].config
    timeout_s = floor.config.offer_timeout_s if config.offer_timeout_s is None else config.offer_timeout_s
    timeout_ms = max(1, timeout_s) * 1000
    reason = Reason(
        code,
        {
            "waited_s": floor.waited_s(call),
            "position": floor.position(call),
            "priority": call.priority,
            "skills": skills_text(call.skills),
            "idle_s": (floor.clock.wall - agent.idle_since) // 1000,
            "candidates": len(call.demand.idle),
        },
    )
    floor.offers_made += 1
    offer_id = f"{offer_prefix(floor)}{floor.offers_made}"
    move_call(floor, call, CallStep.OFFER)
    floor.fresh_calls.pop(call.call_id, None)
    call.offer_id, call.offer_agent = offer_id, agent.agent_id
    call.offer_deadline = floor.clock.tau + timeout_ms
    due = call.offer_deadline + floor.config.offer_grace_s * 1000
    call.offer_timer = floor.timers.set(due, "offer", call.call_id)
    agent.call_id, agent.offer_id = call.call_id, offer_id
    deadline_ms = floor.clock.given_of_tau(call.offer_deadline)
    floor.out.append(Offer(offer_id, call.call_id, agent.agent_id, deadline_ms, reason))
    move_agent(floor, agent, AgentStep.OFFER, Reason(ReasonCode.OFFERED, {"offer_id": offer_id}))
    assert agent.state is AgentState.OFFERED


def offer_prefix(floor: Floor) -> str:
    """Offer ids carry the engine's start, so that an offer of an earlier life is never taken for one of this."""
    return f"o{floor.clock.started or 0:x}-{floor.seed}-"


def skills_text(skills: dict[str, int]) -> str:
    return ",".join(f"{skill}:{level}" for skill, level in sorted(skills.items()))
