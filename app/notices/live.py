"""Pages of agents hear of a notice at once: whose they are is noted while it is written, and told when it is stored.

Everybody's pages ask for themselves every quarter of a minute anyway (app/frontend/src/notices/counts.ts).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from app.auth.tables import User
from app.db import Database

_TOLD = "notices.agents"


def note(session: Session, users: Iterable[int]) -> None:
    """These people are told something in this transaction."""
    agents = select(col(User.agent_id)).where(col(User.id).in_(list(users)), col(User.agent_id).is_not(None))
    session.info.setdefault(_TOLD, set()).update(session.execute(agents).scalars())


def hear(db: Database, tell: Callable[[Collection[str]], None]) -> None:
    """From now on `tell` is called with the staff numbers of those who were told something, whenever that was stored
    through `db`. On the thread that stored it: `tell` must not wait."""

    def stored(session: Session) -> None:
        if agents := session.info.get(_TOLD):
            tell(agents)

    db.after_commit(stored)
