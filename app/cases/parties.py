"""What somebody is to a case or to a unit's share of it: the right side of the table in `app.cases.states`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment
from app.auth.model import Permission
from app.cases import access
from app.cases.states import (
    CASE_STEPS,
    CASE_WITH_UNITS,
    WORK_STEPS,
    By,
    CaseAct,
    CaseState,
    Step,
    WorkAct,
    case_step,
    work_step,
)
from app.cases.states import AssignmentState as Work
from app.cases.tables import Case
from app.errors import Forbidden
from app.units.model import MemberRole
from app.units.tables import UnitMember

AT_THE_CENTRE: Mapping[By, Permission] = {
    By.dispatcher: Permission.cases_dispatch,
    By.reviewer: Permission.cases_review,
    By.follower: Permission.cases_follow_up,
    By.leader: Permission.cases_defer,
}
IN_THE_UNIT: Mapping[MemberRole, By] = {MemberRole.handler: By.handler, MemberRole.leader: By.unit_leader}


def of_case(session: Session, actor: Actor, case: Case) -> frozenset[By]:
    """What the asker is to this case, as far as the centre goes."""
    if actor.is_system:
        return frozenset(By)
    found = {by for by, permission in AT_THE_CENTRE.items() if actor.may(permission)}
    if access.may_edit(session, actor, case):
        found.add(By.taker)
    return frozenset(found)


def of_work(session: Session, actor: Actor, work: Assignment) -> frozenset[By]:
    """What the asker is to this assignment: of its unit, or of whoever gave it."""
    if actor.is_system:
        return frozenset(By)
    found = set(in_unit(session, actor, work.unit_id))
    if work.parent_id is None:
        if actor.may(Permission.cases_dispatch) or actor.may(Permission.cases_review):
            found.add(By.giver)
    else:
        above = session.get(Assignment, work.parent_id)
        if above is not None and in_unit(session, actor, above.unit_id):
            found.add(By.giver)
    return frozenset(found)


def in_unit(session: Session, actor: Actor, unit_id: int) -> frozenset[By]:
    """What the asker is in this unit now."""
    if unit_id not in actor.unit_ids:
        return frozenset()
    now = select(col(UnitMember.role)).where(
        col(UnitMember.user_id) == actor.user_id, col(UnitMember.unit_id) == unit_id, col(UnitMember.until).is_(None)
    )
    roles = {MemberRole(role) for role in session.execute(now).scalars()}
    return frozenset(by for role, by in IN_THE_UNIT.items() if role in roles and actor.may(_RIGHT[by]))


def require_case(session: Session, actor: Actor, case: Case, act: CaseAct) -> Step[CaseState, CaseAct]:
    """The line of the table for that act. Raises Refused (wrong_state), Forbidden."""
    step = case_step(CaseState(case.state), act)
    if not step.by & of_case(session, actor, case):
        raise Forbidden()
    return step


def require_work(session: Session, actor: Actor, work: Assignment, act: WorkAct) -> Step[Work, WorkAct]:
    """The line of the table for that act. Raises Refused (wrong_state), Forbidden."""
    step = work_step(Work(work.state), act)
    if not step.by & of_work(session, actor, work):
        raise Forbidden()
    return step


def case_acts(session: Session, actor: Actor, case: Case) -> list[CaseAct]:
    """What the asker can do to the case now, in the table's order."""
    mine, state = of_case(session, actor, case), CaseState(case.state)
    return [step.act for step in CASE_STEPS if state in step.sources and step.by & mine and not _flows(step.by)]


def work_acts(session: Session, actor: Actor, work: Assignment) -> list[WorkAct]:
    """What the asker can do to the assignment now, in the table's order; nothing that would be refused."""
    mine, state = of_work(session, actor, work), Work(work.state)
    acts = [step.act for step in WORK_STEPS if state in step.sources and step.by & mine]
    return [act for act in acts if not _is_refused(session, work, act)]


def giver_at_work(session: Session, work: Assignment) -> bool:
    """Whether who gave it may still judge it: what they submitted upwards is judged there."""
    if work.parent_id is None:
        case = session.get(Case, work.case_id)
        return case is not None and CaseState(case.state) in CASE_WITH_UNITS
    above = session.get(Assignment, work.parent_id)
    return above is not None and Work(above.state) in (Work.signed, Work.in_progress, Work.redo)


def _is_refused(session: Session, work: Assignment, act: WorkAct) -> bool:
    if act is WorkAct.withdrawn:
        return work.lead and work.parent_id is None
    return act in (WorkAct.accepted, WorkAct.redo) and not giver_at_work(session, work)


def _flows(by: frozenset[By]) -> bool:
    return by == {By.system}


_RIGHT = {By.handler: Permission.work_handle, By.unit_leader: Permission.work_lead}
