"""The lists that work is taken from, each what is due first before the rest; and how much waits on each.

A board is some states of cases, read along the index of state and due time: it costs what it shows, not what there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, exists, select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment
from app.auth.model import Permission
from app.cases import access
from app.cases.states import CASE_WITH_UNITS, AssignmentState, CaseState
from app.cases.tables import Case
from app.followups.tables import FollowUpTask
from app.paging import Leaf, Page, counted, page_of


class Board(StrEnum):
    """A list of cases that somebody has to do something about."""

    dispatch = "dispatch"  # 待派单
    returns = "returns"  # 待裁定退单
    under_way = "under_way"  # 办理中
    review = "review"  # 待审核
    proposals = "proposals"  # 建议重办
    follow_up = "follow_up"  # 待回访
    deferred = "deferred"  # 挂账


@dataclass(frozen=True)
class _Kind:
    states: frozenset[CaseState]
    permission: Permission


S = CaseState
BOARDS: Mapping[Board, _Kind] = {
    Board.dispatch: _Kind(frozenset({S.to_dispatch}), Permission.cases_dispatch),
    Board.returns: _Kind(CASE_WITH_UNITS | {S.returned}, Permission.cases_dispatch),
    Board.under_way: _Kind(CASE_WITH_UNITS, Permission.cases_read),
    Board.review: _Kind(frozenset({S.replied, S.in_review}), Permission.cases_review),
    Board.proposals: _Kind(frozenset({S.to_follow_up}), Permission.cases_review),
    Board.follow_up: _Kind(frozenset({S.to_follow_up}), Permission.cases_follow_up),
    Board.deferred: _Kind(frozenset({S.deferred}), Permission.cases_read),
}
del S


def board(session: Session, actor: Actor, which: Board, leaf: Leaf | None = None) -> Page[Case]:
    """One page of a board, first due first. Raises Forbidden."""
    return page_of(session, _cases(actor, which).order_by(col(Case.due_at), col(Case.id)), leaf)


def counts(session: Session, actor: Actor, now: datetime) -> dict[Board, dict[str, int]]:
    """Of every board that the asker works from: how much is on it, and how much of that is late."""
    found = {}
    for which, kind in BOARDS.items():
        if not actor.may(kind.permission):
            continue
        wanted = _cases(actor, which)
        late = wanted.where(col(Case.due_at) <= now)
        found[which] = {"all": counted(session, wanted), "late": counted(session, late)}
    return found


def _cases(actor: Actor, which: Board) -> Select[Any]:
    kind = BOARDS[which]
    actor.require(kind.permission)
    states = [state.value for state in kind.states]
    statement = select(Case).where(col(Case.state).in_(states), access.visible(actor))
    match which:
        case Board.returns:
            given_back = col(Assignment.state) == AssignmentState.returned.value
            top = col(Assignment.parent_id).is_(None)
            statement = statement.where(exists().where(col(Assignment.case_id) == col(Case.id), given_back, top))
        case Board.follow_up | Board.proposals:
            waits = col(FollowUpTask.open).is_(which is Board.follow_up)
            statement = statement.where(exists().where(col(FollowUpTask.case_id) == col(Case.id), waits))
    return statement
