"""Opening hours from settings, the days with hours of their own, and the working-day calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.db import Database
from app.errors import BadInput, NotFound
from app.hours.model import (
    CLOSED_ALL_DAY,
    LOOK_AHEAD_DAYS,
    DayHours,
    DayKind,
    DifferentDay,
    OpenState,
    hours,
    open_state,
)
from app.hours.tables import SpecialDay
from app.settings import Settings, get_settings
from app.text import clean
from app.workdays.service import days_between
from app.workdays.tables import WorkDay


def is_open(db: Database, at: datetime, settings: Settings | None = None) -> OpenState:
    """Whether people answer at `at`; by the settings' hours alone if the calendar can't be asked (Busy is raised)."""
    settings = settings or get_settings()
    with db.read() as session:
        return state_at(session, at, settings)


def state_at(session: Session, at: datetime, settings: Settings) -> OpenState:
    """Like `is_open`, inside a transaction."""
    usual = hours(settings.opens, settings.closes)
    today = at.astimezone(settings.zone).date()
    first, last = today - timedelta(days=1), today + timedelta(days=LOOK_AHEAD_DAYS)
    special = {one.day: _hours_of(one, usual) for one in _different_days(session, first, last)}
    return open_state(at, settings.zone, usual, special)


def coming_days(session: Session, today: date) -> list[DifferentDay]:
    """The days of the next weeks that differ, today among them; for parts of the system."""
    return _different_days(session, today, today + timedelta(days=LOOK_AHEAD_DAYS))


def special_days(session: Session, actor: Actor, year: int) -> list[DifferentDay]:
    """The days of a year that differ. Raises Forbidden."""
    actor.require(Permission.wallboard_read)
    return _different_days(session, date(year, 1, 1), date(year, 12, 31))


def set_special_day(
    session: Session,
    actor: Actor,
    day: date,
    *,
    closed: bool = False,
    opens: str = "",
    closes: str = "",
    note: str = "",
    now: datetime | None = None,
) -> DifferentDay:
    """Give a day hours of its own, or close it. Raises Forbidden, BadInput (field opens)."""
    actor.require(Permission.calendar_write)
    if bool(opens) != bool(closes) or closed == bool(opens):
        raise BadInput(fields={"opens": "填写开始和结束时间，或选择不接听，二者取一 (both times, or closed)"})
    if opens:
        try:
            hours(opens, closes)
        except ValueError as error:
            raise BadInput(fields={"opens": "时间格式为 HH:MM (write HH:MM)"}) from error
    row = session.get(SpecialDay, day) or SpecialDay(day=day)
    row.closed, row.opens, row.closes, row.note = closed, opens, closes, clean(note, 100)
    session.add(row)
    session.flush()
    detail = {"closed": closed, "opens": opens, "closes": closes}
    write(session, actor, Action.calendar_changed, f"day:{day.isoformat()}", detail, now=now)
    return _different_days(session, day, day)[0]


def remove_special_day(session: Session, actor: Actor, day: date, *, now: datetime | None = None) -> None:
    """The day keeps every day's hours again. Raises Forbidden, NotFound."""
    actor.require(Permission.calendar_write)
    row = session.get(SpecialDay, day)
    if row is None:
        raise NotFound()
    session.delete(row)
    write(session, actor, Action.calendar_changed, f"day:{day.isoformat()}", {"closed": None}, now=now)


def _different_days(session: Session, first: date, last: date) -> list[DifferentDay]:
    """What differs from `first` to `last`: the hours from here, the kind of day from the calendar."""
    within = col(SpecialDay.day).between(first, last)
    own = {row.day: row for row in session.execute(select(SpecialDay).where(within)).scalars()}
    known = {row.day: row for row in days_between(session, first, last)}
    return [_different(day, own.get(day), known.get(day)) for day in sorted(own.keys() | known.keys())]


def _different(day: date, own: SpecialDay | None, known: WorkDay | None) -> DifferentDay:
    kind = DayKind(known.kind) if known else DayKind.workday
    note = known.note if known else ""
    if own is None:
        return DifferentDay(day, kind, note=note)
    return DifferentDay(day, DayKind.closed if own.closed else kind, own.opens, own.closes, own.note or note)


def _hours_of(one: DifferentDay, usual: DayHours) -> DayHours:
    if one.kind is DayKind.closed:
        return CLOSED_ALL_DAY
    if one.opens and one.closes:
        return hours(one.opens, one.closes, one.kind, one.note)
    return DayHours(usual.opens, usual.closes, one.kind, one.note)
