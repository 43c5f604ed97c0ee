"""Notices to single people about their own work, of no case and of no unit: what reviews of talks ask of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.auth.model import Permission, parse_roles, permissions_of
from app.auth.tables import User
from app.notices.model import NoticeKind, channels_of
from app.notices.tables import Notice
from app.notices.telling import address


@dataclass(frozen=True)
class Message:
    """What people are told, each once for that key. `title` has nobody's words in it, no caller's name or number."""

    kind: NoticeKind
    key: str
    title: str = ""
    review_id: int | None = None
    due_at: datetime | None = None


def tell_people(session: Session, users: Iterable[int], message: Message, now: datetime) -> list[int]:
    """Tell them, in the transaction of what it is about; who was told now."""
    wanted = sorted(set(users))
    known = select(col(Notice.user_id)).where(col(Notice.key) == message.key, col(Notice.user_id).in_(wanted))
    told = set(session.execute(known).scalars())
    rows = [
        Notice(
            key=message.key,
            user_id=user,
            kind=message.kind.value,
            number="",
            title=message.title,
            review_id=message.review_id,
            due_at=message.due_at,
            at=now,
        )
        for user in wanted
        if user not in told
    ]
    session.add_all(rows)
    session.flush()
    address(session, rows, channels_of(message.kind), now)
    return [row.user_id for row in rows]


def may_still(session: Session, user_id: int, some: Collection[Permission]) -> bool:
    """Whether somebody who was to be told works here still, and may do one of these."""
    user = session.get(User, user_id)
    return user is not None and user.active and bool(permissions_of(parse_roles(user.roles)) & set(some))
