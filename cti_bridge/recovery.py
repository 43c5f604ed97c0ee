"""Knowing everything again: after a start, a crash, or a lost line to Asterisk.

Asterisk is asked once for all channels with their variables; agents on shift come from the book's file. Waiting callers
keep their first join time, talks go on, and what ended while nobody looked is closed in the database.

With several nodes each is read when its session begins, and only its own calls are compared with what is known. At the
start of the core all that can be reached are waited for, so that their callers come into line as one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

import structlog
from panoramisk.message import Message

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
from cti_bridge.callback_calls import CallbackCalls
from cti_bridge.callback_line import CallbackLine
from cti_bridge.callbacks import Callbacks
from cti_bridge.callers import Callers
from cti_bridge.campaigns import Campaigns
from cti_bridge.changes import MembersChanged, PhoneSeen
from cti_bridge.control import Control
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.dispatcher import Dispatcher
from cti_bridge.endings import Ending
from cti_bridge.model import TALKING, Call, Phase, Telephony
from cti_bridge.offers import Offers, Stage, place, rejoined
from cti_bridge.overseeing import Overseeing
from cti_bridge.recordings import Recordings
from cti_bridge.snapshot import carry_over, picture
from cti_bridge.takeback import TakeBack, alone_in_failsafe
from cti_bridge.talks import Talks
from cti_bridge.thirds import Thirds

log = structlog.get_logger(__name__)

TOGETHER_S = 3.0  # so long does the start wait for nodes that seem to be there
OPEN_SINCE_MS = 2 * 24 * 3_600_000
IN_QUEUE = frozenset({Phase.hold, Phase.connect})
WAITS = IN_QUEUE | {Phase.failsafe}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one node has answered."""

    node: str
    status: list[Message]
    devices: list[Message]


class Recovery:
    """See the module's text. `adopt` runs at every "up" of a node's AMI session, before any event is heard from it."""

    def __init__(
        self,
        core: Core,
        dispatcher: Dispatcher,
        offers: Offers,
        talks: Talks,
        dialling: Dialling,
        callbacks: Callbacks,
        recordings: Recordings,
        take_back: TakeBack,
        callers: Callers,
        line: CallbackLine,
        calling: CallbackCalls,
        thirds: Thirds,
        overseeing: Overseeing,
        control: Control,
        campaigns: Campaigns,
    ) -> None:
        self._core, self._dispatcher, self._offers = core, dispatcher, offers
        self._talks, self._dialling, self._callbacks, self._recordings = talks, dialling, callbacks, recordings
        self._take_back, self._callers = take_back, callers
        self._line, self._calling = line, calling
        self._thirds, self._overseeing, self._control = thirds, overseeing, control
        self._campaigns = campaigns
        self._read: dict[str, Seen] = {}
        self._start: asyncio.Task[None] | None = None
        self._started: set[str] = set()  # nodes that were read at the start
        self._met: set[str] = set()  # nodes whose calls have been compared with the database
        self.on_known: Callable[[Call], None] = lambda _call: None
        self.beat: Callable[[str], Awaitable[None]]

    async def adopt(self, node: str) -> None:
        """Read the node's picture and go on from it. Raises AmiError when it cannot be asked.

        The engine is told that the telephone can be told something only when all callers are known and the heart
        beats: nobody is offered an agent before somebody who has waited longer, wherever that one was found.
        """
        asterisk, nodes = self._core.at(node), self._core.nodes
        status, devices = await asyncio.gather(asterisk.status(), asterisk.devices())
        seen = Seen(node, nodes.named(node, status), nodes.named(node, devices))
        if self._start is None or not self._start.done():
            self._read[node] = seen
            self._start = self._start or self._core.spawn(self._together(), "first-picture")
            try:
                await asyncio.shield(self._start)
            except BaseException:
                self._start = None
                raise
        if node in self._started:
            self._started.discard(node)
        else:
            await self._adopt([seen])

    async def _together(self) -> None:
        """The start: all nodes that can be read within a moment are one picture."""
        nodes = self._core.nodes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOGETHER_S):
                while any(node not in self._read and nodes.may_come(node) for node in nodes.links):
                    await asyncio.sleep(0.02)
        seen, self._read = list(self._read.values()), {}
        await self._adopt(seen)
        self._started = {one.node for one in seen}

    async def _adopt(self, seen: Collection[Seen]) -> None:
        notes = await asyncio.to_thread(endings.read, self._core.settings.paths.call_spool)
        now, nodes = self._core.now_ms(), {one.node for one in seen}
        marks = {self._core.nodes.mark(node) for node in nodes}

        def theirs(call_id: str) -> bool:
            return self._core.nodes.of(call_id) in nodes

        old, fresh = self._core.telephony, Telephony()
        for one in seen:
            fresh.join(picture(one.status, one.devices, now), theirs, marks.__contains__)
        gone = [call for call in carry_over(old, fresh) if theirs(call.call_id)]
        notes = {call_id: note for call_id, note in notes.items() if theirs(call_id)}
        found = list(fresh.calls.values())
        fresh.join(old, lambda call_id: not theirs(call_id), lambda mark: mark not in marks)
        self._core.telephony = fresh
        await self._callers.know(call for call in found if call.answered_ms is None)
        self._core.nodes.known |= nodes
        if not self._met:
            self._restore_agents(fresh, now)
        for agent in self._core.book.on_shift.values():
            self._dispatcher.tell_phone(agent)
        for call in gone:
            if call.phase is Phase.callback:
                self._calling.lost(call)
            elif call.phase is Phase.campaign:
                self._campaigns.lost(call)
            else:
                self._end(call, notes.pop(call.call_id, None))
        for call in gone:
            self._thirds.lost(call.call_id)
        unseen = [note for call_id, note in notes.items() if call_id not in fresh.calls]
        for note in unseen:
            self._core.facts.put("unseen", note.call.call_id, note.facts())
            self._thirds.lost(note.call.call_id)
            self.on_known(note.call)
        for call in sorted(found, key=place):
            self._adopt_call(call, new=call.call_id not in old.calls)
        self._overseeing.adopt(nodes, old.spies.values())
        log.info(
            "calls adopted", nodes=sorted(nodes), calls=len(found), gone=len(gone), agents=len(self._core.book.on_shift)
        )
        if new := nodes - self._met:
            self._met |= new
            self._core.spawn(self._close_forgotten(set(notes), new), "close-forgotten")
        if self._core.nodes.own in nodes:
            self._line.begin()  # it is this node that dials citizens
            self._campaigns.known()
        self._recordings.left_behind(lambda call_id: theirs(call_id) and call_id not in fresh.calls)
        # Whoever is sent to the hold loop must find it beating.
        await asyncio.gather(*(self.beat(node) for node in nodes))
        self._take_back.line_back(nodes)
        self._core.board_changed()

    def lost(self, node: str) -> None:
        """The node's session is over while others may go on: its calls go on where they are, and keep their places."""
        core = self._core
        for phone in core.telephony.lost_sight(core.nodes.mark(node)):
            self._dispatcher.change(PhoneSeen(phone))
        for call in sorted(core.telephony.calls.values(), key=place):
            if core.nodes.of(call.call_id) == node and call.phase in WAITS and call.ended_ms is None:
                self._offers.out_of_reach(call)
        if node == core.nodes.own:
            self.cannot_dial()

    def cannot_dial(self) -> None:
        """The node that dials citizens for the queue is away; to be said again while it is."""
        self._line.out_of_reach()

    def _end(self, call: Call, note: Ending | None) -> None:
        """A call that we knew has ended meanwhile; Asterisk's note says when and where."""
        phase, cause = call.phase, 0
        if note is not None:
            phase, cause, call.ended_ms, call.news = note.phase, note.cause, note.call.ended_ms, note.call.news
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
        if call.phase is Phase.campaign:
            self._campaigns.adopt(call)
            return
        run = self._offers.of_call(call.call_id)
        self.on_known(call)
        facts.note_hold(call, self._core.now_ms())
        self._control.pauses.adopt(call)
        if call.phase in TALKING:
            self._thirds.adopt(call)
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

    async def _close_forgotten(self, noted: Collection[str], nodes: Collection[str]) -> None:
        """Close in the database what these nodes no longer know and have left no note of; a busy database is asked
        again.

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
            if self._core.nodes.of(row.call_id) not in nodes:
                continue
            outcome = "answered" if row.answered_ms else ("abandoned" if row.joined_ms else "self_service")
            self._core.facts.put("call", row.call_id, {"ended_at": now, "outcome": outcome, "cause": "unseen"})
            self._thirds.lost(row.call_id)
        if self._met < set(self._core.nodes.links):
            return  # an attempt may go on at a node that has not been seen yet
        dialled = [call.attempt_of.callback_id for call in self._core.telephony.calls.values() if call.attempt_of]
        self._core.facts.put("forgotten_callbacks", "", {"alive": dialled})
