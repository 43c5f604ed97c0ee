"""Messages to citizens: answers that they asked for in a call, and the question how satisfied they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.alarms.service import clear_alarm, raise_alarm
from app.clock import local_day, utc_now
from app.db import Database
from app.destinations import KINDS
from app.knowledge import by_phone
from app.notices.channels import Letter, Port
from app.notices.model import PATIENCE, Channel
from app.notices.offering import offer, settle
from app.outgoing import LEASE, DeliveryState
from app.selfservice.model import MOST_MESSAGES, WINDOW, Sent, message
from app.selfservice.tables import CitizenMessage, WrongTry
from app.settings import Settings
from app.text import is_call_id, normal_number

AT_ONCE = 20
LONGEST = 500
KEPT = timedelta(days=30)
"""So long a settled message keeps its number and text."""
_MOBILE = re.compile(KINDS["mobile"])


def is_mobile(number: str) -> bool:
    """Whether a message can be sent to it."""
    return _MOBILE.fullmatch(normal_number(number)) is not None


def send_answer(
    db: Database,
    settings: Settings,
    code: str,
    language: str,
    call_id: str,
    number: str,
    *,
    now: datetime | None = None,
) -> Sent:
    """Puts the answer of that number on its way to a caller who has agreed: once a call, and so many a day.

    Raises Busy.
    """
    now, to = now or utc_now(), normal_number(number)
    if not settings.sms_url or not is_mobile(to) or not is_call_id(call_id):
        return Sent.impossible
    try:
        with db.session() as session:
            found = by_phone.answer(session, code, (language,), local_day(now, settings.zone))
            key = f"answer:{call_id}"
            if found is None:
                return Sent.impossible
            if session.execute(select(col(CitizenMessage.id)).where(col(CitizenMessage.key) == key)).first():
                return Sent.sent_before
            lately = (col(CitizenMessage.number) == to) & (col(CitizenMessage.at) > now - WINDOW)
            count = select(func.count(col(CitizenMessage.id))).where(lately, col(CitizenMessage.key).like("answer:%"))
            if session.execute(count).scalar_one() >= MOST_MESSAGES:
                return Sent.impossible
            queue(session, key, to, message(found.title, found.phone, found.code), now)
            return Sent.sent
    except IntegrityError:
        return Sent.sent_before


def queue(session: Session, key: str, number: str, text: str, now: datetime) -> None:
    """On its way. Raises IntegrityError at the flush for a key that there is already."""
    waiting = DeliveryState.waiting.value
    session.add(CitizenMessage(key=key, number=number, text=text[:LONGEST], at=now, state=waiting, next_at=now))
    session.flush()


def send_waiting(db: Database, ports: Mapping[Channel, Port], now: datetime) -> int:
    """One round; how many were sent. Without a gateway they end as `off`: nothing is poured out when it is set up."""
    port = ports.get(Channel.sms)
    claimed = _claim(db, now, off=port is None)
    if port is None or not claimed:
        return 0
    outcomes = offer(port, claimed)
    with db.session() as session:
        for ident, outcome in outcomes.items():
            row = session.get(CitizenMessage, ident, with_for_update=True)
            if row is not None and row.state == DeliveryState.waiting.value:
                settle(row, outcome, row.at, PATIENCE, now)
                session.add(row)
    fault = next((one.fault for one in outcomes.values() if one.state is DeliveryState.waiting), "")
    if fault:
        raise_alarm(db, "notices_not_sent", {"fault": fault}, subject=Channel.sms.value, now=now)
    else:
        clear_alarm(db, "notices_not_sent", subject=Channel.sms.value, now=now)
    return sum(one.state is DeliveryState.sent for one in outcomes.values())


def forget(db: Database, now: datetime) -> int:
    """Numbers and texts of messages that are long settled go, and tries that count no more; how many rows."""
    settled = (col(CitizenMessage.done_at) < now - KEPT) & (col(CitizenMessage.number) != "")
    old = col(WrongTry.at) < now - 2 * WINDOW
    with db.read() as session:
        messages = session.execute(select(col(CitizenMessage.id)).where(settled).limit(500)).scalars().all()
        tries = session.execute(select(col(WrongTry.id)).where(old).limit(500)).scalars().all()
    if messages or tries:
        with db.session() as session:
            session.execute(
                update(CitizenMessage).where(col(CitizenMessage.id).in_(messages)).values(number="", text="")
            )
            for ident in tries:
                row = session.get(WrongTry, ident)
                if row is not None:
                    session.delete(row)
    return len(messages) + len(tries)


def _claim(db: Database, now: datetime, *, off: bool) -> dict[int, Letter]:
    waits = (col(CitizenMessage.state) == DeliveryState.waiting.value) & (col(CitizenMessage.next_at) <= now)
    statement = select(CitizenMessage).where(waits).order_by(col(CitizenMessage.next_at), col(CitizenMessage.id))
    statement = statement.limit(AT_ONCE)
    with db.read() as session:
        if session.execute(statement.with_only_columns(col(CitizenMessage.id)).limit(1)).first() is None:
            return {}
    claimed: dict[int, Letter] = {}
    with db.session() as session:
        for row in session.execute(statement.with_for_update(skip_locked=True)).scalars():
            if off:
                row.state, row.done_at = DeliveryState.off.value, now
            else:
                row.next_at, row.tries = now + LEASE, row.tries + 1
                claimed[row.id or 0] = Letter(f"citizen-{row.id}", row.number, "", row.text)
            session.add(row)
    return claimed
