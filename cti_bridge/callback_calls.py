"""Calling a citizen back for the queue: the agent's telephone (or nobody's) first, then the citizen's.

The citizen's channel has the call's id, so everything from the answer on is an ordinary call. Until then the call has
the phase `callback`, and neither leg's end is the call's end: an attempt in vain is told to the line, which says what
follows. An agent who waits hears that it was in vain from the dialplan, whoever is away.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from typing import Protocol

import structlog

from acd.model import CallLeft, DialCitizen, FailCause, Offer, OfferAnswered, OfferFailed, TalkEnded
from app.errors import Busy, HotlineError, StorageFull
from cti_bridge.agents import Agent
from cti_bridge.ami import AmiError
from cti_bridge.asterisk import hangup, redirect
from cti_bridge.changes import AgentWaits, LegEnded, OriginateFailed, OutboundEnded
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.model import Call, Leg, LegState, Phase, Role
from cti_bridge.offers import Offers, Run, fail_cause
from cti_bridge.ports import LineCallback
from cti_bridge.talks import Talks

log = structlog.get_logger(__name__)

AGENT = "acd-callback-agent"  # where the agent waits for the citizen
SPEAKS_S = 5.0  # of the time for dialling, left for what is said to the citizen before they wait
BEGINS_S = 10.0  # a channel that is not there by then will not come
CLAIM_EVERY_S = 0.5
# Q.850 → the words of a dial status, as agents' pages know them.
STATUS = {17: "BUSY", 18: "NOANSWER", 19: "NOANSWER", 16: "NOANSWER", 0: "NOANSWER", 21: "BUSY"}
LEG_STATUS = {17: "BUSY", 21: "DONTCALL", 20: "CHANUNAVAIL", 27: "CHANUNAVAIL", 3: "CHANUNAVAIL"}


class Line(Protocol):
    """What is asked of `callback_line`."""

    def promise(self, call_id: str) -> LineCallback | None:
        """The promise in line that this call will keep."""

    def failed(self, call_id: str, why: str) -> None:
        """The citizen was dialled in vain."""

    def taken(self, callback_id: int, by: str = "") -> None:
        """A person deals with it."""

    def refused(self, call_id: str) -> None:
        """The number may not be called back: it is over, and people are told."""


class CallbackCalls:
    """See the module's text."""

    def __init__(self, core: Core, offers: Offers, talks: Talks, dialling: Dialling) -> None:
        self._core, self._offers, self._talks, self._dialling = core, offers, talks, dialling
        self.line: Line
        offers.prepare, offers.ring, offers.stop_ringing = self._prepare, self._ring, self._stop_ringing

    # -- the agent's telephone --------------------------------------------------------------------------------------

    def _prepare(self, offer: Offer) -> Call | None:
        """The call that is offered: nobody is on the line yet."""
        one = self.line.promise(offer.call_id)
        return None if one is None else self._call(offer.call_id, one)

    def _call(self, call_id: str, one: LineCallback) -> Call:
        call = Call(call_id, phase=Phase.callback, number=one.number, line=self._core.settings.main_number)
        call.language, call.queue, call.skills, call.priority = one.language, one.queue, dict(one.skills), one.priority
        call.joined_ms, call.started_ms = one.placed_ms, self._core.now_ms()
        self._core.telephony.forget(call_id)
        self._core.telephony.calls[call_id] = call
        return call

    async def _ring(self, run: Run, call: Call, agent: Agent) -> None:
        """Ring the agent. Raises AmiError."""
        call.offer_id = run.offer.offer_id
        leg_id = f"agent-{call.call_id}-{secrets.randbelow(10**6)}"
        leg = Leg("", leg_id, Role.agent, agent.agent_id, "", LegState.dialing, self._core.now_ms())
        self._core.telephony.attach(call, leg)
        await self._core.asterisk.originate(
            f"PJSIP/{self._core.way(agent.endpoint, call.call_id)}",
            unique_id=leg_id,
            context=AGENT,
            exten="s",
            caller_id=f'"" <{call.number}>',
            variables={
                "HOTLINE_PEER_CALL": call.call_id,
                "HOTLINE_AGENT": agent.agent_id,
                "HOTLINE_LEG": "agent",
                "HOTLINE_TO": call.number,
                "PJSIP_HEADER(add,X-Hotline-Call)": call.call_id,
            },
            timeout_s=max(1, round((run.offer.deadline_ms - self._core.now_ms()) / 1000)),
        )

    def _stop_ringing(self, call: Call) -> None:
        """The offer has ended: the telephone is let go."""
        if call.phase is Phase.callback and call.leg(Role.citizen) is None:
            self._hang_up(call)
            self._core.telephony.forget(call.call_id)

    def accepted(self, change: AgentWaits) -> None:
        """The agent has picked up."""
        run, call = self._offers.of_call(change.call_id), self._core.call(change.call_id)
        if run is None or call is None or run.offer.agent_id != change.agent_id:
            return
        self._talks.began(call.call_id, change.agent_id)
        call.agent_id = change.agent_id
        data = {"call_id": call.call_id, "channel": change.channel, "at_ms": self._core.now_ms()}
        self._core.hub.to_agent(change.agent_id, "call.answered", data)
        self._offers.over(run.offer.offer_id, "answered")
        self._core.queue.feed(OfferAnswered(call.call_id, change.agent_id, run.offer.offer_id))

    # -- the citizen's telephone ------------------------------------------------------------------------------------

    def dial(self, decision: DialCitizen) -> None:
        """The engine wants the citizen dialled."""
        self._core.spawn(self._dial(decision), f"dial-{decision.callback_id}")

    async def _dial(self, decision: DialCitizen) -> None:
        call_id = decision.callback_id
        one, call = self.line.promise(call_id), self._core.call(call_id)
        if one is None:
            self._core.queue.feed(CallLeft(call_id, "withdrawn"))
            return
        if call is None or not decision.agent_id:
            call = self._call(call_id, one)
        if not self.may_call(one):
            self.line.refused(call_id)
            return
        if not await self._claimed(decision, one) or self._core.call(call_id) is not call:
            return
        if not self._core.settings.trunk_out:
            self._in_vain(call, "REFUSED", 21)
            return
        leg = Leg("", call_id, Role.citizen, "", one.number, LegState.dialing, self._core.now_ms())
        self._core.telephony.attach(call, leg)
        try:
            await self._originate(decision, call, one)
        except AmiError as error:
            log.info("a citizen could not be dialled", call=call_id, problem=str(error))
            self._in_vain(call, "CHANUNAVAIL", 0)
            return
        await asyncio.sleep(BEGINS_S)
        still = self._core.call(call_id) is call and call.legs.get(call_id) is leg
        if still and call.phase is Phase.callback and not leg.channel:
            self._in_vain(call, "CHANUNAVAIL", 0)  # Asterisk never made the channel, and has no word for that

    def may_call(self, one: LineCallback) -> bool:
        """Whether the number of this promise may be called back, as the settings say now."""
        return self._dialling.destinations.may_call_back(one.number)

    async def _claimed(self, decision: DialCitizen, one: LineCallback) -> bool:
        """Whether the promise is ours to dial: the domain says so, once it can be asked."""
        until_ms = decision.deadline_ms - SPEAKS_S * 1000
        while True:
            try:
                await asyncio.to_thread(
                    self._core.domain.dial_callback, one.callback_id, decision.agent_id, decision.attempt
                )
                return True
            except (Busy, StorageFull):
                if self._core.now_ms() >= until_ms or self.line.promise(decision.callback_id) is not one:
                    self.line.failed(decision.callback_id, "busy")
                    return False
                await asyncio.sleep(CLAIM_EVERY_S)
            except HotlineError:
                self.line.taken(one.callback_id)  # somebody was quicker
                return False

    async def _originate(self, decision: DialCitizen, call: Call, one: LineCallback) -> None:
        agent = call.leg(Role.agent)
        await self._core.asterisk.originate(
            f"PJSIP/{one.number}@trunk",
            unique_id=call.call_id,
            context="acd-callback",
            exten="s",
            caller_id=f'"" <{self._core.settings.main_number}>',
            variables={
                "HOTLINE_CALL": call.call_id,
                "HOTLINE_NUMBER": one.number,
                "HOTLINE_LINE": self._core.settings.main_number,
                "HOTLINE_STARTED": str(call.started_ms),
                "HOTLINE_PHASE": Phase.callback.value,
                "HOTLINE_LANG": one.language,
                "HOTLINE_QUEUE": one.queue,
                "HOTLINE_SKILLS": ",".join(f"{skill}:{level}" for skill, level in sorted(one.skills.items())),
                "HOTLINE_PRIORITY": str(one.priority),
                "HOTLINE_JOINED": str(one.placed_ms),
                "HOTLINE_CALLBACK_LEG": agent.unique_id if agent is not None and decision.agent_id else "",
                "HOTLINE_CALLBACK_AGENT": decision.agent_id,
            },
            timeout_s=max(5, round((decision.deadline_ms - self._core.now_ms()) / 1000 - SPEAKS_S)),
        )

    # -- what becomes of it -----------------------------------------------------------------------------------------

    def leg_ended(self, call: Call, change: LegEnded | OriginateFailed) -> None:
        """A leg of an attempt is gone before the citizen has answered."""
        cause = change.cause if isinstance(change, LegEnded) else 0
        if change.role is Role.citizen:
            self._in_vain(call, STATUS.get(cause, "CHANUNAVAIL"), cause)
            return
        run = self._offers.of_call(call.call_id)
        if run is not None:
            failed = fail_cause(LEG_STATUS.get(cause, "NOANSWER"), cause)
            self._core.telephony.forget(call.call_id)
            self._offers.over(run.offer.offer_id, failed.value)
            self._core.queue.feed(OfferFailed(call.call_id, change.agent_id, run.offer.offer_id, failed))
        elif self._talks.has(call.call_id, change.agent_id):
            # They do not wait any more; whoever answers waits for another agent.
            self._core.queue.feed(TalkEnded(call.call_id, change.agent_id))
            self._talks.tell_end(call.call_id, change.agent_id, call)
            call.agent_id = ""

    def _in_vain(self, call: Call, status: str, cause: int) -> None:
        agent_id = call.agent_id
        if agent_id:
            self._dialling.not_reached(OutboundEnded(call.call_id, agent_id, call.number, status, cause))
        self.line.failed(call.call_id, status.lower())
        self.over(call.call_id)

    def over(self, call_id: str) -> None:
        """The attempt is over: whoever still rings or waits is let go, and the agent is told."""
        call = self._core.call(call_id)
        if call is None or call.phase is not Phase.callback:
            return
        self._hang_up(call)
        self._core.telephony.forget(call_id)
        if call.agent_id:
            self._talks.tell_end(call_id, call.agent_id, call)
        self._core.cards.pop(call_id, None)

    def _hang_up(self, call: Call) -> None:
        """Let go of both telephones; an agent who waits hears that it was in vain."""
        for leg in call.legs.values():
            self._core.spawn(self._end(leg), f"let-go-{leg.unique_id}")

    async def _end(self, leg: Leg) -> None:
        waits = leg.role is Role.agent and leg.state is LegState.up
        try:
            await self._core.asterisk.do(redirect(leg.handle, AGENT, "missed") if waits else hangup(leg.handle))
        except AmiError as error:
            log.debug("a leg was gone already", leg=leg.unique_id, problem=str(error))

    # -- after a lost line, or a start ------------------------------------------------------------------------------

    def adopt(self, call: Call) -> None:
        """An attempt goes on that this engine has begun, or an earlier one (`end_strays` and the line see to those)."""
        one = self.line.promise(call.call_id)
        if one is None:
            return
        self._fill(call, one)
        agent, run = call.leg(Role.agent), self._offers.of_call(call.call_id)
        if run is not None and agent is not None and agent.state is LegState.up:
            self.accepted(AgentWaits(call.call_id, agent.agent_id, agent.channel))
        elif run is None and not call.citizen_here:
            self._in_vain(call, "CHANUNAVAIL", 0)
        elif run is None and not self._waits(agent) and call.agent_id:
            self._core.queue.feed(TalkEnded(call.call_id, call.agent_id))

    def adopt_dialled(self, call: Call, one: LineCallback) -> str:
        """The citizen's telephone rings since before the start; the agent who waits for them, or ""."""
        self._fill(call, one)
        agent = call.leg(Role.agent)
        if agent is None or not self._waits(agent):
            return ""
        call.agent_id = agent.agent_id
        self._talks.began(call.call_id, agent.agent_id)
        return agent.agent_id

    def lost(self, call: Call) -> None:
        """An attempt that went on when the line to Asterisk was lost has ended meanwhile."""
        run = self._offers.of_call(call.call_id)
        if run is not None:
            self._offers.over(run.offer.offer_id, FailCause.CANCELLED.value)
            failed = OfferFailed(call.call_id, run.offer.agent_id, run.offer.offer_id, FailCause.CANCELLED)
            self._core.queue.feed(failed)
        elif self.line.promise(call.call_id) is not None:
            self.line.failed(call.call_id, "unseen")
        for agent_id in {leg.agent_id for leg in call.legs.values() if leg.role is Role.agent}:
            self._talks.tell_end(call.call_id, agent_id, call)

    def end_strays(self, promised: Collection[str]) -> None:
        """Let go of every telephone that rings or waits in vain since an earlier life: no citizen is being dialled, or
        the promise is not open any more."""
        for call in list(self._core.telephony.calls.values()):
            if call.phase is Phase.callback and not (call.citizen_here and call.call_id in promised):
                self.over(call.call_id)

    def _waits(self, agent: Leg | None) -> bool:
        return agent is not None and agent.state is LegState.up

    def _fill(self, call: Call, one: LineCallback) -> None:
        call.number, call.line = one.number, self._core.settings.main_number
        call.language, call.queue, call.skills, call.priority = one.language, one.queue, dict(one.skills), one.priority
        call.joined_ms = one.placed_ms
