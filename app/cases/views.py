"""Cases as the pages read them, masked for those who may not see the citizen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.tables import Agent
from app.cases import access
from app.cases.duplicates import Candidate
from app.cases.tables import Case, CaseEvent
from app.clock import iso
from app.db import loaded
from app.faxes.tables import Fax
from app.voicemails.tables import Voicemail


def case_json(session: Session, actor: Actor, case: Case, *, content: bool = True) -> dict[str, Any]:
    """One case; without `content` the long texts are left out (lists)."""
    clear = access.sees_citizen(session, actor, case)
    fields = access.shown_fields(case, clear=clear)
    if not content:
        del fields["content"], fields["answer"]
    agent = session.get(Agent, case.agent_id) if case.agent_id else None
    return {
        "id": case.id,
        "number": case.number,
        "type": case.type,
        "state": case.state,
        "version": case.version,
        "call_id": case.call_id,
        "source": case.source,
        "agent_id": case.agent_id,
        "agent_name": agent.name if agent else None,
        "section": case.section,
        "repeats": case.repeats,
        "way": case.way,
        "urgency": case.urgency,
        "due_at": iso(case.due_at),
        "ended_at": iso(case.ended_at),
        "created_at": iso(case.created_at),
        "updated_at": iso(case.updated_at),
        "registered_at": iso(case.registered_at),
        "masked": not clear,
        "fields": fields,
    }


def cases_json(session: Session, actor: Actor, cases: Collection[Case]) -> list[dict[str, Any]]:
    """These cases for a list; what is looked up for each of them is asked for once for all."""
    _at_hand = (
        access.citizens_of(session, cases),
        loaded(session, Agent, (case.agent_id for case in cases)),
    )
    return [case_json(session, actor, case, content=False) for case in cases]


def case_row(case: Case, *, clear: bool) -> dict[str, Any]:
    """The short form on a card."""
    title = case.title or case.content[:40]
    return {
        "id": case.id,
        "number": case.number,
        "type": case.type,
        "state": case.state,
        "title": access.plain(title, case, clear=clear),
        "created_at": iso(case.created_at),
        "area": access.plain(case.area, case, clear=clear),
        "repeats": case.repeats,
    }


def candidate_json(session: Session, actor: Actor, one: Candidate) -> dict[str, Any]:
    """A case that may be the same matter, and why."""
    clear = access.sees_citizen(session, actor, one.case)
    reasons = [{"why": why.why.value, "zh": why.zh, "en": why.en, "likeness": why.likeness} for why in one.reasons]
    return {**case_row(one.case, clear=clear), "reasons": reasons}


NOBODY: Mapping[int, Case] = MappingProxyType({})
# In a line's detail: another case, by its id; its number is for whoever may know of it.
_OTHER = ("repeat_of", "original")


def event_json(event: CaseEvent, case: Case, *, clear: bool, others: Mapping[int, Case] = NOBODY) -> dict[str, Any]:
    """One line of a case's history; `others` are those that lines name and the asker may know of."""
    detail = event.detail if clear else access.masked_detail(event.detail, case)
    detail = {key: value for key, value in detail.items() if key not in ("registered", "version", *_OTHER)}
    for key in _OTHER:
        if (other := others.get(event.detail.get(key, 0))) is not None:
            detail[key] = other.number
    if event.reason:
        detail["reason"] = access.plain(event.reason, case, clear=clear)
    return {
        "at": iso(event.at),
        "actor": event.actor,
        "actor_name": event.actor_name,
        "event": event.event,
        "from_state": event.from_state,
        "to_state": event.to_state,
        "detail": detail or None,
    }


def draft_json(case: Case) -> dict[str, Any]:
    """The draft on a card; the agent at hand sees everything."""
    return {
        "case_id": case.id,
        "case_number": case.number,
        "version": case.version,
        "state": case.state,
        "fields": access.shown_fields(case, clear=True),
    }


def attachments(session: Session, case_id: int) -> list[dict[str, Any]]:
    """The voicemails and faxes of a case."""
    mails = session.execute(select(col(Voicemail.id)).where(col(Voicemail.case_id) == case_id)).scalars()
    faxes = session.execute(select(col(Fax.id)).where(col(Fax.case_id) == case_id)).scalars()
    return [{"kind": "voicemail", "id": i} for i in mails] + [{"kind": "fax", "id": i} for i in faxes]


def others_in(session: Session, actor: Actor, events: Iterable[CaseEvent]) -> dict[int, Case]:
    """The cases that these lines name, as far as the asker may know of them."""
    named = {one.detail[key] for one in events for key in _OTHER if one.detail.get(key)}
    found = session.execute(select(Case).where(col(Case.id).in_(named), access.visible(actor))) if named else ()
    return {case.id or 0: case for case in (row[0] for row in found)}
