"""Whatever Asterisk kept while nobody listened becomes rows: voicemails, faxes, recorded legs.

The worker calls `scan` every two seconds. Everything is derived from the files, so a lost run is found again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from app.alarms.service import clear_alarm, raise_alarm
from app.calls.tables import Call
from app.clock import utc_now
from app.db import Database
from app.errors import BadInput, Busy, StorageFull
from app.faxes import service as faxes
from app.intake import Receipt, is_ripe
from app.settings import Settings
from app.tools import ToolMissing
from app.voicemails import service as voicemails
from recordings.store import Store

log = structlog.get_logger(__name__)

INTAKE_FULL = "intake_disk_full"
ENTRY_FAILED = "spool_entry_failed"
LEG_REST = timedelta(seconds=15)  # the bridge adopts sooner; this is for when it could not
LEG_AGE = timedelta(hours=2)  # a leg whose call nobody knows the end of
_LEG = re.compile(r"(?P<call>[A-Za-z0-9.-]+)-(?P<segment>[0-9]{1,9})-[rt]\.wav")

TakeIn = Callable[[Database, Settings, Path], Receipt]


def scan(db: Database, settings: Settings, *, now: datetime | None = None) -> int:
    """Take everything in that is complete; how many things were. A busy database or a full disk ends the run quietly.

    One entry that can't be taken in raises an alarm and does not keep the others waiting.
    """
    now = now or utc_now()
    done = 0
    paths = settings.paths
    try:
        done += _messages(db, settings, paths.voicemail_spool, ".wav", voicemails.take_in, now)
        done += _messages(db, settings, paths.fax_spool, ".tif", faxes.take_in, now)
        clear_alarm(db, INTAKE_FULL)
    except Busy:
        return done
    except StorageFull:
        raise_alarm(db, INTAKE_FULL, {"needed_mb": settings.min_free_mb})
    try:
        done += _legs(db, settings, now)
    except (Busy, StorageFull):
        pass  # the store has raised its own alarm
    return done


def waiting(settings: Settings) -> dict[str, int]:
    """How many files wait in each spool, for /metrics and the health page."""
    paths = settings.paths
    folders = {"voicemail": paths.voicemail_spool, "fax": paths.fax_spool, "record": paths.record_spool}
    return {name: sum(1 for _ in _files(folder)) for name, folder in folders.items()}


def _messages(db: Database, settings: Settings, folder: Path, suffix: str, take_in: TakeIn, now: datetime) -> int:
    done = 0
    for entry in _complete(folder, suffix, now):
        try:
            receipt = take_in(db, settings, entry)
        except (Busy, StorageFull):
            raise
        except BadInput as error:
            # A sidecar that does not parse is being written; after ten minutes nobody writes it any more.
            if error.code != "bad_sidecar" or not _is_stale(entry, now):
                continue
            receipt = _without_sidecar(db, settings, entry, suffix, take_in)
        except (Exception, ToolMissing) as error:
            raise_alarm(db, ENTRY_FAILED, {"problem": type(error).__name__}, subject=entry.name)
            log.exception("spool entry could not be taken in", entry=entry.name)
            continue
        clear_alarm(db, ENTRY_FAILED, subject=entry.name)
        done += 1
        log.info("spool entry taken in", kind=folder.name, call=entry.stem, status=receipt.status)
    return done


def _without_sidecar(db: Database, settings: Settings, entry: Path, suffix: str, take_in: TakeIn) -> Receipt:
    """The message of a sidecar that never became readable: what is in the file counts."""
    spoilt = entry.with_suffix(".json.broken")
    entry.replace(spoilt)
    orphan = entry.with_suffix(suffix)
    receipt = take_in(db, settings, orphan) if orphan.exists() else Receipt("", "lost")
    spoilt.unlink(missing_ok=True)
    return receipt


def _complete(folder: Path, suffix: str, now: datetime) -> list[Path]:
    """Sidecars, and files that have had no sidecar for ten minutes, oldest first."""
    found = []
    for path in _files(folder):
        orphan = path.suffix == suffix and not path.with_suffix(".json").exists() and _is_stale(path, now)
        if path.suffix == ".json" or orphan:
            found.append(path)
    return sorted(found, key=lambda path: (_mtime(path), path.name))


def _legs(db: Database, settings: Settings, now: datetime) -> int:
    """Adopt recorded segments of calls that are over and that the bridge has left lying."""
    segments: dict[tuple[str, int], datetime] = {}
    for path in _files(settings.paths.record_spool):
        if match := _LEG.fullmatch(path.name):
            key = (match["call"], int(match["segment"]))
            segments[key] = max(segments.get(key, _mtime(path)), _mtime(path))
    store = Store(settings, db)
    done = 0
    for (call_id, segment), written in sorted(segments.items(), key=lambda item: item[1]):
        if now - written < LEG_REST or not (_is_over(db, call_id, now) or now - written > LEG_AGE):
            continue
        base = settings.paths.record_spool / f"{call_id}-{segment}"
        try:
            store.adopt(call_id, segment, base.with_name(base.name + "-r.wav"), base.with_name(base.name + "-t.wav"))
        except (Busy, StorageFull):
            raise
        except Exception as error:
            raise_alarm(db, ENTRY_FAILED, {"problem": type(error).__name__}, subject=base.name)
            log.exception("recording could not be adopted", call=call_id, segment=segment)
            continue
        clear_alarm(db, ENTRY_FAILED, subject=base.name)
        done += 1
    return done


def _is_over(db: Database, call_id: str, now: datetime) -> bool:
    with db.read() as session:
        call = session.get(Call, call_id)
    return call is not None and call.ended_at is not None and call.ended_at < now - LEG_REST


def _is_stale(path: Path, now: datetime) -> bool:
    try:
        return is_ripe(path, now)
    except FileNotFoundError:
        return False


def _mtime(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.fromtimestamp(0, UTC)


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except FileNotFoundError:
        return
