"""Recorded segments on their way from Asterisk's spool into the store (T9).

A call's files may be taken when its channel is gone: until then a talk may go on in the same segment. What an earlier
life left in the spool is found by looking.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from app.errors import Busy
from cti_bridge.ports import Domain
from cti_bridge.writer import Fact, FactWriter

log = structlog.get_logger(__name__)

CLOSING_S = 1.0  # Asterisk finishes the files on a thread of its own
EMPTY = 44  # bytes of a WAV header
_LEG = re.compile(r"(?P<call>[A-Za-z0-9.-]+)-(?P<segment>[0-9]{1,10})-r\.wav")


class Recordings:
    """Notes that a call's recordings can be taken in; `take_in` is what the fact writer then runs."""

    def __init__(self, spool: Path, facts: FactWriter) -> None:
        self._spool, self._facts = spool, facts

    def call_over(self, call_id: str) -> None:
        """The call has ended; its recordings are complete in a moment."""
        asyncio.get_running_loop().call_later(CLOSING_S, self._facts.put, "recording", call_id, {})

    def left_behind(self, over: Callable[[str], bool]) -> None:
        """Take in what belongs to calls that ended while nobody looked; `over` knows which those are."""
        for call_id in sorted({call for call, _, _ in segments(self._spool)}):
            if over(call_id):
                self._facts.put("recording", call_id, {})


def segments(spool: Path, call_id: str = "") -> list[tuple[str, int, Path]]:
    """(call, segment, citizen's leg) of everything in the spool, or of one call, in order."""
    try:
        found = [(match, path) for path in spool.iterdir() if (match := _LEG.fullmatch(path.name))]
    except FileNotFoundError:
        return []
    rows = [(match["call"], int(match["segment"]), path) for match, path in found]
    return sorted(row for row in rows if not call_id or row[0] == call_id)


def take_in(spool: Path, domain: Domain, fact: Fact) -> None:
    """Move a call's segments into the store. Raises Busy while Asterisk still writes them, StorageFull without room."""
    for call_id, segment, citizen in segments(spool, fact.key):
        heard = citizen.with_name(citizen.name.replace("-r.wav", "-t.wav"))
        legs = [leg for leg in (citizen, heard) if leg.exists()]
        if time.time() - max(leg.stat().st_mtime for leg in legs) < CLOSING_S / 2:
            raise Busy()
        if all(leg.stat().st_size <= EMPTY for leg in legs):
            for leg in legs:
                leg.unlink(missing_ok=True)  # an offer that nobody answered
            continue
        domain.adopt_recording(call_id, segment, citizen, heard)
