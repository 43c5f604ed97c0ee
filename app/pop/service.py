"""Building the card at the offer: a short write transaction for the draft, then index look-ups only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from app.actor import Actor
from app.agents.service import agent_names
from app.auth.model import Role
from app.calls import service as calls
from app.calls.model import CallFacts
from app.calls.views import call_row
from app.cases.model import Source
from app.cases.queries import of_citizen
from app.cases.service import open_draft
from app.cases.tables import Case
from app.cases.views import case_row, draft_json
from app.citizens import service as citizens
from app.citizens.model import Flag
from app.citizens.tables import Citizen
from app.clock import to_ms, utc_now
from app.db import Database
from app.pop.model import Card
from app.text import normal_number

SHOWN = 5
REPEAT_WITHIN = timedelta(days=30)


def build_card(
    db: Database, facts: CallFacts, agent_id: str, *, now: datetime | None = None, zone: ZoneInfo | None = None
) -> Card:
    """The card of this call for this agent; its draft case is stored when this returns.

    Offered again, to whomever, the call brings the same draft. Raises Busy (nothing stored; `card_without_draft`
    still says who calls).
    """
    now = now or utc_now()
    [(draft, citizen)] = store_drafts(db, [(facts, agent_id)], now=now, zone=zone)
    with db.read() as session:
        return _card(session, facts, agent_id, draft, citizen, now)


def store_drafts(
    db: Database,
    offers: Sequence[tuple[CallFacts, str]],
    *,
    now: datetime | None = None,
    zone: ZoneInfo | None = None,
) -> list[tuple[Case, Citizen | None]]:
    """Store the draft cases of these calls for these agents, all or none; each with whom its number belongs to.

    Raises Busy.
    """
    now = now or utc_now()
    numbers = [normal_number(facts.number) for facts, _ in offers]
    # Only the drafts are made while others wait to write; everything else is read before or after.
    with db.read() as session:
        known = citizens.match_all(session, [number for number in numbers if number])
    with db.session() as session:
        drafts = [
            open_draft(
                session,
                facts,
                source=Source.callback if facts.direction == "out" else Source.call,
                agent_id=agent_id,
                known=known,
                now=now,
                zone=zone,
            )
            for facts, agent_id in offers
        ]
    return [(draft, known.get(number)) for draft, number in zip(drafts, numbers, strict=True)]


def card_without_draft(facts: CallFacts, *, now: datetime | None = None) -> Card:
    """What the telephone alone knows, for a pop that must not wait for a busy database."""
    return _basic(facts, now or utc_now())


def _basic(facts: CallFacts, now: datetime) -> Card:
    since = facts.joined_at or facts.started_at or now
    return Card(
        call_id=facts.call_id,
        number=normal_number(facts.number),
        name=facts.name,
        line=facts.line,
        language=facts.language,
        queue=facts.queue,
        menu_path=[node for node in facts.path.split(">") if node],
        waited_s=max(0, int((now - since).total_seconds())),
        joined_ms=to_ms(facts.joined_at) if facts.joined_at else None,
        area="",
    )


def _card(
    session: Session, facts: CallFacts, agent_id: str, draft: Case, matched: Citizen | None, now: datetime
) -> Card:
    basic = _basic(facts, now)
    actor = Actor(user_id=None, roles=frozenset({Role.agent}), agent_id=agent_id)
    citizen = matched
    if draft.citizen_id is not None and (matched is None or matched.id != draft.citizen_id):
        citizen = session.get(Citizen, draft.citizen_id) or matched
    citizen_id = citizen.id if citizen else None
    last, unfinished = of_citizen(session, facts.number, citizen_id, limit=SHOWN, but=facts.call_id)
    recent = calls.of_number(session, facts.number, limit=SHOWN, but=facts.call_id)
    names = agent_names(session, {call.agent_id for call in recent if call.agent_id})
    flags = citizens.stored_flags(citizen) if citizen else []
    if any(case.created_at > now - REPEAT_WITHIN for case in unfinished):
        flags.append(Flag.repeat.value)
    return Card(
        call_id=basic.call_id,
        number=basic.number,
        name=(citizen.name if citizen else "") or basic.name,
        line=basic.line,
        language=basic.language,
        queue=basic.queue,
        menu_path=basic.menu_path,
        waited_s=basic.waited_s,
        joined_ms=basic.joined_ms,
        area=(citizen.area if citizen else "") or draft.area,
        citizen=citizens.as_json(session, actor, citizen, owner=agent_id) if citizen else None,
        flags=flags,
        draft=draft_json(draft),
        open_cases=[case_row(case, clear=True) for case in unfinished],
        last_cases=[case_row(case, clear=True) for case in last],
        last_calls=[call_row(call, clear=True, agent_name=names.get(call.agent_id or "")) for call in recent],
    )
