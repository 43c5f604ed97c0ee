"""More time for a step (延期): asked for before the end, with a reason, decided by somebody else, both audited (C5)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.clocks import model
from app.clocks.limits import MOST, Unit, amount_until, lengthened
from app.clocks.model import LONGEST_WHY, ClockState, ExtensionState
from app.clocks.service import SubjectKind, parent_of, reckoning, value_of
from app.clocks.stored import Held, held
from app.clocks.tables import CaseClock, ClockExtension
from app.db import found
from app.errors import BadInput, Forbidden, Refused
from app.settings import Settings
from app.text import clean


def ask_extension(
    session: Session,
    actor: Actor,
    clock_id: int,
    amount: int,
    why: str,
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> ClockExtension:
    """Ask for `amount` more of the clock's unit before it is too late; it goes on running meanwhile.

    The clock of a case is no limit: it is made as long as its unit's when that is approved. Raises NotFound, BadInput
    (fields amount, why), Refused (see `model.ask_extension`).
    """
    now, why = now or utc_now(), clean(why, LONGEST_WHY)
    (one,) = held(session, [found(session, CaseClock, clock_id, lock=True)])
    row = one.row
    wrong = {} if why else {"why": "须写明原因 (say why)"}
    if not 1 <= amount <= MOST[Unit(row.unit)]:
        wrong["amount"] = f"须为 1 到 {MOST[Unit(row.unit)]} (1 to {MOST[Unit(row.unit)]})"
    if wrong:
        raise BadInput(fields=wrong)
    by, above = reckoning(session, row.started_at, settings), parent_of(session, row)
    parent = None if _gives_way(above, row) else value_of(session, above)
    asked = model.ask_extension(one.clock, amount, why, now, by, parent=parent)
    return _add(session, actor, row, asked.extensions[-1])


def decide_extension(
    session: Session,
    actor: Actor,
    extension_id: int,
    approved: bool,
    why: str = "",
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> CaseClock:
    """Approve or refuse; nobody decides what they asked for themselves, and a refusal says why.

    Where the case would end before its unit then, it gets just as much more as that needs. Raises Forbidden, NotFound,
    BadInput (field why), Refused (see `model.decide_extension`).
    """
    actor.require(Permission.extensions_decide)
    now, why = now or utc_now(), clean(why, LONGEST_WHY)
    clock_id = found(session, ClockExtension, extension_id).clock_id
    (one,) = held(session, [found(session, CaseClock, clock_id, lock=True)])
    (asked,) = (each for each in one.asked if each.id == extension_id)
    if actor.user_id is not None and actor.user_id == asked.asked_by:
        raise Forbidden("不能审批自己提出的延期。", "Nobody decides their own request.", code="own_request")
    if asked.state != ExtensionState.requested:
        raise Refused("该申请已有结果。", "This request was decided already.", code="nothing_pending")
    if not approved and not why:
        raise BadInput(fields={"why": "须写明原因 (say why)"})
    above = parent_of(session, one.row)
    if approved and above is not None and _gives_way(above, one.row):
        by = reckoning(session, one.row.started_at, settings)
        end = lengthened(one.row.due_at, asked.amount, Unit(one.row.unit), by).at
        _lengthen(session, actor, above, end, asked, why, now, settings)
    return _decide(session, actor, one, extension_id, approved, why, now, settings)


def _gives_way(above: CaseClock | None, row: CaseClock) -> bool:
    """Whether the clock above is made longer with this one. Only a case's: a unit above asks for itself."""
    return above is not None and above.subject_kind == SubjectKind.case.value and above.unit == row.unit


def _lengthen(
    session: Session,
    actor: Actor,
    above: CaseClock,
    end: datetime,
    asked: ClockExtension,
    why: str,
    now: datetime,
    settings: Settings | None,
) -> None:
    """The case waits for its unit until `end`, if its time would be over before: what is missed binds nobody."""
    (one,) = held(session, [found(session, CaseClock, above.id, lock=True)])
    row, clock = one.row, model.expire(one.clock, now)
    if clock.state is not ClockState.running or end <= clock.due_at:
        return
    by, before = reckoning(session, row.started_at, settings), row.due_at
    amount = amount_until(row.due_at, end, Unit(row.unit), by)
    added = ClockExtension(
        clock_id=row.id or 0,
        amount=amount,
        why=asked.why,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
        state=ExtensionState.approved.value,
        decided_by=actor.user_id,
        decided_at=now,
        decision_why=why,
    )
    session.add(added)
    one.asked.append(added)
    one.keep(model.grant(clock, amount, asked.why, asked.asked_at, now, by))
    session.flush()
    detail = {"approved": True, "from": iso(before), "to": iso(row.due_at)}
    write(session, actor, Action.extension_decided, f"clock:{row.id}", detail, now=now)


def _add(session: Session, actor: Actor, row: CaseClock, asked: model.Extension) -> ClockExtension:
    added = ClockExtension(
        clock_id=row.id or 0,
        amount=asked.amount,
        why=asked.why,
        asked_by=actor.user_id,
        asked_at=asked.asked_at,
        state=asked.state.value,
    )
    session.add(added)
    session.flush()
    detail = {"amount": asked.amount, "unit": row.unit}
    write(session, actor, Action.extension_asked, f"clock:{row.id}", detail, now=asked.asked_at)
    return added


def _decide(
    session: Session,
    actor: Actor,
    one: Held,
    extension_id: int | None,
    approved: bool,
    why: str,
    now: datetime,
    settings: Settings | None,
) -> CaseClock:
    by, parent = reckoning(session, one.row.started_at, settings), value_of(session, parent_of(session, one.row))
    before = one.row.due_at
    row = one.keep(model.decide_extension(one.clock, approved, now, by, parent=parent))
    (asked,) = (each for each in one.asked if each.id == extension_id)
    asked.decided_by, asked.decision_why = actor.user_id, why
    session.flush()
    detail = {"approved": approved, "from": iso(before), "to": iso(row.due_at)}
    write(session, actor, Action.extension_decided, f"clock:{row.id}", detail, now=now)
    return row
