"""Sending notices by the channels of an office: claimed, sent outside of any transaction, written down.

A notice that could not be sent is tried again, later and later. A worker that was killed after sending and before
writing that down sends a second copy under the same Message-ID: rather twice than never.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.alarms.service import clear_alarm, raise_alarm
from app.cases.tables import Case
from app.db import Database
from app.notices import people
from app.notices.channels import Letter, Port
from app.notices.model import OF_QUALITY, PATIENCE, Channel, NoticeKind
from app.notices.offering import Outcome, offer, settle
from app.notices.persons import may_still
from app.notices.tables import Notice, NoticeContact, NoticeDelivery
from app.notices.told import told_of
from app.notices.units import works_there
from app.notices.words import body, subject, text
from app.outgoing import LEASE, DeliveryState
from app.settings import Settings

AT_ONCE = 20


def send_waiting(db: Database, settings: Settings, ports: Mapping[Channel, Port], now: datetime) -> int:
    """One round by every channel; how many were sent. What a channel can't take now waits for its next try."""
    sent = 0
    for channel in Channel:
        port = ports.get(channel)
        if port is None:
            _mark_off(db, channel, now)
            continue
        claimed = _claim(db, settings, channel, now)
        if not claimed:
            continue
        outcomes = offer(port, claimed)
        _write_down(db, outcomes, now)
        sent += sum(one.state is DeliveryState.sent for one in outcomes.values())
        fault = next((one.fault for one in outcomes.values() if one.state is DeliveryState.waiting), "")
        if fault:
            raise_alarm(db, "notices_not_sent", {"fault": fault}, subject=channel.value, now=now)
        else:
            clear_alarm(db, "notices_not_sent", subject=channel.value, now=now)
    return sent


def _claim(db: Database, settings: Settings, channel: Channel, now: datetime) -> dict[int, Letter]:
    waits = (
        (col(NoticeDelivery.state) == DeliveryState.waiting.value)
        & (col(NoticeDelivery.next_at) <= now)
        & (col(NoticeDelivery.channel) == channel.value)
    )
    statement = select(NoticeDelivery).where(waits).order_by(col(NoticeDelivery.next_at), col(NoticeDelivery.id))
    statement = statement.limit(AT_ONCE)
    with db.read() as session:
        if session.execute(statement.with_only_columns(col(NoticeDelivery.id)).limit(1)).first() is None:
            return {}
    claimed: dict[int, Letter] = {}
    with db.session() as session:
        for row in session.execute(statement.with_for_update(skip_locked=True)).scalars():
            row.next_at, row.tries = now + LEASE, row.tries + 1
            session.add(row)
            notice = session.get(Notice, row.notice_id)
            contact = session.get(NoticeContact, notice.user_id) if notice is not None else None
            to = "" if contact is None else contact.email if channel is Channel.email else contact.mobile
            if notice is None or not to or not _still_told(session, notice):
                row.state, row.done_at = DeliveryState.off.value, now
                continue
            told = told_of(session, notice)
            words = body(told, settings.zone) if channel is Channel.email else text(told, settings.zone)
            claimed[row.id or 0] = Letter(f"notice-{notice.id}", to, subject(told), words)
    return claimed


def _still_told(session: Session, notice: Notice) -> bool:
    if notice.kind in OF_QUALITY:
        return may_still(session, notice.user_id, OF_QUALITY[NoticeKind(notice.kind)])
    if notice.case_id is None:
        return works_there(session, notice.user_id, notice.unit_id)
    return people.still_told(session, session.get_one(Case, notice.case_id), notice.user_id)


def _write_down(db: Database, outcomes: Mapping[int, Outcome], now: datetime) -> None:
    with db.session() as session:
        for ident, outcome in outcomes.items():
            row = session.get(NoticeDelivery, ident, with_for_update=True)
            notice = session.get(Notice, row.notice_id) if row is not None else None
            if row is None or notice is None or row.state != DeliveryState.waiting.value:
                continue
            settle(row, outcome, notice.at, PATIENCE, now)
            session.add(row)


def _mark_off(db: Database, channel: Channel, now: datetime) -> None:
    """Nothing piles up for a channel that is off, to be poured out on the day it is set up; the row says so."""
    mine = (col(NoticeDelivery.state) == DeliveryState.waiting.value) & (col(NoticeDelivery.channel) == channel.value)
    statement = select(NoticeDelivery).where(mine, col(NoticeDelivery.next_at) <= now).limit(AT_ONCE)
    with db.read() as session:
        if session.execute(statement.with_only_columns(col(NoticeDelivery.id))).first() is None:
            return
    with db.session() as session:
        for row in session.execute(statement.with_for_update(skip_locked=True)).scalars():
            row.state, row.done_at = DeliveryState.off.value, now
            session.add(row)
