"""Parts of a call with a record of their own: third parties (T8, 篇6 第12条(四)) and confidential pauses (T9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.calls.model import PauseEnd, ThirdOutcome
from app.calls.tables import CallPause, CallThird
from app.cases.history import note
from app.cases.tables import Case
from app.clock import iso
from app.destinations import EMERGENCY
from app.errors import BadInput
from app.text import clean, is_call_id, masked_number, normal_number
from app.units.model import PhoneKind
from app.units.tables import Unit, UnitPhone

THREE_WAY = "three_way"
"""The line in a case's history that says that a unit took part in the call."""


def unit_of_number(session: Session, number: str) -> Unit | None:
    """The working unit that answers at this number, the oldest if several do; nobody's for numbers of a fax."""
    if not (wanted := normal_number(number)):
        return None
    answered = (PhoneKind.voice.value, PhoneKind.duty.value)
    statement = (
        select(Unit)
        .join(UnitPhone, col(UnitPhone.unit_id) == col(Unit.id))
        .where(col(UnitPhone.number) == wanted, col(UnitPhone.kind).in_(answered), col(Unit.active).is_(True))
        .order_by(col(Unit.id))
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def record_third(session: Session, actor: Actor, call_id: str, leg: str, facts: Mapping[str, Any]) -> CallThird:
    """Merge what is known of a third party; the same again changes nothing, None never erases, joined stays joined.

    When a unit that took part has left, the history of the call's case gets a line about it, once. `actor` is who had
    them rung. Raises BadInput.
    """
    if not is_call_id(call_id) or not leg:
        raise BadInput(fields={"call_id": "通话编号格式错误 (not a call id)"})
    wanted = select(CallThird).where(col(CallThird.call_id) == call_id, col(CallThird.leg) == leg)
    row = session.execute(wanted).scalar_one_or_none()
    if row is None:
        number, agent_id = clean(str(facts["number"]), 32), facts.get("agent_id")
        unit = None if agent_id else unit_of_number(session, number)
        row = CallThird(
            call_id=call_id,
            leg=leg,
            number=number,
            agent_id=agent_id,
            unit_id=unit.id if unit else None,
            unit_name=unit.name if unit else "",
            kind=clean(str(facts["kind"]), 16),
            by_agent=str(facts["by_agent"]),
            dialled_at=facts["dialled_at"],
        )
    row.joined_at = row.joined_at or facts.get("joined_at")
    row.segment = row.segment or facts.get("segment")
    left = facts.get("left_at")
    if left is not None:
        _leave(session, actor, row, left, facts.get("outcome"))
    session.add(row)
    return row


def close_thirds(session: Session, actor: Actor, call_id: str, alive: Collection[str], at: datetime) -> None:
    """Everybody of whom no end is known and who is not among these legs has left by now."""
    open_rows = select(CallThird).where(col(CallThird.call_id) == call_id, col(CallThird.left_at).is_(None))
    for row in session.execute(open_rows).scalars():
        if row.leg not in alive:
            _leave(session, actor, row, at, None)


def _leave(session: Session, actor: Actor, row: CallThird, at: datetime, outcome: str | None) -> None:
    first = row.left_at is None
    row.left_at = at
    row.outcome = ThirdOutcome(outcome or ("talked" if row.joined_at else "cancelled")).value
    session.add(row)
    session.flush()
    if first and row.joined_at is not None and row.unit_id is not None:
        _tell_case(session, actor, row)


def _tell_case(session: Session, actor: Actor, row: CallThird) -> None:
    case = session.execute(select(Case).where(col(Case.opened_for) == f"call:{row.call_id}")).scalar_one_or_none()
    if case is not None and row.left_at is not None:
        detail = {
            "unit_id": row.unit_id,
            "unit": row.unit_name,
            "call_id": row.call_id,
            "third_id": row.id,
            "kind": row.kind,
            "joined_at": iso(row.joined_at),
            "left_at": iso(row.left_at),
        }
        note(session, actor, case, THREE_WAY, row.left_at, detail=detail)


def with_unit(session: Session, call_id: str, unit_id: int) -> CallThird | None:
    """The record of this unit's part in the call, the last if it took part several times."""
    joined = select(CallThird).where(
        col(CallThird.call_id) == call_id, col(CallThird.unit_id) == unit_id, col(CallThird.joined_at).is_not(None)
    )
    return session.execute(joined.order_by(col(CallThird.id).desc()).limit(1)).scalars().first()


def record_pause(session: Session, actor: Actor, call_id: str, facts: Mapping[str, Any]) -> CallPause:
    """Merge what is known of a pause, and write its beginning and its end to the audit; twice changes nothing.

    `actor` is whose talk it is. Raises BadInput.
    """
    if not is_call_id(call_id):
        raise BadInput(fields={"call_id": "通话编号格式错误 (not a call id)"})
    wanted = select(CallPause).where(col(CallPause.call_id) == call_id, col(CallPause.since) == facts["since"])
    row = session.execute(wanted).scalar_one_or_none()
    if row is None:
        row = CallPause(call_id=call_id, since=facts["since"], due_at=facts["due"], by_agent=str(facts["by_agent"]))
        write(session, actor, Action.recording_paused, f"call:{call_id}", {"since": iso(row.since)})
    row.due_at = facts["due"]
    if row.until is None and facts.get("until") is not None:
        _end(session, actor, row, facts["until"], PauseEnd(facts["ended_by"]))
    session.add(row)
    return row


def close_pauses(session: Session, actor: Actor, call_id: str, at: datetime) -> None:
    """The call, or the pause alone, ended while nobody looked: by now at the latest, or when it was due."""
    open_rows = select(CallPause).where(col(CallPause.call_id) == call_id, col(CallPause.until).is_(None))
    for row in session.execute(open_rows).scalars():
        _end(session, actor, row, min(at, row.due_at), PauseEnd.unseen)


def _end(session: Session, actor: Actor, row: CallPause, until: datetime, how: PauseEnd) -> None:
    row.until, row.ended_by = until, how.value
    session.add(row)
    detail = {"since": iso(row.since), "until": iso(until), "ended_by": how.value}
    write(session, actor, Action.recording_resumed, f"call:{row.call_id}", detail)


def thirds_json(session: Session, call_id: str, *, clear: bool) -> list[dict[str, Any]]:
    """The third parties of a call, in order. Private numbers are masked unless `clear`: a unit's and ours are known."""
    rows = session.execute(select(CallThird).where(col(CallThird.call_id) == call_id).order_by(col(CallThird.id)))
    return [
        {
            "number": row.number if clear or _is_public(row) else masked_number(row.number),
            "unit_id": row.unit_id,
            "unit_name": row.unit_name,
            "kind": row.kind,
            "by_agent": row.by_agent,
            "dialled_at": iso(row.dialled_at),
            "joined_at": iso(row.joined_at),
            "left_at": iso(row.left_at),
            "outcome": row.outcome,
            "segment": row.segment,
        }
        for row in rows.scalars()
    ]


def pauses_json(session: Session, call_id: str) -> list[dict[str, Any]]:
    """The confidential pauses of a call, in order; `until` is None while one goes on."""
    rows = session.execute(select(CallPause).where(col(CallPause.call_id) == call_id).order_by(col(CallPause.since)))
    return [
        {"since": iso(row.since), "until": iso(row.until), "by_agent": row.by_agent, "ended_by": row.ended_by}
        for row in rows.scalars()
    ]


def _is_public(row: CallThird) -> bool:
    return row.unit_id is not None or row.agent_id is not None or row.number in EMERGENCY
