"""What a stored notice says now, to whoever reads it: in the inbox, or when it leaves the house."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session

from app.assignments.tables import Assignment
from app.cases.access import citizens_of, is_confidential
from app.cases.tables import Case
from app.db import loaded
from app.notices.model import NoticeKind
from app.notices.tables import Notice
from app.notices.words import CONFIDENTIAL, Told
from app.units.tables import Unit


def at_hand(session: Session, notices: Iterable[Notice]) -> tuple[object, ...]:
    """What `told_of` looks up for these, in a statement for each kind; it is at hand as long as somebody holds it."""
    notices = list(notices)
    cases = loaded(session, Case, (one.case_id for one in notices))
    return (
        cases,
        citizens_of(session, cases.values()),
        loaded(session, Unit, (one.unit_id for one in notices)),
        loaded(session, Assignment, (one.assignment_id for one in notices)),
    )


def told_of(session: Session, notice: Notice) -> Told:
    """What the notice says; where it was not told of a certain end, the one that holds now.

    A case that was made confidential since then has no title any more.
    """
    unit = session.get(Unit, notice.unit_id) if notice.unit_id is not None else None
    work = session.get(Assignment, notice.assignment_id) if notice.assignment_id is not None else None
    name = unit.short_name if unit is not None else ""
    if notice.case_id is None:
        return Told(NoticeKind(notice.kind), "", notice.title, name, due_at=notice.due_at)
    case = session.get_one(Case, notice.case_id)
    title = CONFIDENTIAL if is_confidential(session, case) else notice.title
    due_at = notice.due_at or (work.due_at if work is not None else case.due_at)
    return Told(NoticeKind(notice.kind), notice.number, title, name, notice.step, due_at)
