"""The working-day calendar: read by everything that counts days, changed by few, every change audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import utc_now
from app.db import found
from app.errors import BadInput
from app.text import clean
from app.workdays.model import WorkCalendar, WorkDayKind
from app.workdays.sheet import LONGEST_NOTE, Fault, SheetDay, day_fault, read_sheet
from app.workdays.tables import CalendarYear, WorkDay


@dataclass(frozen=True)
class Year:
    """A year as it is stored: its row (None while nothing is known of it) and the days that differ, in order."""

    year: int
    known: CalendarYear | None
    days: list[WorkDay]

    @property
    def provisional(self) -> bool:
        """Whether its days may still change."""
        return self.known is None or self.known.provisional


@dataclass(frozen=True)
class Import:
    """What an import does or would do. With faults it does nothing."""

    faults: tuple[Fault, ...]
    days: tuple[SheetDay, ...]
    added: int = 0
    changed: int = 0
    removed: int = 0


def calendar(session: Session, since: date) -> WorkCalendar:
    """The calendar from `since` on, for parts of the system that count working days: two statements."""
    rows = session.execute(select(col(WorkDay.day), col(WorkDay.kind)).where(col(WorkDay.day) >= since))
    days = {day: WorkDayKind(kind) for day, kind in rows}
    final = select(col(CalendarYear.year)).where(col(CalendarYear.provisional).is_(False))
    return WorkCalendar(days, frozenset(session.execute(final).scalars()))


def days_between(session: Session, first: date, last: date) -> list[WorkDay]:
    """The days that differ from `first` to `last`, both included; for parts of the system."""
    within = col(WorkDay.day).between(first, last)
    return list(session.execute(select(WorkDay).where(within).order_by(col(WorkDay.day))).scalars())


def year_of(session: Session, actor: Actor, year: int) -> Year:
    """One year. Raises Forbidden."""
    actor.require(Permission.rules_read)
    return _year(session, year)


def set_day(
    session: Session, actor: Actor, day: date, kind: WorkDayKind, *, note: str = "", now: datetime | None = None
) -> WorkDay:
    """Make a day differ (again). Clocks that run keep their time unless it was provisional.

    Raises Forbidden, BadInput (field kind).
    """
    actor.require(Permission.calendar_write)
    if why := day_fault(day, kind):
        raise BadInput(fields={"kind": f"{why[0]} ({why[1]})"})
    now = now or utc_now()
    row = session.get(WorkDay, day)
    before = row.kind if row else None
    row = _put(session, actor, SheetDay(day, kind, clean(note, LONGEST_NOTE)), "edit", now)
    write(session, actor, Action.workday_changed, f"workday:{day}", {"from": before, "to": row.kind}, now=now)
    return row


def clear_day(session: Session, actor: Actor, day: date, *, now: datetime | None = None) -> None:
    """The day is like every day of its name again. Raises Forbidden, NotFound."""
    actor.require(Permission.calendar_write)
    row = found(session, WorkDay, day, lock=True)
    session.delete(row)
    write(session, actor, Action.workday_changed, f"workday:{day}", {"from": row.kind, "to": None}, now=now)


def import_year(
    session: Session,
    actor: Actor,
    year: int,
    text: str,
    *,
    published_by: str = "",
    published_on: date | None = None,
    provisional: bool = False,
    dry_run: bool,
    now: datetime | None = None,
) -> Import:
    """Replace everything known of `year` by a table (see `app.workdays.sheet`), or say what that would do.

    Nothing is stored with `dry_run`, and nothing while one row has a fault: the answer names them all. A year that is
    not provisional must say who published it. Raises Forbidden, BadInput (field published_by).
    """
    actor.require(Permission.calendar_write)
    by = clean(published_by, LONGEST_NOTE)
    if not by and not provisional:
        raise BadInput(fields={"published_by": "写明公布机关和文号，或标为暂定 (who published it, or provisional)"})
    sheet = read_sheet(text, year)
    before = {row.day: row for row in _year(session, year).days}
    wanted = {one.day: one for one in sheet.days}
    result = Import(
        sheet.faults,
        sheet.days,
        added=len(wanted.keys() - before.keys()),
        changed=sum(_differs(before[day], wanted[day]) for day in wanted.keys() & before.keys()),
        removed=len(before.keys() - wanted.keys()),
    )
    if dry_run or sheet.faults:
        return result
    now = now or utc_now()
    for day in before.keys() - wanted.keys():
        session.delete(before[day])
    known = session.get(CalendarYear, year) or CalendarYear(year=year, changed_at=now)
    known.published_by, known.published_on, known.provisional = by, published_on, provisional
    known.changed_by, known.changed_at = actor.user_id, now
    session.add(known)
    for one in sheet.days:
        if one.day not in before or _differs(before[one.day], one):
            _put(session, actor, one, "import", now)
    detail = {"added": result.added, "changed": result.changed, "removed": result.removed, "provisional": provisional}
    write(session, actor, Action.calendar_imported, f"calendar:{year}", detail, now=now)
    return result


def _year(session: Session, year: int) -> Year:
    return Year(year, session.get(CalendarYear, year), days_between(session, date(year, 1, 1), date(year, 12, 31)))


def _put(session: Session, actor: Actor, one: SheetDay, source: str, now: datetime) -> WorkDay:
    row = session.get(WorkDay, one.day) or WorkDay(day=one.day, kind=one.kind, source=source, changed_at=now)
    row.kind, row.note, row.source = one.kind.value, one.note, source
    row.changed_by, row.changed_at = actor.user_id, now
    session.add(row)
    return row


def _differs(row: WorkDay, one: SheetDay) -> bool:
    return (row.kind, row.note) != (one.kind.value, one.note)
