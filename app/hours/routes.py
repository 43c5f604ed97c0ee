"""REST: opening hours, and days with hours of their own."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.clock import iso, utc_now
from app.hours import service
from app.hours.model import DayKind, DifferentDay
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body

router = APIRouter(prefix="/api/hours", tags=["hours"])


class Day(Answer):
    """A day that differs, by its hours or because the working-day calendar says so."""

    day: date
    kind: DayKind
    opens: str
    closes: str
    note: str


class DayIn(Body):
    """A day's own hours, or that nobody answers on it. Holidays and make-up workdays are set under /api/workdays."""

    closed: bool = False
    opens: str = Field(default="", pattern=r"^([0-2][0-9]:[0-5][0-9])?$")
    closes: str = Field(default="", pattern=r"^([0-2][0-9]:[0-5][0-9])?$")
    note: str = Field(default="", max_length=100)


class HoursOut(Answer):
    """Whether people answer now, every day's hours, and the year's special days."""

    open: bool
    reason: str
    next_open: str | None
    opens: str
    closes: str
    days: list[Day]


@router.get("", operation_id="get_hours")
def get_hours(actor: ActorDep, web: WebDep, year: Annotated[int | None, Query(ge=2000, le=2200)] = None) -> HoursOut:
    """The hours."""
    now = utc_now()
    with web.db.read() as session:
        state = service.state_at(session, now, web.settings)
        days = service.special_days(session, actor, year or now.astimezone(web.settings.zone).year)
    return HoursOut(
        open=state.open,
        reason=state.reason,
        next_open=iso(state.next_open),
        opens=web.settings.opens,
        closes=web.settings.closes,
        days=[_day(row) for row in days],
    )


@router.put("/days/{day}", operation_id="set_special_day")
def set_special_day(day: date, body: DayIn, actor: ActorDep, web: WebDep) -> Day:
    """Give a day hours of its own, or close it."""
    with web.db.session() as session:
        row = service.set_special_day(
            session, actor, day, closed=body.closed, opens=body.opens, closes=body.closes, note=body.note
        )
        return _day(row)


@router.delete("/days/{day}", operation_id="remove_special_day", status_code=204)
def remove_special_day(day: date, actor: ActorDep, web: WebDep) -> None:
    """The day keeps every day's hours again."""
    with web.db.session() as session:
        service.remove_special_day(session, actor, day)


def _day(one: DifferentDay) -> Day:
    return Day(day=one.day, kind=one.kind, opens=one.opens, closes=one.closes, note=one.note)
