"""The dialplan's own note of how each call of a campaign ended, for those whose end nobody heard.

Like `endings`: Asterisk writes one small file when the channel is gone, answered or not; it is removed once its end is
in the database. What lies there at a start belongs to calls that ended while nobody listened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import structlog

from cti_bridge.model import campaign_attempt

log = structlog.get_logger(__name__)

LONGEST_FILE = 2_048
TOLD = ("heard", "said", "answer", "wish", "cause")
_PLAIN = re.compile(r"[0-9a-z]{0,16}")


def read(spool: Path) -> dict[str, Mapping[str, str]]:
    """Call id → what its note tells; what cannot be understood is taken away."""
    found = {}
    for path in sorted(spool.glob("*.json")):
        told = _read(path)
        if told is None:
            log.warning("a note of a campaign's call cannot be read", file=path.name)
            path.unlink(missing_ok=True)
        else:
            found[path.stem] = told
    return found


def remove(spool: Path, call_id: str) -> None:
    """The call's end is in the database."""
    if campaign_attempt(call_id):
        (spool / f"{call_id}.json").unlink(missing_ok=True)


def _read(path: Path) -> Mapping[str, str] | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            note = json.loads(file.read(LONGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or note.get("call") != path.stem or not campaign_attempt(path.stem):
        return None
    told = {name: note.get(name, "") for name in TOLD}
    return told if all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in told.values()) else None
