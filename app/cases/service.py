"""Use cases of a case: open a draft, save it while typing, register it, find it again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.agents.tables import Agent
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.calls.model import CallFacts
from app.cases import access, acting, finding
from app.cases.duplicates import ended_before
from app.cases.history import happen
from app.cases.model import (
    FIELDS,
    REQUIRED,
    TEXT_FIELDS,
    CaseType,
    Source,
    differences,
)
from app.cases.numbers import next_number
from app.cases.queries import by_number_for_caller, case_events, get_case, list_cases, of_citizen
from app.cases.states import CaseAct, CaseState
from app.cases.tables import Case
from app.citizens.service import match
from app.citizens.tables import Citizen, CitizenNumber
from app.clock import local_day, utc_now
from app.errors import BadInput, Forbidden, Refused
from app.places import service as places
from app.settings import get_settings
from app.text import clean, normal_number

__all__ = [
    "amend_or_autosave",
    "autosave",
    "by_number_for_caller",
    "case_events",
    "create_manual",
    "discard",
    "get_case",
    "list_cases",
    "of_citizen",
    "open_draft",
    "register",
    "restore",
]

_OPENED_FOR = select(Case).where(col(Case.opened_for) == bindparam("key"))


def open_draft(
    session: Session,
    facts: CallFacts,
    *,
    source: Source = Source.call,
    agent_id: str | None = None,
    section: str | None = None,
    known: Mapping[str, Citizen] | None = None,
    actor: Actor = SYSTEM,
    now: datetime | None = None,
    zone: ZoneInfo | None = None,
) -> Case:
    """The case of this call: the one there is, or a new draft with a number. Never a second one.

    `agent_id` is to whom it is offered; a draft moves with its call. `known`: what `match_all` said of the number, when
    it has been asked already. Idempotent by call id, also under concurrency.
    """
    now = now or utc_now()
    key = f"call:{facts.call_id}"
    case = _opened_for(session, key)
    if case is not None:
        if agent_id is not None and case.agent_id != agent_id:
            case.agent_id = agent_id
            if case.state == CaseState.draft.value:
                happen(session, actor, case, CaseAct.taken, now, detail={"agent_id": agent_id})
        return case
    number = normal_number(facts.number)
    citizen = match(session, number) if known is None else known.get(number)
    case = Case(
        opened_for=key,
        number=next_number(session, local_day(now, zone or get_settings().zone)),
        call_id=facts.call_id,
        source=source.value,
        state=CaseState.draft.value,
        caller_number=number,
        caller_name=clean(citizen.name if citizen and citizen.name else facts.name, 64),
        area=citizen.area if citizen else "",
        address=citizen.address if citizen else "",
        language=clean(facts.language, 8) or "zh",
        menu_path=clean(facts.path, 500),
        confidential=citizen.confidential if citizen else False,
        citizen_id=citizen.id if citizen else None,
        agent_id=agent_id,
        section=section,
        created_at=now,
        updated_at=now,
    )
    # On PostgreSQL two transactions may get here; the counter's row lock lets one pass at a time, so look again.
    if session.get_bind().dialect.name == "postgresql" and (other := _opened_for(session, key)) is not None:
        return other
    happen(session, actor, case, CaseAct.opened, now, detail={"source": source.value, "agent_id": agent_id})
    return case


def create_manual(
    session: Session,
    actor: Actor,
    fields: Mapping[str, Any],
    *,
    call_id: str | None = None,
    idempotency_key: str | None = None,
    opened_for: str | None = None,
    now: datetime | None = None,
    zone: ZoneInfo | None = None,
) -> Case:
    """A draft that an agent opens by hand, e.g. for a caller's second matter.

    The same `idempotency_key` of the same person gives the same case: a double click makes one. So does the same
    `opened_for`, whoever asks, for what is opened by its number elsewhere. Raises Forbidden, BadInput.
    """
    actor.require(Permission.cases_write)
    now = now or utc_now()
    key = f"user:{actor.user_id}:{clean(idempotency_key, 80)}" if idempotency_key else opened_for
    if key and (case := _opened_for(session, key)) is not None:
        return case
    values = _checked(fields)
    number = normal_number(str(values.get("caller_number", "")))
    citizen = match(session, number)
    case = Case(
        opened_for=key,
        number=next_number(session, local_day(now, zone or get_settings().zone)),
        call_id=clean(call_id, 64) if call_id else None,
        source=Source.manual.value,
        state=CaseState.draft.value,
        citizen_id=citizen.id if citizen else None,
        confidential=citizen.confidential if citizen else False,
        agent_id=actor.agent_id,
        edited_by=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    for name, value in values.items():
        setattr(case, name, value)
    if key and (other := _opened_for(session, key)) is not None:
        return other
    happen(session, actor, case, CaseAct.opened, now, detail={"source": case.source})
    return case


def autosave(
    session: Session,
    actor: Actor,
    case_id: int,
    fields: Mapping[str, Any],
    version: int,
    *,
    now: datetime | None = None,
) -> Case:
    """Save what was typed into a draft (within a second of typing, UX row 5). Returns it with the next version.

    The history names each editor once in a row: a line per keystroke would bury what matters. Raises NotFound,
    Forbidden, BadInput, VersionConflict (with what is stored), Refused when it is no draft any more.
    """
    now = now or utc_now()
    case = _for_change(session, actor, case_id, version)
    changes = _apply(session, actor, case, fields)
    if not changes:
        return case
    if case.edited_by != actor.user_id or case.version == 1:
        happen(session, actor, case, CaseAct.edited, now, detail={"fields": sorted(changes)})
    elif case.state != CaseState.draft.value:
        raise Refused(code="wrong_state")
    acting.bump(case, actor, now)
    return case


def amend_or_autosave(
    session: Session,
    actor: Actor,
    case_id: int,
    fields: Mapping[str, Any],
    version: int,
    *,
    now: datetime | None = None,
) -> Case:
    """Save an edit, whatever the state: a draft quietly, a registered case with every change in its history."""
    now = now or utc_now()
    case = _for_change(session, actor, case_id, version)
    if case.state == CaseState.draft.value:
        return autosave(session, actor, case_id, fields, version, now=now)
    changes = _apply(session, actor, case, fields)
    if not changes:
        return case
    _require_complete(case)
    happen(session, actor, case, CaseAct.amended, now, detail={"fields": changes})
    if case.registered_by != actor.user_id:
        write(session, actor, Action.case_overridden, f"case:{case.id}", {"fields": sorted(changes)}, now=now)
    acting.bump(case, actor, now)
    places.learn(session, case, now)
    finding.keep(session, case)
    return case


def register(
    session: Session,
    actor: Actor,
    case_id: int,
    fields: Mapping[str, Any],
    version: int,
    *,
    needs: Collection[str] = REQUIRED,
    now: datetime | None = None,
) -> Case:
    """Turn a draft into a registered case with the last edits.

    The same person registering the same version again gets the same case: a double click makes one (UX row 35).
    Raises BadInput (fields of `needs` that are missing: type, title, content), and what `autosave` raises.
    """
    now = now or utc_now()
    case = _locked(session, actor, case_id)
    if case.state == CaseState.registered.value:
        if case.registered_by == actor.user_id and version == case.registered_from_version:
            return case
        raise acting.conflict(session, actor, case)
    _require_owner(session, actor, case)
    if version != case.version:
        raise acting.conflict(session, actor, case)
    known = _citizen_of(session, case)
    changes = _apply(session, actor, case, fields)
    _require_complete(case, needs)
    earlier = ended_before(session, case, now)
    case.registered_at = now
    case.registered_by = actor.user_id
    case.registered_from_version = version
    snapshot = {name: getattr(case, name) for name in FIELDS}
    detail: dict[str, Any] = {"fields": changes, "registered": snapshot}
    if earlier is not None:
        case.repeat_of_id, case.repeats = earlier.id, earlier.repeats + 1
        detail["repeat_of"] = earlier.id  # its number is for whoever may know of that case (`views.event_json`)
    with session.no_autoflush:  # the row of the case is written once
        acting.bump(case, actor, now)
        _learn_citizen(session, actor, case, known, now)
        places.learn(session, case, now)
    happen(session, actor, case, CaseAct.registered, now, detail=detail)
    finding.keep_new(session, case)
    return case


def discard(
    session: Session, actor: Actor, case_id: int, version: int, reason: str, *, now: datetime | None = None
) -> Case:
    """Put a draft aside (wrong number, nothing said); it stays findable. Raises BadInput without a reason."""
    now = now or utc_now()
    case = _for_change(session, actor, case_id, version)
    reason = clean(reason, 500)
    if not reason:
        raise BadInput(fields={"reason": "请填写作废原因 (say why)"})
    happen(session, actor, case, CaseAct.discarded, now, reason=reason)
    acting.bump(case, actor, now)
    return case


def restore(session: Session, actor: Actor, case_id: int, version: int, *, now: datetime | None = None) -> Case:
    """Take a discarded draft up again."""
    now = now or utc_now()
    case = _for_change(session, actor, case_id, version)
    happen(session, actor, case, CaseAct.restored, now)
    acting.bump(case, actor, now)
    return case


def _opened_for(session: Session, key: str) -> Case | None:
    return session.execute(_OPENED_FOR, {"key": key}).scalar_one_or_none()


def _locked(session: Session, actor: Actor, case_id: int) -> Case:
    actor.require(Permission.cases_write)
    return acting.locked(session, actor, case_id)


def _require_owner(session: Session, actor: Actor, case: Case) -> None:
    if not access.may_edit(session, actor, case):
        raise Forbidden()


def _for_change(session: Session, actor: Actor, case_id: int, version: int) -> Case:
    case = _locked(session, actor, case_id)
    _require_owner(session, actor, case)
    if version != case.version:
        raise acting.conflict(session, actor, case)
    return case


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in fields.items():
        if name == "type" and (value in ("", None) or value in CaseType.__members__):
            values[name] = value or None
        elif name == "confidential" and isinstance(value, bool):
            values[name] = value
        elif name in TEXT_FIELDS and isinstance(value, str):
            rule = TEXT_FIELDS[name]
            if len(value) > rule.limit + 200:
                wrong[name] = f"不得超过 {rule.limit} 字 (at most {rule.limit} characters)"
            elif value and rule.shape and not re.fullmatch(rule.shape, value):
                wrong[name] = "无法识别的内容 (not understood)"
            else:
                text = normal_number(value) if name == "caller_number" else clean(value, rule.limit, lines=rule.lines)
                values[name] = text
        else:
            wrong[name] = "无法识别的内容 (not understood)"
    if wrong:
        raise BadInput(fields=wrong)
    return values


def _apply(session: Session, actor: Actor, case: Case, fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    clear = access.sees_citizen(session, actor, case)
    values = access.hides_personal_change(_checked(fields), case, clear=clear)
    if not clear:
        values.pop("confidential", None)
    before = {name: getattr(case, name) for name in values}
    changes = differences(before, values)
    for name in changes:
        setattr(case, name, values[name])
    if "caller_number" in changes:
        citizen = match(session, case.caller_number)
        case.citizen_id = citizen.id if citizen else None
    return changes


def _require_complete(case: Case, needs: Collection[str] = REQUIRED) -> None:
    if not case.title and case.content:
        case.title = case.content.splitlines()[0][:60]
    words = {
        "type": "请选择诉求类型 (choose a type)",
        "title": "请填写标题 (required)",
        "content": "请填写内容 (required)",
        "answer": "请填写当场答复了什么 (what was the caller told?)",
    }
    missing = {name: words[name] for name in needs if not getattr(case, name)}
    if missing:
        raise BadInput("登记前请补全必填内容。", "Fill in what is missing, then register.", fields=missing)


def _citizen_of(session: Session, case: Case) -> Citizen | None:
    return session.get(Citizen, case.citizen_id) if case.citizen_id is not None else None


def _learn_citizen(session: Session, actor: Actor, case: Case, known: Citizen | None, now: datetime) -> None:
    """Remember who called, so that the next card is filled in; what is known of a citizen is not overwritten.

    `known`: whom the draft named before its last edits. Never what is the agent's own (UX 30): a staff number is no
    citizen's, and the agent's own name stays with the case.
    """
    caller_name = "" if case.caller_name == actor.display_name else case.caller_name
    if not case.caller_number or case.citizen_id is not None:
        same = known is not None and known.id == case.citizen_id
        if (citizen := known if same else _citizen_of(session, case)) is not None:
            for name, value in (("name", caller_name), ("area", case.area), ("address", case.address)):
                if value and not getattr(citizen, name):
                    setattr(citizen, name, value)
        return
    if session.get(Agent, case.caller_number) is not None:
        return
    citizen = Citizen(
        name=caller_name,
        area=case.area,
        address=case.address,
        language=case.language,
        created_at=now,
        updated_at=now,
    )
    try:
        with session.begin_nested():
            session.add(citizen)
            session.flush()
            session.add(CitizenNumber(number=case.caller_number, citizen_id=citizen.id or 0))
    except IntegrityError:  # somebody has just registered this number's other matter
        found = match(session, case.caller_number)
        case.citizen_id = found.id if found else None
    else:
        case.citizen_id = citizen.id
