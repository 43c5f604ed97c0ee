"""Clocks of cases and assignments: begun and stopped by whatever owns the subject, swept by whoever keeps time.

How the owner of a subject (`app.cases`, an assignment) uses this, each inside its own transaction:

    start(session, Subject.case(7), ClockKind.dispatch, matter)       a step begins
    begin(…)                                                          … or begins again, or goes on
    stop(session, Subject.case(7), ClockKind.dispatch)                it is done; the row says met or missed
    exchange(session, actor, subject, kind, matter)                   the matter turned out to be another: new limit
    restart(session, subject, ClockKind.handle, matter)               重办: first outcome kept, a new round begins
    give_back(session, assignment, case, matter)                      退单: unit's time ends, centre's dispatch runs
    ask_extension / decide_extension                                  延期, audited; deciding needs a permission

Whether the asker may touch the subject is for its owner to say before calling; what needs a permission of its own here
takes an `Actor`. And whoever keeps time calls every minute or so, until an empty list comes back:

    for row in due(session, now): …        have become missed in this transaction: 催办
    for row in to_warn(session, now): …    are nearly late (临期) and were not warned of before
    settle(session, now)                   ends that were provisional, after a year's calendar was published

A step of a case is the parent of the same step of its assignments: a child never ends later than its parent.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, local_day, utc_now
from app.clocks import model
from app.clocks.limits import MOST, Reckoning, Unit, midnight
from app.clocks.model import LONGEST_WHY, Clock, ClockKind, ClockState, ExtensionState
from app.clocks.office import rules
from app.clocks.rules import Matter, limit_for
from app.clocks.stored import Held, columns_of, held
from app.clocks.tables import CaseClock, ClockExtension
from app.db import found
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.paging import Leaf, Page, page_of
from app.settings import Settings, get_settings
from app.text import clean
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
    return _insert(session, subject, model.start(kind, limit, now, by, parent=_value(session, parent)), parent)


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
    clock = model.start(kind, limit, now, by, parent=_value(session, parent), round=round)
    return _insert(session, subject, clock, parent, after=rounds[-1] if rounds else None)


def end_all(session: Session, subject: Subject, *, now: datetime | None = None) -> None:
    """Whoever had the subject has it no more: its open clocks end without an outcome, what was missed stays missed."""
    now = now or utc_now()
    mine = [row for kind in ClockKind for row in _rounds(session, subject, kind) if row.ended_at is None]
    for one in held(session, mine):
        one.keep(model.give_way(one.clock, now))


def open_of(session: Session, subject: Subject, kind: ClockKind) -> CaseClock | None:
    """The clock of that step that has not ended."""
    return next((row for row in _rounds(session, subject, kind) if row.ended_at is None), None)


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
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """Another limit holds, since the matter turned out to be another one; audited, for it moves an end.

    The new clock begins when the old one did; what the old one missed stays missed. Raises NotFound.
    """
    now = now or utc_now()
    one = _open(session, subject, kind)
    before = one.keep(model.give_way(one.clock, now))
    session.flush()  # a subject has one open clock of a kind
    parent, by = _parent_of(session, before), reckoning(session, before.started_at, settings)
    limit = limit_for(rules(session), kind, matter)
    clock = model.start(kind, limit, before.started_at, by, parent=_value(session, parent), round=before.round)
    row = _insert(session, subject, clock, parent, after=before)
    detail = {"from": iso(before.due_at), "to": iso(row.due_at)}
    write(session, actor, Action.clock_exchanged, f"clock:{before.id}", detail, now=now)
    return row


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
    parent = parent or _parent_of(session, last)
    limit, by = limit_for(rules(session), kind, matter), reckoning(session, now, settings)
    (one,) = held(session, [last])
    before, again = model.restart(one.clock, limit, now, by, parent=_value(session, parent))
    one.keep(before)
    session.flush()
    return _insert(session, subject, again, parent, after=last)


def give_back(
    session: Session,
    unit: Subject,
    centre: Subject,
    matter: Matter,
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """A unit returns an assignment (退单): its open clocks end, and the centre's dispatch clock runs again.

    Nothing pauses. Clocks of the case itself go on, so the time until the next dispatch is the centre's
    (`time_against_centre`). Gives the dispatch clock. Raises Refused while the centre is dispatching already.
    """
    if open_of(session, centre, ClockKind.dispatch) is not None:
        raise _runs_already()
    end_all(session, unit, now=now)
    return begin(session, centre, ClockKind.dispatch, matter, now=now, settings=settings)


def of_subject(session: Session, subject: Subject) -> list[CaseClock]:
    """Every clock of a subject, in the order in which they were begun."""
    return list(session.execute(_of(subject)).scalars())


def time_against_centre(session: Session, case: Subject, now: datetime) -> timedelta:
    """How long the centre has had the case for dispatching, the first time and after every return."""
    rows = session.execute(_of(case).where(col(CaseClock.kind) == ClockKind.dispatch.value)).scalars()
    return model.running_time([Held(row, []).clock for row in rows], now)


def ask_extension(
    session: Session,
    actor: Actor,
    clock_id: int,
    amount: int,
    why: str,
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> ClockExtension:
    """Ask for `amount` more of the clock's unit before it is too late; it goes on running meanwhile.

    Raises NotFound, BadInput (fields amount, why), Refused (see `model.ask_extension`).
    """
    now, why = now or utc_now(), clean(why, LONGEST_WHY)
    (one,) = held(session, [found(session, CaseClock, clock_id, lock=True)])
    row = one.row
    wrong = {} if why else {"why": "须写明原因 (say why)"}
    if not 1 <= amount <= MOST[Unit(row.unit)]:
        wrong["amount"] = f"须为 1 到 {MOST[Unit(row.unit)]} (1 to {MOST[Unit(row.unit)]})"
    if wrong:
        raise BadInput(fields=wrong)
    by, parent = reckoning(session, row.started_at, settings), _value(session, _parent_of(session, row))
    asked = model.ask_extension(one.clock, amount, why, now, by, parent=parent).extensions[-1]
    added = ClockExtension(
        clock_id=clock_id, amount=amount, why=why, asked_by=actor.user_id, asked_at=now, state=asked.state.value
    )
    session.add(added)
    session.flush()
    write(session, actor, Action.extension_asked, f"clock:{clock_id}", {"amount": amount, "unit": row.unit}, now=now)
    return added


def decide_extension(
    session: Session,
    actor: Actor,
    extension_id: int,
    approved: bool,
    why: str = "",
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """Approve or refuse; nobody decides what they asked for themselves, and a refusal says why.

    Raises Forbidden, NotFound, BadInput (field why), Refused (see `model.decide_extension`).
    """
    actor.require(Permission.extensions_decide)
    now, why = now or utc_now(), clean(why, LONGEST_WHY)
    clock_id = found(session, ClockExtension, extension_id).clock_id
    (one,) = held(session, [found(session, CaseClock, clock_id, lock=True)])
    (asked,) = (each for each in one.asked if each.id == extension_id)
    if actor.user_id is not None and actor.user_id == asked.asked_by:
        raise Forbidden("不能审批自己提出的延期。", "Nobody decides their own request.", code="own_request")
    if asked.state != ExtensionState.requested:
        raise Refused("该申请已有结果。", "This request was decided already.", code="nothing_pending")
    if not approved and not why:
        raise BadInput(fields={"why": "须写明原因 (say why)"})
    by, parent = reckoning(session, one.row.started_at, settings), _value(session, _parent_of(session, one.row))
    before = one.row.due_at
    row = one.keep(model.decide_extension(one.clock, approved, now, by, parent=parent))
    asked.decided_by, asked.decision_why = actor.user_id, why
    detail = {"approved": approved, "from": iso(before), "to": iso(row.due_at)}
    write(session, actor, Action.extension_decided, f"clock:{row.id}", detail, now=now)
    return row


def waiting_extensions(session: Session, actor: Actor, leaf: Leaf | None = None) -> Page[ClockExtension]:
    """The requests that wait for a decision, those whose clock ends first before the others. Raises Forbidden."""
    actor.require(Permission.extensions_decide)
    statement = (
        select(ClockExtension)
        .join(CaseClock, col(CaseClock.id) == col(ClockExtension.clock_id))
        .where(col(ClockExtension.state) == ExtensionState.requested.value)
        .order_by(col(CaseClock.due_at), col(ClockExtension.id))
    )
    return page_of(session, statement, leaf)


def due(session: Session, now: datetime, limit: int = SWEPT) -> list[CaseClock]:
    """Up to `limit` clocks whose end has come, first ends first; they are missed from this transaction on."""
    return [
        one.keep(model.expire(one.clock, now)) for one in held(session, _locked(session, due_statement(now), limit))
    ]


def to_warn(session: Session, now: datetime, limit: int = SWEPT) -> list[CaseClock]:
    """Up to `limit` clocks that are nearly late (临期) and were not warned of; they count as warned from now on."""
    rows = _locked(session, warn_statement(now), limit)
    for row in rows:
        row.warned_at = now
    return rows


def settle(session: Session, now: datetime, limit: int = SWEPT, *, settings: Settings | None = None) -> list[CaseClock]:
    """Up to `limit` clocks whose provisional ends are counted again, since the days they use are published now.

    Older clocks come first, so that parents are settled before their children.
    """
    by = reckoning(session, now, settings)
    within = [
        (col(CaseClock.due_at) > first) & (col(CaseClock.due_at) <= last)
        for first, last in _published(by, local_day(now, by.zone).year)
    ]
    provisional = col(CaseClock.provisional).is_(True) & (col(CaseClock.state) == ClockState.running.value)
    statement = select(CaseClock).where(provisional, or_(False, *within), col(CaseClock.due_at) > now)
    settled = held(session, _locked(session, statement.order_by(col(CaseClock.id)), limit))
    by = reckoning(session, min((one.row.started_at for one in settled), default=now), settings)
    return [
        one.keep(model.settle(one.clock, now, by, parent=_value(session, _parent_of(session, one.row))))
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


def _value(session: Session, row: CaseClock | None) -> Clock | None:
    return None if row is None else held(session, [row])[0].clock


def _parent_of(session: Session, row: CaseClock) -> CaseClock | None:
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


def _locked(session: Session, statement: Select[Any], limit: int) -> list[CaseClock]:
    """These clocks, for this transaction alone: what another process is sweeping is left to it."""
    return list(session.execute(statement.limit(limit).with_for_update(skip_locked=True)).scalars())
