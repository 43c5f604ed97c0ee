"""Which agent talks in which call, as their pages have been told; and the card and the draft that go with it.

A talk's end is told once, with the draft to finish, however many events speak of it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from acd.model import TalkAdopted
from app.errors import HotlineError
from cti_bridge.core import Core
from cti_bridge.model import Call, LegState, Role
from cti_bridge.pop import Pops

log = structlog.get_logger(__name__)

DRAFT_S = 0.5


class Talks:
    """See the module's text."""

    def __init__(self, core: Core, pops: Pops) -> None:
        self._core, self._pops = core, pops
        self._talks: set[tuple[str, str]] = set()  # (call, agent): talks whose end the page has not been told
        self.wishes: set[str] = set()  # calls whose agent pressed hang-up

    def began(self, call_id: str, agent_id: str) -> None:
        """An agent talks in a call."""
        self._talks.add((call_id, agent_id))
        self.wishes.discard(call_id)
        agent = self._core.book.get(agent_id)
        if agent is not None:
            agent.call_id = call_id

    def has(self, call_id: str, agent_id: str) -> bool:
        """Whether the page still believes that the agent talks there."""
        return (call_id, agent_id) in self._talks

    def tell_end(self, call_id: str, agent_id: str, call: Call | None = None) -> None:
        """Tell the page, once, that the agent's part is over, with the draft to finish."""
        if (call_id, agent_id) not in self._talks:
            return
        self._talks.discard((call_id, agent_id))
        if not self._core.hub.has_stream(agent_id):
            return  # a telephone alone
        call = call or self._core.call(call_id)
        why = "hangup" if call is None or call.ended_ms else "left"
        self._core.spawn(self._say_end(call_id, agent_id, why, self._core.now_ms()), f"end-{call_id}")

    def show_card(self, call: Call, agent_id: str, *, own: bool = True) -> None:
        """Bring the card to an agent who got the call in another way than by an offer.

        Not `own`: a colleague who is only asked for advice sees the card, the draft stays with the agent.
        """
        self._core.spawn(self._send_card(call, agent_id, own), f"card-{call.call_id}")

    def adopt_colleagues(self, call: Call) -> None:
        """A third party who is a colleague on shift talks in this call too."""
        for leg in call.thirds:
            if leg.agent_id and leg.state is LegState.up and (call.call_id, leg.agent_id) not in self._talks:
                self.began(call.call_id, leg.agent_id)
                self._core.queue.feed(TalkAdopted(call.call_id, leg.agent_id, self._core.now_ms()))
                self.show_card(call, leg.agent_id, own=False)

    def hand_over(self, call: Call) -> None:
        """The agent has left: a colleague who is still there has the call now, with its draft."""
        colleague = next((leg for leg in call.thirds if leg.agent_id and leg.state is LegState.up), None)
        if colleague is not None and call.citizen_here:
            colleague.role, call.agent_id = Role.agent, colleague.agent_id
            self.show_card(call, colleague.agent_id)

    async def _send_card(self, call: Call, agent_id: str, own: bool) -> None:
        card = None if own else self._core.cards.get(call.call_id)
        if card is None:
            card = await self._pops.card(call, agent_id)
        self._core.hub.to_agent(agent_id, "call.card", {"call_id": call.call_id, "card": card})

    async def _say_end(self, call_id: str, agent_id: str, why: str, at_ms: int) -> None:
        draft: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(DRAFT_S):
                draft = await asyncio.to_thread(self._core.domain.draft, call_id)
        except (TimeoutError, HotlineError):
            card = self._core.cards.get(call_id) or {}
            draft = card.get("draft")
        data = {"call_id": call_id, "at_ms": at_ms, "why": why, "draft": draft}
        self._core.hub.to_agent(agent_id, "call.ended", data)
