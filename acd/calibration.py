"""How well were waits foretold? What callers were first told, against what came, from a journal or as calls happen.

Only callers who were answered after it are judged: nobody knows how long those would have waited who hung up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from acd.history import WINDOW_MS, history


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was foretold at `at_ms`: a wait of between `low_s` and `high_s`, half of the time none over `middle_s`."""

    at_ms: int
    low_s: int
    middle_s: int
    high_s: int

    def against(self, answered_ms: int) -> tuple[bool, float]:
        """Whether the answer came within the range, and by how many seconds the middle was too long (minus: short)."""
        came_s = (answered_ms - self.at_ms) / 1000
        return self.low_s <= came_s <= self.high_s, self.middle_s - came_s


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well waits were foretold, over the callers who were answered after it.

    covered: of those, how many were answered within the range. error_s: mean absolute difference between the middle of
    the range and what came; bias_s: mean difference (positive: foretold too long). left: hung up before; not judged.
    """

    answered: int
    covered: int
    error_s: float
    bias_s: float
    left: int

    @property
    def coverage(self) -> float | None:
        """0 to 1; None when nobody was answered."""
        return self.covered / self.answered if self.answered else None


def calibration(lines: Iterable[str]) -> Calibration:
    """Foretold against what came (`WaitPredicted`), from a journal's lines."""
    read = history(lines)
    rolling = RollingCalibration()
    for call_id, (at_ms, told) in read.predictions.items():
        call = read.calls.get(call_id)
        if call is None:
            continue
        rolling.foretold(call_id, Foretold(at_ms, told.low_s, told.middle_s, told.high_s))
        if call.answered_ms is not None:
            rolling.answered(call_id, call.answered_ms)
        elif call.ended_ms is not None:
            rolling.left(call_id, call.ended_ms)
    return rolling.figure()


class RollingCalibration:
    """The same over a sliding window, kept as calls happen: O(log n) per call.

    What is told of a call twice counts once; `figure` must be given times that do not go back.
    """

    def __init__(self, window_ms: int = WINDOW_MS) -> None:
        self._window_ms = window_ms
        self._open: dict[str, Foretold] = {}
        self._over: dict[str, tuple[bool, float] | None] = {}  # None: left
        self._order: list[tuple[int, str]] = []
        self._answered = self._covered = self._left = 0
        self._off_s = self._bias_s = 0.0

    def foretold(self, call_id: str, told: Foretold) -> None:
        """A caller was told this; of two tellings the later counts."""
        if call_id not in self._over:
            self._open[call_id] = told

    def answered(self, call_id: str, at_ms: int) -> None:
        """A caller who was told something, or nothing, is answered."""
        if (told := self._open.pop(call_id, None)) is not None:
            self._end(call_id, at_ms, told.against(at_ms))

    def left(self, call_id: str, at_ms: int) -> None:
        """The call is over; nothing changes for one that was answered."""
        if self._open.pop(call_id, None) is not None:
            self._end(call_id, at_ms, None)

    def figure(self, now_ms: int | None = None) -> Calibration:
        """Over the calls that were answered or over within the window that ends now; over all without `now_ms`."""
        while now_ms is not None and self._order and self._order[0][0] <= now_ms - self._window_ms:
            self._count(self._over.pop(heappop(self._order)[1]), -1)
        count = self._answered
        error_s, bias_s = (self._off_s / count, self._bias_s / count) if count else (0.0, 0.0)
        return Calibration(count, self._covered, error_s, bias_s, self._left)

    def _end(self, call_id: str, at_ms: int, came: tuple[bool, float] | None) -> None:
        self._over[call_id] = came
        heappush(self._order, (at_ms, call_id))
        self._count(came, 1)

    def _count(self, came: tuple[bool, float] | None, sign: int) -> None:
        if came is None:
            self._left += sign
            return
        covered, off_s = came
        self._answered += sign
        self._covered += sign * covered
        self._off_s += sign * abs(off_s)
        self._bias_s += sign * off_s
