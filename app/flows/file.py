"""The version that holds, as a file for the voice process: callers reach a person also while the database is away.

The table is the truth and the file follows it: after each publication, and by a job of the worker, which mends what a
killed process, a full disk or another machine's home has left behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from app.alarms.service import clear_alarm, raise_alarm
from app.db import Database
from app.flows.model import SHIPPED
from app.flows.tables import FlowVersion
from app.settings import Settings
from ivr.flow import PUBLISHED

log = structlog.get_logger(__name__)

ALARM = "menu_not_laid_down"


def newest(session: Session) -> FlowVersion | None:
    """The version that was made last, or None."""
    wanted = select(FlowVersion).order_by(col(FlowVersion.number).desc()).limit(1)
    return session.execute(wanted).scalar_one_or_none()


def lay_down(db: Database, settings: Settings) -> int:
    """Makes the file what the table says; 1 if it had to be changed. Raises Busy, and OSError with an alarm."""
    target = settings.home / PUBLISHED
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.with_suffix(".lock")):
            # Asked within the lock: of two who publish at once, the older one cannot be written last.
            with db.read() as session:
                row = newest(session)
                wanted = None if row is None or row.restores == SHIPPED else row.text
            changed = _written(target, wanted)
    except OSError as error:
        raise_alarm(db, ALARM, {"why": error.strerror or type(error).__name__}, subject=settings.node)
        raise
    clear_alarm(db, ALARM, subject=settings.node)
    if changed:
        log.info("the published menu is laid down", version=row.number if row else SHIPPED)
    return int(changed)


def _written(target: Path, wanted: str | None) -> bool:
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        there = None
    if wanted is None:
        if there is not None:
            os.replace(target, target.with_suffix(".old"))
        return there is not None
    content = wanted.encode()
    if there == content:
        return False
    aside = target.with_suffix(".new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, target)
    return True


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process and thread at a time."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
