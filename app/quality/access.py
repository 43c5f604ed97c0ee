"""Who may know of a review, and what they are to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select, true
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.calls.service import of_secret_call
from app.errors import NotFound
from app.quality.states import RULES, UNSEEN, Party, ReviewState, Step, permitted
from app.quality.tables import QualityReview


def visible(actor: Actor) -> Any:
    """The condition for reviews that the asker may know of. Raises Forbidden.

    Agents know of their own, once they are published. Of a confidential call's review nobody else knows who may not
    know the citizen: what a review says is what was said.
    """
    published = col(QualityReview.state).not_in([state.value for state in UNSEEN])
    own = col(QualityReview.agent_id) == (actor.agent_id or "-")
    if not actor.may(Permission.quality_review) and not actor.may(Permission.quality_read):
        actor.require(Permission.quality_own)
        return own & published
    hearable = true() if actor.may(Permission.confidential_read) else ~of_secret_call(col(QualityReview.call_id))
    # Nobody reads what is being written about themselves.
    drafts = published if not actor.may(Permission.quality_review) else or_(published, ~own)
    return or_(own & published, hearable & drafts) if actor.may(Permission.quality_own) else hearable & drafts


def seen(session: Session, actor: Actor, review_id: int, *, lock: bool = False) -> QualityReview:
    """The review, if the asker may know of it. Raises Forbidden, NotFound."""
    statement = select(QualityReview).where(col(QualityReview.id) == review_id, visible(actor))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row: QualityReview | None = session.execute(statement).scalar_one_or_none()
    if row is None:
        raise NotFound()
    return row


def parties(actor: Actor, review: QualityReview) -> frozenset[Party]:
    """What the asker is to the review; nothing at all: another person."""
    found = set()
    if actor.user_id == review.reviewer_id:
        found.add(Party.reviewer)
    if actor.agent_id is not None and actor.agent_id == review.agent_id:
        found.add(Party.agent)
    return frozenset(found)


def steps(actor: Actor, review: QualityReview, *, in_time: bool) -> Sequence[Step]:
    """What the asker can do about it now."""
    mine, state = parties(actor, review), ReviewState(review.state)
    return [
        step
        for (at, step), rule in RULES.items()
        if at is state and permitted(rule, mine, actor.permissions) and (step is not Step.appeal or in_time)
    ]
