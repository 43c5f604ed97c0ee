"""The card of a call, on time: asked for on a thread of its own, and never waited for longer than the pop may take.

If the database is slow or locked the pop goes out with what the telephone knows; the full card, with its stored draft,
follows as soon as it can be had, through the fact writer's retries, and so survives even a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from cti_bridge.core import Core
from cti_bridge.facts import bare_card, card_facts
from cti_bridge.model import Call
from cti_bridge.writer import Fact

log = structlog.get_logger(__name__)

BUDGET_S = 0.3
THREADS = 4
MOST_AT_ONCE = 16


class Pops:
    """Makes cards. `on_late(call_id, card)` hears of those that came after their pop."""

    def __init__(
        self, core: Core, on_late: Callable[[str, dict[str, Any]], None], *, budget_s: float = BUDGET_S
    ) -> None:
        self._core, self._on_late, self._budget_s = core, on_late, budget_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pop")
        self._at_work: set[asyncio.Future[dict[str, Any]]] = set()

    def close(self) -> None:
        """Start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def card(self, call: Call, agent_id: str) -> dict[str, Any]:
        """The call's card for this agent within the budget: the full one, or what is known without the database.

        The draft moves with its call: it now is this agent's.
        """
        work = self._begin(call, agent_id)
        if work is not None:
            done, _ = await asyncio.wait({work}, timeout=self._budget_s)
            if done and work.exception() is None:
                return work.result()
        bare = bare_card(call, self._core.now_ms())
        known = self._core.cards.setdefault(call.call_id, bare)
        return {**known, "waited_s": bare["waited_s"]}

    def later(self, call: Call, agent_id: str, *, card: bool = True) -> None:
        """Have the draft stored whenever the database can, and the card made unless no page is there to show it."""
        data = card_facts(call, self._core.now_ms())
        self._core.facts.put("draft", call.call_id, {"agent_id": agent_id, "facts": data, "card": card})

    def made(self, fact: Fact, card: dict[str, Any]) -> None:
        """The fact writer has stored a draft (called on the event loop)."""
        if self._core.call(fact.key) is not None:
            self._core.cards[fact.key] = card
            self._on_late(fact.key, card)

    def _begin(self, call: Call, agent_id: str) -> asyncio.Future[dict[str, Any]] | None:
        if len(self._at_work) >= MOST_AT_ONCE:
            self.later(call, agent_id)  # every thread is stuck in a locked database
            return None
        loop = asyncio.get_running_loop()
        facts = card_facts(call, self._core.now_ms())
        began = loop.time()
        work = loop.run_in_executor(self._threads, self._core.domain.card, facts, agent_id)
        self._at_work.add(work)

        def settle(done: asyncio.Future[dict[str, Any]]) -> None:
            self._at_work.discard(done)
            if done.cancelled():
                return
            if (error := done.exception()) is not None:
                log.warning("a card could not be made in time", call=call.call_id, problem=repr(error))
                self.later(call, agent_id)
                return
            if self._core.call(call.call_id) is not None:
                self._core.cards[call.call_id] = done.result()
                if loop.time() - began > self._budget_s:
                    self._on_late(call.call_id, done.result())

        work.add_done_callback(settle)
        return work
