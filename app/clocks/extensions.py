"""More time for a step (延期): asked for before the end, with a reason, decided by somebody else, both audited (C5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.clocks import model
from app.clocks.limits import MOST, Unit, lengthened
from app.clocks.model import LONGEST_WHY, ClockState, ExtensionState
from app.clocks.service import SubjectKind, parent_of, reckoning, value_of
from app.clocks.stored import Held, held
from app.clocks.tables import CaseClock, ClockExtension
from app.db import found
from app.errors import BadInput, Forbidden, Refused
from app.paging import Leaf, Page, page_of
from app.settings import Settings
from app.text import clean


def ask_extension(
    session: Session,
    actor: Actor,
    clock_id: int,
    amount: int,
    why: str,
    *,
    with_case: bool = False,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> ClockExtension:
    """Ask for `amount` more of the clock's unit before it is too late; it goes on running meanwhile.

    `with_case`: where the case would be too late then, as much more is asked for it as well, and decided along with
    this. Raises NotFound, BadInput (fields amount, why), Refused (see `model.ask_extension`).
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
    if with_case and above is not None and _ends_before(above, row, amount, now, session, settings):
        asked = model.ask_extension(one.clock, amount, why, now, by)
        added = _add(session, actor, row, asked.extensions[-1])
        _ask_above(session, actor, above, added, now, settings)
        return added
    asked = model.ask_extension(one.clock, amount, why, now, by, parent=value_of(session, above))
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

    What was asked for the case along with it is decided alike. Raises Forbidden, NotFound, BadInput (field why),
    Refused (see `model.decide_extension`).
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
    for along in asked_along(session, extension_id):
        if along.state == ExtensionState.requested.value:
            (above,) = held(session, [found(session, CaseClock, along.clock_id, lock=True)])
            if above.clock.state is ClockState.running and now < above.row.due_at:  # what is missed binds no child
                _decide(session, actor, above, along.id, approved, why, now, settings)
    return _decide(session, actor, one, extension_id, approved, why, now, settings)


def waiting_extensions(session: Session, actor: Actor, leaf: Leaf | None = None) -> Page[ClockExtension]:
    """The requests that wait for a decision, those whose clock ends first before the others. Raises Forbidden.

    What was asked along with another request is decided with that.
    """
    actor.require(Permission.extensions_decide)
    statement = (
        select(ClockExtension)
        .join(CaseClock, col(CaseClock.id) == col(ClockExtension.clock_id))
        .where(col(ClockExtension.state) == ExtensionState.requested.value, col(ClockExtension.for_id).is_(None))
        .order_by(col(CaseClock.due_at), col(ClockExtension.id))
    )
    return page_of(session, statement, leaf)


def asked_along(session: Session, extension_id: int) -> list[ClockExtension]:
    """What was asked for the case along with a unit's request."""
    statement = select(ClockExtension).where(col(ClockExtension.for_id) == extension_id)
    return list(session.execute(statement).scalars())


def _ends_before(
    above: CaseClock, row: CaseClock, amount: int, now: datetime, session: Session, settings: Settings | None
) -> bool:
    """Whether the case's own time is in the way. Only a case's: a unit above asks for itself."""
    if above.subject_kind != SubjectKind.case.value or above.unit != row.unit:
        return False
    in_time = above.state == ClockState.running.value and now < above.due_at
    end = lengthened(row.due_at, amount, Unit(row.unit), reckoning(session, row.started_at, settings))
    return in_time and end.at > above.due_at


def _ask_above(
    session: Session, actor: Actor, above: CaseClock, asked: ClockExtension, now: datetime, settings: Settings | None
) -> None:
    (one,) = held(session, [found(session, CaseClock, above.id, lock=True)])
    for earlier in one.asked:
        first = session.get(ClockExtension, earlier.for_id) if earlier.for_id is not None else None
        waits = earlier.state == ExtensionState.requested.value
        if waits and first is not None and first.state != ExtensionState.requested.value:
            earlier.state, earlier.decided_at = ExtensionState.lapsed.value, now  # what it was asked for is over
    session.flush()
    by = reckoning(session, above.started_at, settings)
    longer = model.ask_extension(one.clock, asked.amount, asked.why, now, by).extensions[-1]
    _add(session, actor, above, longer, for_id=asked.id)


def _add(
    session: Session, actor: Actor, row: CaseClock, asked: model.Extension, for_id: int | None = None
) -> ClockExtension:
    added = ClockExtension(
        clock_id=row.id or 0,
        amount=asked.amount,
        why=asked.why,
        asked_by=actor.user_id,
        asked_at=asked.asked_at,
        state=asked.state.value,
        for_id=for_id,
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
