"""The append-only history of a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.cases.states import CaseAct, CaseState, next_case_state
from app.cases.tables import Case, CaseEvent
from app.notices.model import BY_EVENT
from app.notices.telling import tell_of_event


def happen(
    session: Session,
    actor: Actor,
    case: Case,
    event: CaseAct,
    now: datetime,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Let `event` happen to the case: its state moves by the table and one line is written. Raises Refused."""
    before = CaseState(case.state)
    after = before if event is CaseAct.opened else next_case_state(before, event)
    case.state = after.value
    came_from = None if event is CaseAct.opened else before
    _line(session, actor, case, event.value, now, reason, detail, came_from)


def note(
    session: Session,
    actor: Actor,
    case: Case,
    event: str,
    now: datetime,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write a line about something that belongs to the case and does not move it, such as a unit's step."""
    _line(session, actor, case, event, now, reason, detail, CaseState(case.state))


def events_of(session: Session, case_id: int) -> list[CaseEvent]:
    """The history, oldest first."""
    statement = select(CaseEvent).where(col(CaseEvent.case_id) == case_id).order_by(col(CaseEvent.id))
    return list(session.execute(statement).scalars())


def _line(
    session: Session,
    actor: Actor,
    case: Case,
    event: str,
    now: datetime,
    reason: str,
    detail: Mapping[str, Any] | None,
    came_from: CaseState | None,
) -> None:
    case.updated_at = now
    session.add(case)
    session.flush()
    line = CaseEvent(
        case_id=case.id or 0,
        at=now,
        user_id=actor.user_id,
        actor=actor.name or "?",
        actor_name=actor.display_name or actor.name or "?",
        event=event,
        from_state=came_from.value if came_from else None,
        to_state=case.state,
        reason=reason,
        detail=dict(detail or {}),
    )
    session.add(line)
    if event in BY_EVENT:
        session.flush()
        tell_of_event(session, case, event, line.id or 0, line.detail, now, by=actor.user_id)
