"""Opening hours from settings and the table of special days."""

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
from app.hours.model import CLOSED_ALL_DAY, LOOK_AHEAD_DAYS, DayHours, DayKind, OpenState, hours, open_state
from app.hours.tables import SpecialDay
from app.settings import Settings, get_settings
from app.text import clean


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
    rows = session.execute(select(SpecialDay).where(col(SpecialDay.day).between(first, last))).scalars()
    special = {row.day: _hours_of(row, usual) for row in rows}
    return open_state(at, settings.zone, usual, special)


def coming_days(session: Session, today: date) -> list[SpecialDay]:
    """The days of the next weeks that differ, today among them; for parts of the system."""
    within = col(SpecialDay.day).between(today, today + timedelta(days=LOOK_AHEAD_DAYS))
    return list(session.execute(select(SpecialDay).where(within).order_by(col(SpecialDay.day))).scalars())


def special_days(session: Session, actor: Actor, year: int) -> list[SpecialDay]:
    """The days of a year that differ."""
    actor.require(Permission.wallboard_read)
    within = col(SpecialDay.day).between(date(year, 1, 1), date(year, 12, 31))
    return list(session.execute(select(SpecialDay).where(within).order_by(col(SpecialDay.day))).scalars())


def set_special_day(
    session: Session,
    actor: Actor,
    day: date,
    kind: DayKind,
    *,
    opens: str = "",
    closes: str = "",
    note: str = "",
    now: datetime | None = None,
) -> SpecialDay:
    """Make a day differ (again). Raises Forbidden, BadInput (fields opens, closes)."""
    actor.require(Permission.calendar_write)
    if bool(opens) != bool(closes):
        raise BadInput(fields={"opens": "开始和结束时间须同时填写 (both or none)"})
    if opens:
        try:
            hours(opens, closes)
        except ValueError as error:
            raise BadInput(fields={"opens": "时间格式为 HH:MM (write HH:MM)"}) from error
    row = session.get(SpecialDay, day) or SpecialDay(day=day, kind=kind.value)
    row.kind, row.opens, row.closes, row.note = kind.value, opens, closes, clean(note, 100)
    session.add(row)
    write(session, actor, Action.calendar_changed, f"day:{day.isoformat()}", {"kind": kind.value}, now=now)
    return row


def remove_special_day(session: Session, actor: Actor, day: date, *, now: datetime | None = None) -> None:
    """The day is like every day again. Raises Forbidden, NotFound."""
    actor.require(Permission.calendar_write)
    row = session.get(SpecialDay, day)
    if row is None:
        raise NotFound()
    session.delete(row)
    write(session, actor, Action.calendar_changed, f"day:{day.isoformat()}", {"kind": None}, now=now)


def _hours_of(row: SpecialDay, usual: DayHours) -> DayHours:
    kind = DayKind(row.kind) if row.kind in DayKind.__members__ else None
    if kind is DayKind.closed:
        return CLOSED_ALL_DAY
    if row.opens and row.closes:
        return hours(row.opens, row.closes, kind, row.note)
    return DayHours(usual.opens, usual.closes, kind, row.note)
