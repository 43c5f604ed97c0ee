"""What screens see of agents and calls: the JSON of docs/websocket.md, built from the picture. No rule lives here."""

from __future__ import annotations

from typing import Any

from acd.model import AgentState
from cti_bridge.core import Core
from cti_bridge.model import Call, Phase, SpyMode, members, talks_with


def mask(number: str) -> str:
    """A number for eyes that need not know it: 138****8000 (C14)."""
    if len(number) <= 4:
        return "*" * len(number)
    head = 3 if len(number) >= 7 else 1
    tail = 4 if len(number) >= 8 else 2
    return number[:head] + "*" * max(1, len(number) - head - tail) + number[-tail:]


def agent_view(core: Core, agent_id: str) -> dict[str, Any]:
    """One agent, on shift or not."""
    agent = core.book.get(agent_id)
    if agent is None:
        record = core.book.records.get(agent_id)
        endpoint = (record.endpoint if record else "") or agent_id
        phone = core.telephony.phones.get(endpoint)
        return {
            "agent_id": agent_id,
            "name": record.name if record else agent_id,
            "state": AgentState.SIGNED_OUT.value,
            "since_ms": None,
            "reason": "",
            "not_ready_reason": "",
            "unreachable": False,
            "in_use": False,
            "busy_outside": False,
            "endpoint": endpoint,
            "phone_registered": phone is not None and phone.reachable,
            "until_ms": None,
            "wrapup_until_ms": None,
            "next_state": None,
            "next_reason": "",
            "set_by": "",
            "call_id": None,
            "overseeing": overseeing(core, agent_id),
        }
    phone = core.telephony.phones.get(agent.endpoint)
    return {
        "agent_id": agent.agent_id,
        "name": agent.name,
        "state": agent.state.value,
        "since_ms": agent.since_ms,
        "reason": agent.reason,
        "not_ready_reason": agent.not_ready_reason,
        "unreachable": agent.unreachable,
        "in_use": agent.in_use,
        "busy_outside": agent.busy_outside,
        "endpoint": agent.endpoint,
        "phone_registered": phone is not None and phone.reachable,
        "until_ms": agent.until_ms,
        "wrapup_until_ms": agent.until_ms if agent.state is AgentState.WRAP_UP else None,
        "next_state": agent.next_state or None,
        "next_reason": agent.next_reason,
        "set_by": agent.set_by,
        "call_id": agent.call_id,
        "overseeing": overseeing(core, agent_id),
    }


def overseeing(core: Core, agent_id: str) -> dict[str, Any] | None:
    """The talk that this supervisor oversees."""
    spy = core.telephony.spy_by(agent_id)
    if spy is None:
        return None
    state = "up" if spy.up else "ringing"
    return {"call_id": spy.call_id, "agent_id": spy.agent_id, "mode": spy.mode.value, "state": state}


def overseen(core: Core, call: Call) -> str | None:
    """How a supervisor takes part in a call; of several the one who is heard by most."""
    modes = [spy.mode for spy in core.telephony.spies_on(call.call_id) if spy.up]
    return max(modes, key=list(SpyMode).index).value if modes else None


def told_to_agents(core: Core, mode: str | None) -> str | None:
    """How a supervisor takes part, as far as agents are told: of listening only where the office says so."""
    return None if mode == SpyMode.listen.value and not core.settings.oversight_visible else mode


def marks(core: Core, call: Call, agent_id: str) -> dict[str, Any]:
    """What holds in a talk as this agent is told: `call.marks`."""
    own = next((leg for leg in call.legs.values() if leg.agent_id == agent_id), None)
    pause = call.pause
    return {
        "call_id": call.call_id,
        "muted_ms": own.muted_ms if own else None,
        "paused": {"since_ms": pause.since_ms, "until_ms": pause.until_ms} if pause else None,
        "talks_with": talks_with(call),
        "help_ms": call.help_ms,
        "overseen": told_to_agents(core, overseen(core, call)),
        "members": members(call),
    }


def parties(call: Call) -> dict[str, Any]:
    """Who is in a call and how far it has come: what `call.held`, `call.resumed` and `call.room` tell."""
    return {"call_id": call.call_id, "phase": call.phase.value, "members": members(call), "talked": call.talked}


def call_view(core: Core, call: Call, agent_id: str, offer: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call with its card, as the agent who has it (or is being offered it) sees it."""
    return {
        **marks(core, call, agent_id),
        "call_id": call.call_id,
        "number": call.number,
        "phase": call.phase.value,
        "outbound": call.outbound,
        "callback": bool(call.promise),
        "agent_id": call.agent_id,
        "started_ms": call.started_ms,
        "joined_ms": call.joined_ms or None,
        "answered_ms": call.answered_ms,
        "held": call.phase is Phase.held,
        "talked": call.talked,
        "card": core.cards.get(call.call_id),
        "offer": offer,
    }
