"""Who is told of a review: its agent when it is published or an appeal decided, those who may decide when one comes.

Of a confidential call's review those are told who may know of it, and nobody else (`access.visible`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.auth.model import Permission
from app.auth.tables import User
from app.notices.model import NoticeKind
from app.notices.people import who_may
from app.notices.persons import Message, tell_people
from app.quality.tables import QualityReview, QualityTraining
from recordings.service import is_secret


def published(session: Session, review: QualityReview, now: datetime) -> None:
    """The agent can read it now, and appeal for some days."""
    about = Message(
        NoticeKind.review_published,
        f"review:{review.id}:published",
        review.day.isoformat(),
        review.id,
        review.appeal_until,
    )
    tell_people(session, _of_agent(session, review.agent_id), about, now)


def appealed(session: Session, review: QualityReview, now: datetime) -> None:
    """Who judged it, and everybody who could decide."""
    about = Message(
        NoticeKind.appealed,
        f"review:{review.id}:appealed",
        f"{review.agent_id} {review.day.isoformat()}",
        review.id,
    )
    some = {*who_may(session, Permission.quality_decide), review.reviewer_id}
    able = set(who_may(session, Permission.quality_read))
    if is_secret(session, review.call_id):
        able &= set(who_may(session, Permission.confidential_read))
    tell_people(session, (some & able) - set(_of_agent(session, review.agent_id)), about, now)


def decided(session: Session, review: QualityReview, now: datetime) -> None:
    """The agent learns what became of the appeal."""
    about = Message(NoticeKind.appeal_decided, f"review:{review.id}:decided", review.day.isoformat(), review.id)
    tell_people(session, _of_agent(session, review.agent_id), about, now)


def trained(session: Session, training: QualityTraining, now: datetime) -> None:
    """The agent may take calls again."""
    about = Message(NoticeKind.trained, f"training:{training.id}")
    tell_people(session, _of_agent(session, training.agent_id), about, now)


def _of_agent(session: Session, agent_id: str) -> list[int]:
    own = select(col(User.id)).where(col(User.agent_id) == agent_id, col(User.active).is_(True))
    return [user for user in session.execute(own).scalars() if user is not None]
