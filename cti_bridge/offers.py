"""One offer from decision to answer: the card goes to the agent's page first, then the telephone rings.

The page must acknowledge the pop within a second, else the offer fails as `desktop_silent`, the telephone never rings,
and the next agent is tried. An agent who signed in without a page (a telephone alone) and has none open is rung at
once; the draft is stored in its own time. The caller stays in the hold loop until the very moment of ringing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from acd.model import CallJoined, CallOutOfReach, CancelOffer, FailCause, Offer, OfferFailed
from cti_bridge.agents import Agent
from cti_bridge.ami import AmiError
from cti_bridge.asterisk import redirect
from cti_bridge.core import Core
from cti_bridge.facts import offered
from cti_bridge.model import Call, Phase
from cti_bridge.pop import Pops

log = structlog.get_logger(__name__)

ACK_S = 1.0


class Stage(StrEnum):
    """How far an offer has come."""

    card = "card"
    popped = "popped"
    ringing = "ringing"  # the caller is on the way to the agent's telephone
    over = "over"


@dataclass(slots=True)
class Run:
    """One offer under way."""

    offer: Offer
    stage: Stage = Stage.card
    task: asyncio.Task[None] | None = None


# What the dialplan's DIALSTATUS means to the queue.
CAUSES = {
    "NOANSWER": FailCause.NO_ANSWER,
    "BUSY": FailCause.BUSY,
    "CHANUNAVAIL": FailCause.UNREACHABLE,
    "CONGESTION": FailCause.UNREACHABLE,
    "CANCEL": FailCause.CANCELLED,
    "DONTCALL": FailCause.REJECTED,
    "TORTURE": FailCause.REJECTED,
    "INVALIDARGS": FailCause.UNREACHABLE,
}
REJECTED = 21  # Q.850 "call rejected": the agent pressed the red button


def fail_cause(status: str, cause: int) -> FailCause:
    """Why ringing ended without an answer."""
    if cause == REJECTED:
        return FailCause.REJECTED
    return CAUSES.get(status, FailCause.CANCELLED)


def place(call: Call) -> tuple[int, int, str]:
    """What orders callers of one priority: who joined first."""
    return call.joined_ms or call.started_ms, rank(call.call_id), call.call_id


def rank(call_id: str) -> int:
    """Who comes first of those who joined in one millisecond: whose call Asterisk has counted first.

    It must not be whose joining was heard of first: after a restart nobody knows that any more.
    """
    count = call_id.rpartition(".")[2]
    return int(count) if count.isascii() and count.isdigit() else 0


def rejoined(core: Core, call: Call, attempt: int = 0) -> CallJoined | CallOutOfReach:
    """The call is in the hold loop, with what is known of its caller by now; or waits on a node that is away."""
    if core.out_of_reach(call.call_id):
        return CallOutOfReach(call.call_id)
    return CallJoined(
        call_id=call.call_id,
        queue=call.queue,
        joined_ms=call.joined_ms,
        priority=call.priority,
        skills=dict(call.skills),
        language=call.language,
        caller=call.number,
        attempt=attempt,
        flags=call.flags,
        last_agent=call.last_agent,
        caller_key=core.caller_key(call.number),
        place_ms=call.place_ms,
        rank=rank(call.call_id),
    )


async def _raised(error: AmiError) -> None:
    raise error


class Offers:
    """All offers under way, by offer id.

    For a call-back nobody is on the line: `prepare` makes its call, `ring` rings the agent, `stop_ringing` lets go.
    """

    prepare: Callable[[Offer], Call | None]
    ring: Callable[[Run, Call, Agent], Coroutine[Any, Any, None]]
    stop_ringing: Callable[[Call], None]

    def __init__(self, core: Core, pops: Pops, *, ack_s: float = ACK_S) -> None:
        self._core, self._pops, self._ack_s = core, pops, ack_s
        self.runs: dict[str, Run] = {}

    def begin(self, offer: Offer) -> None:
        """Carry an offer out."""
        call = self.prepare(offer) if offer.callback else self._core.call(offer.call_id)
        agent = self._core.book.get(offer.agent_id)
        if call is None or agent is None or not self._core.nodes.reaches(call.call_id):
            log.warning("an offer cannot be carried out", offer=offer.offer_id, call=offer.call_id)
            self._core.queue.feed(
                OfferFailed(offer.call_id, offer.agent_id, offer.offer_id, FailCause.CANCELLED),
                *([rejoined(self._core, call)] if call is not None and call.phase is Phase.hold else []),
            )
            return
        run = self.runs[offer.offer_id] = Run(offer)
        agent.call_id = call.call_id
        seen = agent.needs_page or self._core.hub.pages(agent.agent_id) > 0
        # A telephone without a page is rung before anything else is done; nobody waits for the notes of an offer.
        ringing = None if seen or offer.callback else self._put(run, call, agent)
        asyncio.get_running_loop().call_soon(self._note, run, call, agent, not seen)
        run.task = self._core.spawn(self._run(run, call, agent, seen, ringing), f"offer-{offer.offer_id}")

    def cancel(self, decision: CancelOffer) -> None:
        """The engine has ended an offer: stop ringing, and fetch the caller back if it says so."""
        run = self._end(decision.offer_id, decision.reason.code.value)
        call = self._core.call(decision.call_id)
        if call is not None and run is not None and run.offer.callback:
            self.stop_ringing(call)
            return
        if call is None or not decision.recall:
            return
        if (run is not None and run.stage is not Stage.ringing) or self._core.out_of_reach(call.call_id):
            self._core.queue.feed(rejoined(self._core, call))  # never left the hold loop, or can't be fetched
        else:
            self._core.spawn(self._recall(call), f"recall-{call.call_id}")

    def over(self, offer_id: str, why: str) -> None:
        """The telephone, the caller or an answer has ended the offer."""
        self._end(offer_id, why)

    def out_of_reach(self, call: Call) -> None:
        """The call's node is away. A telephone that rings already rings on; everything else is called off."""
        run = self.of_call(call.call_id)
        if run is None:
            self._core.queue.feed(rejoined(self._core, call))
        elif run.stage is not Stage.ringing:
            self._failed(run, call, FailCause.CANCELLED)

    def of_call(self, call_id: str) -> Run | None:
        """The offer that a call is in."""
        return next((run for run in self.runs.values() if run.offer.call_id == call_id), None)

    def _end(self, offer_id: str, why: str) -> Run | None:
        run = self.runs.pop(offer_id, None)
        if run is None:
            return None
        if run.task is not None and run.stage is not Stage.ringing and run.task is not asyncio.current_task():
            run.task.cancel()
        if why != "answered" and run.stage is not Stage.card:
            data = {"call_id": run.offer.call_id, "offer_id": offer_id, "why": why}
            self._core.hub.to_agent(run.offer.agent_id, "call.offer_ended", data)
        return run

    async def _run(
        self, run: Run, call: Call, agent: Agent, seen: bool, ringing: Coroutine[Any, Any, None] | None
    ) -> None:
        offer = run.offer
        if seen and not await self._pop(run, call, agent):
            return
        if ringing is None:
            if offer.offer_id not in self.runs or call.ended_ms is not None:
                return
            if offer.callback:
                self._leaves_loop(run, call)
                ringing = self.ring(run, call, agent)
            else:
                ringing = self._put(run, call, agent)
        try:
            await ringing
        except AmiError as error:
            # The caller has just hung up, or the line to Asterisk is cut; either will be told by an event.
            log.info("an offer could not be put to Asterisk", offer=offer.offer_id, problem=str(error))
            if offer.offer_id in self.runs and call.phase in (Phase.hold, Phase.callback):
                self._failed(run, call, FailCause.CANCELLED)

    def _note(self, run: Run, call: Call, agent: Agent, draft: bool) -> None:
        """Have the offer stored and, if it was not stored with a card, the draft."""
        if not run.offer.callback:  # an attempt to call back is not yet a call
            self._core.facts.put("call", call.call_id, offered(agent.agent_id, self._core.now_ms()))
        if draft:
            self._pops.later(call, agent.agent_id, card=False)

    async def _pop(self, run: Run, call: Call, agent: Agent) -> bool:
        """Show the card; whether the telephone may ring now."""
        offer = run.offer
        card = await self._pops.card(call, agent.agent_id)
        if offer.offer_id not in self.runs:
            return False
        shown = asyncio.Event()
        data = {
            "offer_id": offer.offer_id,
            "call_id": call.call_id,
            "deadline_ms": offer.deadline_ms,
            "card": card,
            "callback": offer.callback,
        }
        run.stage = Stage.popped
        self._core.hub.to_agent(agent.agent_id, "call.pop", data, heard=shown.set)
        if agent.needs_page:
            try:
                async with asyncio.timeout(self._ack_s):
                    await shown.wait()
            except TimeoutError:
                self._failed(run, call, FailCause.DESKTOP_SILENT)
                return False
        return True

    def _leaves_loop(self, run: Run, call: Call) -> None:
        """From here on the caller may be anywhere between loop and telephone, whatever becomes of the offer's task."""
        run.stage = Stage.ringing
        call.offer_id = run.offer.offer_id

    def _put(self, run: Run, call: Call, agent: Agent) -> Coroutine[Any, Any, None]:
        """Ask Asterisk to ring; await how that went."""
        self._leaves_loop(run, call)
        try:
            return self._core.asterisk.offer(
                call.channel,
                agent_id=agent.agent_id,
                endpoint=self._core.way(agent.endpoint, call.call_id),
                offer_id=run.offer.offer_id,
                timeout_s=max(1, round((run.offer.deadline_ms - self._core.now_ms()) / 1000)),
            )
        except AmiError as error:
            return _raised(error)

    def _failed(self, run: Run, call: Call, cause: FailCause) -> None:
        """The offer ended while the caller was still in the hold loop."""
        self._end(run.offer.offer_id, cause.value)
        failed = OfferFailed(call.call_id, run.offer.agent_id, run.offer.offer_id, cause)
        if run.offer.callback:
            self.stop_ringing(call)
            self._core.queue.feed(failed)
            return
        self._core.queue.feed(failed, *([rejoined(self._core, call)] if call.ended_ms is None else []))

    async def _recall(self, call: Call) -> None:
        try:
            await self._core.asterisk.do(redirect(call.channel, "acd-hold"))
        except AmiError as error:
            log.info("a caller could not be fetched back", call=call.call_id, problem=str(error))
