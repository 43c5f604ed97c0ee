"""From the telephone to the queue: what Asterisk tells becomes events of the engine. The way back is `deciding.py`.

The table `_CHANGES` says what follows from each change in the picture. Nothing here waits; whatever needs an answer
from Asterisk or the database is spawned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import structlog

from acd.model import (
    AgentState,
    CallLeft,
    CitizenReached,
    OfferAnswered,
    OfferFailed,
    OverflowTo,
    PhoneChanged,
    TalkAdopted,
    TalkEnded,
)
from cti_bridge import facts
from cti_bridge.agents import Agent
from cti_bridge.callback_calls import CallbackCalls
from cti_bridge.callback_line import CallbackLine
from cti_bridge.callbacks import Callbacks
from cti_bridge.callers import Callers
from cti_bridge.campaigns import Campaigns
from cti_bridge.changes import (
    AgentWaits,
    Alone,
    Answered,
    CallEnded,
    CallStarted,
    CampaignEnded,
    CampaignHeard,
    Change,
    CitizenAnswered,
    InFailsafeQueue,
    Joined,
    KeyPressed,
    LegEnded,
    MembersChanged,
    MenuEnded,
    OfferEnded,
    OriginateFailed,
    OutboundEnded,
    PhaseChanged,
    PhoneSeen,
    Rated,
    Ringing,
    SegmentBegun,
    SpyChanged,
    ThirdLeft,
)
from cti_bridge.control import Control
from cti_bridge.core import Core
from cti_bridge.deciding import Deciding
from cti_bridge.dialling import Dialling
from cti_bridge.marks import Marks
from cti_bridge.model import Call, Phase, Role
from cti_bridge.offers import Offers, Stage, fail_cause, rejoined
from cti_bridge.overseeing import Overseeing
from cti_bridge.recordings import Recordings
from cti_bridge.takeback import TakeBack
from cti_bridge.talks import Talks
from cti_bridge.thirds import Thirds
from cti_bridge.views import agent_view, parties

log = structlog.get_logger(__name__)

FAILSAFE = "failsafe"


class Dispatcher:
    """See the module's text."""

    def __init__(
        self,
        core: Core,
        offers: Offers,
        talks: Talks,
        control: Control,
        dialling: Dialling,
        callbacks: Callbacks,
        recordings: Recordings,
        take_back: TakeBack,
        callers: Callers,
        line: CallbackLine,
        calling: CallbackCalls,
        thirds: Thirds,
        overseeing: Overseeing,
        marks: Marks,
        campaigns: Campaigns,
    ) -> None:
        self._core, self._offers, self._talks, self._control = core, offers, talks, control
        self._dialling, self._callbacks = dialling, callbacks
        self._recordings, self._take_back = recordings, take_back
        self._callers, self._line, self._calling = callers, line, calling
        self._thirds, self._overseeing, self._marks = thirds, overseeing, marks
        self._campaigns = campaigns
        self.deciding = Deciding(core, offers, line, calling, self.tell_phone)

    def change(self, change: Change) -> None:
        """One change in the picture."""
        rule = self._CHANGES.get(type(change))
        if rule is not None:
            rule(self, change)

    def _started(self, change: CallStarted) -> None:
        call = self._core.telephony.calls[change.call_id]
        self._core.facts.put("call", call.call_id, facts.arrived(call))
        self._callers.ask(call)

    def _menu_ended(self, change: MenuEnded) -> None:
        call = self._core.telephony.calls[change.call_id]
        self._core.facts.put("call", call.call_id, {"language": call.language, "path": call.path})

    def _joined(self, change: Joined) -> None:
        call = self._core.telephony.calls[change.call_id]
        self.deciding.joined(call.call_id)
        self._core.queue.feed(rejoined(self._core, call, call.attempt))  # before all else: a telephone may ring now
        self._campaigns.joined(call)  # behind the join: whoever is free now meets them first in line
        self._core.facts.put("call", call.call_id, facts.joined(call))
        self._callers.ask(call)  # for the next join, if nothing could be learnt before
        self._take_back.arrived(call.call_id)

    def _ringing(self, change: Ringing) -> None:
        data = {"call_id": change.call_id, "offer_id": change.offer_id}
        self._core.hub.to_agent(change.agent_id, "call.ringing", data)

    def _answered(self, change: Answered) -> None:
        call = self._core.telephony.calls[change.call_id]
        self._core.facts.put("call", call.call_id, facts.answered(call))
        self._talks.began(call.call_id, change.agent_id)
        self._core.hub.to_agent(
            change.agent_id,
            "call.answered",
            {"call_id": call.call_id, "channel": change.channel, "at_ms": call.answered_ms},
        )
        if call.outbound:
            self._callbacks.answered(call)
            return
        self._line.served(call)
        self._take_back.arrived(call.call_id)
        if change.offer_id and change.offer_id != FAILSAFE:
            self._core.queue.feed(OfferAnswered(call.call_id, change.agent_id, change.offer_id))
            self._offers.over(change.offer_id, "answered")
        else:
            self._core.queue.feed(TalkAdopted(call.call_id, change.agent_id, self._core.now_ms()))
            self._talks.show_card(call, change.agent_id)

    def _agent_waits(self, change: AgentWaits) -> None:
        self._calling.accepted(change)

    def _citizen_answered(self, change: CitizenAnswered) -> None:
        """A call-back has become a call like others: in talk with the agent who waits, or soon in the hold loop."""
        call = self._core.telephony.calls[change.call_id]
        self._line.reached(call)
        told = facts.answered(call) if change.agent_id else {}
        self._core.facts.put("call", call.call_id, {**facts.joined(call), **told})
        if change.agent_id:
            data = {"call_id": call.call_id, "channel": call.channel, "at_ms": call.answered_ms}
            self._core.hub.to_agent(change.agent_id, "call.answered", data)
            if not self._talks.has(call.call_id, change.agent_id):
                self._talks.began(call.call_id, change.agent_id)
            self._core.queue.feed(
                CitizenReached(call.call_id), TalkAdopted(call.call_id, change.agent_id, self._core.now_ms())
            )

    def _campaign_heard(self, change: CampaignHeard) -> None:
        self._campaigns.heard(change)

    def _campaign_ended(self, change: CampaignEnded) -> None:
        self._campaigns.ended(change)

    def _offer_ended(self, change: OfferEnded) -> None:
        # Also of a talk that never began: who hangs up while the staff number is said has picked up, as the page knows.
        if change.status == "ANSWER" or self._talks.has(change.call_id, change.agent_id):
            self._talk_over(change.call_id, change.agent_id)
            return
        cause = fail_cause(change.status, change.cause)
        self._offers.over(change.offer_id, cause.value)
        self._core.queue.feed(OfferFailed(change.call_id, change.agent_id, change.offer_id, cause))

    def _leg_ended(self, change: LegEnded) -> None:
        call = self._core.call(change.call_id)
        if call is None:
            return
        if call.phase is Phase.callback:
            self._calling.leg_ended(call, change)
            return
        if call.phase is Phase.campaign:
            self._campaigns.leg_ended(call, change.cause)
            return
        self._control.left(call, change)
        if call.ended_ms is not None and not call.legs and change.role is not Role.citizen and not call.outbound:
            self._core.telephony.forget(call.call_id)  # the last of those who went on without the citizen
        # In a plain bridge the dialplan itself says that the talk is over (AcdOfferEnd).
        own_leg_in_room = change.role is Role.agent and call.phase in (Phase.held, Phase.room)
        if own_leg_in_room or change.role is Role.third:
            self._talk_over(call.call_id, change.agent_id)
        if change.role is Role.agent:
            self._overseeing.follow(call)
            self._take_back.fetch(call)  # Asterisk's own queue has rung somebody in vain

    def _members(self, change: MembersChanged) -> None:
        call = self._core.call(change.call_id)
        if call is None:
            return
        self._talks.adopt_colleagues(call)
        for agent_id in self._agents_in(call):
            self._core.hub.to_agent(agent_id, "call.room", parties(call))
        self._thirds.changed(call)
        self._overseeing.follow(call)
        self._marks.tell(call)

    def _third_left(self, change: ThirdLeft) -> None:
        self._thirds.left(change.call_id, change.leg)

    def _segment(self, change: SegmentBegun) -> None:
        if call := self._core.call(change.call_id):
            self._control.pauses.segment(call, change.channel, change.mix)
            self._thirds.changed(call)

    def _spy(self, change: SpyChanged) -> None:
        self._overseeing.changed(change.spy, gone=change.gone)

    def _alone(self, change: Alone) -> None:
        if call := self._core.call(change.call_id):
            self._control.alone(call)

    def _key(self, change: KeyPressed) -> None:
        call = self._core.telephony.calls[change.call_id]
        if self._on_the_way(call):
            return
        if change.key == "1":  # the dialplan has sent them itself
            call.phase = Phase.voicemail
            self.deciding.leaves(call.call_id, OverflowTo.VOICEMAIL)
            self._core.queue.feed(CallLeft(call.call_id, OverflowTo.VOICEMAIL.value))
        elif change.key == "2":
            self._core.spawn(self.deciding.send(call, OverflowTo.CALLBACK), f"key-{call.call_id}")

    def _on_the_way(self, call: Call) -> bool:
        """Whether the caller is being sent to a person: a key that was pressed in that moment no longer counts."""
        run = self._offers.of_call(call.call_id)
        return run is not None and run.stage is Stage.ringing

    def _phase(self, change: PhaseChanged) -> None:
        call = self._core.telephony.calls[change.call_id]
        if change.phase is Phase.failsafe:
            self._core.facts.put("call", call.call_id, {**facts.arrived(call), "failsafe_cause": change.detail})
            self._take_back.entered(call, change.detail)
            return
        if change.phase is Phase.voicemail and self._on_the_way(call):
            return
        if change.phase is Phase.transfer and call.agent_id:
            self._talk_over(call.call_id, call.agent_id)
        self._core.queue.feed(CallLeft(call.call_id, change.phase.value))
        self._take_back.arrived(call.call_id)

    def _in_failsafe_queue(self, change: InFailsafeQueue) -> None:
        self._take_back.fetch(self._core.telephony.calls[change.call_id])

    def _rated(self, change: Rated) -> None:
        self._core.facts.put("call", change.call_id, {"rating": change.rating})

    def _outbound_ended(self, change: OutboundEnded) -> None:
        if change.status != "ANSWER":
            self._dialling.not_reached(change)
            if (call := self._core.call(change.call_id)) is not None and call.outbound:
                self._callbacks.not_answered(call, change)

    def _originate_failed(self, change: OriginateFailed) -> None:
        call = self._core.call(change.call_id)
        if call is not None and call.phase is Phase.callback:
            self._calling.leg_ended(call, change)
        elif call is not None and call.phase is Phase.campaign:
            self._campaigns.not_dialled(call)
        elif call is not None:
            self._members(MembersChanged(call.call_id))

    def _ended(self, change: CallEnded) -> None:
        if call := self._core.call(change.call_id):
            self.finish(call, change.phase, change.cause)
            if not call.legs:
                self._core.telephony.forget(call.call_id)

    def finish(self, call: Call, phase: Phase, cause: int) -> None:
        """Everything that follows from the end of a call; also for calls that ended while nobody looked."""
        call.ended_ms = call.ended_ms or self._core.now_ms()
        how = self.deciding.ended(call.call_id)
        if how == OverflowTo.CALLBACK.value:
            self._line.soon()
        for run in [run for run in self._offers.runs.values() if run.offer.call_id == call.call_id]:
            self._offers.over(run.offer.offer_id, "caller_left")
        for agent_id in self._agents_in(call):
            self._talk_over(call.call_id, agent_id, call)
        self._core.queue.feed(CallLeft(call.call_id, "hangup"))
        self._core.facts.put("call", call.call_id, facts.ended(call, phase, cause, how))
        if not call.outbound:
            self._core.facts.put("ended", call.call_id, {})
        self._control.ended(call)
        self._overseeing.follow(call)
        self._callbacks.ended(call)
        self._recordings.call_over(call.call_id)
        self._core.cards.pop(call.call_id, None)
        self._take_back.forget(call.call_id)
        self._core.board_changed()

    def _phone(self, change: PhoneSeen) -> None:
        agent = self._core.book.by_endpoint(change.phone.endpoint)
        if agent is not None:
            self.tell_phone(agent)
            self._core.hub.to_agent(agent.agent_id, "agent.state", agent_view(self._core, agent.agent_id))

    def tell_phone(self, agent: Agent) -> None:
        """Tell the engine whether this agent can be rung: the telephone is there, and the page if one is needed."""
        phone = self._core.telephony.phones.get(agent.endpoint)
        busy = agent.state in (AgentState.OFFERED, AgentState.TALKING)
        page_gone = agent.needs_page and agent.page_lost_ms is not None and not busy
        reachable = phone is not None and phone.reachable and not page_gone
        self._core.queue.feed(PhoneChanged(agent.agent_id, reachable, phone is not None and phone.in_use))

    def _talk_over(self, call_id: str, agent_id: str, call: Call | None = None) -> None:
        """This agent's part in the call is over: the queue and the page are told, once."""
        if self._talks.has(call_id, agent_id):
            self._core.queue.feed(TalkEnded(call_id, agent_id))
            self._talks.tell_end(call_id, agent_id, call)

    def _agents_in(self, call: Call) -> list[str]:
        own = [leg.agent_id for leg in call.legs.values() if leg.agent_id]
        if call.agent_id and call.agent_id not in own and self._talks.has(call.call_id, call.agent_id):
            own.append(call.agent_id)
        return list(dict.fromkeys(own))

    _CHANGES: ClassVar[dict[type, Callable[[Dispatcher, Any], None]]] = {
        CallStarted: _started,
        MenuEnded: _menu_ended,
        Joined: _joined,
        Ringing: _ringing,
        Answered: _answered,
        AgentWaits: _agent_waits,
        CitizenAnswered: _citizen_answered,
        CampaignHeard: _campaign_heard,
        CampaignEnded: _campaign_ended,
        OfferEnded: _offer_ended,
        LegEnded: _leg_ended,
        MembersChanged: _members,
        Alone: _alone,
        KeyPressed: _key,
        PhaseChanged: _phase,
        InFailsafeQueue: _in_failsafe_queue,
        Rated: _rated,
        OutboundEnded: _outbound_ended,
        OriginateFailed: _originate_failed,
        CallEnded: _ended,
        PhoneSeen: _phone,
        ThirdLeft: _third_left,
        SegmentBegun: _segment,
        SpyChanged: _spy,
    }
