"""REST: the measures of the case loop over a period."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from app.auth.model import Permission
from app.clock import iso, local_day, utc_now
from app.db import loaded
from app.errors import BadInput
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Days
from app.measures.loop import Counts, Measure, rates
from app.measures.loop_query import of_the_centre, of_units
from app.measures.routes import RateOut
from app.paging import day_range
from app.units.tables import Unit

router = APIRouter(prefix="/api/measures", tags=["measures"])

LONGEST_DAYS = 366


class UnitMeasures(Answer):
    """The measures of one unit."""

    unit_id: int
    unit: str
    level: int | None
    measures: dict[Measure, RateOut]


class LoopMeasures(Answer):
    """`centre` is null for a unit's people, who see their own unit alone."""

    since: date
    until: date
    as_of: str
    centre: dict[Measure, RateOut] | None
    units: list[UnitMeasures]


@router.get("/loop", operation_id="get_loop_measures")
def get_loop_measures(actor: ActorDep, web: WebDep, period: Annotated[Days, Query()]) -> LoopMeasures:
    """办结率, 限时办结率, 满意率, 回访率, 响应率, 解决率, 退单率, 重办率 and 催办率, each with what it is made of.

    Of the last thirty days, if none are named.
    """
    whole = actor.may(Permission.wallboard_read)
    if not whole:
        actor.require(Permission.work_lead)
    now, zone = utc_now(), web.settings.zone
    until = period.to or local_day(now, zone)
    since = period.from_ or max(until, date(1970, 2, 1)) - timedelta(days=29)
    if not timedelta(0) <= until - since < timedelta(days=LONGEST_DAYS):
        raise BadInput(fields={"from": f"须早于截止日期，且不超过 {LONGEST_DAYS} 天 (at most {LONGEST_DAYS} days)"})
    first, end = day_range(since, until, zone)
    if first is None or end is None:
        raise BadInput(fields={"from": "无法识别的日期 (not understood)"})
    with web.db.read() as session:
        centre = of_the_centre(session, first, end) if whole else None
        counted = of_units(session, first, end, None if whole else actor.unit_ids)
        units = loaded(session, Unit, counted).values()
    return LoopMeasures(
        since=since,
        until=until,
        as_of=iso(now) or "",
        centre=_out(centre) if centre is not None else None,
        units=[
            UnitMeasures(
                unit_id=unit.id or 0, unit=unit.short_name, level=unit.level, measures=_out(counted[unit.id or 0])
            )
            for unit in sorted(units, key=lambda one: one.code)
        ],
    )


def _out(counts: Counts) -> dict[Measure, RateOut]:
    return {measure: RateOut(**rate.to_json()) for measure, rate in rates(counts).items()}
