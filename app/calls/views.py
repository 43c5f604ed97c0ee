"""Calls as the pages read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.service import agent_names
from app.calls.service import confidential_ids, facts_of
from app.calls.tables import Call
from app.cases.tables import Case
from app.clock import iso
from app.text import masked_name, masked_number


def call_row(call: Call, *, clear: bool, agent_name: str | None = None) -> dict[str, Any]:
    """One call; number and name masked unless `clear`."""
    facts = facts_of(call)
    return {
        "call_id": call.call_id,
        "number": call.number if clear else masked_number(call.number),
        "name": call.name if clear else masked_name(call.name),
        "line": call.line,
        "language": call.language,
        "path": call.path,
        "queue": call.queue,
        "direction": call.direction,
        "outcome": call.outcome,
        "cause": call.cause,
        "failsafe_cause": call.failsafe_cause,
        "rating": call.rating,
        "started_at": iso(call.started_at),
        "joined_at": iso(call.joined_at),
        "answered_at": iso(call.answered_at),
        "ended_at": iso(call.ended_at),
        "waited_s": facts.waited_s,
        "talk_s": facts.talk_s,
        "foretold": _foretold(call),
        "agent_id": call.agent_id,
        "agent_name": agent_name,
    }


def _foretold(call: Call) -> dict[str, Any] | None:
    """The wait that the caller was told, and what it then was (None while, or because, nobody answered)."""
    if call.foretold_at is None:
        return None
    came = None if call.answered_at is None else int((call.answered_at - call.foretold_at).total_seconds())
    return {"low_s": call.foretold_low_s, "high_s": call.foretold_high_s, "came_s": came}


def call_rows(session: Session, actor: Actor, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Calls with their agents' names, case numbers and numbers of recordings: four queries for the whole list."""
    from recordings.tables import Recording

    ids = [call.call_id for call in calls]
    names = agent_names(session)
    secret = confidential_ids(session, list(calls))
    found = session.execute(
        select(col(Case.call_id), col(Case.id), col(Case.number))
        .where(col(Case.call_id).in_(ids))
        .order_by(col(Case.id).desc())
    ).all()
    cases = {call_id: (case_id, number) for call_id, case_id, number in found}
    counted = session.execute(
        select(col(Recording.call_id), func.count())
        .where(col(Recording.call_id).in_(ids), col(Recording.expired_at).is_(None))
        .group_by(col(Recording.call_id))
    ).all()
    recordings: dict[str, int] = {row[0]: row[1] for row in counted}
    rows = []
    for call in calls:
        clear = actor.sees_personal(confidential=call.call_id in secret, owner=call.agent_id)
        case_id, case_number = cases.get(call.call_id, (None, None))
        rows.append(
            {
                **call_row(call, clear=clear, agent_name=names.get(call.agent_id or "")),
                "case_id": case_id,
                "case_number": case_number,
                "recordings": recordings.get(call.call_id, 0),
            }
        )
    return rows
