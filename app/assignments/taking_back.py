"""Taking back a step that was a mistake, as long as nobody has gone on from it (撤回).

A dispatch is taken back while no unit has signed, an acceptance while nobody has called the citizen. What was written
stays in the history; the time that ran before runs on to the end that it had.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.acting import act_on, event_of, works_of
from app.assignments.giving import take_away
from app.assignments.tables import Assignment
from app.cases import acting as cases
from app.cases import clocks
from app.cases.acting import said
from app.cases.states import WORK_DONE, AssignmentState, CaseAct, CaseState, WorkAct
from app.cases.tables import Case, CaseEvent
from app.clock import utc_now
from app.clocks.model import ClockKind
from app.errors import Refused
from app.followups.desk import is_asked_about, take_off_desk


def take_back(
    session: Session, actor: Actor, case_id: int, version: int, why: str, *, now: datetime | None = None
) -> Case:
    """撤回: what was dispatched waits to be dispatched, what was accepted is reviewed again.

    Raises BadInput (reason), Refused (unit_has_begun, citizen_is_asked).
    """
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.taken_back)
    if done:
        return case
    reason = said(why)
    if case.state == CaseState.dispatched.value:
        return _dispatch(session, actor, case, reason, now)
    return _acceptance(session, actor, case, reason, now)


def may_be_taken_back(session: Session, case: Case, now: datetime) -> bool:
    """Whether nobody has gone on from where the case stands."""
    if case.state == CaseState.dispatched.value:
        return not _begun(session, case)
    return case.state == CaseState.to_follow_up.value and not is_asked_about(session, case, now)


def _dispatch(session: Session, actor: Actor, case: Case, reason: str, now: datetime) -> Case:
    if _begun(session, case):
        raise Refused(
            "已有单位签收或退回，不能撤回派单。",
            "A unit has signed it or given it back: the dispatch stays.",
            code="unit_has_begun",
        )
    cases.act_on(session, actor, case, CaseAct.taken_back, now, reason=reason)
    for work in works_of(session, case.id or 0):
        if AssignmentState(work.state) not in WORK_DONE:
            take_away(session, actor, case, work, reason, now)
    clocks.leaves(session, case, now)
    clocks.goes_on(session, case, ClockKind.dispatch, now)
    return case


def _acceptance(session: Session, actor: Actor, case: Case, reason: str, now: datetime) -> Case:
    if is_asked_about(session, case, now, lock=True):
        raise Refused(
            "回访已经开始，不能撤回采纳。",
            "Somebody is calling the citizen, or has: the acceptance stays.",
            code="citizen_is_asked",
        )
    accepted = _accepted_with(session, case)
    cases.act_on(session, actor, case, CaseAct.taken_back, now, reason=reason)
    for work in accepted:
        work.ended_at = None
        act_on(session, actor, case, work, WorkAct.taken_back, now, reason=reason)
    take_off_desk(session, case)
    clocks.leaves(session, case, now)
    clocks.goes_on(session, case, ClockKind.review, now)
    return case


def _begun(session: Session, case: Case) -> bool:
    """Whether any unit has done anything with it."""
    waits = (AssignmentState.dispatched.value, AssignmentState.withdrawn.value)
    return any(work.state not in waits for work in works_of(session, case.id or 0))


def _accepted_with(session: Session, case: Case) -> list[Assignment]:
    """What was accepted as the case was, not before by itself."""
    mine = col(CaseEvent.case_id) == case.id
    last = select(func.max(col(CaseEvent.id))).where(mine, col(CaseEvent.event) == CaseAct.accepted.value)
    since = select(CaseEvent).where(
        mine,
        col(CaseEvent.event) == event_of(WorkAct.accepted),
        col(CaseEvent.id) > last.scalar_subquery(),
    )
    ids = {line.detail.get("assignment") for line in session.execute(since).scalars()}
    return [
        work
        for work in works_of(session, case.id or 0)
        if work.id in ids and work.state == AssignmentState.accepted.value
    ]
