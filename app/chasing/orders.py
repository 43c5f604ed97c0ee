"""What people do about lateness: supervision orders (督办单), and the decision on drafts of 通报 and 曝光 (C8)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.acting import works_of
from app.assignments.tables import Assignment
from app.auth.model import Permission
from app.cases.acting import locked, said
from app.cases.history import note
from app.cases.states import AT_THE_UNIT, AssignmentState, CaseState
from app.cases.tables import Case
from app.chasing.ladder import next_time, told
from app.chasing.model import LONGEST_TEXT, RUNGS, ChaseEvent, ChaseState, Level, next_state
from app.chasing.tables import Chase
from app.clock import utc_now
from app.clocks.tables import CaseClock
from app.db import found
from app.errors import BadInput, Refused
from app.notices.telling import tell
from app.settings import Settings, get_settings
from app.text import clean

LONGEST_ORDER = timedelta(days=366)
DECIDES = {Level.reprimand: Permission.chases_decide, Level.exposure: Permission.exposures_decide}


def order(
    session: Session,
    actor: Actor,
    case_id: int,
    text: str,
    due_at: datetime,
    *,
    units: Collection[int] = (),
    now: datetime | None = None,
) -> list[Chase]:
    """督办单: these units of the case (all that are at work, if none are named) are to be done by that day.

    No clock moves: what is late stays late. The same order for the same day to the same unit is one order. Raises
    Forbidden, NotFound, BadInput (text, due_at, units), Refused (on_account).
    """
    actor.require(Permission.chases_decide)
    now = now or utc_now()
    case = locked(session, actor, case_id)
    words = said(text, "text", LONGEST_TEXT)
    if case.state == CaseState.deferred.value:
        raise Refused("工单已挂账，恢复办理后才能督办。", "The case is on account: resume it first.", code="on_account")
    if not timedelta(0) < due_at - now <= LONGEST_ORDER:
        raise BadInput(fields={"due_at": "须在一年以内，且晚于现在 (later than now, within a year)"})
    works = [
        work
        for work in works_of(session, case_id)
        if AssignmentState(work.state) in AT_THE_UNIT and (work.unit_id in units if units else work.parent_id is None)
    ]
    if not works or len({work.unit_id for work in works}) < len(set(units)):
        raise BadInput(fields={"units": "请选择正在办理本工单的单位 (units that have this case to do)"})
    return [_order(session, actor, case, work, words, due_at, now) for work in works]


def decidable(actor: Actor, chase: Chase) -> bool:
    """Whether the asker may decide on it now."""
    needed = DECIDES.get(Level(chase.level))
    return chase.state == ChaseState.draft.value and needed is not None and actor.may(needed)


def decide(
    session: Session,
    actor: Actor,
    chase_id: int,
    confirmed: bool,
    *,
    why: str = "",
    text: str | None = None,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> Chase:
    """通报、曝光: a draft is confirmed, perhaps in other words, and the unit told; or it is dropped with a reason.

    After a reprimand the ladder goes on if nothing comes of it. Raises Forbidden, NotFound, BadInput (why, text),
    Refused (wrong_state; met: it was done meanwhile).
    """
    now, settings = now or utc_now(), settings or get_settings()
    known = found(session, Chase, chase_id)
    level = Level(known.level)
    if level not in DECIDES:
        raise Refused("该事项不需审定。", "This needs no decision.", code="wrong_state")
    actor.require(DECIDES[level])
    case = locked(session, actor, known.case_id)
    session.refresh(known, with_for_update=True)
    if confirmed and known.clock_id is not None:
        clock = session.get(CaseClock, known.clock_id, populate_existing=True)
        if clock is not None and clock.ended_at is not None:
            raise Refused("该环节已办结，不能再通报或曝光。", "This step was done: drop the draft.", code="met")
    event = ChaseEvent.confirm if confirmed else ChaseEvent.drop
    known.state = next_state(ChaseState(known.state), event).value
    reason = clean(why, 500) if confirmed else said(why, "why")
    if confirmed and text is not None:
        known.text = said(text, "text", LONGEST_TEXT)
    known.decided_by, known.decided_at, known.decision_why = actor.user_id, now, reason
    if confirmed:
        known.next_at = next_time(session, known, now, settings)
    session.add(known)
    note(session, actor, case, f"chase.{level.value}_{known.state}", now, reason=reason, detail=told(known))
    rung = RUNGS[level]
    if confirmed and rung.confirmed_kind is not None:
        work = session.get(Assignment, known.assignment_id) if known.assignment_id is not None else None
        key = f"chase:{known.id}:{known.state}"
        told_kind, desks = rung.confirmed_kind, rung.confirmed_desks
        tell(session, case, told_kind, desks, key, now, work=work, step=known.step, due_at=known.due_at)
    return known


def _order(
    session: Session, actor: Actor, case: Case, work: Assignment, text: str, due_at: datetime, now: datetime
) -> Chase:
    same = select(Chase).where(
        col(Chase.assignment_id) == work.id,
        col(Chase.level) == Level.order.value,
        col(Chase.due_at) == due_at,
        col(Chase.text) == text,
        col(Chase.issued_by) == actor.user_id,
    )
    before: Chase | None = session.execute(same.limit(1)).scalar_one_or_none()
    if before is not None:
        return before
    rung = RUNGS[Level.order]
    chase = Chase(
        case_id=case.id or 0,
        assignment_id=work.id,
        unit_id=work.unit_id,
        round=work.round,
        level=Level.order.value,
        state=rung.begins.value,
        text=text,
        due_at=due_at,
        at=now,
        next_at=due_at,
        issued_by=actor.user_id,
    )
    session.add(chase)
    session.flush()
    note(session, actor, case, "chase.order", now, reason=text[:500], detail=told(chase))
    tell(session, case, rung.kind, rung.desks, f"chase:{chase.id}", now, work=work, due_at=due_at)
    return chase
