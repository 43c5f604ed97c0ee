"""回避: who has an interest in a case neither handles nor finds it (C10, 篇6 第十八条).

Whoever may judge it names a person or a unit; anybody may keep away by themselves. It holds until it is lifted. Both
are audited: a case that nobody may look at would be a place to hide things in.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.acting import works_of
from app.assignments.tables import Recusal
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.tables import User
from app.cases.acting import locked, said
from app.cases.history import note
from app.cases.queries import get_case
from app.cases.states import WORK_DONE, AssignmentState
from app.clock import utc_now
from app.db import found
from app.errors import BadInput, Forbidden, Refused
from app.units.tables import Unit


def recuse(
    session: Session,
    actor: Actor,
    case_id: int,
    why: str,
    *,
    user_id: int | None = None,
    unit_id: int | None = None,
    now: datetime | None = None,
) -> Recusal:
    """This person or this unit has nothing to do with the case from now on. Naming them again changes nothing.

    Raises NotFound, Forbidden, BadInput (reason, whom), Refused (has_it) while the unit has work of the case.
    """
    now = now or utc_now()
    case = locked(session, actor, case_id)
    if user_id is None or user_id != actor.user_id:
        actor.require(Permission.cases_recuse)
    if (user_id is None) == (unit_id is None):
        raise BadInput(fields={"whom": "请选择一个人或一个单位 (one person or one unit)"})
    if session.get(User, user_id) is None if user_id is not None else session.get(Unit, unit_id) is None:
        raise BadInput(fields={"whom": "没有这个人或单位 (no such person or unit)"})
    reason = said(why)
    mine = [work for work in works_of(session, case_id) if work.unit_id == unit_id]
    if any(AssignmentState(work.state) not in WORK_DONE for work in mine):
        raise Refused(
            "该单位正在承办，请先退单或撤回。", "The unit has work of it: take that back first.", code="has_it"
        )
    same = select(Recusal).where(
        col(Recusal.case_id) == case_id,
        col(Recusal.user_id) == user_id if user_id is not None else col(Recusal.unit_id) == unit_id,
        col(Recusal.lifted_at).is_(None),
    )
    already: Recusal | None = session.execute(same).scalars().first()
    if already is not None:
        return already
    row = Recusal(case_id=case_id, user_id=user_id, unit_id=unit_id, why=reason, by=actor.user_id, at=now)
    session.add(row)
    session.flush()
    told = {"recusal": row.id, "user_id": user_id, "unit_id": unit_id}
    note(session, actor, case, "recused", now, reason=reason, detail=told)
    write(session, actor, Action.case_recused, f"case:{case_id}", told, now=now)
    return row


def lift(session: Session, actor: Actor, recusal_id: int, why: str, *, now: datetime | None = None) -> Recusal:
    """The interest is none any more. Nobody lifts their own. Raises NotFound, Forbidden, BadInput (reason)."""
    actor.require(Permission.cases_recuse)
    now = now or utc_now()
    row = found(session, Recusal, recusal_id, lock=True)
    case = locked(session, actor, row.case_id)
    if row.user_id is not None and row.user_id == actor.user_id:
        raise Forbidden()
    if row.lifted_at is not None:
        return row
    reason = said(why)
    row.lifted_at, row.lifted_by = now, actor.user_id
    session.add(row)
    told = {"recusal": row.id, "user_id": row.user_id, "unit_id": row.unit_id}
    note(session, actor, case, "recusal_lifted", now, reason=reason, detail=told)
    write(session, actor, Action.case_recusal_lifted, f"case:{row.case_id}", told, now=now)
    return row


def recusals_of(session: Session, actor: Actor, case_id: int) -> list[Recusal]:
    """Who is kept from a case, for those who may say so. Raises Forbidden, NotFound."""
    actor.require(Permission.cases_recuse)
    get_case(session, actor, case_id)
    return list(
        session.execute(
            select(Recusal)
            .where(col(Recusal.case_id) == case_id, col(Recusal.lifted_at).is_(None))
            .order_by(col(Recusal.id))
        ).scalars()
    )
