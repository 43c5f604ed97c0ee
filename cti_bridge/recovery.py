"""Knowing everything again: after a start, a crash, or a lost line to Asterisk.

Asterisk is asked once for all channels with their variables; agents on shift come from the book's file. Waiting callers
keep their first join time, talks go on, and what ended while nobody looked is closed in the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import structlog

from acd.model import (
    AgentRestored,
    AgentState,
    CallLeft,
    CitizenReached,
    Event,
    FailCause,
    OfferAnswered,
    OfferFailed,
    TalkAdopted,
    TalkEnded,
)
from app.errors import HotlineError
from cti_bridge import endings, facts
from cti_bridge.beat import Beat
from cti_bridge.callback_calls import CallbackCalls
from cti_bridge.callback_line import CallbackLine
from cti_bridge.callbacks import Callbacks
from cti_bridge.callers import Callers
from cti_bridge.changes import MembersChanged
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.dispatcher import Dispatcher
from cti_bridge.endings import Ending
from cti_bridge.model import TALKING, Call, Phase, Telephony
from cti_bridge.offers import Offers, Stage, place, rejoined
from cti_bridge.recordings import Recordings
from cti_bridge.snapshot import carry_over, picture
from cti_bridge.takeback import TakeBack, alone_in_failsafe
from cti_bridge.talks import Talks

log = structlog.get_logger(__name__)

OPEN_SINCE_MS = 2 * 24 * 3_600_000
IN_QUEUE = frozenset({Phase.hold, Phase.connect})


class Recovery:
    """See the module's text. `adopt` runs at every "up" of the AMI session, before any event is heard."""

    def __init__(
        self,
        core: Core,
        dispatcher: Dispatcher,
        offers: Offers,
        talks: Talks,
        dialling: Dialling,
        callbacks: Callbacks,
        recordings: Recordings,
        beat: Beat,
        take_back: TakeBack,
        callers: Callers,
        line: CallbackLine,
        calling: CallbackCalls,
    ) -> None:
        self._core, self._dispatcher, self._offers = core, dispatcher, offers
        self._talks, self._dialling, self._callbacks, self._recordings = talks, dialling, callbacks, recordings
        self._beat, self._take_back, self._callers = beat, take_back, callers
        self._line, self._calling = line, calling
        self._first = True
        self.on_known: Callable[[Call], None] = lambda _call: None

    async def adopt(self) -> None:
        """Read the picture and go on from it. Raises AmiError when Asterisk cannot be asked.

        The engine is told that the telephone can be told something only when all callers are known and the heart
        beats: nobody is offered an agent before somebody who has waited longer, wherever that one was found.
        """
        status, devices = await asyncio.gather(self._core.asterisk.status(), self._core.asterisk.devices())
        notes = await asyncio.to_thread(endings.read, self._core.settings.paths.call_spool)
        now = self._core.now_ms()
        fresh = picture(status, devices, now)
        gone = carry_over(self._core.telephony, fresh)
        old, self._core.telephony = self._core.telephony, fresh
        await self._callers.know(call for call in fresh.calls.values() if call.answered_ms is None)
        self._core.connected = True
        if self._first:
            self._restore_agents(fresh, now)
        for agent in self._core.book.on_shift.values():
            self._dispatcher.tell_phone(agent)
        for call in gone:
            if call.phase is Phase.callback:
                self._calling.lost(call)
            else:
                self._end(call, notes.pop(call.call_id, None))
        unseen = [note for call_id, note in notes.items() if call_id not in fresh.calls]
        for note in unseen:
            self._core.facts.put("unseen", note.call.call_id, note.facts())
            self.on_known(note.call)
        for call in sorted(fresh.calls.values(), key=place):
            self._adopt_call(call, new=call.call_id not in old.calls)
        log.info("calls adopted", calls=len(fresh.calls), gone=len(gone), agents=len(self._core.book.on_shift))
        if self._first:
            self._first = False
            self._core.spawn(self._close_forgotten(set(notes)), "close-forgotten")
        self._line.begin()
        self._recordings.left_behind(fresh.calls)
        await self._beat.once()  # whoever is sent to the hold loop must find it beating
        self._take_back.line_back()
        self._core.board_changed()

    def _end(self, call: Call, note: Ending | None) -> None:
        """A call that we knew has ended meanwhile; Asterisk's note says when and where."""
        phase, cause = call.phase, 0
        if note is not None:
            phase, cause, call.ended_ms = note.phase, note.cause, note.call.ended_ms
            if call.answered_ms is None and note.call.answered_ms is not None:
                call.answered_ms, call.agent_id = note.call.answered_ms, note.call.agent_id
        self._dispatcher.finish(call, phase, cause)
        self.on_known(call)

    def _restore_agents(self, fresh: Telephony, now: int) -> None:
        talking = {call.agent_id for call in fresh.calls.values() if call.phase in TALKING}
        for one in self._core.book.remembered():
            record = self._core.book.records.get(one.agent_id)
            if record is None and self._core.book.records:
                continue  # no agent any more
            agent = self._core.book.begin(one.agent_id, one.endpoint, needs_page=one.needs_page, now_ms=now)
            agent.page_lost_ms = now if one.needs_page and not self._core.hub.pages(one.agent_id) else None
            state, until_ms = AgentState(one.state), one.until_ms
            if state is AgentState.TALKING and one.agent_id not in talking:
                # The talk ended while we were away: the case still has to be finished.
                state, until_ms = AgentState.WRAP_UP, now + self._core.settings.wrapup_s * 1000
            elif state not in (AgentState.NOT_READY, AgentState.WRAP_UP):
                state, until_ms = AgentState.READY, None
            self._core.queue.feed(
                AgentRestored(
                    one.agent_id,
                    dict(agent.record.skills),
                    agent.record.queues,
                    state,
                    min(one.since_ms, now),
                    min(one.idle_since_ms, now),
                    until_ms,
                    one.not_ready_reason,
                )
            )

    def _adopt_call(self, call: Call, *, new: bool) -> None:
        run = self._offers.of_call(call.call_id)
        self.on_known(call)
        if new:
            self._core.facts.put("call", call.call_id, facts.joined(call) if call.joined_ms else facts.arrived(call))
        events: list[Event] = []
        if call.phase is Phase.callback:
            self._calling.adopt(call)
            self._dispatcher.change(MembersChanged(call.call_id))
            return
        if call.promise and self._line.promise(call.call_id) is not None:
            self._line.reached(call)
            events.append(CitizenReached(call.call_id))
        if call.phase is Phase.hold or alone_in_failsafe(call):
            if run is not None and run.stage is Stage.ringing:
                self._offers.over(run.offer.offer_id, "cancelled")
                failed = OfferFailed(call.call_id, run.offer.agent_id, run.offer.offer_id, FailCause.CANCELLED)
                events.append(failed)
            if run is None or run.stage is Stage.ringing:
                events.append(rejoined(self._core, call))
        elif call.phase in TALKING and call.agent_id and not call.outbound:
            if run is not None:
                self._offers.over(run.offer.offer_id, "answered")
                events.append(OfferAnswered(call.call_id, run.offer.agent_id, run.offer.offer_id))
            events.append(TalkAdopted(call.call_id, call.agent_id, call.answered_ms or self._core.now_ms()))
            self._talks.began(call.call_id, call.agent_id)
            if new:
                self._core.facts.put("call", call.call_id, facts.answered(call))
                self._talks.show_card(call, call.agent_id)
        elif call.phase not in IN_QUEUE and not call.outbound:
            if call.agent_id and self._talks.has(call.call_id, call.agent_id):
                events.append(TalkEnded(call.call_id, call.agent_id))
                self._talks.tell_end(call.call_id, call.agent_id)
            events.append(CallLeft(call.call_id, call.phase.value))
        elif call.outbound:
            self._dialling.adopt(call)
            if call.answered_ms is not None:
                self._callbacks.answered(call)
        # A call that is being rung (connect) tells by itself how that ends: AcdAnswered, AcdOfferEnd or AcdJoin.
        self._core.queue.feed(*events)
        self._dispatcher.change(MembersChanged(call.call_id))

    async def _close_forgotten(self, noted: Collection[str]) -> None:
        """Close in the database what Asterisk no longer knows and has left no note of; a busy database is asked again.

        Such calls ended with Asterisk itself.
        """
        while True:
            try:
                rows = await asyncio.to_thread(self._core.domain.open_calls, self._core.now_ms() - OPEN_SINCE_MS)
                break
            except HotlineError as error:
                log.warning("open calls cannot be looked up yet", problem=error.code)
                await asyncio.sleep(1.0)
        now = self._core.now_ms()
        for row in rows:
            if row.call_id in noted or self._core.call(row.call_id) is not None or row.started_ms > now - 1000:
                continue
            outcome = "answered" if row.answered_ms else ("abandoned" if row.joined_ms else "self_service")
            self._core.facts.put("call", row.call_id, {"ended_at": now, "outcome": outcome, "cause": "unseen"})
        dialled = [call.attempt_of.callback_id for call in self._core.telephony.calls.values() if call.attempt_of]
        self._core.facts.put("forgotten_callbacks", "", {"alive": dialled})
