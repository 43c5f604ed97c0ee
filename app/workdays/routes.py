"""REST: the working-day calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from sqlmodel import Session

from app.auth.model import Permission
from app.auth.service import display_names
from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.errors import language_of
from app.http.schema import Answer, Body
from app.workdays import service
from app.workdays.model import WorkDayKind, add_working_days
from app.workdays.sheet import LONGEST_NOTE, LONGEST_TEXT, SheetDay
from app.workdays.tables import CalendarYear, WorkDay

router = APIRouter(prefix="/api/workdays", tags=["working days"])

Year = Annotated[int, Path(ge=2000, le=2199)]
Day = Annotated[date, Path(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


class WorkDayIn(Body):
    """How a day differs from Monday to Friday at work."""

    kind: WorkDayKind
    note: str = Field(default="", max_length=LONGEST_NOTE)


class ImportIn(Body):
    """A year's table as text (CSV), and who published it; nothing is stored with `dry_run`."""

    text: str = Field(max_length=LONGEST_TEXT)
    published_by: str = Field(default="", max_length=LONGEST_NOTE)
    published_on: date | None = None
    provisional: bool = False
    dry_run: bool


class WorkDayOut(Answer):
    """A day that differs; `source`: published, import, edit or hours."""

    day: date
    kind: WorkDayKind
    note: str
    source: str
    changed_at: str | None
    changed_by_name: str | None


class YearOut(Answer):
    """A year: what differs, who published it when. `provisional`: its days may still change."""

    year: int
    provisional: bool
    known: bool
    published_by: str
    published_on: date | None
    changed_at: str | None
    changed_by_name: str | None
    days: list[WorkDayOut]


class SheetDayOut(Answer):
    """A day of an imported table."""

    day: date
    kind: WorkDayKind
    note: str


class FaultOut(Answer):
    """What is wrong in which row (the line of names is row 1) and column; "" for the whole row."""

    row: int
    column: str
    message: str


class ImportOut(Answer):
    """What an import did, or would do. With faults nothing was stored."""

    stored: bool
    faults: list[FaultOut]
    days: list[SheetDayOut]
    added: int
    changed: int
    removed: int


class CountOut(Answer):
    """The day that counting comes to; `provisional`: it used days that are not published yet."""

    day: date
    provisional: bool


@router.get("/count", operation_id="count_workdays")
def count_workdays(
    actor: ActorDep,
    web: WebDep,
    start: Annotated[date, Query(ge=date(2000, 1, 1), le=date(2199, 12, 31))],
    days: Annotated[int, Query(ge=1, le=250)],
) -> CountOut:
    """The `days`-th working day after `start`."""
    actor.require(Permission.rules_read)
    with web.db.read() as session:
        reached = add_working_days(service.calendar(session, start), start, days)
    return CountOut(day=reached.day, provisional=reached.provisional)


@router.get("/{year}", operation_id="get_workdays")
def get_workdays(year: Year, actor: ActorDep, web: WebDep) -> YearOut:
    """A year's days that differ."""
    with web.db.read() as session:
        found = service.year_of(session, actor, year)
        names = _names(session, [*found.days, *([found.known] if found.known else [])])
    known = found.known
    return YearOut(
        year=year,
        provisional=found.provisional,
        known=known is not None,
        published_by=known.published_by if known else "",
        published_on=known.published_on if known else None,
        changed_at=iso(known.changed_at) if known else None,
        changed_by_name=names.get(known.changed_by or 0) if known else None,
        days=[_day(row, names) for row in found.days],
    )


@router.put("/days/{day}", operation_id="set_workday")
def set_workday(day: Day, body: WorkDayIn, actor: ActorDep, web: WebDep) -> WorkDayOut:
    """Make a day a holiday or a make-up workday."""
    with web.db.session() as session:
        row = service.set_day(session, actor, day, body.kind, note=body.note)
        return _day(row, _names(session, [row]))


@router.delete("/days/{day}", operation_id="clear_workday", status_code=204)
def clear_workday(day: Day, actor: ActorDep, web: WebDep) -> None:
    """The day is like every day of its name again."""
    with web.db.session() as session:
        service.clear_day(session, actor, day)


@router.post("/{year}/import", operation_id="import_workdays")
def import_workdays(year: Year, body: ImportIn, request: Request, actor: ActorDep, web: WebDep) -> ImportOut:
    """Replace a year by a table, or say what that would do and what is wrong in which row."""
    with web.db.session() as session:
        done = service.import_year(session, actor, year, **body.model_dump())
    language = language_of(request)
    return ImportOut(
        stored=not body.dry_run and not done.faults,
        faults=[FaultOut(row=one.row, column=one.column, message=one.told(language)) for one in done.faults],
        days=[_sheet_day(one) for one in done.days],
        added=done.added,
        changed=done.changed,
        removed=done.removed,
    )


def _names(session: Session, rows: Sequence[WorkDay | CalendarYear]) -> dict[int, str]:
    return display_names(session, {row.changed_by for row in rows if row.changed_by is not None})


def _day(row: WorkDay, names: dict[int, str]) -> WorkDayOut:
    return WorkDayOut(
        day=row.day,
        kind=row.day_kind,
        note=row.note,
        source=row.source,
        changed_at=iso(row.changed_at),
        changed_by_name=names.get(row.changed_by or 0),
    )


def _sheet_day(one: SheetDay) -> SheetDayOut:
    return SheetDayOut(day=one.day, kind=one.kind, note=one.note)
