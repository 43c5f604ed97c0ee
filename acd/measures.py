"""How well is the hotline answering? Rates with their numerator and denominator (GB/T 33358-2016: answered within 15 s;
connect rate over any continuous 24 h of at least 95 %). Every other figure, and figures by half-hour, queue, skill and
agent, are in `acd.report`.

`figures` counts a list of calls once; `RollingMeasures` keeps the same rates up to date at O(log n) per change.
Times are epoch milliseconds. A call counts at the moment it joined the queue, and counts from then on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from acd.history import WINDOW_MS, CallRecord, records

ANSWER_TARGET_S = 15


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with what it is made of."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """0 to 1; None when there was nothing to count."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Figures:
    """`answered_in_target`: answered within 15 s ÷ all whose outcome is known (answered, gone, or past 15 s).
    `connected`: answered ÷ all that are over or answered (接通率). Both over calls that joined within the window.

    `attempts` counts those calls, `callers` the different people who made them as far as they can be told apart;
    `callers_connected`: who was answered at least once ÷ whose calls are all over or one of them answered. Somebody who
    hangs up and calls again is two attempts and one caller.
    """

    depth: int
    longest_wait_s: int
    answered_in_target: Rate
    connected: Rate
    attempts: int = 0
    callers: int = 0
    callers_connected: Rate = Rate(0, 0)


def figures(
    calls: Iterable[CallRecord], now_ms: int, window_ms: int = WINDOW_MS, target_s: int = ANSWER_TARGET_S
) -> Figures:
    """Count each call once. Callers still waiting count in depth and longest wait whenever they joined."""
    depth = longest_ms = in_target = judged = answered = settled = attempts = 0
    people: dict[str, int] = {}  # 2: answered, 1: in vain so far, 0: still waiting
    for call in calls:
        waiting = call.answered_ms is None and call.ended_ms is None
        if waiting:
            depth += 1
            longest_ms = max(longest_ms, now_ms - call.joined_ms)
        if not now_ms - window_ms < call.joined_ms <= now_ms:
            continue
        attempts += 1
        person = call.caller_key or f"call {call.call_id}"
        came = 2 if call.answered_ms is not None else int(not waiting)
        # Who waits at this moment is not yet in vain, whatever became of their earlier calls.
        known = people.get(person, came)
        people[person] = 2 if 2 in (came, known) else min(came, known)
        if call.answered_ms is not None:
            answered += 1
            settled += 1
            judged += 1
            in_target += call.answered_ms - call.joined_ms <= target_s * 1000
        elif call.ended_ms is not None:
            settled += 1
            judged += 1
        elif now_ms - call.joined_ms > target_s * 1000:
            judged += 1
    reached = Rate(sum(came == 2 for came in people.values()), sum(came > 0 for came in people.values()))
    rates = Rate(in_target, judged), Rate(answered, settled)
    return Figures(depth, longest_ms // 1000, *rates, attempts, len(people), reached)


class RollingMeasures:
    """The same rates over a sliding window, kept as calls happen. `rates` must be given times that do not go back."""

    def __init__(self, window_ms: int = WINDOW_MS, target_s: int = ANSWER_TARGET_S) -> None:
        self._window_ms = window_ms
        self._target_ms = target_s * 1000
        self._calls: dict[str, CallRecord] = {}
        self._order: list[tuple[int, str]] = []  # heaps: callers adopted after a restart joined in the past
        self._young: list[tuple[int, str]] = []  # not yet known to have missed the target
        self._in_target = self._judged = self._answered = self._settled = 0
        self._late: set[str] = set()  # judged because they have waited past the target

    def joined(self, call_id: str, queue: str, joined_ms: int) -> None:
        """A call joined; joining again changes nothing."""
        if call_id not in self._calls:
            self._calls[call_id] = CallRecord(call_id, queue, joined_ms)
            heappush(self._order, (joined_ms, call_id))
            heappush(self._young, (joined_ms, call_id))

    def answered(self, call_id: str, at_ms: int) -> None:
        call = self._calls.get(call_id)
        if call is None or call.answered_ms is not None:
            return
        self._take(call_id, -1)
        self._calls[call_id] = replace(call, answered_ms=at_ms)
        self._late.discard(call_id)
        self._take(call_id, 1)

    def left(self, call_id: str, at_ms: int) -> None:
        call = self._calls.get(call_id)
        if call is None or call.ended_ms is not None:
            return
        self._take(call_id, -1)
        self._calls[call_id] = replace(call, ended_ms=at_ms)
        self._late.discard(call_id)
        self._take(call_id, 1)

    def _take(self, call_id: str, sign: int) -> None:
        """Add or take away what this call contributes at present."""
        call = self._calls[call_id]
        if call.answered_ms is not None:
            self._answered += sign
            self._settled += sign
            self._judged += sign
            self._in_target += sign * (call.answered_ms - call.joined_ms <= self._target_ms)
        elif call.ended_ms is not None:
            self._settled += sign
            self._judged += sign
        elif call_id in self._late:
            self._judged += sign

    def rates(self, now_ms: int) -> tuple[Rate, Rate]:
        """(answered within the target, connected) over the window that ends now."""
        while self._young and now_ms - self._young[0][0] > self._target_ms:
            _, call_id = heappop(self._young)
            call = self._calls.get(call_id)
            if call is not None and call.answered_ms is None and call.ended_ms is None:
                self._late.add(call_id)
                self._take(call_id, 1)
        while self._order and self._order[0][0] <= now_ms - self._window_ms:
            _, call_id = heappop(self._order)
            self._take(call_id, -1)
            self._late.discard(call_id)
            del self._calls[call_id]
        return Rate(self._in_target, self._judged), Rate(self._answered, self._settled)


__all__ = [
    "ANSWER_TARGET_S",
    "WINDOW_MS",
    "CallRecord",
    "Figures",
    "Rate",
    "RollingMeasures",
    "figures",
    "records",
]
