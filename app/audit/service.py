"""Writing and reading the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.tables import AuditEntry
from app.auth.model import Permission
from app.clock import utc_now
from app.db import Database
from app.paging import Leaf, Page, equal, page_of, within
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
    zone: tzinfo,
    *,
    who: str = "",
    action: str = "",
    from_: date | None = None,
    to: date | None = None,
    leaf: Leaf | None = None,
) -> Page[AuditEntry]:
    """The audit, newest first; `who` is an account. Raises Forbidden."""
    actor.require(Permission.audit_read)
    statement = select(AuditEntry).order_by(col(AuditEntry.id).desc())
    statement = equal(statement, {AuditEntry.actor: clean(who, 64).casefold(), AuditEntry.action: action})
    return page_of(session, within(statement, AuditEntry.at, from_, to, zone), leaf)
