"""The queue of what is to be written down, in the database: oldest first, nothing lost with a killed process."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from app.clock import utc_now
from app.db import Database
from app.settings import Settings
from app.speech.model import MOST_TRIES, RESTS, TRANSITIONS, JobEvent, JobKind, JobState
from app.speech.tables import SpeechJob

LEASE = timedelta(seconds=60)
"""Whoever works on a job says within this time that they still do; else it is anybody's again."""
KEPT = timedelta(days=30)
AT_ONCE = 1_000
WAITING = JobState.waiting.value
_SETTING = {JobKind.recording: "calls", JobKind.voicemail: "voicemails"}


@dataclass(frozen=True)
class Job:
    """A job in hand."""

    id: int
    kind: JobKind
    subject_id: int
    language: str
    tries: int


def note(
    session: Session, settings: Settings, kind: JobKind, subject_id: int, language: str, *, now: datetime | None = None
) -> bool:
    """Its words are wanted, if the settings say so; in the transaction in which the sound itself is stored."""
    if _SETTING[kind] not in settings.speech_writes or language not in settings.speech_folders:
        return False
    now = now or utc_now()
    session.add(SpeechJob(kind=kind.value, subject_id=subject_id, language=language, since=now, next_at=now))
    return True


def take(db: Database, now: datetime, *, without: Collection[str] = ()) -> Job | None:
    """The oldest job that is due, and not in one of these languages; None if there is none. It is ours for a LEASE."""
    due = select(SpeechJob).where(col(SpeechJob.state) == WAITING, col(SpeechJob.next_at) <= now)
    if without:
        due = due.where(col(SpeechJob.language).not_in(sorted(without)))
    with db.read() as session:  # most of the time there is nothing: no reason to wait for the one writer
        if session.execute(due.limit(1)).first() is None:
            return None
    with db.session() as session:
        row = session.execute(
            due.order_by(col(SpeechJob.id)).limit(1).with_for_update(skip_locked=True)
        ).scalar_one_or_none()
        if row is None:
            return None
        row.next_at = now + LEASE
        return Job(row.id or 0, JobKind(row.kind), row.subject_id, row.language, row.tries)


def hold(db: Database, job: Job, now: datetime) -> None:
    """It is still being worked on."""
    with db.session() as session:
        mine = (col(SpeechJob.id) == job.id, col(SpeechJob.state) == WAITING)
        session.execute(update(SpeechJob).where(*mine).values(next_at=now + LEASE))


def put_back(db: Database, job: Job, now: datetime, rest: timedelta) -> None:
    """Nothing came of it, by no fault of its own."""
    with db.session() as session:
        mine = (col(SpeechJob.id) == job.id, col(SpeechJob.state) == WAITING)
        session.execute(update(SpeechJob).where(*mine).values(next_at=now + rest))


def end(session: Session, job: Job, event: JobEvent, now: datetime, fault: str = "") -> JobState | None:
    """What became of it, in the transaction in which the words are kept; its state now, None if it is gone."""
    row = session.get(SpeechJob, job.id, with_for_update=True)
    if row is None:
        return None
    state = TRANSITIONS.get((JobState(row.state), event))
    if state is None:
        return JobState(row.state)
    row.state, row.fault = state.value, fault[:16]
    row.done_at = None if state is JobState.waiting else now
    return state


def fail(db: Database, job: Job, fault: str, now: datetime) -> JobState | None:
    """It went wrong: later again, unless that was the last time."""
    tries = job.tries + 1
    last = tries >= MOST_TRIES
    with db.session() as session:
        state = end(session, job, JobEvent.failed_again if last else JobEvent.failed, now, fault)
        row = session.get(SpeechJob, job.id)
        if row is not None:
            row.tries = tries
            row.next_at = now + RESTS[min(tries, len(RESTS)) - 1]
    return state


def again(db: Database, now: datetime) -> int:
    """What was given up, and what had no model, is tried anew; how many."""
    ended = [state.value for state, event in TRANSITIONS if event is JobEvent.again]
    with db.session() as session:
        rows = session.execute(select(SpeechJob).where(col(SpeechJob.state).in_(ended))).scalars().all()
        for row in rows:
            row.state, row.tries, row.next_at, row.done_at, row.fault = WAITING, 0, now, None, ""
        return len(rows)


def counts(session: Session) -> dict[str, int]:
    """How many jobs there are in each state."""
    rows = session.execute(select(col(SpeechJob.state), func.count()).group_by(col(SpeechJob.state))).all()
    return {str(state): int(count) for state, count in rows}


def oldest_waiting(session: Session) -> datetime | None:
    """Since when the oldest one waits."""
    waiting = select(col(SpeechJob.since)).where(col(SpeechJob.state) == WAITING)
    return session.execute(waiting.order_by(col(SpeechJob.id)).limit(1)).scalar_one_or_none()


def forget_old(db: Database, now: datetime) -> int:
    """What ended long ago says nothing to anybody any more; how many rows."""
    with db.session() as session:
        old = select(col(SpeechJob.id)).where(col(SpeechJob.done_at) < now - KEPT).limit(AT_ONCE)
        gone = session.execute(old).scalars().all()
        session.execute(delete(SpeechJob).where(col(SpeechJob.id).in_(gone)))
        return len(gone)
