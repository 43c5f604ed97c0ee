"""The append-only history of a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.cases.model import CaseEventKind, CaseState, next_state
from app.cases.tables import Case, CaseEvent


def happen(
    session: Session,
    actor: Actor,
    case: Case,
    event: CaseEventKind,
    now: datetime,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Let `event` happen to the case: its state moves by the table and one line is written. Raises Refused."""
    before = CaseState(case.state)
    after = before if event is CaseEventKind.opened else next_state(before, event)
    case.state = after.value
    case.updated_at = now
    session.add(case)
    session.flush()
    session.add(
        CaseEvent(
            case_id=case.id or 0,
            at=now,
            user_id=actor.user_id,
            actor=actor.name or "?",
            actor_name=actor.display_name or actor.name or "?",
            event=event.value,
            from_state=None if event is CaseEventKind.opened else before.value,
            to_state=after.value,
            reason=reason,
            detail=dict(detail or {}),
        )
    )


def events_of(session: Session, case_id: int) -> list[CaseEvent]:
    """The history, oldest first."""
    statement = select(CaseEvent).where(col(CaseEvent.case_id) == case_id).order_by(col(CaseEvent.id))
    return list(session.execute(statement).scalars())
