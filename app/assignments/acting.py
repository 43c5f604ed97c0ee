"""What every act on an assignment begins and ends with; and how its case follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment
from app.cases import clocks
from app.cases.acting import bump, conflict, locked, was_done
from app.cases.history import happen, note
from app.cases.parties import require_work
from app.cases.states import (
    CASE_TABLE,
    WORK_DONE,
    AssignmentState,
    CaseAct,
    CaseState,
    WorkAct,
    next_work_state,
)
from app.cases.tables import Case
from app.clocks.model import ClockKind
from app.errors import NotFound, Refused


class Begun(NamedTuple):
    """An assignment that may be acted on, with its case; `done` if this very act was done before."""

    case: Case
    work: Assignment
    done: bool


def begin(session: Session, actor: Actor, work_id: int, version: int, act: WorkAct) -> Begun:
    """Whether the asker may do this to the version that they saw; case and assignment are locked, the case first.

    Raises NotFound, VersionConflict, Refused (wrong_state, on_account), Forbidden.
    """
    known = session.get(Assignment, work_id)
    if known is None:
        raise NotFound()
    case = locked(session, actor, known.case_id)
    session.refresh(known, with_for_update=True)
    if version != known.version:
        if was_done(session, actor, case, event_of(act), version, assignment=known.id):
            return Begun(case, known, True)
        raise conflict(session, actor, case)
    require_work(session, actor, known, act)
    if case.state == CaseState.deferred.value and not act.value.startswith("return_"):
        raise Refused("工单已挂账，恢复办理后才能操作。", "The case is on account: resume it first.", code="on_account")
    return Begun(case, known, False)


def act_on(
    session: Session,
    actor: Actor,
    case: Case,
    work: Assignment,
    act: WorkAct,
    now: datetime,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Do it: the assignment moves, the history of its case has a line."""
    before = AssignmentState(work.state)
    work.state = next_work_state(before, act).value
    told = {
        "assignment": work.id,
        "unit_id": work.unit_id,
        "from": before.value,
        "to": work.state,
        "round": work.round,
        "version": work.version,
        **(detail or {}),
    }
    work.version += 1
    session.add(work)
    note(session, actor, case, event_of(act), now, reason=reason, detail=told)
    bump(case, actor, now)


def event_of(act: WorkAct) -> str:
    """What the history calls it."""
    return f"unit.{act.value}"


def works_of(session: Session, case_id: int) -> list[Assignment]:
    """Every assignment of a case, as they were given."""
    statement = select(Assignment).where(col(Assignment.case_id) == case_id).order_by(col(Assignment.id))
    return list(session.execute(statement).scalars())


def top_of(session: Session, case_id: int) -> list[Assignment]:
    """What the centre has given to units that have it still."""
    gone = AssignmentState.withdrawn.value
    return [work for work in works_of(session, case_id) if work.parent_id is None and work.state != gone]


def children_of(session: Session, work: Assignment) -> list[Assignment]:
    """What was handed down from it."""
    statement = select(Assignment).where(col(Assignment.parent_id) == work.id).order_by(col(Assignment.id))
    return list(session.execute(statement).scalars())


def open_children(session: Session, work: Assignment) -> list[Assignment]:
    """Of these the ones that are not done."""
    return [one for one in children_of(session, work) if AssignmentState(one.state) not in WORK_DONE]


def require_children_done(session: Session, work: Assignment) -> None:
    """A parent never closes before its children (C3). Raises Refused (children_open)."""
    if left := len(open_children(session, work)):
        raise Refused(
            f"还有 {left} 个下级单位未办结，须先审核下级结果。",
            f"{left} units below have not finished: their results come first.",
            code="children_open",
        )


def follow(session: Session, actor: Actor, case: Case, act: CaseAct, now: datetime) -> bool:
    """Let the case go the way of its leading assignment, where the table has that way.

    The unit's reason stays in the unit's own line: other units read the case's.
    """
    if (CaseState(case.state), act) not in CASE_TABLE:
        return False
    happen(session, actor, case, act, now)
    return True


def units_at_work(session: Session, case: Case) -> int:
    """How many units have the case and have not finished."""
    return sum(AssignmentState(work.state) not in WORK_DONE for work in works_of(session, case.id or 0))


def follow_replies(session: Session, actor: Actor, case: Case, now: datetime) -> None:
    """When every unit that the centre has asked has replied, the case is replied, and its review is timed."""
    live = top_of(session, case.id or 0)
    replied = {AssignmentState.replied.value, AssignmentState.accepted.value}
    if not any(one.lead for one in live) or any(one.state not in replied for one in live):
        return
    if follow(session, actor, case, CaseAct.replied, now):
        clocks.ends(session, case, ClockKind.handle, now)
        clocks.begins(session, case, ClockKind.review, now)
