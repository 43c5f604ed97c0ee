"""Who is offered to whom? The longest idle agent gets the first caller in line whom they can serve.

Between events no caller waits whom an idle agent could serve, so only agents who have just become free and callers who
have just come (back) into line need to be looked at.
"""

from __future__ import annotations

from acd import callbacks
from acd.config import Choice
from acd.floor import Floor
from acd.model import CallState, Offer, Reason, ReasonCode
from acd.moves import move_agent, move_call
from acd.reach import needs_text
from acd.records import Agent, Call, PlaceKey
from acd.tables import BEING_OFFERED, MATCHABLE, AgentStep, CallStep

# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_CALLBACK_WAITING = CallState.CALLBACK_WAITING
_CALLBACK_OFFERED = CallState.CALLBACK_OFFERED
_IDLE_LONGEST = Choice.LONGEST_IDLE
_OFFERED = ReasonCode.OFFERED
_NEXT_IN_LINE = ReasonCode.NEXT_IN_LINE
_AGENT_IS_OFFERED = AgentStep.OFFER
_IS_OFFERED = CallStep.OFFER


def match(floor: Floor) -> None:
    """Make every offer that can be made."""
    if floor.fresh_agents:
        _serve_with(floor, list(floor.fresh_agents.values()))
    if not floor.fresh_calls:
        return
    fresh = [call for call in floor.fresh_calls.values() if call.state in MATCHABLE]
    if len(fresh) > 1:
        fresh.sort(key=lambda call: call.key or ())
    for call in fresh:
        while call.state in MATCHABLE and call.demand is not None:
            best = call.demand.idle.first()
            if best is None:
                break
            worst = call.demand.idle.last()
            code = ReasonCode.LONGEST_IDLE if worst is None or worst[0] == best[0] else ReasonCode.BEST_FIT
            _give(floor, call, floor.agents[best[3]], code)


def _serve_with(floor: Floor, agents: list[Agent]) -> None:
    """Give those who have just become free, the longest idle first, the first callers in line whom they can serve."""
    if len(agents) > 1:
        agents = sorted((a for a in agents if a.idle_key is not None), key=lambda a: a.idle_key or ())
    if len(agents) > 1:
        for agent in agents:
            floor.settle(agent)
    floor.fresh_agents.clear()
    for agent in agents:
        while agent.idle_key is not None:
            key = _first_for(agent)
            if key is None:
                floor.settle(agent)
                break
            call = floor.calls[key[3]]
            _give(floor, call, _best_for(floor, call, agent), _NEXT_IN_LINE)


def _best_for(floor: Floor, call: Call, agent: Agent) -> Agent:
    """Of several who are free in one moment, the one who suits the call best."""
    assert call.demand is not None
    line = floor.lines[call.queue]
    if line.rules.choice is _IDLE_LONGEST or not call.demand.idle:
        return agent
    floor.settle(agent)
    best = call.demand.idle.first()
    return agent if best is None else floor.agents[best[3]]


def _first_for(agent: Agent) -> PlaceKey | None:
    """The first caller in line among all demands that this agent can serve."""
    best: PlaceKey | None = None
    for demand in agent.demands:
        first = demand.waiting.head
        if first is not None and (best is None or first < best):
            best = first
    return best


def _give(floor: Floor, call: Call, agent: Agent, code: ReasonCode) -> None:
    """The call's turn has come: it leaves the line for an offer, or as a call-back that is dialled or must rest."""
    if call.state is _CALLBACK_WAITING and not callbacks.turn_has_come(floor, call):
        return
    _offer(floor, call, agent, code)


def _offer(floor: Floor, call: Call, agent: Agent, code: ReasonCode) -> None:
    assert call.demand is not None
    demand, config = call.demand, floor.lines[call.queue].config
    if demand.key.only:
        code = ReasonCode.LAST_AGENT
    timeout_s = floor.config.offer_timeout_s if config.offer_timeout_s is None else config.offer_timeout_s
    timeout_ms = timeout_s * 1000 if timeout_s > 1 else 1000
    facts: dict[str, int | str] = {
        "waited_s": floor.waited_s(call),
        "position": floor.position(call),
        "priority": call.priority,
        "skills": skills_text(call.skills),
        "idle_s": (floor.clock.wall - agent.idle_since) // 1000,
        "candidates": demand.idle.size + (not agent.indexed),
    }
    if call.stage and not demand.key.only:
        facts["relaxed"] = needs_text(demand.key.needs)
        if demand.key.groups is not None:
            facts["groups"] = ",".join(demand.key.groups)
    floor.offers_made += 1
    offer_id = f"{offer_prefix(floor)}{floor.offers_made}"
    move_call(floor, call, _IS_OFFERED)
    floor.fresh_calls.pop(call.call_id, None)
    call.offer_id, call.offer_agent = offer_id, agent.agent_id
    call.offered, call.offer_deadline = floor.clock.tau, floor.clock.tau + timeout_ms
    due = call.offer_deadline + floor.config.offer_grace_s * 1000
    call.offer_timer = floor.timers.set(due, "offer", call.call_id)
    agent.call_id, agent.offer_id = call.call_id, offer_id
    deadline_ms = floor.clock.given_of_tau(call.offer_deadline)
    is_callback = call.state is _CALLBACK_OFFERED
    floor.out.append(Offer(offer_id, call.call_id, agent.agent_id, deadline_ms, Reason(code, facts), is_callback))
    move_agent(floor, agent, _AGENT_IS_OFFERED, Reason(_OFFERED, {"offer_id": offer_id}))
    assert agent.state in BEING_OFFERED


def offer_prefix(floor: Floor) -> str:
    """Offer ids carry the engine's start, so that an offer of an earlier life is never taken for one of this."""
    if not floor.offer_prefix:
        floor.offer_prefix = f"o{floor.clock.started or 0:x}-{floor.seed}-"
    return floor.offer_prefix


def skills_text(skills: dict[str, int]) -> str:
    if len(skills) == 1:
        [(skill, level)] = skills.items()
        return f"{skill}:{level}"
    return ",".join(f"{skill}:{level}" for skill, level in sorted(skills.items()))
