"""Writing and reading the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.tables import AuditEntry
from app.auth.model import Permission
from app.clock import utc_now
from app.db import Database
from app.paging import Leaf, Page, fetch
from app.text import clean

FOLD = timedelta(minutes=5)


def write(
    session: Session,
    actor: Actor,
    action: Action,
    object_: str = "",
    detail: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
) -> None:
    """Add one entry to the transaction. `object_` is a kind and an id ("recording:12"), never a number or a name."""
    session.add(
        AuditEntry(
            at=now or utc_now(),
            user_id=actor.user_id,
            actor=actor.name or "?",
            actor_name=actor.display_name or actor.name or "?",
            address=actor.address[:64],
            action=action.value,
            object=object_[:120],
            detail=dict(detail or {}),
        )
    )


def write_once(db: Database, actor: Actor, action: Action, object_: str, *, now: datetime | None = None) -> None:
    """Like `write` in a transaction of its own; repeats by the same person within 5 minutes are one entry.

    A browser plays one recording with dozens of range requests: that is one act of listening. Returns only when the
    entry is stored, so that nothing is heard that is not written down. Raises Busy.
    """
    now = now or utc_now()
    known = (
        select(col(AuditEntry.id))
        .where(
            col(AuditEntry.user_id) == actor.user_id,
            col(AuditEntry.action) == action.value,
            col(AuditEntry.object) == object_,
            col(AuditEntry.at) > now - FOLD,
        )
        .limit(1)
    )
    with db.read() as session:
        if session.execute(known).first() is not None:
            return
    with db.session() as session:
        write(session, actor, action, object_, now=now)


def entries(
    session: Session,
    actor: Actor,
    *,
    who: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    leaf: Leaf | None = None,
) -> Page[AuditEntry]:
    """The audit, newest first. Raises Forbidden."""
    actor.require(Permission.audit_read)
    statement = select(AuditEntry).order_by(col(AuditEntry.id).desc())
    if who:
        statement = statement.where(col(AuditEntry.actor) == clean(who, 64).casefold())
    if action:
        statement = statement.where(col(AuditEntry.action) == action)
    if since:
        statement = statement.where(col(AuditEntry.at) >= since)
    if until:
        statement = statement.where(col(AuditEntry.at) < until)
    leaf = leaf or Leaf()
    rows, total = fetch(session, statement, leaf)
    return Page(rows, total, leaf.page, leaf.size)
