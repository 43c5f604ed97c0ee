"""Promises that the queue keeps: a call-back with a place in line, dialled by the queue when its turn comes (T5).

The queue says what became of each step; every function here may be told the same twice, and late, and then changes
nothing. What an agent does by hand is in `service`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.callbacks.model import CallbackEvent, CallbackState, LineStep
from app.callbacks.service import close, move
from app.callbacks.tables import Callback
from app.clock import from_ms, utc_now
from app.db import Database, found
from app.errors import Refused
from app.text import clean

_KEPT = (CallbackState.open.value, CallbackState.dialling.value)


def promised(session: Session) -> Sequence[Callback]:
    """The open promises with a place that are the queue's, or not yet looked at by it; the first in line first."""
    statement = select(Callback).where(
        col(Callback.state).in_(_KEPT), col(Callback.placed_at).is_not(None), col(Callback.in_line).is_not(False)
    )
    return session.execute(statement.order_by(col(Callback.placed_at), col(Callback.id))).scalars().all()


def enter(
    db: Database, callback_id: int, placed_at: datetime, priority: int, skills: Mapping[str, int], most_attempts: int
) -> None:
    """The queue has it, at this place and with its own number of attempts. Raises NotFound, Busy."""
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        if row.in_line is None and row.state == CallbackState.open.value:
            row.in_line, row.placed_at, row.priority, row.skills = True, placed_at, priority, dict(skills)
            row.most_attempts = most_attempts


def leave(db: Database, callback_id: int) -> None:
    """The queue lets go of it; whoever works through the list calls. An attempt that was not made does not count."""
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        if row.state == CallbackState.dialling.value:
            move(row, CallbackEvent.release)
            row.attempts, row.agent_id = max(0, row.attempts - 1), None
        row.in_line = False


def dial(db: Database, callback_id: int, agent_id: str, attempt: int, *, now: datetime | None = None) -> Callback:
    """The queue is about to dial: nobody else may from now on. `agent_id` waits on the line, or is "".

    Raises NotFound, Busy, Refused: somebody has taken it, or it is over.
    """
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        if row.state == CallbackState.dialling.value and row.attempts == attempt:
            return row
        if row.in_line is False:
            raise Refused("该回拨请求已由坐席处理。", "An agent has this call-back.", code="wrong_state")
        move(row, CallbackEvent.dial)
        row.attempts, row.taken_at, row.agent_id = attempt, now or utc_now(), agent_id or None
        return row


def rest(db: Database, callback_id: int, attempts: int, due_at: datetime, why: str = "") -> None:
    """It rests until `due_at`: after an attempt in vain (`why`), or because citizens are not called at this hour."""
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        dialling = row.state == CallbackState.dialling.value
        if row.state not in _KEPT or row.attempts > attempts or (dialling and row.attempts != attempts):
            return  # told late: another attempt goes on
        if dialling:
            move(row, CallbackEvent.miss)
        row.attempts, row.due_at, row.agent_id = attempts, due_at, None
        row.result = clean(why, 64) or row.result


def end(
    db: Database, callback_id: int, event: CallbackEvent, attempts: int | None, why: str, *, now: datetime | None = None
) -> None:
    """The promise is over: kept, given up, or not wanted any more. `attempts`: those made, None for those known."""
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        if row.state not in _KEPT:
            return
        close(row, event, why, now)
        row.in_line = False
        row.attempts = row.attempts if attempts is None else attempts


def note(db: Database, callback_id: int, what: LineStep, data: Mapping[str, Any]) -> None:
    """One step as the queue tells it: times in it are epoch milliseconds. Raises NotFound, Busy."""
    why, attempts = str(data.get("why", "")), data.get("attempts")
    match what:
        case LineStep.entered:
            placed_at, most = from_ms(int(data["placed_ms"])), int(data["most_attempts"])
            enter(db, callback_id, placed_at, int(data["priority"]), data["skills"], most)
        case LineStep.rests:
            rest(db, callback_id, int(data["attempts"]), from_ms(int(data["due_ms"])), why)
        case LineStep.left:
            leave(db, callback_id)
        case LineStep.reached:
            end(db, callback_id, CallbackEvent.reach, attempts, why or "reached")
        case LineStep.given_up:
            end(db, callback_id, CallbackEvent.give_up, attempts, why)
        case LineStep.withdrawn:
            end(db, callback_id, CallbackEvent.cancel, attempts, why)


def skills_of(row: Callback) -> Mapping[str, int]:
    """The skills that whoever calls must have."""
    return {str(skill): int(level) for skill, level in (row.skills or {}).items()}
