"""Promises with a place in the queue: the domain keeps them, the engine says whose turn it is, and each is told.

A promise is made by a voice script, in another process, and may be taken, withdrawn or closed by people in a third. So
the domain is looked at every `LOOK_EVERY_S`, and at once when a caller has left for the script. The first look after a
start waits until the facts of an earlier life are in the database: what it had decided must not be decided again.

What the engine decides is written down as facts (`app.callbacks.line`), which survive a kill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from acd.model import (
    CallbackCancelled,
    CallbackClosed,
    CallbackRequested,
    CallbackResting,
    CallbackRestored,
    CallOutOfReach,
    CitizenNotReached,
    ReasonCode,
    Refused,
    Why,
)
from app.callbacks.model import NOT_ALLOWED, LineStep
from app.errors import HotlineError
from cti_bridge.callback_calls import CallbackCalls
from cti_bridge.core import Core
from cti_bridge.model import TALKING, Call, Phase, callback_call
from cti_bridge.ports import LineCallback

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
_STAYED = TALKING | {Phase.hold, Phase.connect, Phase.failsafe}
"""Where callers wait or talk: whoever is there has asked for nothing, or has thought better of it."""


class CallbackLine:
    """See the module's text. `calls` carries out what is to be dialled."""

    def __init__(self, core: Core, calls: CallbackCalls) -> None:
        self._core, self._calls = core, calls
        self._in_line: dict[str, LineCallback] = {}  # by call id
        self._refused: set[int] = set()  # promises that the queue did not take, for people to deal with
        self._ours: set[str] = set()  # those that we took out of the line: the domain knows already
        self._why: dict[str, str] = {}  # how the latest attempt ended
        self._life = 0
        self._settled, self._nudge = asyncio.Event(), asyncio.Event()
        self._first = True
        calls.line = self

    # -- looking at the domain --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The picture is known: what an earlier life had still to write goes first."""
        if not self._life:
            self._life = self._core.now_ms()
            self._core.facts.put("callback_barrier", "", {"life": self._life})

    def barrier(self, life: int) -> None:
        """The facts of that life are in the database."""
        if life == self._life:
            self._settled.set()

    def out_of_reach(self) -> None:
        """The node that dials citizens is away: those in line rest. To be told again while it is."""
        self._core.queue.feed(*(CallOutOfReach(call_id) for call_id in self._in_line))

    def soon(self) -> None:
        """Somebody may just have been promised a call."""
        self._nudge.set()

    async def run(self) -> None:
        """Look for ever."""
        await self._settled.wait()
        while True:
            self._nudge.clear()
            try:
                self._see(await asyncio.to_thread(self._core.domain.line_callbacks))
            except HotlineError as error:
                log.info("promises to call back cannot be looked up yet", problem=error.code)
            except Exception:
                log.exception("promises to call back could not be looked at")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._nudge.wait()
            except TimeoutError:
                continue

    def _see(self, found: Sequence[LineCallback]) -> None:
        if self._first:
            self._calls.end_strays({self._call_id(one) for one in found if self._calls.may_call(one)})
        for one in found:
            call_id = self._call_id(one)
            if call_id in self._in_line or one.callback_id in self._refused:
                continue
            call = self._core.call(call_id)
            if not self._calls.may_call(one) and (call is None or call.phase is Phase.callback):
                self._give_up_refused(one)
            elif one.in_line is None:
                self._enter(call_id, one)
            elif self._first:
                self._restore(call_id, one)
        promised = {one.callback_id for one in found}
        for one in list(self._in_line.values()):
            if one.callback_id not in promised:
                self.taken(one.callback_id)
        self._refused &= promised
        self._first = False

    def _call_id(self, one: LineCallback) -> str:
        return callback_call(self._core.settings.node, one.callback_id)

    def _enter(self, call_id: str, one: LineCallback) -> None:
        """A new promise takes over the place of its caller."""
        rules = self._core.callback_rules(one.queue)
        if rules is None:
            return
        caller = self._core.call(one.call_id)
        if caller is not None and caller.ended_ms is None and caller.phase in _STAYED:
            self._refused.add(one.callback_id)
            self._note(one.callback_id, LineStep.withdrawn, why="stayed")
            return
        self._in_line[call_id] = one
        key = self._core.caller_key(one.number)
        refused = self._core.queue.ask(CallbackRequested(one.call_id, call_id, key))
        if refused is not None and refused.why in (Why.UNKNOWN_CALL, Why.NO_CALLBACKS):
            # The caller has hung up already (or was called back themselves): their place is known all the same.
            refused = self._restored(call_id, one)
        if refused is not None:
            del self._in_line[call_id]
            if refused.why is not Why.NOT_NOW:  # looked at again in a moment
                self._refused.add(one.callback_id)
                log.info("the queue does not take a promise to call back", callback=one.callback_id, why=refused.why)
            return
        placed_ms, priority = self._core.queue.engine.place(call_id) or (one.placed_ms, one.priority)
        place = {"placed_ms": placed_ms, "priority": priority, "skills": dict(one.skills)}
        self._note(one.callback_id, LineStep.entered, **place, most_attempts=rules.attempts)
        self._core.board_changed()

    def _restore(self, call_id: str, one: LineCallback) -> None:
        """The queue had this promise before it started anew."""
        self._in_line[call_id] = one
        call = self._core.call(call_id)
        if call is not None and call.phase is not Phase.callback:
            self.reached(call)  # in the meantime: a call like others
            return
        if call is not None and call.citizen_here:
            refused = self._restored(call_id, one, dialling=True, agent_id=self._calls.adopt_dialled(call, one))
        elif one.dialling:
            # Nobody knows how that attempt ended; the citizen's telephone may have rung, so it counts.
            self._why[call_id] = "unseen"
            refused = self._restored(call_id, one, dialling=True)
            self._core.queue.feed(CitizenNotReached(call_id))
        else:
            refused = self._restored(call_id, one)
        if refused is not None:
            self._in_line.pop(call_id, None)
            log.info("a promise to call back could not be put in line", callback=one.callback_id, why=refused.why)

    def _restored(
        self, call_id: str, one: LineCallback, *, dialling: bool = False, agent_id: str = ""
    ) -> Refused | None:
        event = CallbackRestored(
            call_id,
            one.queue,
            one.placed_ms,
            one.priority,
            dict(one.skills),
            self._core.caller_key(one.number),
            one.attempts,
            one.due_ms,
            one.requested_ms,
            dialling,
            agent_id,
        )
        return self._core.queue.ask(event)

    # -- what happens to those in line ------------------------------------------------------------------------------

    def promise(self, call_id: str) -> LineCallback | None:
        """The promise in line that this call will keep."""
        return self._in_line.get(call_id)

    def waiting(self) -> int:
        """How many citizens wait to be called back by the queue."""
        return len(self._in_line)

    def failed(self, call_id: str, why: str) -> None:
        """The citizen was dialled in vain."""
        self._why[call_id] = why
        self._core.queue.feed(CitizenNotReached(call_id))

    def reached(self, call: Call) -> None:
        """The citizen has answered: the promise is kept."""
        one = self._in_line.pop(call.call_id, None)
        if one is not None:
            self._why.pop(call.call_id, None)
            self._note(one.callback_id, LineStep.reached)
            self._core.board_changed()

    def refused(self, call_id: str) -> None:
        """Its number may not be called back: nobody is dialled, and a supervisor sees why."""
        one = self._in_line.pop(call_id, None)
        if one is not None:
            self._give_up_refused(one)
            self._core.queue.feed(CallbackCancelled(call_id, NOT_ALLOWED))
            self._calls.over(call_id)
            self._core.board_changed()

    def _give_up_refused(self, one: LineCallback) -> None:
        self._refused.add(one.callback_id)
        log.warning("a number may not be called back; the promise is given up", callback=one.callback_id)
        self._note(one.callback_id, LineStep.given_up, why=NOT_ALLOWED)

    def taken(self, callback_id: int, by: str = "") -> None:
        """A person deals with it, or it is over: it leaves the line, and the domain knows already."""
        call_id = callback_call(self._core.settings.node, callback_id)
        if call_id in self._in_line:
            self._ours.add(call_id)
            self._core.queue.feed(CallbackCancelled(call_id, by))

    def served(self, caller: Call) -> None:
        """A citizen who was to be called back has called again and talks with somebody."""
        key = self._core.caller_key(caller.number)
        for one in list(self._in_line.values()):
            if key and not caller.outbound and self._core.caller_key(one.number) == key:
                self._note(one.callback_id, LineStep.reached, why="called_again")
                self.taken(one.callback_id, "called_again")

    # -- the engine's decisions -------------------------------------------------------------------------------------

    def resting(self, decision: CallbackResting) -> None:
        """It keeps its place and is looked at again later."""
        one = self._in_line.get(decision.callback_id)
        if one is None:
            return
        why = self._why.pop(decision.callback_id, "no_word")
        told = {"why": why} if decision.reason.code is ReasonCode.NOT_REACHED else {}
        self._note(one.callback_id, LineStep.rests, attempts=decision.attempts, due_ms=decision.until_ms, **told)
        self._calls.over(decision.callback_id)

    def closed(self, decision: CallbackClosed) -> None:
        """It is over without a talk."""
        one = self._in_line.pop(decision.callback_id, None)
        why = self._why.pop(decision.callback_id, "no_word")
        if one is None:
            return
        match decision.reason.code:
            case ReasonCode.CALLBACK_CANCELLED if decision.callback_id in self._ours:
                self._ours.discard(decision.callback_id)
                self._note(one.callback_id, LineStep.left)
            case ReasonCode.CALLBACK_CANCELLED:
                self._note(one.callback_id, LineStep.withdrawn, why="stayed")
            case ReasonCode.CALLBACK_TOO_OLD:
                self._note(one.callback_id, LineStep.given_up, why="too_old", attempts=decision.attempts)
            case _:
                self._note(one.callback_id, LineStep.given_up, why=why, attempts=decision.attempts)
        self._calls.over(decision.callback_id)
        self._core.board_changed()

    def _note(self, callback_id: int, what: LineStep, **data: Any) -> None:
        told: Mapping[str, Any] = {"callback_id": callback_id, "what": what.value, **data}
        self._core.facts.put("callback_line", "", told)
