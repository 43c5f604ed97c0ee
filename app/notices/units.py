"""Notices to the people of a unit that are about no case: what the knowledge base asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, exists
from sqlmodel import Session, col

from app.auth.tables import User
from app.notices.model import NoticeKind
from app.notices.people import ANYBODY, working_in
from app.notices.tables import Notice
from app.notices.telling import put
from app.units.model import MemberRole

LEADERS = (MemberRole.leader,)


@dataclass(frozen=True)
class Word:
    """What a unit's people with these roles are told, each once for that key."""

    unit_id: int
    kind: NoticeKind
    key: str
    title: str = ""
    article_id: int | None = None
    due_at: datetime | None = None
    roles: Sequence[MemberRole] = ANYBODY


def untold(session: Session, word: Word) -> bool:
    """Whether somebody has not been told yet."""
    return session.execute(_wanted(word).limit(1)).first() is not None


def tell_unit(session: Session, word: Word, now: datetime, *, but: int | None = None) -> list[int]:
    """Tell them, in the transaction of what it is about; who was told now."""
    users = [user for user in session.execute(_wanted(word)).scalars() if user != but]
    one = partial(
        Notice,
        key=word.key,
        kind=word.kind.value,
        number="",
        title=word.title,
        article_id=word.article_id,
        unit_id=word.unit_id,
        due_at=word.due_at,
        at=now,
    )
    return put(session, users, one, now)


def works_there(session: Session, user_id: int, unit_id: int | None) -> bool:
    """Whether somebody who was to be told still works in that unit."""
    statement = working_in(unit_id or 0, ANYBODY).where(col(User.id) == user_id)
    return session.execute(statement.limit(1)).first() is not None


def _wanted(word: Word) -> Select[Any]:
    told = exists().where(col(Notice.key) == word.key, col(Notice.user_id) == col(User.id))
    return working_in(word.unit_id, word.roles).where(~told)
