"""Calls of an audit that have ended, as Asterisk wrote them down, become outcomes: sound into the store, then heard.

Everything is derived from the files, so a run that was lost is found again; killed anywhere, the next run ends in the
same recording and the same outcome.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from app.audio import RATE, both_channels
from app.clock import from_ms
from app.db import Database
from app.errors import BadInput, Busy, NotFound, StorageFull
from app.number_audits.attempts import Ending, settle
from app.settings import Settings
from app.text import is_call_id
from recordings.dialled import Ended, outcome_of
from recordings.ear import Heard, hear
from recordings.store import Store
from recordings.tables import Recording

log = structlog.get_logger(__name__)

REST = timedelta(seconds=1)  # the recorder closes its files just after the call's end
UNREADABLE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Told:
    """What Asterisk wrote down of a call."""

    call_id: str
    cause: int
    status: str
    dialled_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    gave_up: bool


def scan(db: Database, settings: Settings, now: datetime) -> int:
    """Take in every call that has ended; how many. One that can't be read keeps no other waiting."""
    done = 0
    for path in sorted(settings.paths.audit_spool.glob("*.json")):
        try:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if datetime.now(UTC) - written < REST:
                continue
            done += take_in(db, settings, path, now)
        except (Busy, StorageFull):
            return done
        except FileNotFoundError:
            continue
        except BadInput:
            if datetime.now(UTC) - written > UNREADABLE_AFTER:
                path.replace(path.with_suffix(".broken"))
        except Exception:
            log.exception("a call of an audit could not be taken in", call=path.stem)
    return done


def take_in(db: Database, settings: Settings, path: Path, now: datetime) -> int:
    """One call: its sound, its outcome, then the spool is cleared. 0 for one that no attempt waits for. Raises
    BadInput for a file that does not parse."""
    told = read(path)
    base = path.with_suffix("")
    ours, theirs = (base.with_name(f"{base.name}-{side}.wav") for side in "tr")
    store = Store(settings, db)
    # As in every recording the left side is the citizen's, whose part we play; the right is what they heard.
    recording = store.adopt(told.call_id, 1, ours, theirs)
    before, after = heard(store, recording, told)
    outcome = outcome_of(
        Ended(told.cause, told.answered_at is not None, timed_out(settings, told), told.gave_up, before, after)
    )
    spans = (after if told.answered_at else before).spans
    ending = Ending(
        outcome=outcome,
        cause=told.cause,
        dialled_at=told.dialled_at,
        answered_at=told.answered_at,
        ended_at=told.ended_at,
        signs=[(span.sign.value, span.start_ms, span.end_ms) for span in spans],
        recording=recording.seq if recording else None,
    )
    with db.session() as session:
        known = settle(session, settings, told.call_id, ending, now)
    base.with_suffix(".began").unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    log.info("a call of an audit has ended", call=told.call_id, outcome=outcome.value, known=known)
    return int(known)


def timed_out(settings: Settings, told: Told) -> bool:
    """Whether it was we who did not wait any longer."""
    rang = (told.ended_at - told.dialled_at).total_seconds()
    return told.answered_at is None and rang >= settings.audit_ring_s - 1


def heard(store: Store, recording: Recording | None, told: Told) -> tuple[Heard, Heard]:
    """What was heard before the answer and after it. The recording ends with the call: that is how the two are told
    apart, for it begins with the first sound."""
    if recording is None or not recording.duration_ms:
        return Heard(), Heard()
    try:
        samples, rate = both_channels(store.file_of(recording))
    except (BadInput, NotFound):
        return Heard(), Heard()
    theirs = np.ascontiguousarray(samples[:, 1])
    if rate != RATE:
        return Heard(), Heard()
    if told.answered_at is None:
        return hear(theirs), Heard()
    tail = round((told.ended_at - told.answered_at).total_seconds() * RATE)
    cut = max(0, len(theirs) - tail)
    return hear(theirs[:cut]), hear(theirs[cut:])


def read(path: Path) -> Told:
    """What is in the file. Raises BadInput, FileNotFoundError."""
    try:
        facts = json.loads(path.read_bytes().decode("utf-8", "replace"))
        if not isinstance(facts, dict) or not is_call_id(path.stem) or facts.get("call") != path.stem:
            raise ValueError("not what a call wrote")
        ended = _moment(facts, "ended")
        dialled = _moment(facts, "dialled")
        if ended is None or dialled is None:
            raise ValueError("no times")
        cause = int(facts.get("cause") or 0)
    except (ValueError, RecursionError, OverflowError) as error:
        raise BadInput(
            code="bad_sidecar", message_zh="附属信息文件无法解析。", message_en="The file does not parse."
        ) from error
    answered = _moment(facts, "answered")
    status = str(facts.get("status") or "")
    # Whoever hung up before the answer, without a cause from the network, was we ourselves.
    return Told(path.stem, cause, status, dialled, answered, ended, gave_up=status == "CANCEL")


def _moment(facts: Mapping[str, Any], name: str) -> datetime | None:
    value = str(facts.get(name) or "")
    return from_ms(int(value)) if value else None
