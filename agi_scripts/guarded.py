"""Asks the domain on a caller's behalf: with a deadline, with an answer when there is none, and never by a queue.

A locked database must not become silence on the line. Every question runs on a thread of its own with a time
limit; while the domain is slow, further questions are not even asked but answered by their defaults, so that threads
do not pile up behind it. What is asked for every call (hours, announcements) is remembered for some seconds.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog

from .menu import Menu
from .services import Announcement, Receipt, Services, Standing, UnitLine, VoiceSetup
from .threads import Answer, Threads

log = structlog.get_logger(__name__)
T = TypeVar("T")

MOST_UNANSWERED = 12
"""Questions that may be open at once before new ones get their default straight away."""
FRESH_S = 5.0
"""How long an answer that all calls share may be given again."""
AGEING_S = 3.0
"""From this age on one call has it asked for anew, while all go by the old one: nobody waits."""
CALLER_KNOWN_S = 1.0
"""How long a caller may hear nothing before the greeting, while it is looked up who calls."""
SLOW_S = 0.2
"""A look that took so long is no longer worth a caller's own thread."""
MOST_ANNOUNCEMENTS = 2
"""More than two would keep callers from a person."""


class Unanswered(Exception):
    """The domain did not answer in time or failed; the reason is logged."""


class Guarded:
    """`Services` as scripts use them. One per process; safe for any number of threads."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self.services = services
        self.setup: VoiceSetup = services.setup
        self.menu = Menu(self.setup.home, self._menu_trouble, self.setup.flow)
        self._clock = clock
        self._threads = Threads("domain")
        self._closed = False
        self._flags_slow_until = -math.inf
        self._lock = threading.Lock()
        self._open = 0
        self._remembered: dict[Hashable, tuple[float, Any]] = {}
        self._asking = threading.Lock()
        self._asked: dict[Hashable, Answer[Any]] = {}

    def close(self) -> None:
        """Stops taking questions; those that are open are left to end by themselves."""
        self._closed = True
        self._threads.close()

    def start(self, what: str, question: Callable[[], T]) -> Answer[T]:
        """Asks without waiting. Raises Unanswered at once while too many questions are open."""
        with self._lock:
            if self._closed:
                raise Unanswered(what)
            if self._open >= MOST_UNANSWERED:
                log.warning("domain not asked: too many questions are open", question=what, open=self._open)
                raise Unanswered(what)
            self._open += 1
        answer: Answer[T] = Answer()

        def find() -> None:
            answer.find(question)
            self._ended()

        try:
            self._threads.run(find)
        except RuntimeError as error:  # no more threads
            self._ended()
            raise Unanswered(what) from error
        return answer

    def _ended(self) -> None:
        with self._lock:
            self._open -= 1

    def ask(self, what: str, question: Callable[[], T], deadline_s: float | None = None) -> T:
        """The answer to `question`. Raises Unanswered after `deadline_s` (set-up's default) or if it failed."""
        limit = self.setup.deadline_s if deadline_s is None else deadline_s
        return self.result(what, self.start(what, question), limit)

    def result(self, what: str, answer: Answer[T], deadline_s: float) -> T:
        """Waits for a started question. Raises Unanswered."""
        try:
            return answer.get(deadline_s)
        except TimeoutError as error:
            log.warning("domain did not answer in time", question=what, deadline_s=deadline_s)
            raise Unanswered(what) from error
        except Exception as error:
            log.error("domain failed", question=what, error=type(error).__name__, detail=str(error)[:200])
            raise Unanswered(what) from error

    def _recent(self, key: Hashable, what: str, question: Callable[[], T], default: Callable[[], T]) -> T:
        """A remembered answer if it is fresh; else a new one; else the last one there was; else the default."""
        kept = self._remembered.get(key)
        age = self._clock() - kept[0] if kept else FRESH_S
        if kept and age < AGEING_S:
            return kept[1]  # type: ignore[no-any-return]
        try:
            answer = self._asked_anew(key, what, question)
            if kept and age < FRESH_S:
                return kept[1]  # type: ignore[no-any-return]
            return self.result(what, answer, CALLER_KNOWN_S)
        except Unanswered:
            # Also a default is kept for a while: while the database is locked, one caller waits for it, not every one.
            value = kept[1] if kept else default()
            if age >= FRESH_S:
                self._remembered[key] = (self._clock(), value)
            return value

    def _asked_anew(self, key: Hashable, what: str, question: Callable[[], T]) -> Answer[T]:
        """The answer that somebody awaits already, or a question begun now. Raises Unanswered."""

        def remembered() -> T:
            try:
                value = question()
                self._remembered[key] = (self._clock(), value)
                return value
            finally:
                with self._asking:
                    self._asked.pop(key, None)

        with self._asking:
            answer = self._asked.get(key)
            if answer is None:
                answer = self._asked[key] = self.start(what, remembered)
        return answer

    # -- questions ------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The present in the hotline's time zone."""
        return self.services.now().astimezone(self.setup.zone)

    def is_open(self) -> bool:
        """True if people are at work; by the configured hours if the calendar can't be asked."""
        return self._recent("open", "is_open", lambda: self.services.is_open(self.services.now()), self._by_the_clock)

    def _by_the_clock(self) -> bool:
        at, opens, closes = self.now().time(), self.setup.opens, self.setup.closes
        return opens <= at < closes if opens < closes else at >= opens or at < closes

    def announcements(self, language: str) -> Sequence[Announcement]:
        """The announcements to play now; none if they can't be asked for."""

        def question() -> Sequence[Announcement]:
            return tuple(self.services.active_announcements(self.services.now(), language))[:MOST_ANNOUNCEMENTS]

        return self._recent(("announcements", language), "active_announcements", question, lambda: ())

    def flags_for(self, number: str) -> frozenset[str]:
        """What is known about the caller; nothing if the number is withheld or the domain slow."""
        if not number:
            return frozenset()
        try:
            if self.services.flags_at_once and not self._flags_are_slow():
                return frozenset(self._timed_flags(number))
            return frozenset(self.ask("flags_for", lambda: self.services.flags_for(number), CALLER_KNOWN_S))
        except Unanswered:
            return frozenset()

    def _flags_are_slow(self) -> bool:
        return self._clock() < self._flags_slow_until

    def _timed_flags(self, number: str) -> frozenset[str]:
        """Asks on this thread, which is spared two changes of threads. Once that has taken long, the next callers ask
        as for everything else, where a slow domain is soon not asked any more. Raises Unanswered."""
        began = self._clock()
        try:
            return self.services.flags_for(number)
        except Exception as error:
            log.error("domain failed", question="flags_for", error=type(error).__name__, detail=str(error)[:200])
            raise Unanswered("flags_for") from error
        finally:
            if self._clock() - began >= SLOW_S:
                self._flags_slow_until = self._clock() + FRESH_S

    def take_voicemail(self, sidecar: Path) -> Receipt | None:
        """The receipt, or None if there was none in time: the spool keeps the message and it is taken in later."""
        try:
            return self.ask("take_voicemail", lambda: self.services.take_voicemail(sidecar))
        except Unanswered:
            return None

    def take_fax(self, sidecar: Path) -> Receipt | None:
        """As take_voicemail."""
        try:
            return self.ask("take_fax", lambda: self.services.take_fax(sidecar))
        except Unanswered:
            return None

    def register_callback(self, call_id: str, number: str, language: str, standing: Standing) -> bool:
        """True only if the domain has said that the call-back is registered."""
        services = self.services
        try:
            return bool(
                self.ask("register_callback", lambda: services.register_callback(call_id, number, language, standing))
            )
        except Unanswered:
            return False

    def unit(self, code: str) -> UnitLine | None:
        """The unit's line; None also if it can't be asked for."""
        try:
            return self.ask("unit", lambda: self.services.unit(code))
        except Unanswered:
            return None

    def _menu_trouble(self, trouble: str) -> None:
        """Told without waiting: a caller is on the line."""
        with contextlib.suppress(Unanswered):
            self.start("menu_trouble", lambda: self.services.menu_trouble(trouble))

    def may_ask_to_rate(self, call_id: str) -> bool:
        """Whether the caller was not asked before about this call; True also if that can't be known."""
        try:
            return self.ask("survey_asked", lambda: self.services.survey_asked(call_id), CALLER_KNOWN_S)
        except Unanswered:
            return True
