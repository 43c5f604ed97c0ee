"""Call-backs instead of waiting: one open promise per number (T5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.agents.service import agent_names
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.callbacks.model import (
    MOST_ATTEMPTS,
    OPEN,
    RETRY_AFTER,
    AttemptOutcome,
    CallbackEvent,
    CallbackState,
    Place,
    next_state,
)
from app.callbacks.tables import Callback
from app.calls.model import CallFacts
from app.calls.service import merge
from app.calls.tables import Call
from app.citizens.service import match
from app.clock import iso, to_ms, utc_now
from app.db import Database, found
from app.destinations import Destinations
from app.errors import BadInput, Refused
from app.paging import Leaf, Page, equal, page_of
from app.text import clean, masked_number, normal_number


def request(
    db: Database,
    facts: CallFacts,
    destinations: Destinations,
    *,
    place: Place | None = None,
    most_attempts: int = MOST_ATTEMPTS,
    now: datetime | None = None,
) -> Callback:
    """Promise to call back, in up to `most_attempts` tries; a number that has an open promise keeps that one.

    `place`: where the caller stands in the queue, for the queue to call them when it would have been their turn;
    without it agents call from their list.

    Raises BadInput for a withheld number and for one that may not be called back, Busy.
    """
    now = now or utc_now()
    number = normal_number(facts.number)
    if len(number) < 3:
        raise BadInput(fields={"number": "来电未显示号码,无法回拨 (no number to call)"})
    if not destinations.may_call_back(number):
        raise BadInput(fields={"number": "该号码不在可回拨范围内 (this number may not be called back)"})
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
                queue=clean((place.queue if place else "") or facts.queue, 32),
                state=CallbackState.open.value,
                requested_at=now,
                most_attempts=most_attempts,
                placed_at=(place.since or now) if place else None,
                skills=dict(place.skills) if place else None,
                priority=place.priority if place else 0,
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
    """An agent begins to call. Pressed twice it is one try.

    Raises Forbidden, NotFound, Refused: another agent has it (says who), it is over, or the asker has no staff number.
    """
    actor.require(Permission.callbacks_handle)
    if actor.agent_id is None and not actor.is_system:
        raise Refused("只有有工号的坐席可以领取回拨。", "Only agents with a staff number call back.", code="no_phone")
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        if row.state == CallbackState.dialling.value:
            raise Refused("系统正在拨打该号码，请稍候。", "The queue is calling this number just now.", code="dialling")
        if _is_anothers(row, actor) and not actor.is_system:
            raise _taken_by_other(session, row)
        if row.state != CallbackState.taken.value:
            row.attempts += 1
            row.taken_at = now or utc_now()
        move(row, CallbackEvent.take)
        row.agent_id = actor.agent_id
        row.in_line = False  # what a person has taken in hand stays with people
        return row


def release(db: Database, actor: Actor, callback_id: int) -> Callback:
    """Put back what was taken and not called: the try does not count. Putting back twice changes nothing.

    Raises Forbidden, NotFound, Refused (another agent has it; supervisors may put that back, which is audited).
    """
    with db.session() as session:
        row = _held(session, actor, callback_id, "release")
        if row.state == CallbackState.taken.value:
            _put_back(row)
        return row


def reached(db: Database, callback_id: int, *, by: Actor = SYSTEM, now: datetime | None = None) -> Callback:
    """The citizen was spoken with. For one that is closed already nothing changes. Raises what `release` raises."""
    with db.session() as session:
        row = _held(session, by, callback_id, "reached")
        if row.open_for is not None:
            close(row, CallbackEvent.reach, "reached", now)
        return row


def missed(
    db: Database,
    callback_id: int,
    why: str,
    *,
    by: Actor = SYSTEM,
    attempt: int | None = None,
    now: datetime | None = None,
) -> Callback:
    """Nobody answered: it waits for the next try, or is given up after the last one that was promised.

    Reported twice it counts once: when no try is going on, or (with `attempt`, the number of `attempts` when the call
    began) another one is by now, nothing changes. Raises what `release` raises.
    """
    now = now or utc_now()
    with db.session() as session:
        row = _held(session, by, callback_id, "missed")
        if row.state != CallbackState.taken.value or attempt not in (None, row.attempts):
            return row
        _miss(row, why, now)
        return row


def settle(
    db: Database,
    callback_id: int,
    taken_ms: int,
    outcome: AttemptOutcome,
    why: str = "",
    *,
    now: datetime | None = None,
) -> bool:
    """How the attempt that was taken at `taken_ms` went; False, and nothing done, when it was dealt with already.

    May be told twice, and late. An attempt for which nobody was rung does not count. Raises NotFound, Busy.
    """
    with db.session() as session:
        row = found(session, Callback, callback_id, lock=True)
        return _settle(row, taken_ms, outcome, why, now or utc_now())


def settle_forgotten(db: Database, alive: Collection[int], *, now: datetime | None = None) -> int:
    """Settle, from the stored calls, the attempts that nobody told of because the backend was down; how many.

    Those `alive` still go on. One without any trace of a call stays with its agent, who may be calling by hand.
    """
    settled = 0
    with db.session() as session:
        taken = select(Callback).where(col(Callback.state) == CallbackState.taken.value).with_for_update()
        for row in session.execute(taken).scalars():
            if row.id in alive or row.taken_at is None:
                continue
            call = session.execute(
                select(Call)
                .where(
                    col(Call.direction) == "out",
                    col(Call.number) == row.number,
                    col(Call.agent_id) == row.agent_id,
                    col(Call.started_at) >= row.taken_at,
                )
                .order_by(col(Call.started_at).desc())
                .limit(1)
            ).scalar_one_or_none()
            if call is not None and (call.answered_at or call.ended_at):
                outcome = AttemptOutcome.reached if call.answered_at else AttemptOutcome.missed
                settled += _settle(row, to_ms(row.taken_at), outcome, "unseen", now or utc_now())
    return settled


def cancel(db: Database, actor: Actor, callback_id: int, why: str = "", *, now: datetime | None = None) -> Callback:
    """The promise is withdrawn; one that was given up only by whoever leads the agents.

    Raises what `release` raises, and Refused when it is closed already.
    """
    with db.session() as session:
        row = _held(session, actor, callback_id, "cancel")
        if row.state == CallbackState.given_up.value:
            actor.require(Permission.agents_control)
        close(row, CallbackEvent.cancel, why or "cancelled", now)
        return row


def reopen(db: Database, actor: Actor, callback_id: int) -> Callback:
    """Whoever leads the agents has one that was given up tried once more, at once.

    Raises Forbidden, NotFound, Refused (it is not given up, or the number has a newer promise).
    """
    actor.require(Permission.agents_control)
    try:
        with db.session() as session:
            row = found(session, Callback, callback_id, lock=True)
            move(row, CallbackEvent.reopen)
            row.most_attempts, row.in_line = row.attempts + 1, False
            row.agent_id = row.closed_at = row.due_at = None
            return row
    except IntegrityError:
        raise Refused("该号码已有新的回拨请求。", "The number has a newer call-back.", code="wrong_state") from None


def answered_meanwhile(session: Session, number: str, *, now: datetime | None = None) -> None:
    """The citizen called again and was served: the open promise is kept."""
    row = _open_for(session, normal_number(number))
    if row is not None:
        close(row, CallbackEvent.reach, "called_again", now)


def get(session: Session, actor: Actor, callback_id: int) -> Callback:
    """One call-back. Raises Forbidden, NotFound."""
    actor.require(Permission.callbacks_handle)
    return found(session, Callback, callback_id)


def list_callbacks(session: Session, actor: Actor, *, state: str = "", leaf: Leaf | None = None) -> Page[Callback]:
    """Call-backs; those still open first, and what is due first comes first. Raises Forbidden."""
    actor.require(Permission.callbacks_handle)
    is_closed = col(Callback.open_for).is_(None)
    due = func.coalesce(col(Callback.due_at), col(Callback.requested_at))
    # What is taken stays where it was: a list that people point at must not jump.
    statement = select(Callback).order_by(is_closed, col(Callback.closed_at).desc(), due, col(Callback.id))
    return page_of(session, equal(statement, {Callback.state: state}), leaf)


def callback_json(
    session: Session, actor: Actor, row: Callback, names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """One call-back as the asker may see it; `names` of agents are asked for when not given."""
    names = agent_names(session) if names is None else names
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
        "due_at": iso(row.due_at or row.requested_at),
        "attempts": row.attempts,
        "most_attempts": row.most_attempts,
        "agent_id": row.agent_id,
        "agent_name": names.get(row.agent_id or ""),
        "taken_at": iso(row.taken_at),
        "closed_at": iso(row.closed_at),
        "result": row.result,
        "in_line": bool(row.in_line) and row.open_for is not None,
    }


def _held(session: Session, actor: Actor, callback_id: int, what: str) -> Callback:
    """The locked row, if `actor` may decide about it: it is nobody else's, or they lead (then it is audited)."""
    actor.require(Permission.callbacks_handle)
    row = found(session, Callback, callback_id, lock=True)
    if _is_anothers(row, actor) and not actor.is_system:
        if not actor.may(Permission.agents_control):
            raise _taken_by_other(session, row)
        detail = {"what": what, "agent_id": row.agent_id}
        write(session, actor, Action.callback_overridden, f"callback:{row.id}", detail)
    return row


def _is_anothers(row: Callback, actor: Actor) -> bool:
    held = row.state in (CallbackState.taken.value, CallbackState.dialling.value)
    return held and row.agent_id not in (None, actor.agent_id)


def _taken_by_other(session: Session, row: Callback) -> Refused:
    who = " ".join(filter(None, (row.agent_id, agent_names(session).get(row.agent_id or ""))))
    return Refused(f"该回拨正由坐席 {who} 处理。", f"Agent {who} has taken this call-back.", code="taken")


def close(row: Callback, event: CallbackEvent, result: str, now: datetime | None) -> None:
    """End the promise; `result` says how. Raises Refused where the table has no way."""
    move(row, event)
    row.result, row.closed_at = clean(result, 64), now or utc_now()


def _settle(row: Callback, taken_ms: int, outcome: AttemptOutcome, why: str, now: datetime) -> bool:
    if row.state != CallbackState.taken.value or row.taken_at is None or to_ms(row.taken_at) != taken_ms:
        return False
    match outcome:
        case AttemptOutcome.reached:
            close(row, CallbackEvent.reach, "reached", now)
        case AttemptOutcome.not_dialled:
            _put_back(row)
            row.result = clean(why, 64)
        case AttemptOutcome.missed:
            _miss(row, why, now)
        case AttemptOutcome.refused:
            row.attempts -= 1
            close(row, CallbackEvent.give_up, why, now)
    return True


def _miss(row: Callback, why: str, now: datetime) -> None:
    if row.attempts >= row.most_attempts:
        close(row, CallbackEvent.give_up, why, now)
    else:
        move(row, CallbackEvent.miss)
        row.result, row.agent_id, row.due_at = clean(why, 64), None, now + RETRY_AFTER


def _put_back(row: Callback) -> None:
    """Nobody was rung: the try does not count."""
    move(row, CallbackEvent.release)
    row.attempts -= 1
    row.agent_id = None


def move(row: Callback, event: CallbackEvent) -> None:
    """Put the promise into its next state. Raises Refused where the table has no way."""
    state = next_state(CallbackState(row.state), event)
    row.state = state.value
    row.open_for = row.number if state in OPEN else None


def _open_for(session: Session, number: str) -> Callback | None:
    return session.execute(select(Callback).where(col(Callback.open_for) == number)).scalar_one_or_none()
