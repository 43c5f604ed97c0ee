"""One event of Asterisk as the rules read it, and what rules of both kinds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_bridge.changes import Answered, Change, MembersChanged
from cti_bridge.model import TALKING, Call, Leg, LegState, Phase, Telephony

Event = Mapping[str, Any]
Rule = Callable[[Telephony, Event, int], list[Change]]


def text(event: Event, key: str) -> str:
    """A header's value; where a user event repeats a header of its channel (Language, Priority), its own value."""
    value = event.get(key, "")
    return str(value[-1]) if isinstance(value, list) else str(value)


def picked_up(call: Call, leg: Leg, offer_id: str, now_ms: int) -> list[Change]:
    """The agent's telephone is up; told once."""
    again = call.phase in TALKING and call.agent_id == leg.agent_id and leg.state is LegState.up
    leg.state = LegState.up
    leg.joined_ms = leg.joined_ms or now_ms
    if again:
        return []
    call.phase, call.agent_id = Phase.talk, leg.agent_id
    call.answered_ms = call.answered_ms or now_ms
    return [Answered(call.call_id, leg.agent_id, offer_id, leg.channel), MembersChanged(call.call_id)]
