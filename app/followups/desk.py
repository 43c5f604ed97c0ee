"""The desk on which cases wait for a call-back: put there when a result is accepted, taken by whoever calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case as when
from sqlalchemy import or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.cases import access, finding
from app.cases.tables import Case
from app.followups.model import CLAIM
from app.followups.tables import FollowUpTask


def put_on_desk(session: Session, case: Case, now: datetime) -> None:
    """The citizen is to be asked; what was tried for an earlier result does not count."""
    task = session.get(FollowUpTask, case.id)
    if task is None:
        session.add(FollowUpTask(case_id=case.id or 0, after=now))
    else:
        task.open, task.after, task.tries = True, now, 0
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


def is_asked_about(session: Session, case: Case, now: datetime, *, lock: bool = False) -> bool:
    """Whether somebody has called the citizen about the present result, or has taken the case to do so.

    With `lock` nobody takes it until the transaction ends.
    """
    task = session.get(FollowUpTask, case.id, with_for_update=True if lock else None)
    if task is None:
        return False
    taken = task.claimed_at is not None and task.claimed_at > now - CLAIM
    return taken or task.tries > 0 or not task.open


def next_task(session: Session, actor: Actor, now: datetime) -> FollowUpTask | None:
    """The case that should be called about first, now this person's for a while; None if there is none.

    Two who ask at once get two cases. What the same person had before and did not finish comes first. Nobody is given a
    case whose citizen they may not see: they could not call.
    """
    actor.require(Permission.cases_follow_up)
    mine = (col(FollowUpTask.claimed_by) == actor.user_id) & (col(FollowUpTask.claimed_at) > now - CLAIM)
    free = or_(col(FollowUpTask.claimed_at).is_(None), col(FollowUpTask.claimed_at) <= now - CLAIM, mine)
    statement = (
        select(FollowUpTask)
        .join(Case, col(Case.id) == col(FollowUpTask.case_id))
        .where(col(FollowUpTask.open).is_(True), col(FollowUpTask.after) <= now, free)
        .where(access.visible(actor), finding.may_be_sought(actor))
        .order_by(when((mine, 0), else_=1), col(FollowUpTask.after), col(FollowUpTask.case_id))
        .limit(1)
        .with_for_update(skip_locked=True, of=FollowUpTask)
    )
    task: FollowUpTask | None = session.execute(statement).scalar_one_or_none()
    if task is not None:
        task.claimed_by, task.claimed_at = actor.user_id, now
        session.add(task)
    return task
