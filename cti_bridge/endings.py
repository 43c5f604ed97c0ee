"""The dialplan's own note of how each citizen's call ended, for the calls whose end nobody heard.

Asterisk writes one small file per call when it ends (`hotline-call-spool`); we remove it once the call's end is in the
database. What lies there when a session with Asterisk begins belongs to calls that ended, or came and went, while
nobody listened. The files' content passed the dialplan's filters, and is read as input all the same.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from app.text import is_call_id
from cti_bridge import facts
from cti_bridge.model import Call, Phase, number_or, phase_of

log = structlog.get_logger(__name__)

_LONGEST_FILE = 8_192
_KEPT_S = 24 * 3600
_PLAIN = re.compile(r"[0-9A-Za-z+*#_>.:\-]{0,500}")


@dataclass(frozen=True, slots=True)
class Ending:
    """A call that is over, as the dialplan knew it; `phase` is what it was doing last."""

    call: Call
    phase: Phase
    cause: int
    failsafe_cause: str

    def facts(self) -> dict[str, Any]:
        """What the database is told of a call that nobody saw."""
        known = facts.ended(self.call, self.phase, self.cause)
        return {**known, **({"failsafe_cause": self.failsafe_cause} if self.failsafe_cause else {})}


def read(spool: Path) -> dict[str, Ending]:
    """All notes in the spool by call id; what cannot be understood is left lying for a day."""
    found = {}
    for path in sorted(spool.glob("*.json")):
        ending = _read(path)
        if ending is None:
            log.warning("a note of a call's end cannot be read", file=path.name)
            _drop_if_old(path)
        else:
            found[path.stem] = ending
    return found


def remove(spool: Path, call_id: str) -> None:
    """The call's end is in the database."""
    if is_call_id(call_id):
        (spool / f"{call_id}.json").unlink(missing_ok=True)


def _drop_if_old(path: Path) -> None:
    """Asterisk writes a note in one go: one that cannot be read after a day never will be, and may hold a number."""
    try:
        if time.time() - path.stat().st_mtime > _KEPT_S:
            path.unlink()
    except OSError as error:
        log.warning("a note of a call's end cannot be removed", file=path.name, problem=str(error))


def _read(path: Path) -> Ending | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            note = json.loads(file.read(_LONGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or note.get("call") != path.stem or not is_call_id(path.stem):
        return None

    def plain(name: str, default: str = "") -> str:
        value = note.get(name)
        return value if isinstance(value, str) and value and _PLAIN.fullmatch(value) else default

    started, ended = number_or(plain("started")), number_or(plain("ended"))
    if not 0 < started <= ended:
        return None
    call = Call(
        path.stem,
        number=plain("number"),
        line=plain("line"),
        language=plain("lang", "zh"),
        queue=plain("queue", "general"),
        path=plain("path"),
        started_ms=started,
        joined_ms=number_or(plain("joined")),
        answered_ms=number_or(plain("answered")) or None,
        ended_ms=ended,
        agent_id=plain("agent"),
        news=plain("news"),
    )
    return Ending(call, phase_of(plain("phase"), Phase.menu), number_or(plain("cause")), plain("failsafe"))
