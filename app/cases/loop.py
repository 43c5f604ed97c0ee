"""What ends a case at once, and what puts it on its way (C1, C2, C15): the acts that ask nothing of a unit's time.

Every act takes the version of the case that the asker saw. The same act from the same version by the same person is one
act: a double click changes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.acting import top_of, units_at_work
from app.calls.parts import with_unit
from app.calls.service import find
from app.cases import clocks
from app.cases.access import sees_citizen, unmasked
from app.cases.acting import act_on, begin, locked, said
from app.cases.model import REQUIRED, TEXT_FIELDS, Ground, HandlingWay
from app.cases.service import amend_or_autosave, register
from app.cases.states import CaseAct, CaseState
from app.cases.tables import Case, CaseItem
from app.cases.twins import close_twins
from app.chasing.model import UrgentCause
from app.chasing.urgent import call_leaders
from app.clock import iso, utc_now
from app.clocks.model import ClockKind
from app.clocks.rules import Urgency
from app.errors import BadInput, Refused
from app.reply_templates.model import TO_FILL
from app.text import clean, is_call_id
from app.units.tables import Unit

MOST_ITEMS, LONGEST_ITEM = 30, 500


def answer(
    session: Session, actor: Actor, case_id: int, version: int, text: str, *, now: datetime | None = None
) -> Case:
    """当即答复: the caller has been told, from the knowledge base or by heart. Raises BadInput (answer)."""
    return _ended(session, actor, case_id, version, CaseAct.answered, HandlingWay.answer, text, now)


def answer_at_once(
    session: Session,
    actor: Actor,
    case_id: int,
    fields: Mapping[str, Any],
    version: int,
    *,
    now: datetime | None = None,
) -> Case:
    """当即答复 straight from a draft: registered with the last edits and ended by its answer, or neither.

    From the same version by the same person it is one act, also where the draft had been registered from it and only
    the word of that was lost. Raises BadInput for everything that is missing at once, and what `register` raises.
    """
    now = now or utc_now()
    case = locked(session, actor, case_id)
    mine = case.registered_by == actor.user_id and case.registered_from_version == version
    if mine and case.state == CaseState.answered.value:
        return case
    if mine and case.state == CaseState.registered.value:
        case = amend_or_autosave(session, actor, case_id, fields, case.version, now=now)
    else:
        case = register(session, actor, case_id, fields, version, needs=(*REQUIRED, "answer"), now=now)
    return answer(session, actor, case_id, case.version, case.answer, now=now)


def guide(
    session: Session, actor: Actor, case_id: int, version: int, text: str, *, now: datetime | None = None
) -> Case:
    """引导: the caller was told where this is decided. Raises BadInput (answer)."""
    return _ended(session, actor, case_id, version, CaseAct.guided, HandlingWay.guide, text, now)


def refer(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    unit_id: int,
    remark: str = "",
    *,
    now: datetime | None = None,
) -> Case:
    """转阅: a unit is to read it and owes no answer. Raises BadInput (unit)."""
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.referred)
    if done:
        return case
    case.to_unit_id = _unit(session, unit_id)
    detail = {"unit_id": case.to_unit_id, "way": HandlingWay.refer.value}
    return _end(session, actor, case, CaseAct.referred, HandlingWay.refer, now, detail, clean(remark, 500))


def transfer(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    unit_id: int,
    call_id: str,
    text: str,
    *,
    now: datetime | None = None,
) -> Case:
    """电话交办, settled on the telephone: a unit joined the caller and the agent, and this is what it said.

    `call_id` is the call with its record; the unit's own part in it is named if it has one. Raises BadInput (unit,
    call, answer).
    """
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.transferred)
    if done:
        return case
    if not is_call_id(call_id) or find(session, call_id) is None:
        raise BadInput(fields={"call": "没有这通电话 (no such call)"})
    case.to_unit_id, case.with_call_id = _unit(session, unit_id), call_id
    case.answer = _answer(session, actor, case, text)
    detail = {"unit_id": unit_id, "call_id": call_id, "answer": case.answer, "way": HandlingWay.telephone.value}
    if (part := with_unit(session, call_id, unit_id)) is not None:
        detail |= {"third_id": part.id, "joined_at": iso(part.joined_at), "left_at": iso(part.left_at)}
    return _end(session, actor, case, CaseAct.transferred, HandlingWay.telephone, now, detail)


def decline(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    ground: Ground,
    told: str,
    *,
    now: datetime | None = None,
) -> Case:
    """不予受理: the hotline may not take this up; `told` is what the caller was told. Raises BadInput (told)."""
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.declined)
    if done:
        return case
    case.ground = ground.value
    return _end(session, actor, case, CaseAct.declined, None, now, {"ground": ground.value}, said(told, "told"))


def reopen(
    session: Session, actor: Actor, case_id: int, version: int, why: str, *, now: datetime | None = None
) -> Case:
    """What was ended at once is taken up again."""
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.reopened)
    if done:
        return case
    case.ended_at = case.way = case.ground = case.to_unit_id = case.with_call_id = None
    act_on(session, actor, case, CaseAct.reopened, now, reason=said(why))
    return case


def submit(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    *,
    urgency: Urgency = Urgency.general,
    about_unit_id: int | None = None,
    why: str = "",
    now: datetime | None = None,
) -> Case:
    """交派单: a dispatcher is to give it to units; from now on the dispatch is timed.

    `about_unit_id` is the unit that the caller complains about, which then neither handles nor sees it. `why` is said
    where it is more than the next step.
    """
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.submitted)
    if done:
        return case
    case.urgency = urgency.value
    case.about_unit_id = _unit(session, about_unit_id) if about_unit_id is not None else None
    detail = {"urgency": case.urgency, "about_unit_id": case.about_unit_id}
    act_on(session, actor, case, CaseAct.submitted, now, reason=clean(why, 500), detail=detail)
    clocks.begins(session, case, ClockKind.dispatch, now)
    call_leaders(session, actor, case, UrgentCause.submitted, now)
    return case


def send_back(
    session: Session, actor: Actor, case_id: int, version: int, why: str, *, now: datetime | None = None
) -> Case:
    """退回补充: who took it in must find out more; the dispatch clock goes on, for the centre still has it."""
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.sent_back)
    if done:
        return case
    act_on(session, actor, case, CaseAct.sent_back, now, reason=said(why))
    return case


def archive(session: Session, actor: Actor, case_id: int, version: int, *, now: datetime | None = None) -> Case:
    """归档: nothing of it changes any more."""
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.archived)
    if not done:
        act_on(session, actor, case, CaseAct.archived, now)
    return case


def set_items(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    texts: list[str],
    *,
    now: datetime | None = None,
) -> list[CaseItem]:
    """The things that the citizen asks for, one by one; until units have it, whose replies answer each.

    Raises BadInput (items), Refused (units_have_it).
    """
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, CaseAct.amended)
    if done:
        return items_of(session, case_id)
    if top_of(session, case_id):
        raise Refused(
            "承办单位正按现有诉求逐项办理，不能再修改。", "Units are answering these items.", code="units_have_it"
        )
    before = [item.text for item in items_of(session, case_id)]
    clear = sees_citizen(session, actor, case)
    wanted = [text for text in (clean(one, LONGEST_ITEM) for one in texts) if text]
    wanted = [unmasked(text, before, case, clear=clear) for text in wanted]
    if not 1 <= len(wanted) <= MOST_ITEMS:
        raise BadInput(fields={"items": f"须为 1 到 {MOST_ITEMS} 项 (1 to {MOST_ITEMS} items)"})
    if before == wanted:
        return items_of(session, case_id)
    session.execute(delete(CaseItem).where(col(CaseItem.case_id) == case_id))
    keep_items(session, case, wanted)
    change = {"items": {"from": before, "to": wanted}}
    act_on(session, actor, case, CaseAct.amended, now, detail={"fields": change})
    return items_of(session, case_id)


def items_of(session: Session, case_id: int) -> list[CaseItem]:
    """What the citizen asks for, in order."""
    statement = select(CaseItem).where(col(CaseItem.case_id) == case_id).order_by(col(CaseItem.position))
    return list(session.execute(statement).scalars())


def keep_items(session: Session, case: Case, texts: list[str]) -> list[CaseItem]:
    """Write these items."""
    rows = [CaseItem(case_id=case.id or 0, position=at, text=text) for at, text in enumerate(texts, 1)]
    session.add_all(rows)
    session.flush()
    return rows


def _ended(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    act: CaseAct,
    way: HandlingWay,
    text: str,
    now: datetime | None,
) -> Case:
    now = now or utc_now()
    case, done = begin(session, actor, case_id, version, act)
    if done:
        return case
    case.answer = _answer(session, actor, case, text or case.answer)
    return _end(session, actor, case, act, way, now, {"answer": case.answer, "way": way.value})


def _answer(session: Session, actor: Actor, case: Case, text: str) -> str:
    words = said(text, "answer", TEXT_FIELDS["answer"].limit)
    if TO_FILL.search(words):
        raise BadInput(fields={"answer": "还有待填的内容 (something is still to be filled in)"})
    return unmasked(words, [case.answer], case, clear=sees_citizen(session, actor, case))


def _end(
    session: Session,
    actor: Actor,
    case: Case,
    act: CaseAct,
    way: HandlingWay | None,
    now: datetime,
    detail: dict[str, Any],
    reason: str = "",
) -> Case:
    if left := units_at_work(session, case):
        raise Refused(
            f"还有 {left} 个单位在办理，先撤回。",
            f"{left} units are at work on it: withdraw them first.",
            code="units_at_work",
        )
    case.way, case.ended_at = (way.value if way else None), now
    act_on(session, actor, case, act, now, reason=reason, detail=detail)
    for kind in (ClockKind.dispatch, ClockKind.handle):  # of an earlier dispatch that was given back
        clocks.ends(session, case, kind, now)
    close_twins(session, actor, case, now)
    return case


def _unit(session: Session, unit_id: int) -> int:
    unit = session.get(Unit, unit_id)
    if unit is None or not unit.active:
        raise BadInput(fields={"unit": "没有这个单位或已停用 (no such unit, or it is closed)"})
    return unit.id or 0
