"""What attempts come to: one is settled or lost, another takes its place where it said nothing, a number is
concluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from app.clock import local_day, utc_now
from app.db import Database, found
from app.number_audits.grading import UNREACHED, proposed
from app.number_audits.model import (
    CALLS,
    OPEN,
    TO_COME,
    AttemptEvent,
    AttemptState,
    Mode,
    Result,
    RoundState,
    TargetState,
    enough,
    next_attempt_state,
    result_of,
)
from app.number_audits.planning import Hours, planned, working_days
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget
from app.settings import Settings
from app.workdays.service import calendar
from recordings.dialled import Outcome

MOST_MORE = 3  # attempts instead of such that say nothing of the number
ASKED_FOR = timedelta(seconds=60)  # so long an auditor waits beside the telephone
NEVER_BEGAN_AFTER = timedelta(seconds=45)  # longer than a call that was asked for may take to begin (see the dialplan)
GONE_AFTER = {Mode.automatic: timedelta(minutes=4), Mode.person: timedelta(minutes=25)}
"""After so long Asterisk has ended a call and written it down in any case (see the dialplan's limits)."""
BY_HAND = (Result.answered, Result.silent)
"""What somebody has to listen to: the rest is a D by itself, unless a reviewer hears something else."""


@dataclass(frozen=True)
class Ending:
    """What is known of a call that has ended; `signs` are (sign, start_ms, end_ms)."""

    outcome: Outcome
    cause: int
    dialled_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    signs: Sequence[tuple[str, int, int]] = ()
    recording: int | None = None


def of_call(session: Session, call_id: str) -> NumberAuditAttempt | None:
    """The attempt that was dialled under this id, for this transaction alone."""
    statement = select(NumberAuditAttempt).where(col(NumberAuditAttempt.call_id) == call_id).with_for_update()
    row: NumberAuditAttempt | None = session.execute(statement).scalar_one_or_none()
    return row


def settle(session: Session, settings: Settings, call_id: str, ending: Ending, now: datetime) -> bool:
    """Keep how a call ended; told twice it changes nothing. False: no attempt waits for it."""
    row = of_call(session, call_id)
    if row is None or AttemptState(row.state) not in (AttemptState.dialling, AttemptState.lost):
        return False
    _move(row, AttemptEvent.settle)
    row.outcome, row.cause = ending.outcome.value, ending.cause
    row.dialled_at, row.answered_at, row.ended_at = ending.dialled_at, ending.answered_at, ending.ended_at
    row.signs, row.recording = [list(one) for one in ending.signs], ending.recording
    session.add(row)
    session.flush()
    _go_on(session, settings, row.target_id, now)
    return True


def lose(db: Database, settings: Settings, now: datetime) -> int:
    """Look after calls of which nothing is heard; how many that were. Asterisk leaves a mark before it dials: without
    one nobody was called (the core died between writing down that it dials and dialling, or the auditor did not pick
    up), and the attempt is still to come. With one, after longer than a call can last, it is given up: it is not made
    again, another attempt takes its place. What an auditor asked for in vain (citizens waited all the while) is put
    back."""
    _unask(db, now)
    with db.read() as session:
        dialling = select(NumberAuditAttempt).where(col(NumberAuditAttempt.state) == AttemptState.dialling.value)
        rows = list(session.execute(dialling.order_by(col(NumberAuditAttempt.id))).scalars())
    done = 0
    for row in rows:
        silent_for = now - row.dialled_at if row.dialled_at else timedelta(0)
        mark = settings.paths.audit_spool / f"{row.call_id}.began"
        if mark.with_suffix(".json").exists():
            continue
        if not mark.exists() and silent_for > NEVER_BEGAN_AFTER:
            release(db, row.call_id, now=now)
        elif mark.exists() and silent_for > GONE_AFTER[_spoken_by(row.agent_id)]:
            _give_up(db, settings, row.id or 0, now)
            mark.unlink(missing_ok=True)
        else:
            continue
        done += 1
    return done


def _unask(db: Database, now: datetime) -> None:
    stale = select(NumberAuditAttempt).where(
        col(NumberAuditAttempt.state) == AttemptState.asked.value,
        col(NumberAuditAttempt.planned_at) <= now - ASKED_FOR,
    )
    with db.read() as session:
        if session.execute(stale.limit(1)).first() is None:
            return
    with db.session() as session:
        for row in session.execute(stale.with_for_update()).scalars().all():
            _move(row, AttemptEvent.unask)
            row.asked_by = row.agent_id = None
            session.add(row)


def _give_up(db: Database, settings: Settings, attempt_id: int, now: datetime) -> None:
    with db.session() as session:
        row = found(session, NumberAuditAttempt, attempt_id, lock=True)
        if row.state == AttemptState.dialling.value:
            _move(row, AttemptEvent.lose)
            session.add(row)
            session.flush()
            _go_on(session, settings, row.target_id, now)


def of_target(session: Session, target_id: int) -> list[NumberAuditAttempt]:
    """The attempts of a number, in order."""
    statement = select(NumberAuditAttempt).where(col(NumberAuditAttempt.target_id) == target_id)
    return list(session.execute(statement.order_by(col(NumberAuditAttempt.ordinal))).scalars())


def outcomes_of(attempts: Sequence[NumberAuditAttempt]) -> list[Outcome]:
    """What those came to that have ended."""
    return [Outcome(one.outcome) for one in attempts if one.outcome]


def last_day_called(attempts: Sequence[NumberAuditAttempt], settings: Settings) -> date | None:
    """The day of the latest attempt that was made."""
    days = [local_day(one.dialled_at, settings.zone) for one in attempts if one.dialled_at and one.state not in TO_COME]
    return max(days, default=None)


def conclude(session: Session, row: NumberAuditRound, target: NumberAuditTarget, now: datetime) -> None:
    """What the number came to, unless a call to it goes on. Whoever answered is graded by a person."""
    attempts = of_target(session, target.id or 0)
    if any(AttemptState(one.state) in OPEN for one in attempts):
        return
    answered = next((one for one in attempts if one.outcome == Outcome.answered.value), None)
    result = result_of(outcomes_of(attempts))
    if answered is not None and answered.answered_at and answered.dialled_at:
        target.waited_ms = round((answered.answered_at - answered.dialled_at).total_seconds() * 1000)
    target.heard = target.result = result.value
    target.version += 1
    if result in BY_HAND:
        mode = _spoken_by(answered.agent_id if answered else None)
        target.state = TargetState.to_grade.value
        target.scores = proposed(result, mode, None if target.waited_ms is None else target.waited_ms / 1000)
    else:
        target.state, target.graded_at = TargetState.graded.value, now
        if result is not Result.untried:
            target.total, target.grade = UNREACHED.total, UNREACHED.grade.value
    session.add(target)


def release(db: Database, call_id: str, *, now: datetime | None = None, wait: timedelta = timedelta(minutes=2)) -> None:
    """Asterisk has refused to dial, or the auditor's telephone is not to be rung now: nobody was called, so the
    attempt is still to come. After each refusal it waits longer."""
    now = now or utc_now()
    with db.session() as session:
        row = of_call(session, call_id)
        if row is None or row.state != AttemptState.dialling.value:
            return
        _move(row, AttemptEvent.release)
        row.agent_id = row.asked_by = row.dialled_at = None
        row.planned_at = max(row.planned_at, now + wait * row.tries)
        session.add(row)


def _go_on(session: Session, settings: Settings, target_id: int, now: datetime) -> None:
    """After an attempt: those that are not needed are dropped; where one said nothing, another is planned."""
    target = found(session, NumberAuditTarget, target_id, lock=True)
    row = found(session, NumberAuditRound, target.round_id)
    attempts = of_target(session, target_id)
    if enough(outcomes_of(attempts), row.attempts):
        for one in attempts:
            if AttemptState(one.state) in TO_COME:
                _move(one, AttemptEvent.drop)
                session.add(one)
        session.flush()
    elif not any(AttemptState(one.state) in OPEN for one in attempts):
        _plan_another(session, settings, row, target, attempts, now)
    if target.state == TargetState.calling.value:
        conclude(session, row, target, now)


def _plan_another(
    session: Session,
    settings: Settings,
    row: NumberAuditRound,
    target: NumberAuditTarget,
    attempts: Sequence[NumberAuditAttempt],
    now: datetime,
) -> None:
    today = local_day(now, settings.zone)
    days = working_days(calendar(session, today), today + timedelta(days=1), row.last_day)
    going_on = RoundState(row.state) in CALLS | {RoundState.paused}
    if not days or len(attempts) >= row.attempts + MOST_MORE or not going_on:
        return
    ordinal = attempts[-1].ordinal + 1
    hours = Hours.both(row.hours, target.office_hours)
    # Soon, so that the round's end does not come first.
    (at,) = planned(f"{row.seed}:{ordinal}", target.published_id, hours, days[:3], 1, settings.zone)
    state = AttemptState.planned.value
    session.add(NumberAuditAttempt(target_id=target.id or 0, ordinal=ordinal, planned_at=at, state=state))
    session.flush()


def _move(row: NumberAuditAttempt, event: AttemptEvent) -> None:
    row.state = next_attempt_state(AttemptState(row.state), event).value


def _spoken_by(agent_id: str | None) -> Mode:
    return Mode.person if agent_id else Mode.automatic
