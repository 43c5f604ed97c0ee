"""延期: a unit asks for more time for what it was given, and somebody of the centre decides (C5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.inbox import get_work, known_of
from app.assignments.tables import Assignment
from app.auth.model import Permission
from app.cases import access, clocks
from app.cases.acting import locked
from app.cases.history import note
from app.cases.parties import in_unit
from app.cases.states import AT_THE_UNIT, AssignmentState
from app.cases.tables import Case
from app.clock import iso, utc_now
from app.clocks import extensions
from app.clocks.model import LONGEST_WHY, ClockKind, ExtensionState
from app.clocks.service import Subject, SubjectKind, open_of
from app.clocks.tables import CaseClock, ClockExtension
from app.db import found, loaded
from app.errors import Forbidden, NotFound, Refused
from app.paging import Leaf, Page, page_of
from app.text import clean


def ask(
    session: Session, actor: Actor, work_id: int, amount: int, why: str, *, now: datetime | None = None
) -> ClockExtension:
    """A unit asks before the end of its time, with a reason. The case waits for it if that is approved.

    Raises NotFound, Forbidden for others than the unit's people, BadInput (amount, why), Refused (wrong_state,
    extension_pending, beyond_parent).
    """
    now = now or utc_now()
    case, work = _locked(session, actor, found(session, Assignment, work_id).case_id, work_id)
    if not in_unit(session, actor, work.unit_id):
        raise Forbidden()
    clock = open_of(session, Subject.assignment(work_id), ClockKind.handle)
    if clock is None or AssignmentState(work.state) not in AT_THE_UNIT:
        raise Refused("该任务当前没有办理时限。", "Nothing is timed for this unit now.", code="wrong_state")
    asked = extensions.ask_extension(session, actor, clock.id or 0, amount, why, now=now)
    detail = {**_about(work), "extension": asked.id, "amount": amount, "unit": clock.unit}
    note(session, actor, case, "clock.extension_asked", now, reason=asked.why, detail=detail)
    return asked


def decide(
    session: Session, actor: Actor, extension_id: int, approved: bool, why: str = "", *, now: datetime | None = None
) -> CaseClock:
    """Approve or refuse; lists see the new ends at once. Raises what `clocks.extensions.decide_extension` raises."""
    now = now or utc_now()
    clock = found(session, CaseClock, found(session, ClockExtension, extension_id).clock_id)
    if clock.subject_kind != SubjectKind.assignment.value:
        raise NotFound()
    case, work = _locked(session, actor, found(session, Assignment, clock.subject_id).case_id, clock.subject_id)
    before = clock.due_at
    why = clean(why, LONGEST_WHY)
    row = extensions.decide_extension(session, actor, extension_id, approved, why, now=now)
    for moved in (row, open_of(session, Subject.case(case.id or 0), ClockKind.handle)):
        if moved is not None:
            clocks.moved(session, moved)
    detail = {**_about(work), "extension": extension_id, "approved": approved}
    ends = {"before": iso(before), "due_at": iso(row.due_at)}
    note(session, actor, case, "clock.extension_decided", now, reason=why, detail={**detail, **ends})
    return row


def waiting(session: Session, actor: Actor, leaf: Leaf | None = None) -> Page[ClockExtension]:
    """The requests that wait for a decision about cases that the asker may know of, what ends first before the rest.

    Raises Forbidden.
    """
    actor.require(Permission.extensions_decide)
    of_work = (col(CaseClock.subject_kind) == SubjectKind.assignment.value) & (
        col(CaseClock.subject_id) == col(Assignment.id)
    )
    statement = (
        select(ClockExtension)
        .join(CaseClock, col(CaseClock.id) == col(ClockExtension.clock_id))
        .join(Assignment, of_work)
        .join(Case, col(Case.id) == col(Assignment.case_id))
        .where(col(ClockExtension.state) == ExtensionState.requested.value, access.visible(actor))
        .order_by(col(CaseClock.due_at), col(ClockExtension.id))
    )
    return page_of(session, statement, leaf)


@dataclass(frozen=True)
class Standing:
    """How a unit's time for an assignment stands: the clock that runs now, and whether this person can ask for more."""

    clock: CaseClock | None
    may_ask: bool
    requests: list[ClockExtension]


def standing(session: Session, actor: Actor, work_id: int, *, now: datetime | None = None) -> Standing:
    """What was asked for this assignment, in every round, the newest first. Raises NotFound."""
    now = now or utc_now()
    _case, work = get_work(session, actor, work_id)
    of_work = (col(CaseClock.subject_kind) == SubjectKind.assignment.value) & (col(CaseClock.subject_id) == work_id)
    mine = select(CaseClock).where(of_work, col(CaseClock.kind) == ClockKind.handle.value)
    clocks_of = list(session.execute(mine.order_by(col(CaseClock.id))).scalars())
    asked = select(ClockExtension).where(col(ClockExtension.clock_id).in_([one.id for one in clocks_of]))
    requests = list(session.execute(asked.order_by(col(ClockExtension.id).desc())).scalars())
    clock = next((one for one in reversed(clocks_of) if one.ended_at is None), None)
    in_time = clock is not None and now < clock.due_at and AssignmentState(work.state) in AT_THE_UNIT
    waits = any(one.state == ExtensionState.requested.value for one in requests)
    may_ask = in_time and not waits and bool(in_unit(session, actor, work.unit_id))
    return Standing(clock, may_ask, requests)


def subjects_of(session: Session, requests: Iterable[ClockExtension]) -> dict[int, tuple[CaseClock, Case, Assignment]]:
    """By clock, what units ask more time for, in a statement for each kind of row."""
    clocks = loaded(session, CaseClock, (one.clock_id for one in requests))
    works = loaded(session, Assignment, (clock.subject_id for clock in clocks.values()))
    cases = loaded(session, Case, (work.case_id for work in works.values()))
    of = {ident: works[clock.subject_id] for ident, clock in clocks.items()}
    return {ident: (clock, cases[of[ident].case_id], of[ident]) for ident, clock in clocks.items()}


def _locked(session: Session, actor: Actor, case_id: int, work_id: int) -> tuple[Case, Assignment]:
    case = locked(session, actor, case_id)
    work = found(session, Assignment, work_id, lock=True)
    if not known_of(session, actor, work.case_id, [work]):
        raise NotFound()
    return case, work


def _about(work: Assignment) -> dict[str, int | None]:
    return {"assignment": work.id, "unit_id": work.unit_id, "round": work.round}
