"""Asking citizens how satisfied they were with a call (T12): by keys at its end, else by one SMS, and never twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, exists, func, literal, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.calls.tables import Call
from app.citizens.service import match_all
from app.citizens.tables import Citizen
from app.clock import utc_now
from app.db import Database
from app.selfservice.messages import is_mobile, queue
from app.selfservice.model import (
    CALLBACK_UNTIL,
    LEVELS,
    SURVEY,
    SURVEY_AFTER,
    SURVEY_AGAIN,
    SURVEY_UNTIL,
    Channel,
)
from app.selfservice.tables import Survey
from app.settings import Settings
from app.text import is_call_id, normal_number

AT_ONCE = 50
PAGE = 500


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
        wanted = _wanted(session, now)
    sent = 0
    for call in wanted:
        try:
            with db.session() as session:
                sent += _ask(session, call, now)
        except IntegrityError:
            continue
    return sent


def rate_call(db: Database, number: str, level: int, *, now: datetime | None = None) -> bool:
    """The answer of whoever was asked by SMS (and perhaps is to be called because of it by now), from that telephone;
    False if nothing is to be answered. Raises Busy."""
    now, caller = now or utc_now(), normal_number(number)
    if not caller or level not in LEVELS:
        return False
    with db.session() as session:
        return _keep(session, caller, level, (Channel.sms, Channel.callback), now - SURVEY_AGAIN, now)


def rate_by_callback(session: Session, number: str, level: int, now: datetime) -> bool:
    """The answer of whoever was called back to be asked, in the transaction that settles that call; False if nothing
    is to be answered (any more)."""
    if level not in LEVELS:
        return False
    return _keep(session, normal_number(number), level, (Channel.callback,), now - CALLBACK_UNTIL, now)


def _open(number: str, channels: Collection[Channel], since: datetime) -> Select[Any]:
    """The latest question to this telephone that nobody has answered."""
    return (
        select(Survey)
        .where(
            col(Survey.number) == number,
            col(Survey.channel).in_([channel.value for channel in channels]),
            col(Survey.level).is_(None),
            col(Survey.asked_at) > since,
        )
        .order_by(col(Survey.id).desc())
        .limit(1)
    )


def _keep(
    session: Session, number: str, level: int, channels: Collection[Channel], since: datetime, now: datetime
) -> bool:
    """That question is answered, and so its call is rated."""
    waiting = _open(number, channels, since).with_for_update()
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


def may_be_asked(citizen: Citizen | None) -> bool:
    """Nobody who asked for secrecy, and nobody who misuses the hotline."""
    return citizen is None or not (citizen.confidential or citizen.harassment)


def of_call(call_id: Any) -> Any:
    """The condition for the survey of a call, by the key that is unique."""
    return col(Survey.subject) == literal("call:").concat(call_id)


def has_answered(session: Session, number: str) -> bool:
    """Whether whoever was to be called back to be asked has answered meanwhile, by calling."""
    of = (col(Survey.number) == number) & (col(Survey.channel) == Channel.callback.value)
    latest = select(col(Survey.level)).where(of).order_by(col(Survey.id).desc()).limit(1)
    return session.execute(latest).scalar_one_or_none() is not None


def _wanted(session: Session, now: datetime) -> list[Call]:
    """The calls of people who can be sent an SMS, the oldest first, AT_ONCE at most. Those who can't be stay unasked,
    and don't stand in the way of the others however many they are."""
    found: list[Call] = []
    after: tuple[datetime, str] | None = None
    while calls := _unasked(session, now, after):
        after = (calls[-1].started_at, calls[-1].call_id)
        citizens = match_all(session, {call.number for call in calls})
        for call in calls:
            if is_mobile(call.number) and may_be_asked(citizens.get(call.number)):
                found.append(call)
        if len(found) >= AT_ONCE:
            break
    return found[:AT_ONCE]


def _unasked(session: Session, now: datetime, after: tuple[datetime, str] | None) -> list[Call]:
    """Calls that nobody was asked about, a page behind that one."""
    asked = exists().where(of_call(col(Call.call_id)))
    lately = exists().where(col(Survey.number) == col(Call.number), col(Survey.asked_at) > now - SURVEY_AGAIN)
    statement = select(Call).where(
        col(Call.started_at) > now - SURVEY_UNTIL,
        col(Call.ended_at) > now - SURVEY_UNTIL,
        col(Call.ended_at) <= now - SURVEY_AFTER,
        col(Call.answered_at).is_not(None),
        col(Call.rating).is_(None),
        col(Call.direction) == "in",
        col(Call.number) != "",
        ~asked,
        ~lately,
    )
    if after is not None:
        at, ident = after
        behind = (col(Call.started_at) == at) & (col(Call.call_id) > ident)
        statement = statement.where(or_(col(Call.started_at) > at, behind))
    statement = statement.order_by(col(Call.started_at), col(Call.call_id)).limit(PAGE)
    return list(session.execute(statement).scalars())


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
