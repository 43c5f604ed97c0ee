"""REST: the supervisor's figures by half-hour, and the people that a day needs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.announcements import counting as announcements
from app.announcements.shapes import CallersOut
from app.calls.halfhours import Tally
from app.clock import iso, utc_now
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body
from app.selfservice import surveys
from app.staffing import service
from app.staffing.forecast import Target

router = APIRouter(prefix="/api/staffing", tags=["staffing"])
FIRST, LAST = date(2000, 3, 1), date(2199, 12, 1)
Day = Annotated[date, Field(ge=FIRST, le=LAST)]


class FiguresOf(Body):
    """Which half-hours: those of a day (today without one), or (`rolling`) the 48 that end now."""

    day: Day | None = None
    rolling: bool = False


class StaffingOf(Body):
    """Which day, from how many weeks it is foretold, and what is to be kept: `share` answered within `within_s`."""

    day: Day | None = None
    weeks: int = Field(default=4, ge=1, le=12)
    share: float = Field(default=0.95, ge=0.5, le=0.999)
    within_s: int = Field(default=15, ge=0, le=600)


class TallyOut(Answer):
    """Calls that joined in a half-hour; `judged`: of whom is known whether they were answered within 15 s."""

    calls: int
    answered: int
    in_time: int
    judged: int
    abandoned: int
    mean_wait_s: float | None
    mean_talk_s: float | None


class FigureRow(Answer):
    """A half-hour, and the same one a week earlier. `from` and `until` name its calls in the list of calls."""

    from_: str = Field(serialization_alias="from")
    until: str
    now: TallyOut
    before: TallyOut


class RatedOut(Answer):
    """How many were asked how satisfied they were with a call, and how many of them said so."""

    asked: int
    answered: int


class FiguresOut(Answer):
    """Half-hours in order; `before` counts only as much of the earlier span as has come in this one."""

    from_: str = Field(serialization_alias="from")
    until: str
    before_from: str
    rows: list[FigureRow]
    now: TallyOut
    before: TallyOut
    rated: RatedOut
    announced: CallersOut
    as_of: str


class StaffingRow(Answer):
    """A half-hour: what is expected and needed, who was there (people, a mean), what came, and what theory says that so
    many people keep of it. Null: not known."""

    from_: str = Field(serialization_alias="from")
    until: str
    expected: float | None
    needed: int | None
    on_shift: float | None
    at_work: float | None
    seen: float
    came: TallyOut
    theory: float | None


class StaffingOut(Answer):
    """A day by half-hour. `days`: those from which it was foretold; `handling_s`: talk and wrap-up on them."""

    day: str
    days: list[str]
    handling_s: float | None
    share: float
    within_s: int
    rows: list[StaffingRow]
    as_of: str


@router.get("/figures", operation_id="get_floor_figures")
def get_floor_figures(actor: ActorDep, web: WebDep, asked: Annotated[FiguresOf, Query()]) -> FiguresOut:
    """Calls by half-hour, beside those of the same hours a week earlier."""
    now = utc_now()
    with web.db.read() as session:
        found = service.compared(session, actor, web.settings, now, day=asked.day, rolling=asked.rolling)
        answered, of = surveys.answered(session, found.span.start, found.span.end)
        announced = announcements.together(session, found.span.start, found.span.end)
    return FiguresOut(
        from_=iso(found.span.start) or "",
        until=iso(found.span.end) or "",
        before_from=iso(found.before.start) or "",
        rows=[
            FigureRow(
                from_=iso(found.span.at(number)) or "",
                until=iso(found.span.at(number + 1)) or "",
                now=_tally(tally),
                before=_tally(found.then[number]),
            )
            for number, tally in enumerate(found.now)
        ],
        now=_tally(found.whole),
        before=_tally(found.before_so_far),
        rated=RatedOut(asked=of, answered=answered),
        announced=CallersOut(**announced.as_json()),
        as_of=iso(now) or "",
    )


@router.get("/forecast", operation_id="get_staffing")
def get_staffing(actor: ActorDep, web: WebDep, asked: Annotated[StaffingOf, Query()]) -> StaffingOut:
    """People who are needed by half-hour, beside those who were there and what came."""
    now, target = utc_now(), Target(asked.share, asked.within_s)
    with web.db.read() as session:
        found = service.staffing(session, actor, web.settings, now, day=asked.day, weeks=asked.weeks, target=target)
    return StaffingOut(
        day=found.span.start.astimezone(web.settings.zone).date().isoformat(),
        days=[one.isoformat() for one in found.days],
        handling_s=found.handling_s,
        share=target.share,
        within_s=target.within_s,
        rows=[
            StaffingRow(
                from_=iso(found.span.at(number)) or "",
                until=iso(found.span.at(number + 1)) or "",
                expected=found.needs[number].calls,
                needed=found.needs[number].seats,
                on_shift=present.on_shift if present else None,
                at_work=present.at_work if present else None,
                seen=present.seen if present else 0.0,
                came=_tally(found.came[number]),
                theory=found.kept[number],
            )
            for number, present in enumerate(found.present)
        ],
        as_of=iso(now) or "",
    )


def _tally(tally: Tally) -> TallyOut:
    return TallyOut(
        calls=tally.calls,
        answered=tally.answered,
        in_time=tally.in_time,
        judged=tally.judged,
        abandoned=tally.abandoned,
        mean_wait_s=tally.mean_wait_s,
        mean_talk_s=tally.mean_talk_s,
    )
