"""REST: what a quarter of reviews means, its confirmation, and trainings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.schema import AgentId, Answer, Body
from app.quality import quarters
from app.quality.assessment import LEAST_REVIEWS, Quarter

router = APIRouter(prefix="/api/quality", tags=["quality"])

QUARTER = r"^20[0-9]{2}Q[1-4]$"


class TrainingOut(Answer):
    """That an agent was trained."""

    at: str
    by_name: str
    note: str


class ResultOut(Answer):
    """An agent's quarter and year. `mean` is from 0 to 100 with one decimal, `passed` null for too few reviews."""

    agent_id: str
    agent_name: str
    reviews: int
    mean: float | None
    passed: bool | None
    place: int | None
    of: list[int]
    failed: list[str]
    first: list[str]
    off_duty: bool
    year_failed: bool
    excellent: bool
    trainings: list[TrainingOut]


class SheetOut(Answer):
    """A quarter; `least`: so many reviews are needed to say anything."""

    quarter: str
    over: bool
    confirmed_at: str | None
    appeals: int
    least: int
    rows: list[ResultOut]


class ConfirmedOut(Answer):
    """Who is off duty by it."""

    off_duty: list[str]


class QuarterIn(Body):
    """Which quarter."""

    quarter: str = Field(pattern=QUARTER)


class TrainingIn(Body):
    """What an agent was trained in."""

    note: str = Field(max_length=quarters.LONGEST_NOTE)


@router.get("/quarters", operation_id="quality_quarter")
def quarter(actor: ActorDep, web: WebDep, quarter: Annotated[str, Query(pattern=QUARTER)]) -> SheetOut:
    """Everybody's figures of a quarter, and what they mean."""
    with web.db.read() as session:
        return _sheet(quarters.sheet(session, actor, quarter, web.settings.zone))


@router.post("/quarters", operation_id="confirm_quarter")
def confirm_quarter(body: QuarterIn, actor: ActorDep, web: WebDep) -> ConfirmedOut:
    """The quarter's figures are these from now on."""
    with web.db.session() as session:
        return ConfirmedOut(off_duty=list(quarters.confirm(session, actor, body.quarter, web.settings.zone)))


@router.post("/trainings/{agent_id}", operation_id="record_training", status_code=201)
def record_training(agent_id: AgentId, body: TrainingIn, actor: ActorDep, web: WebDep) -> TrainingOut:
    """An agent was trained, and may sign in again."""
    with web.db.session() as session:
        made = quarters.train(session, actor, agent_id, body.note)
    return TrainingOut(at=iso(made.at) or "", by_name=made.by_name, note=made.note)


def _sheet(sheet: quarters.Sheet) -> SheetOut:
    return SheetOut(
        quarter=str(sheet.quarter),
        over=sheet.over,
        confirmed_at=iso(sheet.confirmed_at),
        appeals=sheet.appeals,
        least=LEAST_REVIEWS,
        rows=[_result(row) for row in sheet.rows],
    )


def _result(row: quarters.Row) -> ResultOut:
    def names(of: tuple[Quarter, ...]) -> list[str]:
        return [str(one) for one in of]

    one, year = row.result, row.standing
    return ResultOut(
        agent_id=row.agent.agent_id,
        agent_name=row.agent.name,
        reviews=one.reviews,
        mean=None if one.mean is None else one.mean / 10,
        passed=one.passed,
        place=one.place,
        of=list(one.of),
        failed=names(year.failed),
        first=names(year.first),
        off_duty=row.agent.off_duty_since is not None,
        year_failed=year.year_failed,
        excellent=year.excellent,
        trainings=[TrainingOut(at=iso(it.at) or "", by_name=it.by_name, note=it.note) for it in row.trainings],
    )
