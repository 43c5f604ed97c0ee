"""Counting for the measures of the case loop: two statements for a period, one over cases, one over assignments.

What belongs to a period is found along the index of when it came in or was given; everything else about it is looked
up by its own index, so it costs what the period has, not what there is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, or_, select, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.assignments.model import UNSATISFIED
from app.assignments.tables import Assignment
from app.cases.states import CASE_DONE, AssignmentState, CaseAct, CaseState
from app.cases.tables import Case, CaseEvent
from app.chasing.model import UNSAID, Level
from app.chasing.tables import Chase
from app.clocks.model import ClockKind, ClockState
from app.clocks.service import SubjectKind
from app.clocks.tables import CaseClock
from app.followups.model import ASKED
from app.followups.tables import FollowUp
from app.measures.loop import Counts

_CONTENT = tuple(one.value for one in UNSATISFIED)


def of_the_centre(session: Session, since: datetime, until: datetime) -> Counts:
    """The cases that came in within the period and were registered, as they stand now."""
    spoken = _last_talk(col(Case.id))
    merged = col(Case.merged_into_id).is_not(None)  # also when it has closed with its original
    ended = col(Case.state).in_([state.value for state in CASE_DONE if state is not CaseState.merged])
    given, replied, redone = (_happened(event) for event in ("submitted", "replied", "redo"))
    accepted = _accepted()
    returned = exists().where(
        col(Assignment.case_id) == col(Case.id), col(Assignment.parent_id).is_(None), col(Assignment.returns) > 0
    )
    rows = _sums(
        session,
        select(Case).where(
            col(Case.created_at) >= since,
            col(Case.created_at) < until,
            col(Case.state).not_in([CaseState.draft.value, CaseState.discarded.value]),
        ),
        spoken,
        {
            "given": given,
            "kept": ~merged,
            "closed": ended & ~merged,
            "judged": _judged(SubjectKind.case, col(Case.id)),
            "in_time": _in_time(SubjectKind.case, col(Case.id)),
            "accepted": accepted,
            "returned": returned,
            "replied": replied,
            "redone": replied & redone,
            "chased": exists().where(col(Chase.case_id) == col(Case.id), *_counted()),
        },
        asked=accepted,
    )
    return rows.get(None, Counts())


def of_units(
    session: Session, since: datetime, until: datetime, units: Collection[int] | None = None
) -> dict[int, Counts]:
    """By unit (of these, or of all), the assignments that it was given within the period, as they stand now.

    What a citizen says is said of the leading unit; what is below another unit counts for the unit that has it.
    """
    own = col(Assignment.id)
    leads = col(Assignment.lead) & col(Assignment.parent_id).is_(None)
    accepted = col(Assignment.state) == AssignmentState.accepted.value
    gone = col(Assignment.state) == AssignmentState.withdrawn.value
    replied = col(Assignment.replied_at).is_not(None) | (col(Assignment.round) > 1)
    spoken = _last_talk(col(Assignment.case_id))
    given = select(Assignment).where(col(Assignment.given_at) >= since, col(Assignment.given_at) < until)
    found = _sums(
        session,
        given if units is None else given.where(col(Assignment.unit_id).in_(units)),
        spoken,
        {
            "given": true(),
            "kept": ~gone,
            "closed": accepted,
            "judged": _judged(SubjectKind.assignment, own),
            "in_time": _in_time(SubjectKind.assignment, own),
            "accepted": accepted & leads,
            "returned": col(Assignment.returns) > 0,
            "replied": replied,
            "redone": col(Assignment.round) > 1,
            "chased": exists().where(col(Chase.assignment_id) == own, *_counted()),
        },
        asked=accepted & leads,
        by=col(Assignment.unit_id),
    )
    return {unit: counts for unit, counts in found.items() if unit is not None}


def _sums(
    session: Session,
    of: Any,
    last_talk: Any,
    conditions: dict[str, ColumnElement[bool]],
    *,
    asked: ColumnElement[bool],
    by: Any = None,
) -> dict[int | None, Counts]:
    """How many meet each condition; what was said counts where the citizen was to be asked."""
    talk = aliased(FollowUp)
    said = and_(asked, col(talk.id).is_not(None))
    rated = and_(said, col(talk.satisfaction) != "")
    conditions = {
        **conditions,
        "asked": said,
        "rated": rated,
        "satisfied": and_(rated, col(talk.satisfaction).not_in(_CONTENT)),
        "told_contact": and_(said, col(talk.contacted_in_time).is_not(None)),
        "contacted": and_(said, col(talk.contacted_in_time).is_(True)),
        "told_solved": and_(said, col(talk.solved).is_not(None)),
        "solved": and_(said, col(talk.solved).is_(True)),
    }
    rows = of.outerjoin(talk, col(talk.id) == last_talk)
    flags = [case((condition, 1), else_=0).label(name) for name, condition in conditions.items()]
    key = [] if by is None else [by.label("key")]
    each = rows.with_only_columns(*key, *flags).subquery()
    sums = [cast(func.coalesce(func.sum(each.c[name]), 0), Integer).label(name) for name in conditions]
    statement = select(*([each.c.key] if key else []), *sums)
    if key:
        statement = statement.group_by(each.c.key)
    found = {}
    for row in session.execute(statement).mappings():
        found[row.get("key")] = Counts(**{name: row[name] for name in conditions})
    return found


def _last_talk(case_id: Any) -> Any:
    """The last time that the citizen of a case said what they think."""
    spoken = select(func.max(col(FollowUp.id))).where(
        col(FollowUp.case_id) == case_id, col(FollowUp.reached).in_([one.value for one in ASKED])
    )
    return spoken.scalar_subquery()


def _first_handling(subject: SubjectKind, ident: Any, state: ClockState) -> ColumnElement[bool]:
    return exists().where(
        col(CaseClock.subject_kind) == subject.value,
        col(CaseClock.subject_id) == ident,
        col(CaseClock.kind) == ClockKind.handle.value,
        col(CaseClock.round) == 1,
        col(CaseClock.state) == state.value,
    )


def _judged(subject: SubjectKind, ident: Any) -> ColumnElement[bool]:
    states = (ClockState.met, ClockState.missed)
    return or_(*(_first_handling(subject, ident, state) for state in states))


def _in_time(subject: SubjectKind, ident: Any) -> ColumnElement[bool]:
    met, missed = (_first_handling(subject, ident, state) for state in (ClockState.met, ClockState.missed))
    return and_(met, ~missed)


def _happened(event: str) -> ColumnElement[bool]:
    return exists().where(col(CaseEvent.case_id) == col(Case.id), col(CaseEvent.event) == event)


def _accepted() -> ColumnElement[bool]:
    """Accepted more often than that was taken back."""
    lines = select(func.count()).select_from(CaseEvent).where(col(CaseEvent.case_id) == col(Case.id))
    back = (col(CaseEvent.event) == CaseAct.taken_back.value) & (
        col(CaseEvent.from_state) == CaseState.to_follow_up.value
    )
    accepted = col(CaseEvent.event) == CaseAct.accepted.value
    return lines.where(accepted).scalar_subquery() > lines.where(back).scalar_subquery()


def _counted() -> tuple[ColumnElement[bool], ...]:
    """A chase that counts: not a draft, and no order, which is not about being late."""
    return col(Chase.state).not_in(UNSAID), col(Chase.level) != Level.order.value
