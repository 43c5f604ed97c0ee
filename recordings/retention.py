"""Deleting what has outlived its purpose (PIPL: no longer than needed). Rows and chain stay; sound, pages, words go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlmodel import col

from app.actor import SYSTEM
from app.audit.model import Action
from app.audit.service import write
from app.clock import utc_now
from app.db import Database
from app.faxes.tables import Fax
from app.settings import Settings
from app.voicemails import texts
from app.voicemails.tables import Voicemail
from recordings import comments, transcripts
from recordings.peaks import KEPT
from recordings.store import Store
from recordings.tables import Recording

log = structlog.get_logger(__name__)

DROPPED_VOICEMAIL = timedelta(days=30)  # long enough to find out that silence detection was wrong
AT_ONCE = 200


def prune(db: Database, settings: Settings, *, now: datetime | None = None) -> int:
    """Delete files older than `retention_days` that nobody holds back, and make missing sidecars good; how many things.

    The row is marked first and the file removed after the commit: killed in between, the next run removes it.
    """
    now = now or utc_now()
    before = now - timedelta(days=settings.retention_days)
    recordings = select(Recording).where(
        col(Recording.started_at) < before, col(Recording.hold).is_(False), col(Recording.expired_at).is_(None)
    )
    mails = select(Voicemail).where(
        col(Voicemail.expired_at).is_(None),
        (col(Voicemail.started_at) < before)
        | ((col(Voicemail.status) == "dropped") & (col(Voicemail.started_at) < now - DROPPED_VOICEMAIL)),
    )
    faxes = select(Fax).where(col(Fax.received_at) < before, col(Fax.expired_at).is_(None))
    count = Store(settings, db).repair_sidecars()
    for kind, statement in (("recording", recordings), ("voicemail", mails), ("fax", faxes)):
        while files := _expire(db, settings, kind, statement, now):
            count += len(files)
            for group in files:
                for file in group:
                    file.unlink(missing_ok=True)
    return count


def _expire(db: Database, settings: Settings, kind: str, statement: Any, now: datetime) -> Sequence[Sequence[Path]]:
    """Mark one batch as expired; the files of each row."""
    with db.session() as session:
        rows = list(session.execute(statement.limit(AT_ONCE)).scalars())
        found = []
        for row in rows:
            row.expired_at = now
            names = [getattr(row, name, None) for name in ("path", "tiff_path", "pdf_path")]
            paths = [settings.home / name for name in names if name]
            beside = (".json", KEPT) if kind == "recording" else ()
            found.append([*paths, *(path.with_suffix(end) for path in paths for end in beside)])
            number = row.seq if isinstance(row, Recording) else row.id
            if isinstance(row, Recording):
                transcripts.forget(session, row.seq)
                comments.forget(session, row.seq, now)
            elif isinstance(row, Voicemail):
                texts.forget(session, row.id or 0)
            write(session, SYSTEM, Action.recording_expired, f"{kind}:{number}", now=now)
    if rows:
        log.info("retention ended", kind=kind, count=len(rows))
    return found
