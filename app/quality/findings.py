"""Talks in which phrases were found, for a reviewer to choose from; the only choice that is not the seed's (K5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.calls.tables import Call
from app.clock import local_day, utc_now
from app.db import found
from app.errors import Forbidden, NotFound, Refused
from app.phrases.reading import TalkFound, has_findings
from app.quality.access import visible
from app.quality.drawing import DRAW
from app.quality.editions import criteria_numbers
from app.quality.sampling import Reason
from app.quality.service import note
from app.quality.states import ReviewState
from app.quality.tables import QualityReview
from recordings.service import is_secret
from recordings.tables import Recording


def pick(
    session: Session, actor: Actor, call_id: str, agent_id: str, zone: tzinfo, *, now: datetime | None = None
) -> QualityReview:
    """The talk is the asker's to review, because something was found in it. Asked again it is the same review.

    Raises Forbidden (their own talk, or a secret one that they may not hear), NotFound (no such talk, or nothing was
    found in it), Refused (drawn by somebody else).
    """
    actor.require(Permission.quality_review)
    if actor.agent_id == agent_id:
        raise Forbidden()
    if not actor.may(Permission.confidential_read) and is_secret(session, call_id):
        raise Forbidden()
    heard = col(Recording.call_id) == call_id, col(Recording.agent_id) == agent_id, col(Recording.expired_at).is_(None)
    known = session.execute(select(col(Recording.seq)).where(*heard).limit(1)).first()
    if known is None or not has_findings(session, call_id, agent_id):
        raise NotFound()
    now = now or utc_now()
    call = found(session, Call, call_id)
    day = local_day(call.started_at, zone)
    values = {
        "call_id": call_id,
        "agent_id": agent_id,
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "edition": criteria_numbers(session, [day])[day],
        "reviewer_id": actor.user_id or 0,
        "reason": Reason.picked.value,
        "state": ReviewState.drawn.value,
        "version": 1,
        "drawn_at": now,
        "scores": {},
        "marks": [],
        "note": "",
        "coaching": "",
    }
    insert = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    made = insert(QualityReview).values(**values).on_conflict_do_nothing(index_elements=["call_id", "agent_id"])
    fresh = session.execute(made.returning(col(QualityReview.id))).first() is not None
    mine = col(QualityReview.call_id) == call_id, col(QualityReview.agent_id) == agent_id
    review: QualityReview = session.execute(select(QualityReview).where(*mine)).scalar_one()
    if fresh:
        note(session, actor, review, DRAW, ReviewState.drawn, now, detail={"reason": review.reason})
        write(session, actor, Action.quality_drawn, f"review:{review.id}", {"drawn": 1, review.reason: 1}, now=now)
    elif review.reviewer_id != actor.user_id:
        raise Refused("这通通话已由别的质检员抽取。", "Another reviewer has this talk already.", code="drawn_already")
    return review


def reviews_of(session: Session, actor: Actor, talks: Sequence[TalkFound]) -> Mapping[tuple[str, str], QualityReview]:
    """The reviews of these talks that the asker may know of."""
    keys = [(one.call_id, one.agent_id) for one in talks]
    of_talk = tuple_(col(QualityReview.call_id), col(QualityReview.agent_id)).in_(keys)
    rows = session.execute(select(QualityReview).where(of_talk, visible(actor))).scalars() if keys else ()
    return {(row.call_id, row.agent_id): row for row in rows}
