"""REST: more time for a unit (延期): asked for by the unit, decided at the centre."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session

from app.actor import Actor
from app.assignments import extensions
from app.assignments.views import unit_names
from app.auth.service import display_names
from app.cases import access
from app.clock import iso
from app.clocks.limits import Unit
from app.clocks.model import LONGEST_WHY
from app.clocks.tables import ClockExtension
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, Id, Listing, PageOf

router = APIRouter(prefix="/api/assignments", tags=["assignments"])
office = APIRouter(prefix="/api/extensions", tags=["extensions"])


class MoreTime(Body):
    """How much more of the clock's own unit (working days, hours), and why."""

    amount: int = Field(ge=1, le=10_000)
    reason: str = Field(max_length=LONGEST_WHY)


class Decision(Body):
    """Yes, or no with a reason."""

    approved: bool
    reason: str = Field(default="", max_length=LONGEST_WHY)


class ExtensionOut(Answer):
    """A request for more time, and what came of it. `due_at` is the end of that time as it is now."""

    id: int
    state: str
    amount: int
    unit_of_time: Unit
    reason: str
    asked_at: str
    asked_by_name: str
    due_at: str
    decided_at: str | None
    decided_by_name: str
    decision_why: str
    case_id: int | None
    number: str
    title: str
    assignment_id: int | None
    unit_id: int | None
    unit: str


class Standing(Answer):
    """An assignment's time: what it is counted in (null: nothing is timed), and what was asked for, newest first."""

    unit_of_time: Unit | None
    due_at: str | None
    may_ask: bool
    requests: list[ExtensionOut]


@router.get("/{work_id}/extensions", operation_id="assignment_extensions")
def standing(work_id: Id, actor: ActorDep, web: WebDep) -> Standing:
    """What the unit has asked for, what came of it, and whether it can ask now."""
    with web.db.read() as session:
        found = extensions.standing(session, actor, work_id)
        clock = found.clock
        return Standing(
            unit_of_time=Unit(clock.unit) if clock is not None else None,
            due_at=iso(clock.due_at) if clock is not None else None,
            may_ask=found.may_ask,
            requests=_out(session, actor, found.requests),
        )


@router.post("/{work_id}/extension", operation_id="ask_extension")
def ask(work_id: Id, body: MoreTime, actor: ActorDep, web: WebDep) -> ExtensionOut:
    """申请延期, before the end of the unit's time."""
    with web.db.session() as session:
        asked = extensions.ask(session, actor, work_id, body.amount, body.reason)
        return _out(session, actor, [asked])[0]


@office.get("", operation_id="waiting_extensions")
def waiting(actor: ActorDep, web: WebDep, listing: Annotated[Listing, Query()]) -> PageOf[ExtensionOut]:
    """What waits for a decision; what ends first before the rest."""
    with web.db.read() as session:
        page = extensions.waiting(session, actor, listing.leaf)
        return PageOf.of(page, _out(session, actor, page.items))


@office.post("/{extension_id}/decide", operation_id="decide_extension")
def decide(extension_id: Id, body: Decision, actor: ActorDep, web: WebDep) -> ExtensionOut:
    """审批延期."""
    with web.db.session() as session:
        extensions.decide(session, actor, extension_id, body.approved, body.reason)
        row = session.get_one(ClockExtension, extension_id)
        return _out(session, actor, [row])[0]


def _out(session: Session, actor: Actor, rows: list[ClockExtension]) -> list[ExtensionOut]:
    names = display_names(session, {one for row in rows for one in (row.asked_by, row.decided_by)})
    subjects = extensions.subjects_of(session, rows)
    units = unit_names(session, [work.unit_id for _, _, work in subjects.values()])
    _citizens = access.citizens_of(session, (case for _, case, _ in subjects.values()))
    shown = []
    for row in rows:
        clock, case, work = subjects[row.clock_id]
        clear = access.sees_citizen(session, actor, case)
        shown.append(
            ExtensionOut(
                id=row.id or 0,
                state=row.state,
                amount=row.amount,
                unit_of_time=Unit(clock.unit),
                reason=access.plain(row.why, case, clear=clear),
                asked_at=iso(row.asked_at) or "",
                asked_by_name=names.get(row.asked_by or 0, ""),
                due_at=iso(clock.due_at) or "",
                decided_at=iso(row.decided_at),
                decided_by_name=names.get(row.decided_by or 0, ""),
                decision_why=access.plain(row.decision_why, case, clear=clear),
                case_id=case.id,
                number=case.number,
                title=access.plain(case.title, case, clear=clear),
                assignment_id=work.id,
                unit_id=work.unit_id,
                unit=units.get(work.unit_id, ""),
            )
        )
    return shown
