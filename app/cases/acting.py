"""What every act on a case begins and ends with: the locked row, the version that was seen, the line of history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.tables import User
from app.cases import access
from app.cases.history import happen
from app.cases.parties import require_case
from app.cases.states import CaseAct
from app.cases.tables import Case, CaseEvent
from app.cases.views import case_json
from app.errors import BadInput, VersionConflict
from app.text import clean

LONGEST_REASON = 500
_LOCKED = select(Case).where(col(Case.id) == bindparam("ident")).with_for_update()
_LOCKED = _LOCKED.execution_options(populate_existing=True)


class Begun(NamedTuple):
    """A case that may be acted on; `done` if this very act was done before (a double click)."""

    case: Case
    done: bool


def locked(session: Session, actor: Actor, case_id: int) -> Case:
    """The case as it is now, for this transaction alone. Raises NotFound also for what the asker may not know of."""
    return access.require_visible(session, actor, session.execute(_LOCKED, {"ident": case_id}).scalar_one_or_none())


def lock_both(session: Session, one: int, other: int) -> None:
    """Two cases for this transaction alone, in the same order whoever asks: the other way round two would wait for
    each other for ever."""
    both = select(col(Case.id)).where(col(Case.id).in_((one, other))).order_by(col(Case.id))
    session.execute(both.with_for_update()).all()


def begin(session: Session, actor: Actor, case_id: int, version: int, act: CaseAct) -> Begun:
    """Whether the asker may do this to the version that they saw.

    Raises NotFound, VersionConflict with what is stored, Refused (wrong_state), Forbidden.
    """
    case = locked(session, actor, case_id)
    if version != case.version:
        if was_done(session, actor, case, act.value, version):
            return Begun(case, True)
        raise conflict(session, actor, case)
    require_case(session, actor, case, act)
    return Begun(case, False)


def was_done(
    session: Session, actor: Actor, case: Case, act: str, version: int, *, assignment: int | None = None
) -> bool:
    """Whether the same person did exactly this from this version: of the case, or of that assignment of it.

    A version is left once only, so the line is theirs however many lines the act wrote after it.
    """
    if actor.user_id is None:
        return False
    theirs = (col(CaseEvent.case_id) == case.id) & (col(CaseEvent.event) == act)
    lines = select(CaseEvent).where(theirs, col(CaseEvent.user_id) == actor.user_id)
    return any(
        (one.detail.get("version"), one.detail.get("assignment")) == (version, assignment)
        for one in session.execute(lines).scalars()
    )


def act_on(
    session: Session,
    actor: Actor,
    case: Case,
    act: CaseAct,
    now: datetime,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Do it: the state moves, the history has a line, the version is another."""
    happen(session, actor, case, act, now, reason=reason, detail={**(detail or {}), "version": case.version})
    bump(case, actor, now)


def bump(case: Case, actor: Actor, now: datetime) -> None:
    """The case has changed."""
    case.version += 1
    case.edited_by = actor.user_id
    case.updated_at = now


def conflict(session: Session, actor: Actor, case: Case) -> VersionConflict:
    """What is stored now, and who stored it, as the asker may see it."""
    editor = session.get(User, case.edited_by) if case.edited_by is not None else None
    return VersionConflict(
        current=case_json(session, actor, case), extra={"changed_by": editor.display_name if editor else None}
    )


def said(value: str, field: str = "reason", limit: int = LONGEST_REASON) -> str:
    """A text that an act needs. Raises BadInput without one."""
    text = clean(value, limit, lines=limit > LONGEST_REASON)
    if not text:
        raise BadInput(fields={field: "请填写 (required)"})
    return text
