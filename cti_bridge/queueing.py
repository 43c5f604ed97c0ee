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
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake = self.engine.next_wake_ms()
        if wake is not None and not self._stopped:
            delay = max(0, wake - self._now_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay, self.feed, Tick())
