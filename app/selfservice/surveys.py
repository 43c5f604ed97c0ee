"""Asking citizens how satisfied they were with a call (T12): by keys at its end, else by one SMS, and never twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.calls.tables import Call
from app.citizens.service import match_all
from app.clock import utc_now
from app.db import Database
from app.selfservice.messages import is_mobile, queue
from app.selfservice.model import LEVELS, SURVEY, SURVEY_AFTER, SURVEY_AGAIN, SURVEY_UNTIL, Channel
from app.selfservice.tables import Survey
from app.settings import Settings
from app.text import is_call_id, normal_number

AT_ONCE = 50


def asked_by_keys(db: Database, call_id: str, *, now: datetime | None = None) -> bool:
    """The caller hears the question now; False if they were asked before about this call. Raises Busy."""
    if not is_call_id(call_id):
        return True
    try:
        with db.session() as session:
            asked = Survey(
                subject=f"call:{call_id}", call_id=call_id, channel=Channel.keys.value, asked_at=now or utc_now()
            )
            session.add(asked)
    except IntegrityError:
        return False
    return True


def ask_by_sms(db: Database, settings: Settings, now: datetime) -> int:
    """Whoever talked with an agent and was not asked at the end of the call gets one SMS; how many that were.

    Nobody more often than once a week, nobody who asked for secrecy, and only if the office wants it.
    """
    if not (settings.survey_sms and settings.sms_url):
        return 0
    with db.read() as session:
        calls = _unasked(session, now)
        citizens = match_all(session, {normal_number(call.number) for call in calls if call.number})
    wanted = [
        call
        for call in calls
        if is_mobile(call.number)
        and not ((citizen := citizens.get(normal_number(call.number))) and (citizen.confidential or citizen.harassment))
    ]
    sent = 0
    for call in wanted:
        try:
            with db.session() as session:
                sent += _ask(session, call, now)
        except IntegrityError:
            continue
    return sent


def rate_call(db: Database, number: str, level: int, *, now: datetime | None = None) -> bool:
    """The answer of whoever was asked by SMS, from that telephone; False if nothing is to be answered. Raises Busy."""
    now, caller = now or utc_now(), normal_number(number)
    if not caller or level not in LEVELS:
        return False
    waiting = (
        select(Survey)
        .where(
            col(Survey.number) == caller,
            col(Survey.channel) == Channel.sms.value,
            col(Survey.level).is_(None),
            col(Survey.asked_at) > now - SURVEY_AGAIN,
        )
        .order_by(col(Survey.id).desc())
        .limit(1)
        .with_for_update()
    )
    with db.session() as session:
        row: Survey | None = session.execute(waiting).scalar_one_or_none()
        if row is None:
            return False
        row.level, row.answered_at = level, now
        session.add(row)
        call = session.get(Call, row.call_id) if row.call_id else None
        if call is not None and call.rating is None:
            call.rating = level
            session.add(call)
        return True


def answered(session: Session, since: datetime, until: datetime) -> tuple[int, int]:
    """Of those who were asked about a call within that time: (how many said something, how many were asked)."""
    said = case((func.coalesce(col(Survey.level), col(Call.rating)).is_not(None), 1), else_=0)
    row = session.execute(
        select(func.coalesce(func.sum(said), 0), func.count(col(Survey.id)))
        .select_from(Survey)
        .outerjoin(Call, col(Call.call_id) == col(Survey.call_id))
        .where(col(Survey.asked_at) > since, col(Survey.asked_at) <= until, col(Survey.channel) != Channel.own.value)
    ).one()
    return int(row[0]), int(row[1])


def _unasked(session: Session, now: datetime) -> list[Call]:
    asked = exists().where(col(Survey.call_id) == col(Call.call_id))
    statement = select(Call).where(
        col(Call.started_at) > now - SURVEY_UNTIL,
        col(Call.ended_at) > now - SURVEY_UNTIL,
        col(Call.ended_at) <= now - SURVEY_AFTER,
        col(Call.answered_at).is_not(None),
        col(Call.rating).is_(None),
        col(Call.direction) == "in",
        col(Call.number) != "",
        ~asked,
    )
    return list(session.execute(statement.order_by(col(Call.started_at)).limit(AT_ONCE)).scalars())


def _ask(session: Session, call: Call, now: datetime) -> bool:
    """One question, unless this telephone was asked lately: then the call is left unasked for good."""
    number = normal_number(call.number)
    lately = select(col(Survey.id)).where(col(Survey.number) == number, col(Survey.asked_at) > now - SURVEY_AGAIN)
    if session.execute(lately).first():
        return False
    session.add(
        Survey(
            subject=f"call:{call.call_id}",
            call_id=call.call_id,
            channel=Channel.sms.value,
            number=number,
            asked_at=now,
        )
    )
    queue(session, f"survey:{call.call_id}", number, SURVEY, now)
    return True
