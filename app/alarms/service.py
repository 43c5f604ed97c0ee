"""Raising, clearing and listing alarms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from app.alarms.tables import Alarm
from app.clock import utc_now
from app.db import Database
from app.errors import HotlineError

log = structlog.get_logger(__name__)

# Survives a database that can't be written: /healthz shows it even when the disk is full.
_present: dict[str, dict[str, Any]] = {}


def raise_alarm(
    db: Database, code: str, detail: Mapping[str, Any] | None = None, *, subject: str = "", now: datetime | None = None
) -> bool:
    """Say loudly that `code` is wrong (about `subject`); saying it again counts, it does not add. Never raises.

    False where it could not be stored, so that this process alone knows of it.
    """
    now = now or utc_now()
    key = f"{code}:{subject}"[:80]
    if key not in _present:
        log.error("alarm", code=code, subject=subject, **{k: v for k, v in (detail or {}).items() if k != "event"})
    _present[key] = {"code": code, "subject": subject, **(detail or {})}
    try:
        with db.session(wait_s=0.5) as session:
            alarm = session.execute(select(Alarm).where(col(Alarm.open_for) == key)).scalar_one_or_none()
            if alarm is None:
                session.add(Alarm(code=code, open_for=key, detail=dict(detail or {}), raised_at=now, last_at=now))
            else:
                alarm.times += 1
                alarm.last_at = now
                alarm.detail = dict(detail or {})
    except HotlineError as error:
        log.warning("alarm could not be stored; it is kept in memory", code=code, why=error.code)
        return False
    return True


def clear_alarm(db: Database, code: str, *, subject: str = "", now: datetime | None = None) -> None:
    """The trouble is over. Cheap when there was none. Never raises."""
    key = f"{code}:{subject}"[:80]
    was_present = _present.pop(key, None) is not None
    try:
        with db.read() as session:
            known = session.execute(select(col(Alarm.id)).where(col(Alarm.open_for) == key)).first()
        if known is None:
            return
        with db.session() as session:
            for alarm in session.execute(select(Alarm).where(col(Alarm.open_for) == key)).scalars():
                alarm.cleared_at = now or utc_now()
                alarm.open_for = None
        log.info("alarm cleared", code=code, subject=subject)
    except HotlineError as error:
        if was_present:
            _present[key] = {"code": code, "subject": subject}
        log.warning("alarm could not be cleared; it is tried again", code=code, why=error.code)


def open_alarms(session: Session) -> list[Alarm]:
    """What needs a person now, oldest first."""
    statement = select(Alarm).where(col(Alarm.open_for).is_not(None)).order_by(col(Alarm.id))
    return list(session.execute(statement).scalars())


def open_subjects(session: Session, code: str) -> set[str]:
    """What an alarm is open about."""
    mine = select(col(Alarm.open_for)).where(col(Alarm.code) == code, col(Alarm.open_for).is_not(None))
    return {(key or "").removeprefix(f"{code}:") for key in session.execute(mine).scalars()}


def present_codes() -> list[str]:
    """The codes this process has raised and not cleared, without asking the database."""
    return sorted({entry["code"] for entry in _present.values()})
