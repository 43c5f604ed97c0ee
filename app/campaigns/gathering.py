"""The call-back that asks how satisfied a citizen was with a call (T12): whoever was not asked, or did not answer the
SMS, comes onto the list of the survey campaign that gathers them.

Everything else is the campaign's: hours, pace, attempts, what is said, do-not-call. The row of the survey is written in
the transaction that puts the number on the list, and is unique by call: nobody is asked twice, whoever asks first. Who
heard the question at the end of the call and pressed nothing has been asked, and is let be. A call whose case goes to
units is asked about by the follow-up desk, and by nobody else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, literal, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.audit.model import Action
from app.audit.service import write
from app.calls.service import not_secret
from app.calls.tables import Call
from app.campaigns.model import LANGUAGES, CampaignState, Channel, Kind, TargetState
from app.campaigns.tables import Campaign, CampaignTarget
from app.campaigns.targets import Person, forbids
from app.cases.states import CaseState
from app.cases.tables import Case
from app.citizens.service import match_all
from app.consents.model import About, Said, slot
from app.consents.tables import ContactWish
from app.db import Database
from app.destinations import Destinations
from app.selfservice import surveys
from app.selfservice.model import AT_ONCE as ENDED_AT_ONCE
from app.selfservice.model import SURVEY_AGAIN
from app.selfservice.model import Channel as Way
from app.selfservice.tables import Survey

CALL_AFTER, CALL_UNTIL = timedelta(hours=2), timedelta(hours=48)
"""How long after its end a call that nobody was asked about comes onto the list. An SMS has been sent long before."""
SMS_PATIENCE = timedelta(hours=24)
"""So long an SMS may wait for its answer; then its question is asked by a call, within CALL_UNTIL again."""
MOST_AT_ONCE = 100
NO_DESK = (*ENDED_AT_ONCE, CaseState.declined, CaseState.draft)
"""A case in one of these states is none of the follow-up desk's. What was discarded is nobody's: nothing was said."""


def gather(db: Database, destinations: Destinations, now: datetime) -> int:
    """Puts on the list who is due; how many. Without a campaign that runs and gathers, nobody is."""
    with db.read() as session:
        campaign = _gathering(session)
        due = _due(session, campaign.id or 0, now) if campaign is not None else []
        people = {call.call_id: Person(call.number, call.language) for call in due}
        why = forbids(session, Kind.survey, destinations, people.values(), Channel.phone) if people else {}
    if campaign is None:
        return 0
    added, seen = 0, set(why)
    for call in due:
        if call.number not in seen:
            seen.add(call.number)
            added += _put(db, campaign.id or 0, call, now)
    if added:
        with db.session() as session:
            write(session, SYSTEM, Action.campaign_targets, f"campaign:{campaign.id}", {"rows": added}, now=now)
    return added


def _gathering(session: Session) -> Campaign | None:
    running = (col(Campaign.state) == CampaignState.running.value) & col(Campaign.gathers).is_(True)
    row: Campaign | None = session.execute(
        select(Campaign).where(running).order_by(col(Campaign.id)).limit(1)
    ).scalar_one_or_none()
    return row


def _due(session: Session, campaign_id: int, now: datetime) -> list[Call]:
    """Calls that somebody is to be called about, the oldest first: whatever keeps one from it is asked here, so that
    none of those stands in the way of the others."""
    number = col(Call.number)
    survey = select(col(Survey.id)).where(surveys.of_call(col(Call.call_id)))
    unanswered = (
        (col(Survey.channel) == Way.sms.value)
        & col(Survey.level).is_(None)
        & (col(Survey.asked_at) <= now - SMS_PATIENCE)
        & (col(Survey.asked_at) > now - SMS_PATIENCE - CALL_UNTIL)
    )
    unasked = ~survey.exists() & (col(Call.ended_at) > now - CALL_UNTIL)
    lately = exists().where(
        col(Survey.number) == number,
        col(Survey.asked_at) > now - SURVEY_AGAIN,
        or_(col(Survey.call_id).is_(None), col(Survey.call_id) != col(Call.call_id)),
    )
    on_the_list = exists().where(col(CampaignTarget.campaign_id) == campaign_id, col(CampaignTarget.number) == number)
    for_the_desk = exists().where(
        col(Case.call_id) == col(Call.call_id), col(Case.state).not_in([state.value for state in NO_DESK])
    )
    statement = select(Call).where(
        col(Call.started_at) > now - SMS_PATIENCE - 2 * CALL_UNTIL,
        col(Call.ended_at) <= now - CALL_AFTER,
        col(Call.answered_at).is_not(None),
        col(Call.rating).is_(None),
        col(Call.direction) == "in",
        number != "",
        or_(unasked, survey.where(unanswered).exists()),
        _wishes(Said.consent, About.survey, number),
        ~_wishes(Said.do_not_call, About.campaigns, number),
        ~_wishes(Said.do_not_call, About.all, number),
        ~lately,
        ~on_the_list,
        ~for_the_desk,
        not_secret(),
    )
    rows = list(session.execute(statement.order_by(col(Call.started_at)).limit(MOST_AT_ONCE)).scalars())
    citizens = match_all(session, {row.number for row in rows})
    return [row for row in rows if surveys.may_be_asked(citizens.get(row.number))]


def _wishes(said: Said, about: About, number: Any) -> Any:
    """The condition that this number's person has said so, and not taken it back."""
    return exists().where(col(ContactWish.open_for) == literal(slot(said, about, "")).concat(number))


def _put(db: Database, campaign_id: int, call: Call, now: datetime) -> int:
    """One number on the list and the row that says that it is asked, together; 0 if somebody was quicker."""
    try:
        with db.session() as session:
            asked = session.execute(
                select(Survey).where(col(Survey.subject) == f"call:{call.call_id}").with_for_update()
            ).scalar_one_or_none()
            if asked is None:
                asked = Survey(subject=f"call:{call.call_id}", call_id=call.call_id, channel="", asked_at=now)
            elif asked.channel != Way.sms.value or asked.level is not None:
                return 0
            asked.channel, asked.number, asked.asked_at = Way.callback.value, call.number, now
            session.add(asked)
            session.add(
                CampaignTarget(
                    campaign_id=campaign_id,
                    number=call.number,
                    language=call.language if call.language in LANGUAGES else "zh",
                    state=TargetState.waiting.value,
                    next_at=now,
                    added_at=now,
                )
            )
    except IntegrityError:
        return 0
    return 1
