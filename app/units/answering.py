"""On which number a unit answers at a given time (K2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlmodel import Session

from app.units.model import PhoneKind
from app.units.queries import by_code, phones_of
from app.units.tables import Unit
from app.workdays.model import parse_office_hours
from app.workdays.service import calendar


@dataclass(frozen=True)
class Line:
    """A unit's line at a moment: `number` is "" where nobody can be reached; `hours` are spans of minutes after
    midnight on working days, none where they are not known."""

    name: str
    number: str
    at_work: bool
    hours: tuple[tuple[int, int], ...]


def line_at(
    session: Session, code: str, at: datetime, zone: tzinfo, may_dial: Callable[[str], bool] = bool
) -> Line | None:
    """The working unit of that code, and the first of its telephone numbers that may be dialled; outside its office
    hours its duty number, if any.

    None where no working unit has the code. A unit without hours is taken to be at work.
    """
    unit = by_code(session, [code]).get(code)
    if unit is None or not unit.active:
        return None
    phones = phones_of(session, [unit.id or 0]).get(unit.id or 0, [])
    at_work = _at_work(session, unit, at.astimezone(zone))
    kinds = (PhoneKind.voice, PhoneKind.duty) if at_work else (PhoneKind.duty,)
    numbers = (one.number for kind in kinds for one in phones if one.kind is kind and may_dial(one.number))
    hours = parse_office_hours(unit.office_hours).spans if unit.office_hours else ()
    return Line(unit.short_name or unit.name, next(numbers, ""), at_work, hours)


def _at_work(session: Session, unit: Unit, local: datetime) -> bool:
    if not unit.office_hours:
        return True
    if not calendar(session, local.date()).is_working(local.date()):
        return False
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in parse_office_hours(unit.office_hours).spans)
