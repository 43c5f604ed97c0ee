"""Cases for a sweep: locked in the order in which acts lock, so that a sweep and an act never wait for each other.

Every act locks its case first and clocks after that. A sweep finds out without locks what there is to do, takes those
cases that nobody else has at the moment, and only then their clocks; the rest is there at its next turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from app.assignments.tables import Assignment
from app.cases.tables import Case
from app.clocks.service import SubjectKind
from app.clocks.tables import CaseClock


def take(session: Session, case_ids: Collection[int]) -> dict[int, Case]:
    """Those of the cases that are free, for this transaction alone."""
    statement = (
        select(Case)
        .where(col(Case.id).in_(case_ids))
        .order_by(col(Case.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return {case.id or 0: case for case in session.execute(statement).scalars()} if case_ids else {}


def cases_of(session: Session, clocks: Iterable[CaseClock]) -> dict[int, int]:
    """By clock, the case that it belongs to."""
    clocks = list(clocks)
    of_work = [row.subject_id for row in clocks if row.subject_kind == SubjectKind.assignment.value]
    pairs = select(col(Assignment.id), col(Assignment.case_id)).where(col(Assignment.id).in_(of_work))
    case_of_work = dict(session.execute(pairs).all()) if of_work else {}
    found = {}
    for row in clocks:
        is_work = row.subject_kind == SubjectKind.assignment.value
        case = case_of_work.get(row.subject_id) if is_work else row.subject_id
        if case is not None:
            found[row.id or 0] = case
    return found


def work_of(session: Session, clock: CaseClock) -> Assignment | None:
    """The assignment whose clock it is; None for a case's."""
    if clock.subject_kind != SubjectKind.assignment.value:
        return None
    return session.get(Assignment, clock.subject_id)
