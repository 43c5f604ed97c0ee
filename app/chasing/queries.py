"""Chases as people look them up: of a case, those that wait for a decision, and how many for whom."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.cases import access
from app.cases.tables import Case
from app.chasing.model import UNSAID, Level
from app.chasing.tables import Chase
from app.paging import Leaf, Page, equal, page_of, within


def chases(
    session: Session,
    actor: Actor,
    zone: tzinfo,
    *,
    case_id: int | None = None,
    unit_id: int | None = None,
    level: str = "",
    state: str = "",
    from_: date | None = None,
    to: date | None = None,
    leaf: Leaf | None = None,
) -> Page[Any]:
    """Newest first: the centre's people see those of cases that they may see, a unit's those about their own unit.

    Drafts, and what was dropped, are shown to reviewers and auditors alone. Raises Forbidden.
    """
    statement = equal(_seen(actor), {Chase.level: level, Chase.state: state})
    if case_id is not None:
        statement = statement.where(col(Chase.case_id) == case_id)
    if unit_id is not None:
        statement = statement.where(col(Chase.unit_id) == unit_id)
    statement = within(statement, Chase.at, from_, to, zone)
    return page_of(session, statement.order_by(col(Chase.id).desc()), leaf)


def counts_by_unit(
    session: Session, actor: Actor, zone: tzinfo, *, from_: date | None = None, to: date | None = None
) -> dict[int | None, dict[str, int]]:
    """How many of each level for each unit (None: the centre), drafts and dropped ones left out; for assessments."""
    statement = _seen(actor).where(col(Chase.state).not_in(UNSAID))
    grouped = within(statement, Chase.at, from_, to, zone).with_only_columns(
        col(Chase.unit_id), col(Chase.level), func.count()
    )
    found: dict[int | None, dict[str, int]] = {}
    for unit, level, count in session.execute(grouped.group_by(col(Chase.unit_id), col(Chase.level))).all():
        found.setdefault(unit, {one.value: 0 for one in Level})[level] = count
    return found


def _seen(actor: Actor) -> Select[Any]:
    statement = select(Chase).join(Case, col(Case.id) == col(Chase.case_id))
    if actor.may(Permission.cases_review) or actor.may(Permission.audit_read):
        return statement.where(access.visible(actor))
    if actor.may(Permission.cases_read):
        return statement.where(col(Chase.state).not_in(UNSAID), access.visible(actor))
    actor.require(Permission.work_handle)
    own = col(Chase.unit_id).in_(actor.unit_ids) & col(Chase.state).not_in(UNSAID)
    return statement.where(own, access.visible(actor))
