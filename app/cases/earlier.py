"""What a case's citizen brought before, beside a case that was not opened by a call that has just come."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.service import agent_names
from app.auth.model import Permission
from app.calls.service import confidential_ids, of_number
from app.calls.views import call_row
from app.cases import access
from app.cases.queries import of_citizen
from app.cases.tables import Case
from app.cases.views import case_row

SHOWN = 5


def earlier_json(session: Session, actor: Actor, case: Case) -> dict[str, Any]:
    """The citizen's other cases and calls, at most SHOWN of each kind; nothing to whoever may not see who it is.

    Of other cases and calls only those whose citizen the asker sees as well: that they stand here says whose they are,
    and a number can be typed into a draft by anybody.
    """
    nothing: dict[str, Any] = {"open_cases": [], "last_cases": [], "last_calls": []}
    if not access.sees_citizen(session, actor, case):
        return nothing
    last, waiting = of_citizen(session, case.caller_number, case.citizen_id, limit=SHOWN + 1, but=case.call_id or "")
    known = _known(session, actor, {one.id or 0 for one in (*last, *waiting)} - {case.id or 0})

    def rows(cases: list[Case]) -> list[dict[str, Any]]:
        shown = [one for one in cases if one.id in known and access.sees_citizen(session, actor, one)]
        return [case_row(one, clear=True) for one in shown[:SHOWN]]

    reads = bool(case.caller_number) and actor.may(Permission.calls_read)  # a unit reads no calls
    calls = of_number(session, case.caller_number, limit=SHOWN, but=case.call_id or "") if reads else []
    secret = set() if actor.may(Permission.confidential_read) else confidential_ids(session, calls)
    open_calls = [call for call in calls if call.call_id not in secret]
    names = agent_names(session, {call.agent_id for call in calls if call.agent_id})
    return {
        "open_cases": rows(waiting),
        "last_cases": rows(last),
        "last_calls": [call_row(call, clear=True, agent_name=names.get(call.agent_id or "")) for call in open_calls],
    }


def _known(session: Session, actor: Actor, ids: set[int]) -> set[int]:
    """Of these the cases that the asker may know of."""
    visible = select(col(Case.id)).where(col(Case.id).in_(ids), access.visible(actor))
    return set(session.execute(visible).scalars()) if ids else set()
