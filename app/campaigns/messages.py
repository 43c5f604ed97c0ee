"""Messages instead of calls: for those who want them, and at night where the campaign says so.

Like a call, a message is written down before it is sent. A worker that is killed in between leaves it unknown, and the
person gets no second one at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, select
from sqlmodel import Session, col

from app.campaigns.calling import apply, finish, write_attempt
from app.campaigns.hours import may_call
from app.campaigns.model import (
    AtNight,
    CampaignState,
    Channel,
    Ended,
    Kind,
    Outcome,
    TargetState,
    TargetStep,
    next_target,
)
from app.campaigns.service import hours_of
from app.campaigns.tables import Campaign, CampaignAttempt, CampaignTarget
from app.campaigns.targets import Person, forbids
from app.clock import local_day
from app.db import Database, found
from app.destinations import Destinations
from app.notices import model as notices
from app.notices.channels import Letter, Port
from app.outgoing import LEASE, Away, Refused, as_away
from app.settings import Settings
from app.workdays.service import calendar

log = structlog.get_logger(__name__)

AT_ONCE = 20
SUBJECT = {"zh": "12345热线通知", "yue": "12345熱線通知", "en": "12345 hotline"}
WAYS = {Channel.sms: notices.Channel.sms, Channel.email: notices.Channel.email}
MOBILE = Destinations((), ("mobile",))


@dataclass(frozen=True)
class _Claimed:
    attempt_id: int
    letter: Letter


def send_due(db: Database, settings: Settings, ports: Mapping[notices.Channel, Port], now: datetime) -> int:
    """One round of messages by every way that is set up; how many were sent."""
    _settle_lost(db, now)
    destinations, sent = Destinations.of(settings), 0
    for channel, way in WAYS.items():
        port = ports.get(way)
        claimed = _claim(db, settings, destinations, channel, now) if port is not None else []
        if port is not None and claimed:
            outcomes = _send(port, claimed)
            _write_down(db, outcomes, now)
            sent += sum(one is Outcome.sent for one in outcomes.values())
    if sent:
        finish(db, now)
    return sent


def text_of(row: Campaign, language: str) -> str:
    """What a message says: why we write, and the message."""
    told = row.texts.get(language) or row.texts["zh"]
    return "\n".join(part for part in (told["purpose"], told["message"]) if part)


def _claim(
    db: Database, settings: Settings, destinations: Destinations, channel: Channel, now: datetime
) -> list[_Claimed]:
    with db.read() as session:
        running = list(
            session.execute(
                select(Campaign)
                .where(col(Campaign.state) == CampaignState.running.value)
                .order_by(col(Campaign.priority).desc(), col(Campaign.id))
            ).scalars()
        )
        waits = [row.id or 0 for row in running if session.execute(_due(session, settings, row, channel, now)).first()]
    claimed: list[_Claimed] = []
    for campaign_id in waits:
        with db.session() as session:
            row = found(session, Campaign, campaign_id, lock=True)
            if row.state != CampaignState.running.value:
                continue
            statement = _due(session, settings, row, channel, now).limit(AT_ONCE - len(claimed)).with_for_update()
            for target in session.execute(statement).scalars():
                person = Person(target.number, target.language, channel.value, target.email)
                why = forbids(session, Kind(row.kind), destinations, [person], channel).get(target.number)
                if why is None and channel is Channel.sms and not MOBILE.may_call_back(target.number):
                    why = "not_allowed"
                if why is not None:
                    state = next_target(TargetState(target.state), TargetStep.leave_out)
                    target.state, target.why, target.ended_at = (state or TargetState.left_out).value, why, now
                    continue
                attempt = write_attempt(session, row, target, channel, now)
                language = target.language if target.language in row.texts else "zh"
                to = target.email if channel is Channel.email else target.number
                letter = Letter(f"campaign-{attempt.id}", to, SUBJECT[language], text_of(row, language))
                claimed.append(_Claimed(attempt.id or 0, letter))
        if len(claimed) >= AT_ONCE:
            break
    return claimed


def _due(session: Session, settings: Settings, row: Campaign, channel: Channel, now: datetime) -> Select[Any]:
    """The targets that are to be told by this channel now."""
    ways = [channel.value, *([""] if row.channel == channel.value else [])]
    if channel is Channel.sms and row.at_night == AtNight.sms.value:
        days = calendar(session, local_day(now, settings.zone))
        if not may_call(hours_of(row, settings), days, settings.zone, now):
            ways += [Channel.phone.value, *([""] if row.channel == Channel.phone.value else [])]
    return (
        select(CampaignTarget)
        .where(
            col(CampaignTarget.campaign_id) == row.id,
            col(CampaignTarget.state) == TargetState.waiting.value,
            col(CampaignTarget.next_at) <= now,
            col(CampaignTarget.channel).in_(ways),
        )
        .order_by(col(CampaignTarget.next_at), col(CampaignTarget.id))
    )


def _send(port: Port, claimed: list[_Claimed]) -> dict[int, Outcome]:
    outcomes = {one.attempt_id: Outcome.not_sent for one in claimed}
    try:
        with as_away():
            port.open()
        for one in claimed:
            try:
                with as_away():
                    port.send(one.letter)
                outcomes[one.attempt_id] = Outcome.sent
            except Refused as error:
                log.info("a message was refused", attempt=one.attempt_id, fault=str(error))
    except Away as error:
        log.warning("messages of campaigns could not be sent; they are tried again", fault=str(error))
    finally:
        port.close()
    return outcomes


def _write_down(db: Database, outcomes: Mapping[int, Outcome], now: datetime) -> None:
    with db.session() as session:
        for attempt_id, outcome in outcomes.items():
            attempt = found(session, CampaignAttempt, attempt_id, lock=True)
            apply(session, attempt, outcome, Ended(said=outcome is Outcome.sent), now)


def _settle_lost(db: Database, now: datetime) -> None:
    """What a killed worker had in hand: it may have been sent."""
    lost = (
        select(CampaignAttempt)
        .where(
            col(CampaignAttempt.settled_at).is_(None),
            col(CampaignAttempt.channel) != Channel.phone.value,
            col(CampaignAttempt.at) < now - LEASE,
        )
        .limit(AT_ONCE)
    )
    with db.read() as session:
        if session.execute(lost.with_only_columns(col(CampaignAttempt.id))).first() is None:
            return
    with db.session() as session:
        for attempt in session.execute(lost.with_for_update(skip_locked=True)).scalars():
            apply(session, attempt, Outcome.unknown, Ended(), now)
