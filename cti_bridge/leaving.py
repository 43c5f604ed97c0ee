"""What follows when somebody leaves a call. Parties may leave at any step and the rest stay connected (UX 22):
`rooms.py` says how."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from cti_bridge import rooms
from cti_bridge.asterisk import hangup
from cti_bridge.changes import LegEnded
from cti_bridge.core import Core
from cti_bridge.model import TALKING, Call, LegState, Phase, Role
from cti_bridge.steps import Steps, patience
from cti_bridge.talks import Talks

log = structlog.get_logger(__name__)

NORMAL = 16  # Q.850: somebody hung up


class Leaving:
    """Who left last of a call and how, and what is done then."""

    def __init__(self, core: Core, talks: Talks, steps: Steps) -> None:
        self._core, self._talks, self._steps = core, talks, steps
        self._left: dict[str, tuple[Role, int]] = {}  # call → who left last, and how

    def left(self, call: Call, change: LegEnded) -> None:
        """Somebody's leg has ended while the call may go on."""
        if change.role is not Role.citizen:
            self._left[call.call_id] = (change.role, change.cause)
        if change.role is Role.agent and call.phase in (Phase.held, Phase.room) and not call.outbound:
            by_wish = self._by_wish(call, change.cause)
            what, steps = rooms.after_agent_left(call, by_wish=by_wish, say=self._returning(call))
            log.info("an agent left a call", call=call.call_id, then=what)
            self._steps.soon(call, steps)
        elif change.role is Role.agent and call.outbound and call.phase in (Phase.held, Phase.room):
            self._steps.soon(call, rooms.after_agent_left(call, by_wish=True)[1])
        elif change.role is Role.citizen and call.phase in TALKING:
            self._close_room(call)
        elif change.role is Role.citizen and rooms.held_thirds(call):
            self._steps.soon(call, rooms.together(call))  # agent and third party talk on

    def alone(self, call: Call) -> None:
        """The citizen is the last one in the room: survey, or a new agent."""
        self._core.spawn(self._decide_alone(call), f"alone-{call.call_id}")

    def ended(self, call: Call) -> None:
        """The call is over; forget who left it."""
        self._left.pop(call.call_id, None)

    def _by_wish(self, call: Call, cause: int) -> bool:
        return call.call_id in self._talks.wishes or cause == NORMAL

    def _returning(self, call: Call) -> str:
        """The sound with which a citizen is told that the line broke and somebody else will come."""
        sound = f"{self._core.settings.paths.prompts}/{call.language}/hold_returning"
        return sound if Path(f"{sound}.wav").exists() else ""

    async def _decide_alone(self, call: Call) -> None:
        """The room may tell of the lonely citizen before the others' channels are gone: wait a moment for those."""
        async with patience(0.5):
            while any(leg.role is not Role.citizen and leg.state is LegState.up for leg in call.legs.values()):
                await asyncio.sleep(0.02)
        if call.ended_ms is not None or call.phase is not Phase.room:
            return
        if any(leg.role is not Role.citizen and leg.state is LegState.up for leg in call.legs.values()):
            citizen = call.leg(Role.citizen)
            if citizen is not None and not citizen.in_room:
                self._steps.soon(call, rooms.together(call))  # the agent has left while a third party heard music
            return
        role, cause = self._left.get(call.call_id, (Role.agent, 0))
        by_wish = role is Role.third or self._by_wish(call, cause)
        self._steps.soon(call, rooms.over(call) if by_wish else rooms.again(call, self._returning(call)))

    def _close_room(self, call: Call) -> None:
        """The citizen has gone: an agent who waits alone is let go; two who talk talk on."""
        others = [leg for leg in call.legs.values() if leg.role is not Role.citizen]
        if len([leg for leg in others if leg.state is LegState.up]) < 2:
            self._steps.soon(call, [hangup(leg.handle) for leg in others])
        else:
            self._steps.soon(call, rooms.together(call))
