"""The desk on which cases wait for a call-back: put there when a result is accepted, taken by whoever calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.cases import access
from app.cases.tables import Case
from app.followups.model import CLAIM
from app.followups.tables import FollowUpTask


def put_on_desk(session: Session, case: Case, now: datetime) -> None:
    """The citizen is to be asked; what was tried for an earlier result does not count."""
    task = session.get(FollowUpTask, case.id)
    if task is None:
        session.add(FollowUpTask(case_id=case.id or 0, after=now, due_at=case.due_at))
    else:
        task.open, task.after, task.due_at, task.tries = True, now, case.due_at, 0
        task.claimed_by = task.claimed_at = None
        session.add(task)
    session.flush()


def take_off_desk(session: Session, case: Case) -> None:
    """Nobody is to call for it."""
    task = session.get(FollowUpTask, case.id)
    if task is not None:
        task.open, task.claimed_by, task.claimed_at = False, None, None
        session.add(task)
        session.flush()


def next_task(session: Session, actor: Actor, now: datetime) -> FollowUpTask | None:
    """The case that should be called about first, now this person's for a while; None if there is none.

    Two who ask at once get two cases. What the same person had before and did not finish comes first.
    """
    actor.require(Permission.cases_follow_up)
    mine = (col(FollowUpTask.claimed_by) == actor.user_id) & (col(FollowUpTask.claimed_at) > now - CLAIM)
    free = or_(col(FollowUpTask.claimed_at).is_(None), col(FollowUpTask.claimed_at) <= now - CLAIM, mine)
    statement = (
        select(FollowUpTask)
        .join(Case, col(Case.id) == col(FollowUpTask.case_id))
        .where(col(FollowUpTask.open).is_(True), col(FollowUpTask.after) <= now, free, access.visible(actor))
        .order_by(mine.desc(), col(FollowUpTask.after), col(FollowUpTask.case_id))
        .limit(1)
        .with_for_update(skip_locked=True, of=FollowUpTask)
    )
    task: FollowUpTask | None = session.execute(statement).scalar_one_or_none()
    if task is not None:
        task.claimed_by, task.claimed_at = actor.user_id, now
        session.add(task)
    return task
