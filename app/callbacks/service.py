"""Call-backs instead of waiting: one open promise per number (T5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.auth.model import Permission
from app.callbacks.model import MOST_ATTEMPTS, OPEN, CallbackEvent, CallbackState, next_state
from app.callbacks.tables import Callback
from app.calls.model import CallFacts
from app.calls.service import merge
from app.citizens.service import match
from app.clock import iso, utc_now
from app.db import Database
from app.errors import BadInput, NotFound, Refused
from app.paging import Leaf, Page, equal, page_of
from app.text import clean, masked_number, normal_number


def request(db: Database, facts: CallFacts, *, now: datetime | None = None) -> Callback:
    """Promise to call back; a number that already has an open promise keeps that one.

    Raises BadInput for a withheld number, Busy.
    """
    now = now or utc_now()
    number = normal_number(facts.number)
    if len(number) < 3:
        raise BadInput(fields={"number": "来电未显示号码,无法回拨 (no number to call)"})
    try:
        with db.session() as session:
            known = _open_for(session, number)
            if known is not None:
                return known
            row = Callback(
                number=number,
                open_for=number,
                call_id=facts.call_id,
                language=clean(facts.language, 8) or "zh",
                queue=clean(facts.queue, 32),
                state=CallbackState.open.value,
                requested_at=now,
            )
            session.add(row)
            merge(session, facts.call_id, outcome="callback", number=number, started_at=facts.started_at)
            session.flush()
            return row
    except IntegrityError:
        with db.read() as session:
            known = _open_for(session, number)
        if known is None:
            raise
        return known


def take(db: Database, actor: Actor, callback_id: int, *, now: datetime | None = None) -> Callback:
    """An agent begins to call. Raises Forbidden, NotFound, Refused when another agent has it or it is over."""
    actor.require(Permission.callbacks_handle)
    with db.session() as session:
        row = _locked(session, callback_id)
        taken_by_other = row.state == CallbackState.taken.value and row.agent_id not in (None, actor.agent_id)
        if taken_by_other and not actor.is_system:
            raise Refused("该回拨正由其他坐席处理。", "Another agent is already calling.", code="taken")
        if row.state != CallbackState.taken.value:
            row.attempts += 1
            row.taken_at = now or utc_now()
        _move(row, CallbackEvent.take)
        row.agent_id = actor.agent_id
        return row


def reached(db: Database, callback_id: int, *, now: datetime | None = None) -> Callback:
    """The citizen was spoken with."""
    return _finish(db, callback_id, CallbackEvent.reach, "reached", now)


def missed(db: Database, callback_id: int, why: str, *, now: datetime | None = None) -> Callback:
    """Nobody answered; after three tries it is given up, before that it waits for the next."""
    with db.session() as session:
        row = _locked(session, callback_id)
        event = CallbackEvent.give_up if row.attempts >= MOST_ATTEMPTS else CallbackEvent.miss
        _move(row, event)
        row.result = clean(why, 64)
        row.agent_id = None if event is CallbackEvent.miss else row.agent_id
        if event is CallbackEvent.give_up:
            row.closed_at = now or utc_now()
        return row


def cancel(db: Database, actor: Actor, callback_id: int, why: str = "", *, now: datetime | None = None) -> Callback:
    """The promise is withdrawn. Raises Forbidden, NotFound, Refused."""
    actor.require(Permission.callbacks_handle)
    return _finish(db, callback_id, CallbackEvent.cancel, why or "cancelled", now)


def answered_meanwhile(session: Session, number: str, *, now: datetime | None = None) -> None:
    """The citizen called again and was served: the open promise is kept."""
    row = _open_for(session, normal_number(number))
    if row is not None:
        _move(row, CallbackEvent.reach)
        row.result, row.closed_at = "called again", now or utc_now()


def get(session: Session, actor: Actor, callback_id: int) -> Callback:
    """One call-back. Raises Forbidden, NotFound."""
    actor.require(Permission.callbacks_handle)
    row = session.get(Callback, callback_id)
    if row is None:
        raise NotFound()
    return row


def list_callbacks(session: Session, actor: Actor, *, state: str = "", leaf: Leaf | None = None) -> Page[Callback]:
    """Call-backs; those still open first, the longest waiting first among them. Raises Forbidden."""
    actor.require(Permission.callbacks_handle)
    is_closed = col(Callback.open_for).is_(None)
    statement = select(Callback).order_by(is_closed, col(Callback.requested_at))
    return page_of(session, equal(statement, {Callback.state: state}), leaf)


def callback_json(session: Session, actor: Actor, row: Callback) -> dict[str, Any]:
    """One call-back as the asker may see it."""
    citizen = match(session, row.number)
    clear = actor.sees_personal(confidential=bool(citizen and citizen.confidential), owner=row.agent_id)
    return {
        "id": row.id,
        "number": row.number if clear else masked_number(row.number),
        "call_id": row.call_id,
        "language": row.language,
        "queue": row.queue,
        "state": row.state,
        "requested_at": iso(row.requested_at),
        "attempts": row.attempts,
        "agent_id": row.agent_id,
        "taken_at": iso(row.taken_at),
        "closed_at": iso(row.closed_at),
        "result": row.result,
    }


def _finish(db: Database, callback_id: int, event: CallbackEvent, result: str, now: datetime | None) -> Callback:
    with db.session() as session:
        row = _locked(session, callback_id)
        _move(row, event)
        row.result, row.closed_at = clean(result, 64), now or utc_now()
        return row


def _move(row: Callback, event: CallbackEvent) -> None:
    state = next_state(CallbackState(row.state), event)
    row.state = state.value
    row.open_for = row.number if state in OPEN else None


def _open_for(session: Session, number: str) -> Callback | None:
    return session.execute(select(Callback).where(col(Callback.open_for) == number)).scalar_one_or_none()


def _locked(session: Session, callback_id: int, actor: Actor = SYSTEM) -> Callback:
    row = session.get(Callback, callback_id, with_for_update=True)
    if row is None:
        raise NotFound()
    return row
