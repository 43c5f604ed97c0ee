"""What a unit's people find on their desk: to sign, to handle, to sign off, and what those below hand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment
from app.auth.model import Permission
from app.cases import access
from app.cases.states import WORK_DONE, AssignmentState
from app.cases.tables import Case
from app.errors import NotFound
from app.paging import Leaf, Page, counted, page_of
from app.units.model import Hindrance


class Box(StrEnum):
    """A list in a unit's inbox."""

    to_sign = "to_sign"  # 待签收
    at_work = "at_work"  # 办理中
    to_approve = "to_approve"  # 待审签
    from_below = "from_below"  # 下级报送
    handed_in = "handed_in"  # 已报送
    done = "done"  # 已办结


A = AssignmentState
BOXES: Mapping[Box, frozenset[AssignmentState]] = {
    Box.to_sign: frozenset({A.dispatched}),
    Box.at_work: frozenset({A.signed, A.in_progress, A.redo}),
    Box.to_approve: frozenset({A.in_review}),
    Box.from_below: frozenset({A.replied, A.returned}),
    Box.handed_in: frozenset({A.replied, A.returned}),
    Box.done: frozenset({A.accepted}),
}
del A


def inbox(session: Session, actor: Actor, box: Box, leaf: Leaf | None = None) -> Page[Assignment]:
    """One page of a box, what is due first before the rest. Raises Forbidden."""
    order: tuple[Any, ...] = (col(Assignment.due_at), col(Assignment.id))
    if box in (Box.done, Box.handed_in):
        order = (col(Assignment.id).desc(), col(Assignment.due_at))
    return page_of(session, _works(actor, box).order_by(*order), leaf)


def counts(session: Session, actor: Actor, now: datetime) -> dict[Box, dict[str, int]]:
    """Of every box: how much is in it, and how much of that is late. Raises Forbidden."""
    return {
        box: {
            "all": counted(session, _works(actor, box)),
            "late": counted(session, _works(actor, box).where(col(Assignment.due_at) <= now)),
        }
        for box in Box
        if box is not Box.done
    }


def get_work(session: Session, actor: Actor, work_id: int) -> tuple[Case, Assignment]:
    """One assignment with its case. Raises NotFound, also for what the asker may not know of."""
    work = session.get(Assignment, work_id)
    if work is None:
        raise NotFound()
    case = access.require_visible(session, actor, session.get(Case, work.case_id))
    if not known_of(session, actor, work.case_id, [work]):
        raise NotFound()
    return case, work


def open_work(session: Session, unit_id: int) -> list[Hindrance]:
    """What keeps a unit from being closed: assignments that are not done."""
    mine = (col(Assignment.unit_id) == unit_id) & col(Assignment.state).not_in([state.value for state in WORK_DONE])
    count = session.execute(select(func.count()).select_from(Assignment).where(mine)).scalar_one()
    told = f"还有 {count} 件承办任务未办结，先办结或撤回", f"{count} assignments are open: finish or withdraw them"
    return [Hindrance("assignments", int(count), *told)]


def known_of(session: Session, actor: Actor, case_id: int, works: Iterable[Assignment]) -> list[Assignment]:
    """Of these assignments of a case: the centre knows of all, a unit of its own and those below."""
    if actor.may(Permission.cases_read):
        return list(works)
    seen = access.works_seen(session, actor, case_id)
    return [work for work in works if work.id in seen]


def _works(actor: Actor, box: Box) -> Select[Any]:
    actor.require(Permission.work_handle)
    states = [state.value for state in BOXES[box]]
    statement = select(Assignment).join(Case, col(Case.id) == col(Assignment.case_id))
    statement = statement.where(col(Assignment.state).in_(states), access.not_recused(actor))
    if box is Box.from_below:
        # Few assignments wait to be judged; from those one look-up leads to the unit above. A join might begin there.
        above = aliased(Assignment)
        mine = exists().where(col(above.id) == col(Assignment.parent_id), col(above.unit_id).in_(actor.unit_ids))
        return statement.where(col(Assignment.parent_id).is_not(None), mine)
    return statement.where(col(Assignment.unit_id).in_(actor.unit_ids))
