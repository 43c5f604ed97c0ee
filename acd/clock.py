"""What time is it for the engine, when the machine's clock jumps or the process was frozen?

Two times are kept. `wall` orders callers and measures waits; it follows the clock that is given but never runs
backwards. `tau` drives the timers; it stands still over a stretch at whose end the engine was woken much later than it
had asked to be. After a freeze or a jump of the clock, timers therefore go on where they stood: nobody's wrap-up ends
early, no caller is sent away. Somebody who always wakes the engine late gets slow timers, not dead ones.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

_JITTER_MS = 1_000
_FEW = 64

TimerKey = tuple[int, int, str, str]  # due (tau), sequence, kind, id


class Clock:
    """All in milliseconds. `offset` is what backward jumps have been made up with: wall = given + offset."""

    __slots__ = ("given", "late", "late_ms", "offset", "started", "tau", "wall")

    def __init__(self, late_ms: int) -> None:
        self.late_ms = late_ms
        self.late = False
        self.started: int | None = None  # the first time ever given
        self.given = 0
        self.offset = 0
        self.wall = 0
        self.tau = 0

    def advance(self, now_ms: int, due: int | None) -> None:
        """Go on to `now_ms`. `due` is the tau of the next timer, if there is one."""
        if self.started is None:
            self.started = self.given = self.wall = now_ms
            return
        self.given = now_ms
        wall = now_ms + self.offset
        if wall < self.wall:
            if self.wall - wall >= _JITTER_MS:
                self.offset += self.wall - wall
            return
        step = wall - self.wall
        if due is not None:
            allowed = max(0, due - self.tau) + self.late_ms
            if step > allowed:
                undone = min(step - allowed, self.offset)  # the clock came back to where it had jumped from
                self.offset -= undone
                wall -= undone
                step = allowed if self.late else 0
                self.late = not self.late
            else:
                self.late = False
        self.wall = wall
        self.tau += step

    def given_of_tau(self, tau: int) -> int:
        """When a timer is due, on the clock that is given from outside."""
        return self.given + tau - self.tau

    def given_of_wall(self, wall: int) -> int:
        return wall - self.offset


class Timers:
    """Moments in tau. Setting returns the key by which a timer is cancelled.

    What is due at one moment lies together in the order in which it was set, and a heap knows the moments: of many
    callers, many are due together. What is cancelled stays until it comes up or until more than half is cancelled.
    """

    __slots__ = ("_at", "_kept", "_live", "_moments", "_sequence")

    def __init__(self) -> None:
        self._moments: list[int] = []  # a heap
        self._at: dict[int, list[TimerKey]] = {}
        self._kept = 0  # timers in `_at`, cancelled ones too
        self._live: set[int] = set()  # sequence numbers
        self._sequence = 0

    def set(self, due: int, kind: str, ident: str) -> TimerKey:
        self._sequence += 1
        key = (due, self._sequence, kind, ident)
        self._live.add(self._sequence)
        self._kept += 1
        together = self._at.get(due)
        if together is None:
            self._at[due] = [key]
            heappush(self._moments, due)
        else:
            together.append(key)
        return key

    def cancel(self, key: TimerKey | None) -> None:
        """No more; a timer that has rung or was cancelled already changes nothing."""
        if key is not None:
            self._live.discard(key[1])
            if self._kept > _FEW and self._kept > 2 * len(self._live):
                self._forget_cancelled()

    def _forget_cancelled(self) -> None:
        live = self._live
        left = {due: [key for key in together if key[1] in live] for due, together in self._at.items()}
        self._at = {due: together for due, together in left.items() if together}
        self._moments = [*self._at]
        heapify(self._moments)
        self._kept = len(live)

    def first_due(self) -> int | None:
        live = self._live
        while self._moments:
            due = self._moments[0]
            together = self._at[due]
            while together:
                if together[0][1] in live:
                    return due
                del together[0]
                self._kept -= 1
            heappop(self._moments)
            del self._at[due]
        return None

    def pop_due(self, tau: int) -> TimerKey | None:
        if not self._moments or self._moments[0] > tau:
            return None
        due = self.first_due()
        if due is None or due > tau:
            return None
        key = self._at[due].pop(0)
        self._kept -= 1
        self._live.discard(key[1])
        return key

    def __len__(self) -> int:
        return len(self._live)
