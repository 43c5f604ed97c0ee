"""Notices to single people about their own work, of no case and of no unit: what reviews of talks ask of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session

from app.auth.model import Permission, parse_roles, permissions_of
from app.auth.tables import User
from app.notices.model import NoticeKind
from app.notices.tables import Notice
from app.notices.telling import not_told, put


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
    one = partial(
        Notice,
        key=message.key,
        kind=message.kind.value,
        number="",
        title=message.title,
        review_id=message.review_id,
        due_at=message.due_at,
        at=now,
    )
    return put(session, not_told(session, message.key, sorted(set(users))), one, now)


def may_still(session: Session, user_id: int, some: Collection[Permission]) -> bool:
    """Whether somebody who was to be told works here still, and may do one of these."""
    user = session.get(User, user_id)
    return user is not None and user.active and bool(permissions_of(parse_roles(user.roles)) & set(some))
