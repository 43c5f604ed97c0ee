"""Urgent matters: leaders on duty are told at once, and again, and others too, until one says that they know (C11)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.auth.model import Permission
from app.cases import access
from app.cases.acting import locked
from app.cases.history import note
from app.cases.states import CASE_DONE, CaseState
from app.cases.tables import Case
from app.chasing.model import URGENT_AGAIN, URGENT_TRIES, UrgentCause, urgent_desks
from app.chasing.tables import UrgentMatter, UrgentReceipt
from app.clock import utc_now
from app.clocks.model import ClockKind
from app.clocks.rules import Urgency
from app.db import found
from app.errors import Forbidden
from app.notices.model import NoticeKind
from app.notices.tables import Notice
from app.notices.telling import tell
from app.paging import Leaf, Page, page_of


def call_leaders(session: Session, actor: Actor, case: Case, cause: UrgentCause, now: datetime) -> UrgentMatter | None:
    """Tell them, if the case is urgent and they were not told for this cause before (or know of it as it came in)."""
    if case.urgency == Urgency.general.value:
        return None
    mine = select(UrgentMatter).where(col(UrgentMatter.case_id) == case.id)
    before = list(session.execute(mine).scalars())
    once = cause is UrgentCause.dispatched and before
    if once or any(one.cause == cause.value for one in before):
        return None
    matter = UrgentMatter(case_id=case.id or 0, cause=cause.value, at=now)
    session.add(matter)
    session.flush()
    note(session, actor, case, "chase.urgent", now, detail={"matter": matter.id, "cause": cause.value})
    tell_again(session, case, matter, now)
    return matter


def tell_again(session: Session, case: Case, matter: UrgentMatter, now: datetime) -> bool:
    """One more try; False once it is over: known, done with, or tried often enough."""
    done = CaseState(case.state) in CASE_DONE
    if matter.known_at is not None or done or matter.tries >= URGENT_TRIES:
        matter.next_at = None
        session.add(matter)
        return False
    key = f"urgent:{matter.id}:{matter.tries}"
    step = ClockKind.dispatch.value if matter.cause == UrgentCause.dispatch_late.value else ""
    users = tell(session, case, NoticeKind.urgent, urgent_desks(matter.tries), key, now, step=step, due_at=case.due_at)
    if matter.tries:
        told = {"matter": matter.id, "try": matter.tries + 1, "people": len(users)}
        note(session, SYSTEM, case, "chase.urgent_again", now, detail=told)
    matter.tries += 1
    matter.next_at = now + URGENT_AGAIN
    session.add(matter)
    return True


def is_unheard(case: Case, matter: UrgentMatter) -> bool:
    """Whether people were told often enough in vain, so that nobody is told any more."""
    open_still = CaseState(case.state) not in CASE_DONE
    return open_still and matter.known_at is None and matter.tries >= URGENT_TRIES


def acknowledge(session: Session, actor: Actor, matter_id: int, *, now: datetime | None = None) -> UrgentMatter:
    """Somebody who was told of it says that they know; every one of them is written down, the first ends the calling.

    Saying it again changes nothing. Raises NotFound, Forbidden for whoever was not told.
    """
    now = now or utc_now()
    known = found(session, UrgentMatter, matter_id)
    case = locked(session, actor, known.case_id)
    session.refresh(known, with_for_update=True)
    if not actor.may(Permission.urgent_acknowledge) and not _was_told(session, actor, matter_id):
        raise Forbidden()
    mine = select(UrgentReceipt).where(
        col(UrgentReceipt.matter_id) == matter_id, col(UrgentReceipt.user_id) == actor.user_id
    )
    if actor.user_id is None or session.execute(mine).first() is not None:
        return known
    session.add(UrgentReceipt(matter_id=matter_id, user_id=actor.user_id, at=now))
    if known.known_at is None:
        known.known_at, known.next_at = now, None
        session.add(known)
    after_s = round((now - known.at).total_seconds())
    note(session, actor, case, "chase.acknowledged", now, detail={"matter": matter_id, "after_s": after_s})
    return known


def open_matters(session: Session, actor: Actor, leaf: Leaf | None = None) -> Page[Any]:
    """Urgent matters that nobody has acknowledged and that go on, the oldest first. Raises Forbidden."""
    actor.require(Permission.cases_read)
    statement = (
        select(UrgentMatter)
        .join(Case, col(Case.id) == col(UrgentMatter.case_id))
        .where(col(UrgentMatter.known_at).is_(None), col(Case.state).not_in([state.value for state in CASE_DONE]))
        .where(access.visible(actor))
        .order_by(col(UrgentMatter.id))
    )
    return page_of(session, statement, leaf)


def acknowledgeable(session: Session, actor: Actor, matter_ids: Collection[int]) -> set[int]:
    """Those of these matters that this person can say they know of, and has not yet."""
    mine = select(col(UrgentReceipt.matter_id)).where(
        col(UrgentReceipt.matter_id).in_(matter_ids), col(UrgentReceipt.user_id) == actor.user_id
    )
    said = set(session.execute(mine).scalars()) if matter_ids else set()
    left = (one for one in matter_ids if one not in said)
    return {one for one in left if actor.may(Permission.urgent_acknowledge) or _was_told(session, actor, one)}


def receipts_of(session: Session, matter_ids: Collection[int]) -> dict[int, list[UrgentReceipt]]:
    """By matter, who has acknowledged it, and when."""
    found: dict[int, list[UrgentReceipt]] = {}
    mine = select(UrgentReceipt).where(col(UrgentReceipt.matter_id).in_(matter_ids)).order_by(col(UrgentReceipt.id))
    for row in session.execute(mine).scalars() if matter_ids else ():
        found.setdefault(row.matter_id, []).append(row)
    return found


def _was_told(session: Session, actor: Actor, matter_id: int) -> bool:
    prefix = f"urgent:{matter_id}:"
    told = select(col(Notice.id)).where(
        col(Notice.user_id) == actor.user_id, col(Notice.key).startswith(prefix, autoescape=True)
    )
    return session.execute(told.limit(1)).first() is not None
