"""Callers in the failsafe count as waiting: they are fetched back, and nobody behind them is offered an agent first.

Whoever hears the apology or stands in Asterisk's own queue has the place of their first join. While somebody is on the
way back to the hold loop, and while there is no line to any Asterisk or no complete picture, the engine is told that
the telephone cannot be told anything (`TelephoneLink`): it keeps places and states, and decides when all are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import structlog

from acd.model import CallLeft, TelephoneLink
from cti_bridge.ami import AmiError
from cti_bridge.asterisk import redirect
from cti_bridge.core import Core
from cti_bridge.model import Call, Phase
from cti_bridge.offers import Offers, place, rejoined

log = structlog.get_logger(__name__)

ON_THE_WAY_S = 2.0  # so long may one caller's way back keep the others from being offered
MOST_TAKE_BACKS = 3
STALE = "acd-stale"


def alone_in_failsafe(call: Call) -> bool:
    """Whether the caller is in the failsafe without an agent, not even one whose telephone rings."""
    return call.phase is Phase.failsafe and call.ended_ms is None and call.agent_leg is None


class TakeBack:
    """See the module's text."""

    def __init__(self, core: Core, offers: Offers) -> None:
        self._core, self._offers = core, offers
        self._coming: dict[str, asyncio.TimerHandle] = {}
        self._tries: dict[str, int] = {}
        self._complete: set[str] = set()  # nodes
        self._told: bool | None = None
        self.beating: Callable[[str], bool] = lambda _node: True

    # -- the line to Asterisk ---------------------------------------------------------------------------------------

    def line_lost(self, node: str) -> None:
        """This node can't be told anything from now on."""
        self._complete.discard(node)
        for call_id in [one for one in self._coming if self._core.nodes.of(one) == node]:
            self._coming.pop(call_id).cancel()
        self._tell()

    def line_back(self, nodes: Collection[str]) -> None:
        """These nodes' picture is complete and their heart beats: everybody in the failsafe is fetched, then offers may
        go on."""
        self.everybody()
        self._complete |= set(nodes)
        self._tell()

    def _tell(self) -> None:
        up = bool(self._complete) and not self._coming
        if up is not self._told:
            self._told = up
            self._core.queue.feed(TelephoneLink(up))

    # -- callers ----------------------------------------------------------------------------------------------------

    def everybody(self) -> None:
        """Fetch all who are in the failsafe, in the order of their places."""
        lost = [call for call in self._core.telephony.calls.values() if alone_in_failsafe(call)]
        for call in sorted(lost, key=place):
            self.fetch(call)

    def entered(self, call: Call, cause: str) -> None:
        """A caller has just fallen into the failsafe.

        One who was waiting has nothing to be told and is fetched at once. One whose menu broke is owed the apology,
        and is fetched when Asterisk's own queue begins.
        """
        if cause == STALE and self._may_fetch(call):
            self.fetch(call)
        else:
            self._core.queue.feed(CallLeft(call.call_id, Phase.failsafe.value))

    def fetch(self, call: Call) -> None:
        """Bring a caller out of the failsafe into the hold loop, unless an offer is already on the way to them."""
        if call.call_id in self._coming or not alone_in_failsafe(call) or not self._may_fetch(call):
            return
        if self._offers.of_call(call.call_id) is not None:
            return
        self._tries[call.call_id] = self._tries.get(call.call_id, 0) + 1
        self._coming[call.call_id] = asyncio.get_running_loop().call_later(ON_THE_WAY_S, self.arrived, call.call_id)
        self._tell()
        self._core.queue.feed(rejoined(self._core, call))
        log.info("a caller is taken back from the failsafe", call=call.call_id)
        self._core.spawn(self._redirect(call), f"take-back-{call.call_id}")

    def arrived(self, call_id: str) -> None:
        """The caller is in the hold loop, or somewhere else for good, or the time for it is over."""
        timer = self._coming.pop(call_id, None)
        if timer is not None:
            timer.cancel()
            self._tell()

    def forget(self, call_id: str) -> None:
        """The call has ended."""
        self._tries.pop(call_id, None)
        self.arrived(call_id)

    def _may_fetch(self, call: Call) -> bool:
        """Without a heart the hold loop would send them straight back; and not for ever, whatever the reason."""
        return self.beating(self._core.nodes.of(call.call_id)) and self._tries.get(call.call_id, 0) < MOST_TAKE_BACKS

    async def _redirect(self, call: Call) -> None:
        try:
            await self._core.asterisk.do(redirect(call.channel, "acd-hold"))
        except AmiError as error:
            log.info("a caller could not be taken back", call=call.call_id, problem=str(error))
            self.arrived(call.call_id)
