"""What became of each call, and of what was foretold to it, read from a journal's lines.

Events that the engine refused do not count. A caller who let themselves be called back is one call: it ends when the
citizen and an agent talk, or when the call-back is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from acd.journal import decode
from acd.model import (
    CallbackClosed,
    CallbackRequested,
    CallJoined,
    CallLeft,
    CitizenReached,
    OfferAnswered,
    Overflow,
    Queued,
    Refused,
    TalkAdopted,
    TurnedAway,
    WaitPredicted,
)

WINDOW_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that wanted a person. `answered_ms` None with `ended_ms` set: it left the queue unanswered."""

    call_id: str
    queue: str
    joined_ms: int
    answered_ms: int | None = None
    ended_ms: int | None = None
    caller_key: str = ""


@dataclass(slots=True)
class History:
    """What has been read so far."""

    calls: dict[str, CallRecord] = field(default_factory=dict)
    predictions: dict[str, tuple[int, WaitPredicted]] = field(default_factory=dict)  # with the time
    _of_callback: dict[str, str] = field(default_factory=dict)  # call-back → the call whose place it has
    _half: set[str] = field(default_factory=set)  # call-backs with one of agent and citizen on the line
    _joining: CallJoined | None = None
    _undo: Callable[[], None] | None = None
    _undo_of: tuple[str, str] = ("", "")  # name and subject of the event that could be undone

    def read(self, now_ms: int, item: Any) -> None:
        """One line's content."""
        match item:
            case CallJoined():
                self._joining, self._undo = item, None
            case Queued():
                self._queued(now_ms, item)
            case OfferAnswered() | TalkAdopted():
                self._keep(item, item.call_id)
                self._on_the_line(now_ms, item.call_id, talk=isinstance(item, TalkAdopted))
            case CitizenReached():
                self._keep(item, item.callback_id)
                self._on_the_line(now_ms, item.callback_id, talk=False)
            case CallbackRequested():
                self._keep(item, item.call_id, item.callback_id)
                self._of_callback[item.callback_id] = item.call_id
            case CallLeft():
                self._keep(item, item.call_id)
                if item.call_id not in self._of_callback.values():
                    self._ended(now_ms, item.call_id)
            case CallbackClosed():
                self._ended(now_ms, item.callback_id)
            case Overflow() | TurnedAway():
                self._ended(now_ms, item.call_id)
            case WaitPredicted():
                self.predictions.setdefault(item.call_id, (now_ms, item))
            case Refused() if self._undo is not None and (item.event, item.subject) == self._undo_of:
                self._undo()
            case _:
                pass

    def _keep(self, event: Any, subject: str, callback_id: str = "") -> None:
        """Remember how it was, should the engine refuse the event."""
        call_id = self._of_callback.get(subject, subject)
        known, half = self.calls.get(call_id), subject in self._half

        def undo() -> None:
            if known is not None:
                self.calls[call_id] = known
            (self._half.add if half else self._half.discard)(subject)
            self._of_callback.pop(callback_id, None)

        self._undo, self._undo_of = undo, (type(event).__name__, subject)

    def _queued(self, now_ms: int, item: Queued) -> None:
        if item.call_id in self.calls or item.call_id in self._of_callback:
            return
        joining = self._joining if self._joining is not None and self._joining.call_id == item.call_id else None
        joined_ms = now_ms if joining is None else joining.joined_ms
        in_order = now_ms - WINDOW_MS < joined_ms <= now_ms
        key = "" if joining is None else joining.caller_key
        joined_ms = joined_ms if in_order else now_ms
        self.calls[item.call_id] = CallRecord(item.call_id, item.queue, joined_ms, caller_key=key)

    def _on_the_line(self, now_ms: int, subject: str, *, talk: bool) -> None:
        """An agent, or the citizen, is on the line; of a call-back it takes both."""
        if subject in self._of_callback and not talk and subject not in self._half:
            self._half.add(subject)
            return
        call_id = self._of_callback.get(subject, subject)
        known = self.calls.get(call_id)
        if known is not None and known.answered_ms is None:
            self.calls[call_id] = replace(known, answered_ms=now_ms)

    def _ended(self, now_ms: int, subject: str) -> None:
        call_id = self._of_callback.get(subject, subject)
        known = self.calls.get(call_id)
        if known is not None:
            self.calls[call_id] = replace(known, ended_ms=known.ended_ms or now_ms)


def history(lines: Iterable[str]) -> History:
    """Everything that a journal tells. Raises JournalError for a line that is none."""
    read = History()
    for line in lines:
        read.read(*decode(line))
    return read


def records(lines: Iterable[str]) -> list[CallRecord]:
    """Calls from a journal's lines, in order of joining. Events that the engine refused do not count."""
    return list(history(lines).calls.values())
