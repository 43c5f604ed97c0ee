"""REST: rounds of calls to published numbers, what became of each, and what they are worth."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import Session

from app.actor import Actor
from app.auth.model import Permission
from app.auth.service import display_names
from app.clock import iso
from app.db import found
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Id, Listing, PageOf
from app.http.shapes import RecordingOut
from app.http.tables import CSV
from app.http.tables import table as as_file
from app.number_audits import attempts, dialling, judging, rounds
from app.number_audits.grading import AUDITED, AreaRow
from app.number_audits.model import Mode, Result, RoundState, TargetState
from app.number_audits.rounds import Wanted
from app.number_audits.shapes import (
    AreaOut,
    AttemptOut,
    Judgement,
    OwnRow,
    RoundIn,
    RoundMade,
    RoundOut,
    StepIn,
    TableOut,
    TargetFilter,
    TargetOut,
    TargetRow,
    TargetSearch,
)
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget
from app.quality.shapes import CriterionOut, criteria_out
from recordings.store import recording_json

router = APIRouter(prefix="/api/number-audits", tags=["number audits"])


@router.get("/criteria", operation_id="number_audit_criteria")
def criteria(actor: ActorDep) -> list[CriterionOut]:
    """The five criteria as an audit asks them."""
    return criteria_out(AUDITED)


@router.get("/rounds", operation_id="list_number_audits")
def list_rounds(actor: ActorDep, web: WebDep, filters: Annotated[Listing, Query()]) -> PageOf[RoundOut]:
    """Rounds, the newest first."""
    with web.db.read() as session:
        page = rounds.listed(session, actor, filters.leaf)
        counted = rounds.progress(session, [row.id or 0 for row in page.items])
        return PageOf.of(page, [RoundOut(**_round(actor, row, counted[row.id or 0])) for row in page.items])


@router.post("/rounds", operation_id="create_number_audit", status_code=201)
def create_round(body: RoundIn, actor: ActorDep, web: WebDep) -> RoundMade:
    """Plan a round."""
    wanted = Wanted(**body.model_dump())
    with web.db.session() as session:
        made = rounds.create(session, actor, wanted, web.settings)
        row = made.round
        counted = rounds.progress(session, [row.id or 0])[row.id or 0]
        return RoundMade(**_round(actor, row, counted), left_out=len(made.left_out))


@router.get("/rounds/{round_id}", operation_id="get_number_audit")
def get_round(round_id: Id, actor: ActorDep, web: WebDep) -> RoundOut:
    """One round."""
    with web.db.read() as session:
        return _shown(session, actor, rounds.get(session, actor, round_id))


@router.post("/rounds/{round_id}/steps", operation_id="step_number_audit")
def step_round(round_id: Id, body: StepIn, actor: ActorDep, web: WebDep) -> RoundOut:
    """Start, pause, resume, close, publish or cancel it."""
    with web.db.session() as session:
        row = rounds.step(session, actor, round_id, body.version, body.step)
        session.flush()
        return _shown(session, actor, row)


@router.get("/rounds/{round_id}/table", operation_id="number_audit_table")
def area_table(round_id: Id, actor: ActorDep, web: WebDep) -> TableOut:
    """The table by areas."""
    with web.db.read() as session:
        rows, whole = judging.table(session, actor, round_id)
    return TableOut(rows=[_area(row) for row in rows], overall=_area(whole) if whole else None)


@router.get("/rounds/{round_id}/targets", operation_id="list_number_audit_targets")
def list_targets(
    round_id: Id, actor: ActorDep, web: WebDep, filters: Annotated[TargetFilter, Query()]
) -> PageOf[TargetRow]:
    """The numbers of a round."""
    return _listed(round_id, actor, web, filters)


@router.post("/rounds/{round_id}/targets/search", operation_id="search_number_audit_targets")
def search_targets(round_id: Id, body: TargetSearch, actor: ActorDep, web: WebDep) -> PageOf[TargetRow]:
    """The numbers of a round, also by words."""
    return _listed(round_id, actor, web, body)


def _listed(round_id: int, actor: Actor, web: Web, filters: TargetFilter) -> PageOf[TargetRow]:
    with web.db.read() as session:
        page = judging.targets(session, actor, round_id, **filters.wanted(), leaf=filters.leaf)
        names = judging.unit_names(session, {row.unit_id for row in page.items})
        return PageOf.of(page, [TargetRow(**_row(row, names)) for row in page.items])


@router.get("/rounds/{round_id}/export", operation_id="export_number_audit", response_class=Response, responses=CSV)
def export_round(round_id: Id, actor: ActorDep, web: WebDep, what: Literal["numbers", "areas"] = "numbers") -> Response:
    """Its numbers (for people of a unit: that unit's, once it is published), or the table by areas."""
    make = judging.export_table if what == "areas" else judging.export_targets
    with web.db.session() as session:
        return as_file(f"number-audit-{round_id}-{what}", make(session, actor, round_id))


@router.get("/own", operation_id="own_number_audits")
def list_own(actor: ActorDep, web: WebDep, filters: Annotated[Listing, Query()]) -> PageOf[OwnRow]:
    """What published rounds say of the asker's units."""
    with web.db.read() as session:
        page = judging.own(session, actor, leaf=filters.leaf)
        names = judging.unit_names(session, {row.unit_id for row in page.items})
        of = {row.round_id: found(session, NumberAuditRound, row.round_id) for row in page.items}
        items = [
            OwnRow(
                **_row(row, names),
                round_title=of[row.round_id].title,
                published_at=iso(of[row.round_id].published_at),
                scores=dict(row.scores),
                note=row.note,
            )
            for row in page.items
        ]
        return PageOf.of(page, items)


@router.get("/targets/{target_id}", operation_id="get_number_audit_target")
def get_target(target_id: Id, actor: ActorDep, web: WebDep) -> TargetOut:
    """One number of a round."""
    with web.db.read() as session:
        return _whole(session, actor, judging.target(session, actor, target_id))


@router.put("/targets/{target_id}", operation_id="judge_number_audit_target")
def judge_target(target_id: Id, body: Judgement, actor: ActorDep, web: WebDep) -> TargetOut:
    """Say what was heard and how good it was."""
    with web.db.session() as session:
        result = Result(body.result)
        row = judging.judge(session, actor, target_id, body.version, result, body.scores, body.note)
        return _whole(session, actor, row)


@router.post("/attempts/{attempt_id}/call", operation_id="call_published_number")
def call_number(attempt_id: Id, actor: ActorDep, web: WebDep) -> TargetOut:
    """Make this call now: the asker's telephone rings first."""
    with web.db.session() as session:
        row = dialling.ask(session, actor, attempt_id, web.settings)
        session.flush()
        return _whole(session, actor, found(session, NumberAuditTarget, row.target_id))


def _round(actor: Actor, row: NumberAuditRound, counted: Any) -> dict[str, Any]:
    may = actor.may(Permission.number_audits_run)
    return {
        "id": row.id or 0,
        "title": row.title,
        "state": row.state,
        "mode": row.mode,
        "first_day": row.first_day.isoformat(),
        "last_day": row.last_day.isoformat(),
        "hours": row.hours,
        "at_once": row.at_once,
        "version": row.version,
        "numbers": {state.value: counted.get(state.value, 0) for state in TargetState},
        "steps": rounds.steps_from(RoundState(row.state)) if may else [],
        "published_at": iso(row.published_at),
    }


def _shown(session: Session, actor: Actor, row: NumberAuditRound) -> RoundOut:
    return RoundOut(**_round(actor, row, rounds.progress(session, [row.id or 0])[row.id or 0]))


def _area(row: AreaRow) -> AreaOut:
    grades = {grade.value: count for grade, count in row.grades.items()}
    return AreaOut(area=row.area, n=row.n, grades=grades, passed=row.passed / 10, mean=row.mean / 10)


def _row(row: NumberAuditTarget, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": row.id or 0,
        "unit_id": row.unit_id,
        "unit_name": names.get(row.unit_id, ""),
        "number": row.number,
        "area": row.area,
        "place": row.place,
        "state": row.state,
        "result": row.result,
        "total": row.total,
        "grade": row.grade,
        "case_id": row.case_id,
    }


def _whole(session: Session, actor: Actor, row: NumberAuditTarget) -> TargetOut:
    of_round = found(session, NumberAuditRound, row.round_id)
    made = attempts.of_target(session, row.id or 0)
    recordings = judging.recordings_of(session, made)
    state = RoundState(of_round.state)
    grading = actor.may(Permission.number_audits_grade)
    return TargetOut(
        **_row(row, judging.unit_names(session, {row.unit_id})),
        version=row.version,
        round_id=row.round_id,
        round_title=of_round.title,
        round_state=state,
        mode=Mode(of_round.mode),
        office_hours=row.office_hours,
        heard=Result(row.heard) if row.heard else None,
        scores=dict(row.scores),
        note=row.note,
        reviewer_name=display_names(session, {row.reviewer_id}).get(row.reviewer_id or 0) or "",
        graded_at=iso(row.graded_at),
        attempts=[_attempt(actor, one, recordings) for one in made],
        may_grade=grading and judging.can_be_graded(row, of_round),
        may_call=grading and actor.agent_id is not None and state is RoundState.running,
    )


def _attempt(actor: Actor, row: NumberAuditAttempt, recordings: dict[int, Any]) -> AttemptOut:
    recording = recordings.get(row.recording or 0)
    waited = (row.answered_at or row.ended_at) if row.dialled_at else None
    return AttemptOut(
        id=row.id or 0,
        ordinal=row.ordinal,
        state=row.state,
        planned_at=iso(row.planned_at) or "",
        dialled_at=iso(row.dialled_at),
        waited_s=_seconds(row.dialled_at, waited),
        lasted_s=_seconds(row.answered_at, row.ended_at),
        cause=row.cause,
        outcome=row.outcome,
        signs=[(str(sign), int(start), int(end)) for sign, start, end in row.signs],
        recording=RecordingOut(**recording_json(recording)) if recording is not None else None,
        mine=row.state == "asked" and row.asked_by == actor.user_id,
    )


def _seconds(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 1)
