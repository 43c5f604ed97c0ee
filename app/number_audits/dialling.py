"""Which calls are placed now: those that are due, at an allowed hour, so many at a time, and never while citizens wait.

Before a number is dialled the attempt is written down as dialled, in a transaction of its own; whatever dies between,
it is not made a second time. How it ended comes from what Asterisk wrote down (`intake`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.db import Database, found
from app.destinations import Destinations
from app.errors import Refused
from app.number_audits.attempts import ASKED_FOR, last_day_called, of_target
from app.number_audits.model import (
    CALLS,
    MOST_AT_ONCE,
    TO_COME,
    AttemptEvent,
    AttemptState,
    Mode,
    RoundState,
    next_attempt_state,
)
from app.number_audits.planning import Hours, may_call
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget
from app.settings import Settings
from app.workdays.model import WorkCalendar
from app.workdays.service import calendar

LOOKED_AT = 3_000  # attempts that are due, of which many may not be made at this hour
_Due = tuple[NumberAuditAttempt, NumberAuditTarget, NumberAuditRound]


@dataclass(frozen=True, slots=True)
class Dial:
    """A call to place: `agent_id` is whose telephone is rung first, "" for an automatic one."""

    call_id: str
    number: str
    agent_id: str = ""


def ask(
    session: Session, actor: Actor, attempt_id: int, settings: Settings, *, now: datetime | None = None
) -> NumberAuditAttempt:
    """An auditor makes this attempt now: their telephone rings first. Pressed twice it is one call.

    Raises Forbidden, NotFound, Refused: no telephone (no_phone), not at this hour (not_now), another one has it
    (taken), the round does not call (wrong_state).
    """
    actor.require(Permission.number_audits_grade)
    if not actor.agent_id:
        raise Refused("只有有工号的人员可以亲自拨打。", "Only somebody with a telephone can call.", code="no_phone")
    now = now or utc_now()
    row = found(session, NumberAuditAttempt, attempt_id, lock=True)
    target = found(session, NumberAuditTarget, row.target_id)
    of_round = found(session, NumberAuditRound, target.round_id)
    if RoundState(of_round.state) not in CALLS:
        raise Refused("本轮暗访没有在拨打。", "This round does not call now.", code="wrong_state")
    if row.state == AttemptState.asked.value and row.asked_by != actor.user_id:
        raise Refused("另一名审核员正要拨打这个号码。", "Somebody else is about to call this number.", code="taken")
    state = next_attempt_state(AttemptState(row.state), AttemptEvent.ask)
    if not _may_call(session, settings, calendar(session, local_day(now, settings.zone)), row, target, of_round, now):
        raise Refused(
            "现在不是可以拨打的时间：须在工作日的接听时间内，且两次拨打不在同一天。",
            "Not now: calls are made at office hours of working days, two of them never on one day.", code="not_now",
        )  # fmt: skip
    row.state, row.asked_by, row.agent_id, row.planned_at = state.value, actor.user_id, actor.agent_id, now
    session.add(row)
    write(session, actor, Action.number_audit_called, f"number-audit-attempt:{row.id}", now=now)
    return row


def take(db: Database, settings: Settings, now: datetime, *, calm: bool) -> list[Dial]:
    """The calls to place now, written down as dialled. None while citizens wait (`calm` is False)."""
    if not calm:
        return []
    with db.read() as session:  # most looks find nothing, and nobody has to wait for those
        open_now = _open_rounds(session, settings, now)
        if not open_now or session.execute(_due(now, open_now).limit(1)).first() is None:
            return []
    with db.session() as session:
        return _taken(session, settings, now, open_now)


def agents_called(session: Session) -> frozenset[str]:
    """The auditors whose telephones are in a call of an audit."""
    statement = select(col(NumberAuditAttempt.agent_id)).where(
        col(NumberAuditAttempt.state) == AttemptState.dialling.value, col(NumberAuditAttempt.agent_id).is_not(None)
    )
    return frozenset(session.execute(statement).scalars())


def _taken(session: Session, settings: Settings, now: datetime, open_now: Collection[int]) -> list[Dial]:
    rule, known = Destinations.of(settings), calendar(session, local_day(now, settings.zone))
    in_hand, numbers, agents = _in_hand(session)
    made: list[Dial] = []
    for row, target, of_round in _rows(session, now, open_now):
        busy = target.number in numbers or (row.agent_id or "-") in agents
        full = in_hand[of_round.id] >= of_round.at_once or in_hand.total() >= MOST_AT_ONCE
        if busy or full or not rule.may_audit(target.number):
            continue
        if not _may_call(session, settings, known, row, target, of_round, now):
            continue
        locked = found(session, NumberAuditAttempt, row.id or 0, lock=True)
        if AttemptState(locked.state) not in TO_COME:
            continue
        row = locked
        row.state = next_attempt_state(AttemptState(row.state), AttemptEvent.dial).value
        row.tries += 1
        row.call_id, row.dialled_at = f"audit-{row.id}-{row.tries}", now
        session.add(row)
        in_hand[of_round.id] += 1
        numbers.add(target.number)
        agents.add(row.agent_id or "")
        made.append(Dial(row.call_id, target.number, row.agent_id or ""))
    return made


def _open_rounds(session: Session, settings: Settings, now: datetime) -> list[int]:
    """The rounds that call at this hour."""
    calling = col(NumberAuditRound.state).in_([state.value for state in CALLS])
    rows = list(session.execute(select(NumberAuditRound).where(calling)).scalars())
    if not rows:
        return []
    known = calendar(session, local_day(now, settings.zone))
    return [row.id or 0 for row in rows if may_call(known, Hours.both(row.hours, ""), now, settings.zone, None)]


def _due(now: datetime, open_now: Collection[int]) -> Any:
    """Attempts whose time has come: an automatic round's that are planned, and what an auditor has just asked for."""
    planned = (
        (col(NumberAuditAttempt.state) == AttemptState.planned.value)
        & (col(NumberAuditRound.mode) == Mode.automatic.value)
        & (col(NumberAuditAttempt.planned_at) <= now)
    )
    asked = (col(NumberAuditAttempt.state) == AttemptState.asked.value) & (
        col(NumberAuditAttempt.planned_at) > now - ASKED_FOR
    )
    return (
        select(NumberAuditAttempt, NumberAuditTarget, NumberAuditRound)
        .join(NumberAuditTarget, col(NumberAuditAttempt.target_id) == col(NumberAuditTarget.id))
        .join(NumberAuditRound, col(NumberAuditTarget.round_id) == col(NumberAuditRound.id))
        .where(col(NumberAuditRound.id).in_(open_now), planned | asked)
    )


def _rows(session: Session, now: datetime, open_now: Collection[int]) -> Sequence[_Due]:
    asked_first = (col(NumberAuditAttempt.state) == AttemptState.asked.value).desc()
    order = (asked_first, col(NumberAuditAttempt.planned_at), col(NumberAuditAttempt.id))
    statement = _due(now, open_now).order_by(*order)
    return [(row[0], row[1], row[2]) for row in session.execute(statement.limit(LOOKED_AT)).all()]


def _in_hand(session: Session) -> tuple[Counter[int | None], set[str], set[str]]:
    """What is being dialled: how many of each round, the numbers, the auditors."""
    statement = (
        select(col(NumberAuditTarget.round_id), col(NumberAuditTarget.number), col(NumberAuditAttempt.agent_id))
        .join(NumberAuditTarget, col(NumberAuditAttempt.target_id) == col(NumberAuditTarget.id))
        .where(col(NumberAuditAttempt.state) == AttemptState.dialling.value)
    )
    rows = session.execute(statement).all()
    return (
        Counter[int | None](row[0] for row in rows),
        {str(row[1]) for row in rows},
        {str(row[2]) for row in rows if row[2]},
    )


def _may_call(
    session: Session,
    settings: Settings,
    known: WorkCalendar,
    row: NumberAuditAttempt,
    target: NumberAuditTarget,
    of_round: NumberAuditRound,
    now: datetime,
) -> bool:
    today, hours = local_day(now, settings.zone), Hours.both(of_round.hours, target.office_hours)
    if not of_round.first_day <= today <= of_round.last_day or not may_call(known, hours, now, settings.zone, None):
        return False
    others = [one for one in of_target(session, target.id or 0) if one.id != row.id]
    going_on = any(one.state == AttemptState.dialling.value for one in others)
    return not going_on and may_call(known, hours, now, settings.zone, last_day_called(others, settings))
