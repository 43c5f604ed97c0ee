"""From the queue to the telephone: what the engine decides becomes action. The way there is `dispatcher.py`.

The table `_DECISIONS` has a place for every kind of decision. Nothing here waits; whatever needs an answer from
Asterisk is spawned.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import structlog

from acd.calibration import Foretold
from acd.model import (
    AgentState,
    AgentStateChanged,
    Announce,
    CallbackChoosing,
    CallbackClosed,
    CallbackOffered,
    CallbackResting,
    CallLeft,
    CancelOffer,
    Decision,
    DialCitizen,
    NuisanceRuleChanged,
    Offer,
    Overflow,
    OverflowTo,
    QueueChanged,
    Queued,
    ReasonCode,
    Refused,
    TurnedAway,
    WaitPredicted,
    Why,
    Widened,
)
from cti_bridge.agents import Agent
from cti_bridge.ami import AmiError
from cti_bridge.asterisk import redirect
from cti_bridge.callback_calls import CallbackCalls
from cti_bridge.callback_line import CallbackLine
from cti_bridge.core import Core
from cti_bridge.facts import foretold
from cti_bridge.model import Call, Phase
from cti_bridge.offers import Offers, rejoined
from cti_bridge.say import announcement, files
from cti_bridge.views import agent_view

log = structlog.get_logger(__name__)


class Deciding:
    """See the module's text. `tell_phone` tells the queue whether an agent can be rung."""

    def __init__(
        self,
        core: Core,
        offers: Offers,
        line: CallbackLine,
        calling: CallbackCalls,
        tell_phone: Callable[[Agent], None],
    ) -> None:
        self._core, self._offers, self._tell_phone = core, offers, tell_phone
        self._line, self._calling = line, calling
        self._how: dict[str, str] = {}  # call → how it left the queue, when that was our doing
        self._announced: set[str] = set()
        self.on_agent: Callable[[Agent], None] = lambda _agent: None
        self.on_foretold: Callable[[str, Foretold], None] = lambda _call_id, _told: None
        core.queue.on_decision = self.decide

    def joined(self, call_id: str) -> None:
        """The caller is in line (again)."""
        self._how.pop(call_id, None)

    def leaves(self, call_id: str, to: OverflowTo) -> None:
        """The caller leaves the line for `to`; their record will say so."""
        self._how[call_id] = to.value

    def ended(self, call_id: str) -> str:
        """The call is over: how it left the queue, "" if that was not our doing."""
        self._announced.discard(call_id)
        return self._how.pop(call_id, "")

    def decide(self, decision: Decision) -> None:
        """One decision of the engine. Every kind has its place in the table; a new one that has not is a fault."""
        self._DECISIONS[type(decision)](self, decision)

    def _offer(self, decision: Offer) -> None:
        self._offers.begin(decision)

    def _cancel(self, decision: CancelOffer) -> None:
        self._offers.cancel(decision)

    def _agent(self, decision: AgentStateChanged) -> None:
        known = self._core.book.get(decision.agent_id)
        was = known.state if known else AgentState.SIGNED_OUT
        agent = self._core.book.apply(decision)
        if agent is None:
            return
        self._core.hub.to_agent(decision.agent_id, "agent.state", agent_view(self._core, decision.agent_id))
        self.on_agent(agent)
        self._core.board_changed()
        busy = (AgentState.OFFERED, AgentState.TALKING)
        if agent.needs_page and agent.page_lost_ms is not None and was in busy and agent.state not in busy:
            self._tell_phone(agent)

    def _announce(self, decision: Announce) -> None:
        call = self._core.call(decision.call_id)
        if call is None or call.phase is not Phase.hold:
            return
        first = call.call_id not in self._announced
        self._announced.add(call.call_id)
        ids = announcement(decision.position, decision.wait_low_s, decision.wait_high_s, with_menu=first)
        self._tell(call, ids)

    def _tell(self, call: Call, ids: list[str]) -> None:
        said = files(str(self._core.settings.paths.prompts), call.language, ids, _exists)
        if said:
            self._core.spawn(self._say(call, said), f"say-{call.call_id}")

    def _foretold(self, decision: WaitPredicted) -> None:
        now_ms = self._core.now_ms()
        self._core.facts.put("call", decision.call_id, foretold(decision, now_ms))
        told = Foretold(now_ms, decision.low_s, decision.middle_s, decision.high_s)
        self.on_foretold(decision.call_id, told)

    def _overflow(self, decision: Overflow) -> None:
        call = self._core.call(decision.call_id)
        if call is not None:
            self._core.spawn(self.send(call, decision.to), f"overflow-{call.call_id}")

    def _turned_away(self, decision: TurnedAway) -> None:
        """Not a person but voicemail: its announcement is played, and who has something to say can still say it."""
        call = self._core.call(decision.call_id)
        if call is not None:
            self._core.spawn(self.send(call, OverflowTo.VOICEMAIL), f"turned-away-{call.call_id}")

    def _rule_changed(self, decision: NuisanceRuleChanged) -> None:
        log.info("a nuisance rule changed", rule=decision.rule_id, active=decision.active)

    def _callback_offered(self, decision: CallbackOffered) -> None:
        """The caller is told the keys of the hold loop once more; 2 is the call-back."""
        call = self._core.call(decision.call_id)
        if call is not None and call.phase is Phase.hold:
            self._tell(call, ["hold_menu"])

    def _dial_citizen(self, decision: DialCitizen) -> None:
        self._calling.dial(decision)

    def _callback_resting(self, decision: CallbackResting) -> None:
        self._line.resting(decision)

    def _callback_closed(self, decision: CallbackClosed) -> None:
        self._line.closed(decision)

    def _only_journalled(self, decision: Decision) -> None:
        """Nothing to do: the journal has it, for the explanation of the call and for measures."""

    def _queue_changed(self, decision: QueueChanged) -> None:
        self._core.board_changed()

    def _queued(self, decision: Queued) -> None:
        self._core.board_changed()
        call = self._core.call(decision.call_id)
        if call is not None and decision.reason.code is ReasonCode.PLACE_RESUMED:
            waiting = self._core.queue.engine.snapshot().waiting
            call.place_ms = next((one.joined_ms for one in waiting if one.call_id == call.call_id), 0)
            self._core.spawn(self._keep_place(call), f"place-{call.call_id}")

    def _refused(self, decision: Refused) -> None:
        level = log.debug if decision.why in (Why.STALE_OFFER, Why.UNKNOWN_CALL, Why.NOT_NOW) else log.info
        level("the queue refused an event", refused=decision.event, why=decision.why.value, subject=decision.subject)

    # -------------------------------------------------------------------------------------------------- what is done

    async def send(self, call: Call, to: OverflowTo) -> None:
        """Send a waiting caller to voicemail or to the call-back script, and tell the queue what became of it.

        Where the queue calls back by itself, who chooses a call-back keeps the place meanwhile: a join, the promise or
        the end of the call will say what came of it.
        """
        was = call.phase
        if was not in (Phase.hold, Phase.failsafe):
            return  # gone already, by another key or to a person
        keeps = to is OverflowTo.CALLBACK and self._core.callback_rules(call.queue) is not None
        if keeps:
            self._core.queue.feed(CallbackChoosing(call.call_id))
        context, exten, call.phase = {
            OverflowTo.VOICEMAIL: ("hotline-voicemail", "s", Phase.voicemail),
            OverflowTo.CALLBACK: ("hotline-after-menu", "to-callback", Phase.menu),
        }[to]
        if await self._redirect(call, context, exten):
            self.leaves(call.call_id, to)
            if not keeps:
                self._core.queue.feed(CallLeft(call.call_id, to.value))
        elif call.ended_ms is None:
            call.phase = was
            self._core.queue.feed(rejoined(self._core, call))

    async def _redirect(self, call: Call, context: str, exten: str = "s") -> bool:
        try:
            await self._core.asterisk.do(redirect(call.channel, context, exten))
        except AmiError as error:
            log.info("a caller could not be sent on", call=call.call_id, context=context, problem=str(error))
            return False
        return True

    async def _keep_place(self, call: Call) -> None:
        try:
            await self._core.asterisk.keep_place(call.channel, call.place_ms)
        except AmiError as error:
            log.info("a caller's earlier place would not outlive us", call=call.call_id, problem=str(error))

    async def _say(self, call: Call, said: str) -> None:
        try:
            await self._core.asterisk.say(call.channel, said)
        except AmiError as error:
            log.info("nothing could be said to a caller", call=call.call_id, problem=str(error))

    _DECISIONS: ClassVar[dict[type, Callable[[Deciding, Any], None]]] = {
        Offer: _offer,
        CancelOffer: _cancel,
        AgentStateChanged: _agent,
        Announce: _announce,
        Overflow: _overflow,
        QueueChanged: _queue_changed,
        Queued: _queued,
        Refused: _refused,
        TurnedAway: _turned_away,
        NuisanceRuleChanged: _rule_changed,
        CallbackOffered: _callback_offered,
        DialCitizen: _dial_citizen,
        Widened: _only_journalled,
        WaitPredicted: _foretold,
        CallbackResting: _callback_resting,
        CallbackClosed: _callback_closed,
    }


@lru_cache(maxsize=4096)
def _exists(path: str) -> bool:
    return Path(path).exists()
