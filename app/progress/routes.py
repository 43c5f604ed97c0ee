"""REST: the progress of a case. The question is a POST: number and code are in no address, so in no log or history."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import Field

from app.clock import iso
from app.http.context import ActorDep, WebDep, address_of, require_own_origin
from app.http.schema import Answer, Body, Id
from app.progress import service
from app.progress.model import Step, Withheld
from app.progress.reading import Progress

router = APIRouter(prefix="/api", tags=["progress"])


class ProgressAsked(Body):
    """A case's number and its code, as they were typed."""

    number: str = Field(max_length=40)
    code: str = Field(max_length=40)


class StepOut(Answer):
    """What happened, and when."""

    step: Step
    at: str


class ProgressOut(Answer):
    """Where a case stands, in names that pages say in words; `units` begins with the leading one."""

    number: str
    state: str
    received_at: str
    steps: list[StepOut]
    units: list[str]
    due_at: str | None
    provisional: bool
    answer: str
    ground: str | None
    withheld: Withheld | None
    merged: bool


class CodeOut(Answer):
    """What is read out to the citizen."""

    number: str
    code: str


@router.post("/progress", operation_id="look_at_progress")
def look_at_progress(body: ProgressAsked, request: Request, web: WebDep) -> ProgressOut:
    """How one's own case stands, for whoever knows its number and code; nobody has to sign in."""
    require_own_origin(request)
    return _out(service.look(web.db, web.settings, body.number, body.code, address_of(request)))


@router.get("/cases/{case_id}/progress-code", operation_id="progress_code")
def progress_code(case_id: Id, actor: ActorDep, web: WebDep) -> CodeOut:
    """The code to read out to the case's citizen; audited."""
    found = service.code_for(web.db, web.settings, actor, case_id)
    return CodeOut(number=found.number, code=found.code)


def _out(told: Progress) -> ProgressOut:
    return ProgressOut(
        number=told.number,
        state=told.state,
        received_at=iso(told.received_at) or "",
        steps=[StepOut(step=one.step, at=iso(one.at) or "") for one in told.steps],
        units=told.units,
        due_at=iso(told.due_at),
        provisional=told.provisional,
        answer=told.answer,
        ground=told.ground,
        withheld=told.withheld,
        merged=told.merged,
    )
