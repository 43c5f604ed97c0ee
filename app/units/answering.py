"""On which number a unit answers at a given time (K2)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlmodel import Session

from app.units.model import PhoneKind
from app.units.queries import by_code, phones_of
from app.units.tables import Unit
from app.workdays.model import parse_office_hours
from app.workdays.service import calendar


def number_at(session: Session, code: str, at: datetime, zone: tzinfo) -> str | None:
    """The first telephone number of the working unit of that code; outside its office hours its duty number, if any.

    None where no working unit has the code, or it has no telephone. A unit without hours is taken to be at work.
    """
    unit = by_code(session, [code]).get(code)
    if unit is None or not unit.active:
        return None
    phones = phones_of(session, [unit.id or 0]).get(unit.id or 0, [])
    first, second = PhoneKind.voice, PhoneKind.duty
    if not _at_work(session, unit, at.astimezone(zone)):
        first, second = second, first
    return next((one.number for kind in (first, second) for one in phones if one.kind is kind), None)


def _at_work(session: Session, unit: Unit, local: datetime) -> bool:
    if not unit.office_hours:
        return True
    if not calendar(session, local.date()).is_working(local.date()):
        return False
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in parse_office_hours(unit.office_hours).spans)
