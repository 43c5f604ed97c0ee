"""What went on in a call while a recording was made: confidential parts, and who else was there.

Spans are milliseconds of that recording, and may reach beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from app.calls.tables import CallPause, CallThird
from recordings.tables import Recording

Span = tuple[int, int]


def paused(session: Session, row: Recording) -> list[Span]:
    """The parts in which the recording is silent because somebody said something confidential."""
    pauses = session.execute(select(CallPause).where(col(CallPause.call_id) == row.call_id)).scalars()
    return _within(row, ((one.since, one.until) for one in pauses))


def shared(session: Session, row: Recording) -> list[Span]:
    """The parts in which a third party was on the agent's side of the recording."""
    thirds = session.execute(select(CallThird).where(col(CallThird.call_id) == row.call_id)).scalars()
    return _within(row, ((one.joined_at, one.left_at) for one in thirds if one.joined_at))


def _within(row: Recording, spans: Iterable[tuple[datetime, datetime | None]]) -> list[Span]:
    ends = row.started_at + timedelta(milliseconds=row.duration_ms)
    return [
        (_ms(since - row.started_at), _ms((until or ends) - row.started_at))
        for since, until in spans
        if since < ends and (until or ends) > row.started_at
    ]


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
