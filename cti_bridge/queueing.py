"""The running engine: events go in, the journal is kept, decisions come out, and one timer wakes it when it is due."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from acd import journal
from acd.engine import Engine
from acd.model import Decision, Event, Refused, Tick
from cti_bridge.journal_file import JournalFile

SAME_S = 0.002  # the clock that the engine is told the time by has milliseconds

log = structlog.get_logger(__name__)


class Queueing:
    """One engine, fed from the event loop only. A decision that leads to a new event at once is handled in order."""

    def __init__(self, engine: Engine, file: JournalFile, now_ms: Callable[[], int]) -> None:
        self.engine = engine
        self._file, self._now_ms = file, now_ms
        self.on_decision: Callable[[Decision], None] = lambda _decision: None
        self._todo: deque[Event] = deque()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # by the loop's clock
        self._stopped = False
        self._refusals: list[Refused] | None = None
        file.append(journal.header(engine.config, engine.seed, now_ms()))

    def feed(self, *events: Event) -> None:
        """Let the engine handle these events and carry its decisions out."""
        self._todo.extend(events)
        if self._busy or self._stopped:
            return
        self._busy = True
        try:
            while self._todo:
                self._handle(self._todo.popleft())
        finally:
            self._busy = False
        self._set_timer()

    def ask(self, event: Event) -> Refused | None:
        """Like `feed` with one event; what the engine had against it, if anything."""
        refused: list[Refused] = []
        self._refusals = refused
        try:
            self.feed(event)
        finally:
            self._refusals = None
        name = type(event).__name__
        return next((one for one in refused if one.event == name), None)

    def stop(self) -> None:
        """No more decisions."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _handle(self, event: Event) -> None:
        now = self._now_ms()
        decisions = self.engine.handle(event, now)
        self._file.append(journal.encode(event, now))
        for decision in decisions:
            self._file.append(journal.encode(decision, now))
        for decision in decisions:
            if self._refusals is not None and isinstance(decision, Refused):
                self._refusals.append(decision)
            try:
                self.on_decision(decision)
            except Exception:
                log.exception("a decision could not be carried out", decision=type(decision).__name__)

    def _set_timer(self) -> None:
        wake, loop = self.engine.next_wake_ms(), asyncio.get_running_loop()
        at = None if wake is None or self._stopped else loop.time() + max(0, wake - self._now_ms()) / 1000
        if self._timer is not None:
            if at is not None and abs(at - self._timer_at) < SAME_S:
                return  # most events leave the next thing that is due as it was
            self._timer.cancel()
            self._timer = None
        if at is not None:
            self._timer, self._timer_at = loop.call_at(at, self._due), at

    def _due(self) -> None:
        self._timer = None
        self.feed(Tick())
