"""The case of a voicemail or a fax: the call's own draft, handed to the section whose turn it is (T10, T11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from app.actor import SYSTEM, Actor
from app.calls.service import facts_of
from app.calls.tables import Call
from app.cases.access import sees_citizen
from app.cases.history import happen
from app.cases.model import Source
from app.cases.numbers import next_section
from app.cases.service import open_draft
from app.cases.states import CaseAct, CaseState
from app.cases.tables import Case
from app.clock import local_day
from app.roster.service import staffed_posts
from app.settings import Settings

_NOBODYS_YET = frozenset({CaseState.draft, CaseState.discarded})


def message_case(
    session: Session, settings: Settings, call: Call, source: Source, title: str, *, now: datetime, key: str
) -> Case:
    """The call's case with the message attached. A draft that nobody answered leaves its agent for a section."""
    case = open_draft(session, replace(facts_of(call), agent_id=None), source=source, now=now, zone=settings.zone)
    session.refresh(case, with_for_update=True)  # an agent may be registering it at this moment
    if CaseState(case.state) in _NOBODYS_YET and call.answered_at is None:
        case.agent_id = None
        case.source = source.value
    if CaseState(case.state) in _NOBODYS_YET and case.section is None and case.agent_id is None:
        case.section = next_section(session, staffed_posts(session, local_day(now, settings.zone)))
    if not case.title:
        case.title = title
    happen(session, SYSTEM, case, CaseAct.attached, now, detail={"kind": source.value, "key": key})
    case.version += 1
    return case


def case_in_sight(session: Session, actor: Actor, case_id: int | None) -> tuple[Case | None, bool]:
    """The case of a message (None if it became none), and whether the asker sees in clear whom it is from."""
    case = session.get(Case, case_id) if case_id is not None else None
    if case is None:
        return None, actor.sees_personal(confidential=False, owner=None)
    return case, sees_citizen(session, actor, case)
