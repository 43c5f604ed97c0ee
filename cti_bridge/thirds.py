"""Third parties of talks as things of their own (T8, 篇6 第12条(四)): who was rung, by whom, when they came and went.

What is known of one is told to the database as a whole whenever some of it is new; told twice it changes nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from app.errors import HotlineError
from cti_bridge.core import Core
from cti_bridge.model import Call, Leg
from cti_bridge.views import parties

log = structlog.get_logger(__name__)

_OUTCOMES = {
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "REFUSED": "refused",
    "CHANUNAVAIL": "unreachable",
    "CONGESTION": "unreachable",
}


def outcome(leg: Leg) -> str:
    """What came of ringing a third party who is gone (see app.calls.model.ThirdOutcome)."""
    return "talked" if leg.joined_ms else _OUTCOMES.get(leg.failure, "cancelled")


class Thirds:
    """See the module's text."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._told: dict[str, dict[str, Any]] = {}  # leg → what was told last

    def dialled(self, call: Call, leg: Leg) -> None:
        """One is being rung."""
        self._tell(call, leg)
        self.look_up(call, leg)

    def changed(self, call: Call) -> None:
        """Somebody came, or the recording that covers them is known now."""
        for leg in call.thirds:
            self._tell(call, leg)

    def left(self, call_id: str, leg: Leg) -> None:
        """One is gone, or never came."""
        if leg.kind:
            told = self._known(leg) | {"left_at": self._core.now_ms(), "outcome": outcome(leg)}
            self._core.facts.put("third", call_id, told)
        self._told.pop(leg.unique_id, None)

    def adopt(self, call: Call) -> None:
        """A call that goes on after a restart: whoever is not there any more has left meanwhile."""
        alive = [leg.unique_id for leg in call.thirds]
        self._core.facts.put("third", call.call_id, {"alive": alive, "at": self._core.now_ms()})
        for leg in call.thirds:
            self.look_up(call, leg)

    def lost(self, call_id: str) -> None:
        """The call ended while nobody looked, and with it everybody's part and what was paused."""
        now = self._core.now_ms()
        self._core.facts.put("third", call_id, {"alive": [], "at": now})
        self._core.facts.put("pause", call_id, {"over": now})

    def look_up(self, call: Call, leg: Leg) -> None:
        """Whether the number is a unit's, for the page; the database finds out for itself."""
        if leg.number and not leg.agent_id:
            self._core.spawn(self._look_up(call, leg), f"unit-{leg.unique_id}")

    async def _look_up(self, call: Call, leg: Leg) -> None:
        try:
            found = await asyncio.to_thread(self._core.domain.unit_of_number, leg.number)
        except HotlineError as error:
            log.info("whose number a third party has cannot be looked up", call=call.call_id, problem=error.code)
            return
        if found is None or leg.unique_id not in call.legs:
            return
        leg.unit_id, leg.unit_name = found
        for agent_id in dict.fromkeys(one.agent_id for one in call.legs.values() if one.agent_id):
            self._core.hub.to_agent(agent_id, "call.room", parties(call))

    def _tell(self, call: Call, leg: Leg) -> None:
        told = self._known(leg)
        if leg.kind and self._told.get(leg.unique_id) != told:
            self._told[leg.unique_id] = told
            self._core.facts.put("third", call.call_id, told)

    def _known(self, leg: Leg) -> dict[str, Any]:
        return {
            "leg": leg.unique_id,
            "number": leg.number,
            "agent_id": leg.agent_id or None,
            "kind": leg.kind,
            "by_agent": leg.by_agent,
            "dialled_at": leg.since_ms,
            "joined_at": leg.joined_ms,
            "segment": leg.segment or None,
        }
