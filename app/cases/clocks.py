"""The clocks of a case and of its assignments, and the ends that lists are ordered by (C4).

`due_at` of a case or an assignment is the end of the clock of its present step. Whoever changes a clock says so here,
so that no list has to look at clocks at all. Of several clocks of a case its state says which one that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment
from app.cases.model import HandlingWay
from app.cases.states import CASE_WITH_UNITS, WORK_DONE, CaseState
from app.cases.tables import Case
from app.clocks import service
from app.clocks.model import ClockKind
from app.clocks.rules import Matter, Urgency, Way
from app.clocks.service import Subject, SubjectKind
from app.clocks.tables import CaseClock

_WAYS = {
    HandlingWay.telephone.value: Way.telephone,
    HandlingWay.written.value: Way.written,
    HandlingWay.coordinated.value: Way.coordinated,
    HandlingWay.research.value: Way.research,
    HandlingWay.answer.value: Way.consult,
}
# Where a case stands, and the step whose end lists show then; on account it is the day on which it is taken up again.
SHOWN: Mapping[CaseState, ClockKind] = {
    CaseState.to_dispatch: ClockKind.dispatch,
    CaseState.returned: ClockKind.dispatch,
    **dict.fromkeys(CASE_WITH_UNITS, ClockKind.handle),
    CaseState.replied: ClockKind.review,
    CaseState.in_review: ClockKind.review,
    CaseState.to_follow_up: ClockKind.follow_up,
}


def matter_of(case: Case, way: str | None = None) -> Matter:
    """What the limits look at."""
    return Matter(case.type or "", Urgency(case.urgency), _WAYS.get(way or case.way or "", Way.written))


def begins(session: Session, case: Case, kind: ClockKind, now: datetime) -> None:
    """This is the step of the case that is timed from now on, or still."""
    case.due_at = service.begin(session, _case(case), kind, matter_of(case), now=now).due_at


def goes_on(session: Session, case: Case, kind: ClockKind, now: datetime) -> None:
    """What had ended this step of the case was taken back: it ends when it would have."""
    case.due_at = service.again(session, _case(case), kind, matter_of(case), now=now).due_at


def ends(session: Session, case: Case, kind: ClockKind, now: datetime) -> None:
    """The step is done, if it was timed at all; nothing is timed until the next begins."""
    stops(session, case, kind, now)
    case.due_at = None


def stops(session: Session, case: Case, kind: ClockKind, now: datetime) -> None:
    """A step beside the present one is done, if it was timed at all: the end that lists show is another's."""
    service.stop_open(session, _case(case), kind, now=now)


def leaves(session: Session, case: Case, now: datetime) -> None:
    """Nothing of the case is timed any more: it was merged into another, or put on account by a leader."""
    service.end_all(session, _case(case), now=now)
    case.due_at = None


def work_begins(session: Session, case: Case, work: Assignment, now: datetime, *, to_sign: bool = True) -> None:
    """A unit has it, for the first time or again (重办): to sign, and to handle within the time of whoever gave it."""
    mine, matter = _work(work), matter_of(case, work.way)
    above = _case(case) if work.parent_id is None else Subject.assignment(work.parent_id)
    parent = service.open_of(session, above, ClockKind.handle)
    for kind in (ClockKind.sign, ClockKind.handle) if to_sign else (ClockKind.handle,):
        service.begin(session, mine, kind, matter, parent=parent, now=now)
    show_due(session, work)


def work_step_ends(session: Session, work: Assignment, kind: ClockKind, now: datetime) -> None:
    """A step of the assignment is done, in time or late."""
    _show(work, service.stop_open(session, _work(work), kind, now=now))


def gives_back(session: Session, case: Case, work: Assignment, now: datetime) -> None:
    """退单: the unit has it no more. Of what the centre gave, its time to dispatch runs from now on, or still."""
    work_leaves(session, work, now)
    if work.parent_id is None:
        _show_of_case(case, waits(session, case, now))


def waits(session: Session, case: Case, now: datetime) -> CaseClock:
    """Something of it waits to be dispatched again: that is timed beside the step that lists show."""
    return service.begin(session, _case(case), ClockKind.dispatch, matter_of(case), now=now)


def rematched(session: Session, actor: Actor, case: Case, before: Matter, now: datetime) -> None:
    """The matter may have turned out to be another one than `before`: then other limits hold for handling it.

    The time to dispatch stays as it was: whoever finds a matter urgent is not late by that.
    """
    if matter_of(case) == before:
        return
    for row in service.exchange_open(session, actor, _case(case), (ClockKind.handle,), matter_of(case), now=now):
        _show_of_case(case, row)
    done = [state.value for state in WORK_DONE]
    works = select(Assignment).where(col(Assignment.case_id) == case.id, col(Assignment.state).not_in(done))
    for work in session.execute(works.order_by(col(Assignment.id))).scalars():  # who gives has the smaller id
        above = _case(case) if work.parent_id is None else Subject.assignment(work.parent_id)
        parent = service.open_of(session, above, ClockKind.handle)
        kinds, matter = (ClockKind.sign, ClockKind.handle), matter_of(case, work.way)
        if service.exchange_open(session, actor, _work(work), kinds, matter, parent=parent, now=now):
            show_due(session, work)
            session.add(work)


def work_leaves(session: Session, work: Assignment, now: datetime) -> None:
    """The unit has it no more: it gave it back, or it was taken from it."""
    service.end_all(session, _work(work), now=now)
    work.due_at = None


def show_due(session: Session, work: Assignment) -> None:
    """Write the end of the present step where lists find it: to sign first, then to handle."""
    _show(work, service.open_clocks(session, _work(work)))


def _show(work: Assignment, running: Mapping[ClockKind, CaseClock]) -> None:
    clock = running.get(ClockKind.sign) or running.get(ClockKind.handle)
    work.due_at = clock.due_at if clock else None


def moved(session: Session, clock: CaseClock) -> None:
    """A clock ends at another time than before (extended, exchanged, settled): lists must see it."""
    if clock.subject_kind == SubjectKind.assignment.value:
        work = session.get(Assignment, clock.subject_id)
        if work is not None:
            show_due(session, work)
            session.add(work)
        return
    case = session.get(Case, clock.subject_id)
    if case is not None:
        _show_of_case(case, clock)
        session.add(case)


def _show_of_case(case: Case, clock: CaseClock) -> None:
    """Write this clock's end where lists find it, if it is the clock of the case's present step."""
    if clock.ended_at is None and SHOWN.get(CaseState(case.state)) == clock.kind:
        case.due_at = clock.due_at


def _case(case: Case) -> Subject:
    return Subject.case(case.id or 0)


def _work(work: Assignment) -> Subject:
    return Subject.assignment(work.id or 0)
