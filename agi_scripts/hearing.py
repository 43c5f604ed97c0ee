"""Which announcements one caller hears, from when, and when they went on from them.

It is told in a channel variable, so it outlives this process and is in Asterisk's own note of the call's end. Whether
they hung up content is for those to say who know how the call ended (app/announcements/hearing.py, which reads this).

    HOTLINE_NEWS=12:8400.13:13720>1795680000000            they are being played since then
    HOTLINE_NEWS=12:8400.13:13720>1795680000000>1795680009000   … and then a key was pressed, or nothing was
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from .safe_agi import SafeAgi

VARIABLE = "HOTLINE_NEWS"


class Hearing:
    """What one caller hears of the announcements of this moment. Only the first time in a call is told."""

    def __init__(self, agi: SafeAgi) -> None:
        self._agi = agi
        self._expected = ""
        self._told = ""

    def expects(self, announced: Sequence[tuple[str, int]]) -> None:
        """These are said with the next question: id, and milliseconds from its beginning to the end of that one."""
        if not self._told:
            self._expected = ".".join(f"{ident}:{end_ms}" for ident, end_ms in announced if ident.isdecimal())

    def begins(self) -> None:
        """They are said from now on. Raises Hangup."""
        if self._expected:
            self._told = f"{self._expected}>{_epoch_ms()}"
            self._expected = ""
            self._agi.set_variables(**{VARIABLE: self._told})

    def passed_over(self) -> None:
        """They are not said: the caller has typed ahead, or something else is said in their place."""
        self._expected = ""

    def goes_on(self) -> None:
        """The question that they were said with has been answered. Raises Hangup."""
        if self._told and self._told.count(">") == 1:
            self._told += f">{_epoch_ms()}"
            self._agi.set_variables(**{VARIABLE: self._told})


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000
