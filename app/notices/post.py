"""Sending notices by the channels of an office: claimed, sent outside of any transaction, written down.

A notice that could not be sent is tried again, later and later. A worker that was killed after sending and before
writing that down sends a second copy under the same Message-ID: rather twice than never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from app.alarms.service import clear_alarm, raise_alarm
from app.cases.tables import Case
from app.db import Database
from app.notices import people
from app.notices.channels import Letter, Port
from app.notices.model import OF_QUALITY, PATIENCE, Channel, NoticeKind
from app.notices.persons import may_still
from app.notices.tables import Notice, NoticeContact, NoticeDelivery
from app.notices.told import told_of
from app.notices.units import works_there
from app.notices.words import body, subject, text
from app.outgoing import LEASE, Away, DeliveryState, Refused, as_away
from app.settings import Settings

log = structlog.get_logger(__name__)

AT_ONCE = 20
MOST_IN_A_ROW = 2


@dataclass(frozen=True)
class _Claimed:
    delivery_id: int
    letter: Letter


@dataclass(frozen=True)
class _Outcome:
    """What came of one letter; `tried` is false for one that was not even offered to the other side."""

    state: DeliveryState
    fault: str = ""
    tried: bool = True


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
        outcomes = _send(port, claimed)
        _write_down(db, outcomes, now)
        sent += sum(one.state is DeliveryState.sent for one in outcomes.values())
        fault = next((one.fault for one in outcomes.values() if one.state is DeliveryState.waiting), "")
        if fault:
            raise_alarm(db, "notices_not_sent", {"fault": fault}, subject=channel.value, now=now)
        else:
            clear_alarm(db, "notices_not_sent", subject=channel.value, now=now)
    return sent


def _claim(db: Database, settings: Settings, channel: Channel, now: datetime) -> list[_Claimed]:
    waits = (
        (col(NoticeDelivery.state) == DeliveryState.waiting.value)
        & (col(NoticeDelivery.next_at) <= now)
        & (col(NoticeDelivery.channel) == channel.value)
    )
    statement = select(NoticeDelivery).where(waits).order_by(col(NoticeDelivery.next_at), col(NoticeDelivery.id))
    statement = statement.limit(AT_ONCE)
    with db.read() as session:
        if session.execute(statement.with_only_columns(col(NoticeDelivery.id)).limit(1)).first() is None:
            return []
    claimed = []
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
            claimed.append(_Claimed(row.id or 0, Letter(f"notice-{notice.id}", to, subject(told), words)))
    return claimed


def _still_told(session: Session, notice: Notice) -> bool:
    if notice.kind in OF_QUALITY:
        return may_still(session, notice.user_id, OF_QUALITY[NoticeKind(notice.kind)])
    if notice.case_id is None:
        return works_there(session, notice.user_id, notice.unit_id)
    return people.still_told(session, session.get_one(Case, notice.case_id), notice.user_id)


def _send(port: Port, claimed: list[_Claimed]) -> dict[int, _Outcome]:
    """Offer them one after another. Whatever may be wrong with one letter, the port is opened anew for the next."""
    outcomes: dict[int, _Outcome] = {}
    fault, in_a_row = "", 0
    try:
        with as_away():
            port.open()
        for one in claimed:
            try:
                with as_away():
                    port.send(one.letter)
                outcomes[one.delivery_id], in_a_row = _Outcome(DeliveryState.sent), 0
            except Refused as error:
                outcomes[one.delivery_id], in_a_row = _Outcome(DeliveryState.refused, str(error)), 0
            except Away as error:
                fault, in_a_row = str(error), in_a_row + 1
                outcomes[one.delivery_id] = _Outcome(DeliveryState.waiting, fault)
                if in_a_row == MOST_IN_A_ROW:  # it is not the letter
                    break
                port.close()
                with as_away():
                    port.open()
    except Away as error:
        fault = str(error)
    finally:
        port.close()
    if fault:
        log.warning("notices could not be sent; they are tried again", fault=fault)
    # Where the port is not there at all, that was a try for all of them.
    rest = _Outcome(DeliveryState.waiting, fault, tried=not outcomes)
    return {one.delivery_id: outcomes.get(one.delivery_id, rest) for one in claimed}


def _write_down(db: Database, outcomes: Mapping[int, _Outcome], now: datetime) -> None:
    with db.session() as session:
        for ident, outcome in outcomes.items():
            row = session.get(NoticeDelivery, ident, with_for_update=True)
            notice = session.get(Notice, row.notice_id) if row is not None else None
            if row is None or notice is None or row.state != DeliveryState.waiting.value:
                continue
            row.state, row.fault = outcome.state.value, outcome.fault[:40]
            if not outcome.tried:
                row.tries, row.next_at = row.tries - 1, now
            elif outcome.state is DeliveryState.waiting:
                row.next_at = now + PATIENCE.pause(row.tries)
                if now - notice.at > PATIENCE.whole:
                    row.state = DeliveryState.given_up.value
            if row.state != DeliveryState.waiting.value:
                row.done_at = now
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
