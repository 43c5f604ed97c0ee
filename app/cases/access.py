"""Who may see which case, and how much of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, not_, or_, select, true
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.tables import Assignment, Recusal
from app.auth.model import Permission
from app.calls.tables import Call
from app.cases.model import PERSONAL, TEXT_FIELDS
from app.cases.states import AssignmentState, CaseAct, CaseState
from app.cases.tables import Case, CaseEvent
from app.chasing.model import UNDECIDED_LINES
from app.citizens.tables import Citizen
from app.db import loaded
from app.errors import NotFound
from app.text import masked_name, masked_number, without

RECUSALS = frozenset({"recused", "recusal_lifted"})
"""Lines that say who has an interest in a case, and why: for those who may judge it, and for who checks on them."""


def visible(actor: Actor) -> Any:
    """The condition for cases that the asker may know of. Raises Forbidden.

    Of the centre's people: everything but other people's drafts. Of a unit's: what their unit has been given. Nobody
    knows of a case from which they, or their unit, are kept (篇6 第18条).
    """
    if actor.may(Permission.cases_read):
        return and_(_at_the_centre(actor), not_recused(actor))
    actor.require(Permission.work_handle)
    return and_(_given_to(actor.unit_ids), not_recused(actor))


def _given_to(units: Any) -> Any:
    theirs = col(Assignment.unit_id).in_(units) & (col(Assignment.state) != AssignmentState.withdrawn.value)
    return exists().where(col(Assignment.case_id) == col(Case.id), theirs)


def not_recused(actor: Actor) -> Any:
    """The condition for cases from which the asker is not kept."""
    return true() if actor.user_id is None else _not_kept(actor.user_id, actor.unit_ids)


def _not_kept(user: Any, units: Any) -> Any:
    kept = or_(col(Recusal.user_id) == user, col(Recusal.unit_id).in_(units))
    return not_(exists().where(col(Recusal.case_id) == col(Case.id), col(Recusal.lifted_at).is_(None), kept))


def _at_the_centre(actor: Actor) -> Any:
    if actor.may(Permission.drafts_read_all):
        return true()
    nobodys = col(Case.agent_id).is_(None)
    mine = col(Case.agent_id) == (actor.agent_id or "-")
    not_draft = col(Case.state) != CaseState.draft.value
    return or_(not_draft, mine, nobodys) if actor.may(Permission.cases_write) else not_draft


def require_visible(session: Session, actor: Actor, case: Case | None) -> Case:
    """Raises NotFound for what does not exist and for what the asker may not know of alike."""
    if not actor.may(Permission.cases_read):
        actor.require(Permission.work_handle)
    if case is None or not _knows_of(session, actor, case):
        raise NotFound()
    if case.state == CaseState.draft.value and not actor.may(Permission.drafts_read_all):
        nobodys = case.agent_id is None and actor.may(Permission.cases_write)
        if not nobodys and not has_had(session, actor, case):
            raise NotFound()
    return case


def known(session: Session, actor: Actor, case_id: int | None) -> Case | None:
    """Another case that is named beside one, for whoever may know of it; None for everybody else, or where none is."""
    if case_id is None:
        return None
    try:
        return require_visible(session, actor, session.get(Case, case_id))
    except NotFound:
        return None


def _knows_of(session: Session, actor: Actor, case: Case) -> bool:
    asked = {"ident": case.id, "asker": actor.user_id, "units": list(actor.unit_ids)}
    known = _known(actor.may(Permission.cases_read), actor.user_id is not None)
    return session.execute(known, asked).first() is not None


@cache
def _known(at_the_centre: bool, somebody: bool) -> Select[Any]:
    """A case, for askers of that kind. Asked by every act, and so built once."""
    units: Any = bindparam("units", expanding=True)
    given = true() if at_the_centre else _given_to(units)
    kept = _not_kept(bindparam("asker"), units) if somebody else true()
    return select(col(Case.id)).where(col(Case.id) == bindparam("ident"), given, kept)


def works_seen(session: Session, actor: Actor, case_id: int) -> frozenset[int]:
    """The assignments of a case that somebody of a unit may know of: their unit's, and what was handed down from it."""
    rows = session.execute(
        select(col(Assignment.id), col(Assignment.parent_id), col(Assignment.unit_id))
        .where(col(Assignment.case_id) == case_id)
        .order_by(col(Assignment.id))
    ).all()
    seen: set[int] = set()
    for ident, parent, unit in rows:  # whoever gives has the smaller id
        if unit in actor.unit_ids or parent in seen:
            seen.add(ident)
    return frozenset(seen)


def unit_reads(line: CaseEvent, works: Collection[int]) -> bool:
    """Whether somebody of a unit, who knows of these assignments, reads this line of the case's history."""
    of = line.detail.get("assignment")
    return line.event not in UNDECIDED_LINES | RECUSALS and (of is None or of in works)


def may_edit(session: Session, actor: Actor, case: Case) -> bool:
    """Who edits: a draft, the agents who had its call; a registered case, its agent; anything, by the override."""
    if not actor.may(Permission.cases_write):
        return False
    if actor.may(Permission.cases_override) or case.agent_id is None or case.agent_id == actor.agent_id:
        return True
    if case.state == CaseState.draft.value:
        return has_had(session, actor, case)
    return case.registered_by is not None and case.registered_by == actor.user_id


def has_had(session: Session, actor: Actor, case: Case) -> bool:
    """Whether the case is or was this agent's: offered to them, or their talk.

    After a transfer the first agent still has sentences to save; the version keeps the two from overwriting each other.
    """
    if actor.agent_id is None:
        return False
    if case.agent_id == actor.agent_id:
        return True
    call = session.get(Call, case.call_id) if case.call_id else None
    if call is not None and call.agent_id == actor.agent_id:
        return True
    moves = (CaseAct.opened.value, CaseAct.taken.value)
    found = select(CaseEvent).where(col(CaseEvent.case_id) == case.id, col(CaseEvent.event).in_(moves))
    return any(event.detail.get("agent_id") == actor.agent_id for event in session.execute(found).scalars())


def is_confidential(session: Session, case: Case) -> bool:
    """Whether the case or its citizen asked for secrecy (篇6 第19条)."""
    if case.confidential or case.citizen_id is None:
        return case.confidential
    citizen = session.get(Citizen, case.citizen_id)
    return citizen is not None and citizen.confidential


def citizens_of(session: Session, cases: Iterable[Case]) -> object:
    """Whom `is_confidential` looks up for each of these, in one statement; at hand as long as somebody holds it."""
    return loaded(session, Citizen, (case.citizen_id for case in cases))


def confidential(of: Any = Case) -> Any:
    """The condition for cases which are that, or whose citizen asked for secrecy: `is_confidential` for lists.

    `of`: the table's alias, where a statement asks about cases twice.
    """
    # One look-up for each case that is read; a list of all who asked for secrecy would be made for every search.
    secret = exists().where(col(Citizen.id) == of.citizen_id, col(Citizen.confidential).is_(True))
    return or_(of.confidential, secret)


def sees_citizen(session: Session, actor: Actor, case: Case) -> bool:
    """Whether the asker sees this case's citizen in clear. A unit must reach whoever it works for, unless in secret."""
    return sees_citizen_of(actor, case, confidential=is_confidential(session, case))


def sees_citizen_of(actor: Actor, case: Case, *, confidential: bool) -> bool:
    """As `sees_citizen`, where it is known already whether the case is confidential."""
    if not actor.may(Permission.cases_read) and actor.may(Permission.work_handle):
        return not confidential
    return actor.sees_personal(confidential=confidential, owner=case.agent_id)


def shown_fields(case: Case, *, clear: bool) -> dict[str, Any]:
    """The case's editable fields as the asker may see them."""
    fields: dict[str, Any] = {
        "type": case.type or "",
        "title": case.title,
        "content": case.content,
        "answer": case.answer,
        "answer_source": case.answer_source,
        "proposed_unit": case.proposed_unit,
        "caller_name": case.caller_name,
        "caller_number": case.caller_number,
        "area": case.area,
        "address": case.address,
        "confidential": case.confidential,
    }
    return fields if clear else masked_fields(fields, case)


def hidden(text: str, case: Case) -> str:
    """`text` with the case's citizen masked wherever somebody wrote their number, name or address into it."""
    return without(text, case.caller_number, case.caller_name, case.address)


def unmasked(text: str, stored: Iterable[str], case: Case, *, clear: bool) -> str:
    """`text`, or what is stored of it where somebody who sees masks left it as they were shown it."""
    if clear:
        return text
    return next((one for one in stored if hidden(one, case) == text), text)


def plain(text: str, case: Case, *, clear: bool) -> str:
    """A text about a case as the asker may read it; `clear` as `sees_citizen` says."""
    return text if clear else hidden(text, case)


def masked_fields(fields: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """`fields` with the citizen's identity masked, also where an agent wrote it into the text."""
    masked = dict(fields)
    for key, value in masked.items():
        if key == "caller_number":
            masked[key] = masked_number(str(value))
        elif key == "caller_name":
            masked[key] = masked_name(str(value))
        elif key == "address":
            masked[key] = ""
        else:
            masked[key] = _hidden_within(value, case)
    return masked


def masked_detail(detail: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """The detail of a history line with the citizen's identity masked, however deep a text lies in it."""
    out = dict(detail)
    changed = out.pop("fields", None)
    if isinstance(changed, Mapping):
        changed = {
            key: {side: masked_fields({key: text}, case)[key] for side, text in change.items()}
            if isinstance(change, Mapping)
            else _hidden_within(change, case)
            for key, change in changed.items()
        }
    shown: dict[str, Any] = {key: _hidden_within(value, case) for key, value in out.items()}
    return shown if changed is None else {"fields": changed, **shown}


def _hidden_within(value: Any, case: Case) -> Any:
    if isinstance(value, str):
        return hidden(value, case)
    if isinstance(value, Mapping):
        return {key: _hidden_within(one, case) for key, one in value.items()}
    if isinstance(value, list):
        return [_hidden_within(one, case) for one in value]
    return value


def hides_personal_change(fields: Mapping[str, Any], case: Case, *, clear: bool) -> dict[str, Any]:
    """What of an edit is taken from somebody who sees masks: never the masked fields, nor masks in a text."""
    if clear:
        return dict(fields)
    return {
        key: unmasked(value, [getattr(case, key)], case, clear=False) if key in TEXT_FIELDS else value
        for key, value in fields.items()
        if key not in PERSONAL
    }
