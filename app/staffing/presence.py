"""Who was at the telephones, added up by half-hour as the core looks at its board. Pure; time is an argument.

What is added is the time in each state of everybody on shift. The journal of the queue holds the same in every detail,
but to read a day of it takes seconds, and somebody looks at this all day long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SLOT_MS = 30 * 60_000
STATES = ("ready", "offered", "talking", "wrap_up", "not_ready")
LONGEST_GAP_MS = 15_000
"""Between two looks; whatever happened in a longer one nobody saw, and it counts for nothing."""
STORE_EVERY_MS = 5 * 60_000


@dataclass(slots=True)
class Slot:
    """One half-hour as one life of the core has seen it. `in_state`: state → milliseconds, over all agents."""

    began_ms: int
    watched_ms: int = 0
    in_state: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))

    def to_json(self, life: str) -> dict[str, Any]:
        """As a fact: seconds."""
        seconds = {f"{state}_s": ms / 1000 for state, ms in self.in_state.items()}
        return {"began_ms": self.began_ms, "life": life, "watched_s": self.watched_ms / 1000, **seconds}


class Presence:
    """Adds up one life of the core."""

    def __init__(self) -> None:
        self._slot: Slot | None = None
        self._last: tuple[int, dict[str, int]] | None = None
        self._stored_ms = 0

    @property
    def slot(self) -> Slot | None:
        """The half-hour that goes on, as far as it was seen."""
        return self._slot

    def look(self, by_state: Mapping[str, int], now_ms: int) -> list[Slot]:
        """So many agents are in these states from now on; the half-hours to be stored, if it is time for that.

        A half-hour is given again with more in it: the newest of one beginning is the one that counts.
        """
        due: list[Slot] = []
        if self._last is not None and 0 < now_ms - self._last[0] <= LONGEST_GAP_MS:
            at_ms, held = self._last
            while at_ms < now_ms:
                slot = self._at(at_ms, due)
                until = min(now_ms, slot.began_ms + SLOT_MS)
                slot.watched_ms += until - at_ms
                for state, agents in held.items():
                    slot.in_state[state] += agents * (until - at_ms)
                at_ms = until
        self._last = now_ms, {state: by_state.get(state, 0) for state in STATES}
        if self._slot is not None and now_ms - self._stored_ms >= STORE_EVERY_MS:
            due.append(self._slot)
        if due:
            self._stored_ms = now_ms
        return due

    def _at(self, at_ms: int, due: list[Slot]) -> Slot:
        began_ms = at_ms - at_ms % SLOT_MS
        if self._slot is None or self._slot.began_ms != began_ms:
            if self._slot is not None:
                due.append(self._slot)
            self._slot = Slot(began_ms)
            self._stored_ms = self._stored_ms or at_ms
        return self._slot
