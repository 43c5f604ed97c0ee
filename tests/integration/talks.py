"""Recorded talks for tests of what is heard again and of how it is judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlmodel import select

from app.actor import SYSTEM
from app.audio import write_wav
from app.audit.tables import AuditEntry
from app.calls.service import record
from app.db import Database
from app.settings import Settings
from recordings import transcripts
from recordings.lines import Channel, Line
from recordings.store import Store

RATE = 8000
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)  # a Wednesday
SECRET = "13912345678"
Talk = Callable[..., int]


def line(text: str, start_ms: int = 0, channel: Channel = Channel.agent) -> Line:
    """Something that was said."""
    return Line(channel, start_ms, start_ms + 900, text)


def maker(db: Database, settings: Settings) -> Talk:
    """Stores a recorded talk; the recording's number."""
    store = Store(settings, db)

    def make(
        call_id: str, agent_id: str, *said: Line, number: str = "13800138000", seconds: float = 30, **facts: Any
    ) -> int:
        at = facts.pop("started_at", NOW - timedelta(hours=1))
        more = {"answered_at": at, "ended_at": at + timedelta(seconds=seconds), "outcome": "answered", **facts}
        record(db, call_id, number=number, agent_id=agent_id, started_at=at, **more)
        wav = settings.paths.record_spool / f"{call_id}-1-r.wav"
        write_wav(wav, np.full(int(RATE * seconds), 9000, np.int16), RATE)
        row = store.adopt(call_id, 1, wav, None)
        assert row is not None
        if said:
            with db.session() as session:
                transcripts.put(session, SYSTEM, row.seq, "asr", said)
        return row.seq

    return make


def audited(db: Database, action: str) -> list[str]:
    """What the audit has of that kind of act."""
    with db.read() as session:
        rows = session.exec(select(AuditEntry).where(AuditEntry.action == action)).all()
        return [row.object for row in rows]
