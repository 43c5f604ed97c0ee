"""Clocks of cases and assignments: begun and stopped by whatever owns the subject, swept by whoever keeps time.

How the owner of a subject (`app.cases`, an assignment) uses this, each inside its own transaction:

    start(session, Subject.case(7), ClockKind.dispatch, matter)       a step begins
    begin(…)                                                          … or begins again, or goes on
    stop(session, Subject.case(7), ClockKind.dispatch)                it is done; the row says met or missed
    exchange(session, actor, subject, kind, matter)                   the matter turned out to be another: new limit
    restart(session, subject, ClockKind.handle, matter)               重办: first outcome kept, a new round begins
    end_all(session, subject)                                         退单, 挂账: whoever had it has it no more
    app.clocks.extensions                                             延期, audited; deciding needs a permission

Whether the asker may touch the subject is for its owner to say before calling; what needs a permission of its own here
takes an `Actor`. And whoever keeps time calls every minute or so, until an empty list comes back:

    for row in due(session, now): …        have become missed in this transaction: 催办
    for row in to_warn(session, now): …    are nearly late (临期) and were not warned of before
    settle(session, now)                   ends that were provisional, after a year's calendar was published

Whoever locks something else before the clocks (a case) finds out with `…_statement` which clocks there are, and then
names those that it may have: `due(session, now, among=ids)`.

A step of a case is the parent of the same step of its assignments: a child never ends later than its parent.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, or_, select, update
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.clock import iso, local_day, utc_now
from app.clocks import model
from app.clocks.limits import Reckoning, midnight
from app.clocks.model import Clock, ClockKind, ClockState
from app.clocks.office import rules
from app.clocks.rules import Matter, limit_for
from app.clocks.stored import Held, columns_of, held
from app.clocks.tables import CaseClock
from app.errors import NotFound, Refused
from app.settings import Settings, get_settings
from app.workdays.model import parse_office_hours
from app.workdays.service import calendar

SWEPT = 200  # at a time: a transaction stays short


class SubjectKind(StrEnum):
    """What may have clocks."""

    case = "case"
    assignment = "assignment"


class Subject(NamedTuple):
    """Whose clock it is."""

    kind: SubjectKind
    id: int

    @classmethod
    def case(cls, ident: int) -> Subject:
        """The case of that id."""
        return cls(SubjectKind.case, ident)

    @classmethod
    def assignment(cls, ident: int) -> Subject:
        """The assignment of that id."""
        return cls(SubjectKind.assignment, ident)


def start(
    session: Session,
    subject: Subject,
    kind: ClockKind,
    matter: Matter,
    *,
    parent: CaseClock | None = None,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """A step begins; its limit is the rule for that matter. Raises Refused (clock_runs) while another one is open."""
    if open_of(session, subject, kind) is not None:
        raise _runs_already()
    now = now or utc_now()
    limit, by = limit_for(rules(session), kind, matter), reckoning(session, now, settings)
    return _insert(session, subject, model.start(kind, limit, now, by, parent=value_of(session, parent)), parent)


def begin(
    session: Session,
    subject: Subject,
    kind: ClockKind,
    matter: Matter,
    *,
    parent: CaseClock | None = None,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """The step begins, or begins again, or goes on: the clock that is open, or a new one after whatever was before."""
    rounds = _rounds(session, subject, kind)
    if rounds and rounds[-1].ended_at is None:
        return rounds[-1]
    if rounds and rounds[-1].state != ClockState.replaced.value:
        return restart(session, subject, kind, matter, parent=parent, now=now, settings=settings)
    now = now or utc_now()
    limit, by = limit_for(rules(session), kind, matter), reckoning(session, now, settings)
    round = rounds[-1].round if rounds else 1
    clock = model.start(kind, limit, now, by, parent=value_of(session, parent), round=round)
    return _insert(session, subject, clock, parent, after=rounds[-1] if rounds else None)


def end_all(session: Session, subject: Subject, *, now: datetime | None = None) -> None:
    """Whoever had the subject has it no more: its open clocks end without an outcome, what was missed stays missed."""
    now = now or utc_now()
    for one in held(session, open_clocks(session, subject).values()):
        one.keep(model.give_way(one.clock, now))


def open_of(session: Session, subject: Subject, kind: ClockKind) -> CaseClock | None:
    """The clock of that step that has not ended."""
    return open_clocks(session, subject).get(kind)


def open_clocks(session: Session, subject: Subject) -> dict[ClockKind, CaseClock]:
    """The clocks of a subject that have not ended, by step, as they are now and for this transaction alone."""
    mine = _of(subject).where(col(CaseClock.ended_at).is_(None))
    fresh = mine.with_for_update().execution_options(populate_existing=True)
    return {ClockKind(row.kind): row for row in session.execute(fresh).scalars()}


def stop_open(
    session: Session, subject: Subject, kind: ClockKind, *, now: datetime | None = None
) -> dict[ClockKind, CaseClock]:
    """The step is done, if it was timed at all; gives what still runs for the subject."""
    running = open_clocks(session, subject)
    row = running.pop(kind, None)
    if row is not None:
        (one,) = held(session, [row])
        one.keep(model.stop(one.clock, now or utc_now()))
    return running


def stop(session: Session, subject: Subject, kind: ClockKind, *, now: datetime | None = None) -> CaseClock:
    """The step is done: met or, if that is too late, missed. Raises NotFound while no clock of it is open."""
    one = _open(session, subject, kind)
    return one.keep(model.stop(one.clock, now or utc_now()))


def exchange(
    session: Session,
    actor: Actor,
    subject: Subject,
    kind: ClockKind,
    matter: Matter,
    *,
    parent: CaseClock | None = None,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """Another limit holds, since the matter turned out to be another one; audited, for it moves an end.

    The new clock begins when the old one did, or now where its end would be past by that: nobody is late by what was
    not known. What the old one missed stays missed. It ends with `parent`, or with the old one's parent, and what was
    below the old one is below it. Unless the new limit is a shorter one, more time that was granted is not lost. Raises
    NotFound.
    """
    now = now or utc_now()
    one = _open(session, subject, kind)
    before = one.keep(model.give_way(one.clock, now))
    session.flush()  # a subject has one open clock of a kind
    parent = parent or parent_of(session, before)
    limit, above = limit_for(rules(session), kind, matter), value_of(session, parent)
    for begun in (before.started_at, now):
        by = reckoning(session, begun, settings)
        clock = model.start(kind, limit, begun, by, parent=above, round=before.round)
        clock = model.keep_end(clock, one.clock, now, by, parent=above)
        if clock.due_at > now:
            break
    row = _insert(session, subject, clock, parent, after=before)
    below = (col(CaseClock.parent_id) == before.id) & col(CaseClock.ended_at).is_(None)
    session.execute(update(CaseClock).where(below).values(parent_id=row.id))
    detail = {"from": iso(before.due_at), "to": iso(row.due_at)}
    write(session, actor, Action.clock_exchanged, f"clock:{before.id}", detail, now=now)
    return row


def exchange_open(
    session: Session,
    actor: Actor,
    subject: Subject,
    kinds: Collection[ClockKind],
    matter: Matter,
    *,
    parent: CaseClock | None = None,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> list[CaseClock]:
    """Of these steps the ones that are timed by another limit than the one for `matter` get that; their new clocks.

    They end with `parent` as `exchange` says; so does what would go on after it by its old limit.
    """
    known, changed = rules(session), []
    for kind, row in open_clocks(session, subject).items():
        limit = limit_for(known, kind, matter)
        above = parent if parent is not None and parent.state == ClockState.running.value else None
        outlives = above is not None and row.due_at > above.due_at
        if kind in kinds and (outlives or (row.amount, row.unit) != (limit.amount, limit.unit.value)):
            again = exchange(session, actor, subject, kind, matter, parent=parent, now=now, settings=settings)
            changed.append(again)
    return changed


def restart(
    session: Session,
    subject: Subject,
    kind: ClockKind,
    matter: Matter,
    *,
    parent: CaseClock | None = None,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """The step is to be done again (重办); the earlier clock keeps its outcome.

    The new one ends with `parent`, or with the parent that the earlier one had, if that still runs. Raises NotFound,
    Refused while the first is running in time.
    """
    now = now or utc_now()
    rounds = _rounds(session, subject, kind)
    if not rounds:
        raise NotFound()
    last = rounds[-1]
    parent = parent or parent_of(session, last)
    limit, by = limit_for(rules(session), kind, matter), reckoning(session, now, settings)
    (one,) = held(session, [last])
    before, again = model.restart(one.clock, limit, now, by, parent=value_of(session, parent))
    one.keep(before)
    session.flush()
    return _insert(session, subject, again, parent, after=last)


def again(
    session: Session, subject: Subject, kind: ClockKind, matter: Matter, *, now: datetime | None = None
) -> CaseClock:
    """What ended the step was taken back: a new clock that ends when the last one did, so that nobody gains time."""
    before = _rounds(session, subject, kind)
    row = begin(session, subject, kind, matter, now=now)
    if not before or before[-1] is row or before[-1].due_at >= row.due_at:
        return row
    last = before[-1]
    row.due_at, row.warn_at, row.warned_at = last.due_at, min(last.warn_at, last.due_at), last.warned_at
    row.provisional = False  # its end is another's, which is not counted again
    session.add(row)
    session.flush()
    return row


def of_subject(session: Session, subject: Subject) -> list[CaseClock]:
    """Every clock of a subject, in the order in which they were begun."""
    return list(session.execute(_of(subject)).scalars())


def time_against_centre(session: Session, case: Subject, now: datetime) -> timedelta:
    """How long the centre has had the case for dispatching, the first time and after every return."""
    rows = session.execute(_of(case).where(col(CaseClock.kind) == ClockKind.dispatch.value)).scalars()
    return model.running_time([Held(row, []).clock for row in rows], now)


def due(
    session: Session, now: datetime, limit: int = SWEPT, *, among: Collection[int] | None = None
) -> list[CaseClock]:
    """Up to `limit` clocks whose end has come, first ends first; they are missed from this transaction on."""
    rows = _locked(session, due_statement(now), limit, among)
    return [one.keep(model.expire(one.clock, now)) for one in held(session, rows)]


def to_warn(
    session: Session, now: datetime, limit: int = SWEPT, *, among: Collection[int] | None = None
) -> list[CaseClock]:
    """Up to `limit` clocks that are nearly late (临期) and were not warned of; they count as warned from now on."""
    rows = _locked(session, warn_statement(now), limit, among)
    for row in rows:
        row.warned_at = now
    return rows


def settle(
    session: Session,
    now: datetime,
    limit: int = SWEPT,
    *,
    among: Collection[int] | None = None,
    settings: Settings | None = None,
) -> list[CaseClock]:
    """Up to `limit` clocks whose provisional ends are counted again, since the days they use are published now.

    Older clocks come first, so that parents are settled before their children.
    """
    statement = settle_statement(session, now, settings)
    settled = held(session, _locked(session, statement, limit, among))
    by = reckoning(session, min((one.row.started_at for one in settled), default=now), settings)
    return [
        one.keep(model.settle(one.clock, now, by, parent=value_of(session, parent_of(session, one.row))))
        for one in settled
    ]


def due_statement(now: datetime) -> Select[Any]:
    """The clocks that `due` takes: a range of the index `ix_case_clock_due`."""
    running = col(CaseClock.state) == ClockState.running.value
    return select(CaseClock).where(running, col(CaseClock.due_at) <= now).order_by(col(CaseClock.due_at))


def warn_statement(now: datetime) -> Select[Any]:
    """The clocks that `to_warn` takes: a range of the index `ix_case_clock_warn`."""
    silent = (col(CaseClock.state) == ClockState.running.value) & col(CaseClock.warned_at).is_(None)
    order = (col(CaseClock.warned_at), col(CaseClock.warn_at))  # the first is always empty; so PostgreSQL needs no sort
    return select(CaseClock).where(silent, col(CaseClock.warn_at) <= now).order_by(*order)


def settle_statement(session: Session, now: datetime, settings: Settings | None = None) -> Select[Any]:
    """The clocks that `settle` takes: of the index `ix_case_clock_provisional`."""
    by = reckoning(session, now, settings)
    within = [
        (col(CaseClock.due_at) > first) & (col(CaseClock.due_at) <= last)
        for first, last in _published(by, local_day(now, by.zone).year)
    ]
    provisional = col(CaseClock.provisional).is_(True) & (col(CaseClock.state) == ClockState.running.value)
    statement = select(CaseClock).where(provisional, or_(False, *within), col(CaseClock.due_at) > now)
    return statement.order_by(col(CaseClock.id))


def reckoning(session: Session, since: datetime, settings: Settings | None = None) -> Reckoning:
    """What days and hours are counted by, for clocks that began at `since` or later."""
    settings = settings or get_settings()
    known = calendar(session, local_day(since, settings.zone))
    return Reckoning(known, settings.zone, parse_office_hours(settings.office_hours))


def _published(by: Reckoning, since: int) -> list[tuple[datetime, datetime]]:
    """The years from `since` on whose calendar is final, without a gap: each from its beginning to its end."""
    years = []
    while since in by.calendar.published:
        years.append((midnight(date(since, 1, 1), by.zone), midnight(date(since + 1, 1, 1), by.zone)))
        since += 1
    return years


def _of(subject: Subject) -> Select[Any]:
    mine = (col(CaseClock.subject_kind) == subject.kind.value) & (col(CaseClock.subject_id) == subject.id)
    return select(CaseClock).where(mine).order_by(col(CaseClock.id))


def _runs_already() -> Refused:
    return Refused("该环节的时限已在计时。", "The clock of this step runs already.", code="clock_runs")


def _rounds(session: Session, subject: Subject, kind: ClockKind) -> list[CaseClock]:
    """The clocks of one step, first round first, as they are now and for this transaction alone."""
    mine = _of(subject).where(col(CaseClock.kind) == kind.value)
    fresh = mine.with_for_update().execution_options(populate_existing=True)
    return list(session.execute(fresh).scalars())


def _open(session: Session, subject: Subject, kind: ClockKind) -> Held:
    rows = [row for row in _rounds(session, subject, kind) if row.ended_at is None]
    if not rows:
        raise NotFound()
    return held(session, rows)[0]


def value_of(session: Session, row: CaseClock | None) -> Clock | None:
    """The row as the rules read it."""
    return None if row is None else held(session, [row])[0].clock


def parent_of(session: Session, row: CaseClock) -> CaseClock | None:
    """The clock that this one must not outlive."""
    return None if row.parent_id is None else session.get(CaseClock, row.parent_id)


def _insert(
    session: Session, subject: Subject, clock: Clock, parent: CaseClock | None, after: CaseClock | None = None
) -> CaseClock:
    row = CaseClock(
        subject_kind=subject.kind.value,
        subject_id=subject.id,
        parent_id=parent.id if parent else None,
        after_id=after.id if after else None,
        **columns_of(clock),
    )
    session.add(row)
    session.flush()
    return row


def _locked(
    session: Session, statement: Select[Any], limit: int, among: Collection[int] | None = None
) -> list[CaseClock]:
    """These clocks, for this transaction alone: what another process is sweeping is left to it."""
    if among is not None:
        statement = statement.where(col(CaseClock.id).in_(among))
    fresh = statement.limit(limit).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return list(session.execute(fresh).scalars())
