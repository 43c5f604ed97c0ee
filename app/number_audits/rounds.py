"""Rounds: made with all their attempts, started, paused, closed, published. Every step is audited."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.db import Database, found
from app.errors import BadInput, Refused, VersionConflict
from app.number_audits.attempts import conclude
from app.number_audits.model import (
    ATTEMPTS,
    LONGEST_TITLE,
    MOST_AT_ONCE,
    ROUND_STEPS,
    TO_COME,
    AttemptState,
    Mode,
    RoundState,
    RoundStep,
    TargetState,
    next_round_state,
)
from app.number_audits.planning import LONGEST_ROUND, Hours, planned, working_days
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget, PublishedNumber
from app.paging import Leaf, Page, page_of
from app.settings import Settings
from app.text import clean
from app.units.model import office_hours
from app.units.tables import Unit
from app.workdays.service import calendar


@dataclass(frozen=True)
class Wanted:
    """A round as somebody wants it. `areas`: only numbers of these; none: all of them."""

    title: str
    mode: Mode
    first_day: date
    last_day: date
    hours: str
    at_once: int = 4
    areas: Sequence[str] = ()


@dataclass(frozen=True)
class Made:
    """A round, and the published numbers that have no hour in it at which they may be called."""

    round: NumberAuditRound
    left_out: list[int]


def create(session: Session, actor: Actor, wanted: Wanted, settings: Settings, *, now: datetime | None = None) -> Made:
    """Plan a round over every number in use: two attempts each, on different days at different times.

    Raises Forbidden, BadInput (title, first_day, last_day, hours, at_once, areas).
    """
    actor.require(Permission.number_audits_run)
    now = now or utc_now()
    title, hours = clean(wanted.title, LONGEST_TITLE), _hours(wanted.hours)
    known = calendar(session, wanted.first_day)
    today = local_day(now, settings.zone)
    length = (wanted.last_day - wanted.first_day).days
    days = working_days(known, wanted.first_day, wanted.last_day) if 0 <= length <= LONGEST_ROUND else []
    wrong = {
        "title": "" if title else "填写名称 (required)",
        "hours": "" if hours else "写成 09:00-11:30, 14:00-17:00，先后相接 (write 09:00-11:30, 14:00-17:00)",
        "first_day": "" if wanted.first_day >= today else "不能早于今天 (not before today)",
        "last_day": ""
        if len(days) >= ATTEMPTS
        else f"其间至少要有 {ATTEMPTS} 个工作日，最长 {LONGEST_ROUND} 天 (two working days)",
        "at_once": "" if 1 <= wanted.at_once <= MOST_AT_ONCE else f"1 到 {MOST_AT_ONCE} 路 (1 to {MOST_AT_ONCE})",
    }
    if any(wrong.values()):
        raise BadInput(fields={name: text for name, text in wrong.items() if text})
    row = NumberAuditRound(
        title=title, state=RoundState.planned.value, mode=wanted.mode.value, first_day=wanted.first_day,
        last_day=wanted.last_day, hours=hours, at_once=wanted.at_once, attempts=ATTEMPTS, seed=secrets.token_hex(16),
        created_by=actor.user_id, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    left_out = _fill(session, row, wanted.areas, days, settings)
    if left_out is None:
        raise BadInput(fields={"areas": "没有可以拨打的在用号码 (no number in use that may be called)"})
    write(session, actor, Action.number_audit_round, f"number-audit-round:{row.id}", {"step": "create"}, now=now)
    return Made(row, left_out)


def _fill(
    session: Session, row: NumberAuditRound, areas: Collection[str], days: Sequence[date], settings: Settings
) -> list[int] | None:
    """The targets and their attempts; the numbers that were left out, None if that is all of them."""
    statement = (
        select(PublishedNumber, Unit)
        .join(Unit, col(PublishedNumber.unit_id) == col(Unit.id))
        .where(col(PublishedNumber.active).is_(True), col(Unit.active).is_(True))
        .order_by(col(PublishedNumber.id))
    )
    if areas:
        statement = statement.where(col(PublishedNumber.area).in_(areas))
    left_out: list[int] = []
    targets: list[NumberAuditTarget] = []
    for one, unit in session.execute(statement).all():
        open_at = one.office_hours or unit.office_hours or settings.office_hours
        if not Hours.both(row.hours, open_at).spans:
            left_out.append(one.id or 0)
            continue
        targets.append(
            NumberAuditTarget(
                round_id=row.id or 0, published_id=one.id or 0, unit_id=one.unit_id, number=one.number, area=one.area,
                place=one.place, office_hours=open_at, state=TargetState.calling.value,
            )
        )  # fmt: skip
    if not targets:
        return None
    session.add_all(targets)
    session.flush()
    for target in targets:
        moments = planned(
            row.seed, target.published_id, Hours.both(row.hours, target.office_hours), days, row.attempts, settings.zone
        )
        session.add_all(
            NumberAuditAttempt(target_id=target.id or 0, ordinal=n, planned_at=at, state=AttemptState.planned.value)
            for n, at in enumerate(moments, start=1)
        )
    session.flush()
    return left_out


def listed(session: Session, actor: Actor, leaf: Leaf | None = None) -> Page[NumberAuditRound]:
    """Rounds, the newest first. Raises Forbidden."""
    actor.require(Permission.number_audits_read)
    return page_of(session, select(NumberAuditRound).order_by(col(NumberAuditRound.id).desc()), leaf)


def get(session: Session, actor: Actor, round_id: int) -> NumberAuditRound:
    """One round. Raises Forbidden, NotFound."""
    actor.require(Permission.number_audits_read)
    return found(session, NumberAuditRound, round_id)


def progress(session: Session, rounds: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    """Of these rounds how many numbers are in which state (`TargetState`)."""
    statement = (
        select(col(NumberAuditTarget.round_id), col(NumberAuditTarget.state), func.count())
        .where(col(NumberAuditTarget.round_id).in_(rounds))
        .group_by(col(NumberAuditTarget.round_id), col(NumberAuditTarget.state))
    )
    counted: dict[int, Counter[str]] = {one: Counter() for one in rounds}
    for round_id, state, count in session.execute(statement):
        counted[round_id][state] = count
    return counted


def step(
    session: Session, actor: Actor, round_id: int, version: int, what: RoundStep, *, now: datetime | None = None
) -> NumberAuditRound:
    """Take a round further. Pressed twice it is one step.

    Raises Forbidden, NotFound, VersionConflict, Refused: not from this state (wrong_state), or numbers are not graded
    yet (not_graded, with how many).
    """
    actor.require(Permission.number_audits_run)
    now = now or utc_now()
    row = found(session, NumberAuditRound, round_id, lock=True)
    if row.version != version:
        raise VersionConflict("本轮暗访刚有变化，刷新后再看。", "This round has just changed. Reload and look again.")
    after = next_round_state(RoundState(row.state), what)
    if what is RoundStep.publish:
        _require_graded(session, row)
        row.published_by, row.published_at = actor.user_id, now
    if what in (RoundStep.close, RoundStep.cancel):
        drop_attempts(session, row)
    _moved(session, actor, row, after, what, now)
    if what is RoundStep.close:
        conclude_all(session, row, now)
    return row


def steps_from(state: RoundState) -> list[RoundStep]:
    """What can be done about a round in that state."""
    return [step for at, step in ROUND_STEPS if at is state]


def close_finished(db: Database, settings: Settings, now: datetime) -> int:
    """Close the rounds in which no call is to come, and those whose last day is over; how many."""
    closed = 0
    with db.read() as session:
        open_ = select(col(NumberAuditRound.id)).where(
            col(NumberAuditRound.state).in_([RoundState.running.value, RoundState.paused.value])
        )
        ids = list(session.execute(open_).scalars())
    for ident in ids:
        with db.session() as session:
            row = found(session, NumberAuditRound, ident, lock=True)
            state = RoundState(row.state)
            over = local_day(now, settings.zone) > row.last_day
            calling = counted_in(session, ident, TargetState.calling)
            if state not in (RoundState.running, RoundState.paused) or (calling and not over):
                continue
            drop_attempts(session, row)
            _moved(session, SYSTEM, row, next_round_state(state, RoundStep.close), RoundStep.close, now)
            conclude_all(session, row, now)
            closed += 1
    return closed


def drop_attempts(session: Session, row: NumberAuditRound) -> None:
    """No call of this round is made any more; those that go on end by themselves."""
    mine = select(col(NumberAuditTarget.id)).where(col(NumberAuditTarget.round_id) == row.id)
    session.execute(
        update(NumberAuditAttempt)
        .where(col(NumberAuditAttempt.target_id).in_(mine))
        .where(col(NumberAuditAttempt.state).in_([state.value for state in TO_COME]))
        .values(state=AttemptState.dropped.value)
    )


def conclude_all(session: Session, row: NumberAuditRound, now: datetime) -> None:
    """What every number that is not concluded came to."""
    calling = select(NumberAuditTarget).where(
        col(NumberAuditTarget.round_id) == row.id, col(NumberAuditTarget.state) == TargetState.calling.value
    )
    for target in session.execute(calling).scalars().all():
        conclude(session, row, target, now)


def counted_in(session: Session, round_id: int, *states: TargetState) -> int:
    """How many numbers of a round are in these states."""
    where = (
        col(NumberAuditTarget.round_id) == round_id,
        col(NumberAuditTarget.state).in_([state.value for state in states]),
    )
    return int(session.execute(select(func.count()).select_from(NumberAuditTarget).where(*where)).scalar_one())


def _moved(
    session: Session, actor: Actor, row: NumberAuditRound, after: RoundState, what: RoundStep, now: datetime
) -> None:
    row.state = after.value
    row.version += 1
    session.add(row)
    write(session, actor, Action.number_audit_round, f"number-audit-round:{row.id}", {"step": what.value}, now=now)


def _require_graded(session: Session, row: NumberAuditRound) -> None:
    left = counted_in(session, row.id or 0, TargetState.calling, TargetState.to_grade)
    if left:
        raise Refused(
            f"还有 {left} 个号码没有评完。", f"{left} numbers are not graded yet.", code="not_graded",
            extra={"left": left},
        )  # fmt: skip


def _hours(text: str) -> str:
    try:
        return office_hours(clean(text, 120))
    except ValueError:
        return ""
