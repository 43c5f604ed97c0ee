"""Giving a case to units, handing it further down, and judging what comes back undone (C2, C3, C5).

The centre gives to any working unit; a unit hands down to its own direct children only. Nobody gives a case to the unit
that it complains about, or to one that is kept from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments import acting
from app.assignments.acting import act_on, begin, follow, follow_replies, top_of, works_of
from app.assignments.model import LONGEST_INSTRUCTIONS, MOST_UNITS
from app.assignments.tables import Assignment, Recusal
from app.cases import acting as cases
from app.cases import clocks, finding
from app.cases.history import note
from app.cases.loop import items_of, keep_items
from app.cases.model import GIVEN_TO_UNITS, HandlingWay
from app.cases.states import AssignmentState, CaseAct, CaseState, WorkAct
from app.cases.tables import Case
from app.chasing.model import UrgentCause
from app.chasing.urgent import call_leaders
from app.clock import utc_now
from app.clocks.model import ClockKind
from app.clocks.rules import Urgency
from app.errors import BadInput, Refused
from app.text import clean
from app.units.queries import may_hand_down
from app.units.tables import Unit


@dataclass(frozen=True)
class Gift:
    """A unit and what it is asked; one of them leads."""

    unit_id: int
    lead: bool = False
    instructions: str = ""


def dispatch(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    way: HandlingWay,
    gifts: Sequence[Gift],
    *,
    urgency: Urgency | None = None,
    now: datetime | None = None,
) -> Case:
    """派单: the case goes to one unit, or to several of which one leads; later also to one more.

    Raises BadInput (units, way), Refused (recused, has_it), and what `cases.acting.begin` raises.
    """
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.dispatched)
    if done:
        return case
    live = top_of(session, case_id)
    led = any(work.lead for work in live)
    if faults := _faults(way, gifts, led, live):
        raise BadInput(fields=faults)
    before = clocks.matter_of(case)
    if urgency is not None:
        case.urgency = urgency.value
    case.way = way.value
    clocks.rematched(session, actor, case, before, now)
    if not items_of(session, case_id):
        keep_items(session, case, [case.title])
    given = [{"unit_id": one.unit_id, "lead": one.lead or (not led and len(gifts) == 1)} for one in gifts]
    detail = {
        "way": case.way,
        "urgency": case.urgency,
        "units": given,
        "items": [item.text for item in items_of(session, case_id)],
    }
    cases.act_on(session, actor, case, CaseAct.dispatched, now, detail=detail)
    clocks.begins(session, case, ClockKind.handle, now)
    for gift, told in zip(gifts, given, strict=True):
        _give(session, actor, case, gift, None, bool(told["lead"]), now)
    _judged(session, case, now)
    finding.keep(session, case)
    call_leaders(session, actor, case, UrgentCause.dispatched, now)
    return case


def hand_down(
    session: Session,
    actor: Actor,
    work_id: int,
    version: int,
    gifts: Sequence[Gift],
    *,
    now: datetime | None = None,
) -> Assignment:
    """交下级办理: units below do it, and this one judges and submits what they say.

    Raises BadInput (units), Refused (recused, has_it), and what `begin` raises.
    """
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.handed_down)
    if done:
        return work
    if not 1 <= len(gifts) <= MOST_UNITS or len({one.unit_id for one in gifts}) != len(gifts):
        raise BadInput(fields={"units": f"请选择 1 到 {MOST_UNITS} 个不同的下级单位 (1 to {MOST_UNITS} units)"})
    for one in gifts:
        if not may_hand_down(session, work.unit_id, one.unit_id):
            raise BadInput(fields={"units": "只能交给本单位的直接下级 (only to units directly below)"})
    started = work.state != AssignmentState.in_progress.value
    act_on(session, actor, case, work, WorkAct.handed_down, now, detail={"units": [one.unit_id for one in gifts]})
    clocks.work_step_ends(session, work, ClockKind.sign, now)
    if started and work.lead and work.parent_id is None:
        follow(session, actor, case, CaseAct.started, now)
    for one in gifts:
        _give(session, actor, case, one, work, False, now)
    finding.keep(session, case)
    return work


def refuse_return(
    session: Session, actor: Actor, work_id: int, version: int, why: str, *, now: datetime | None = None
) -> Assignment:
    """退单不成立: the unit has it again, with a new time to sign."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.return_refused)
    if done:
        return work
    reason = cases.said(why)
    act_on(session, actor, case, work, WorkAct.return_refused, now, reason=reason)
    if work.parent_id is None:
        if work.lead and follow(session, actor, case, CaseAct.return_refused, now):
            clocks.begins(session, case, ClockKind.handle, now)
        _judged(session, case, now)
    if case.state != CaseState.deferred.value:  # its time begins when the case is taken up again
        clocks.work_begins(session, case, work, now)
    return work


def uphold_return(
    session: Session, actor: Actor, work_id: int, version: int, remark: str = "", *, now: datetime | None = None
) -> Assignment:
    """退单成立: the unit is out of it. Of a leading one the centre must find another, on the clock."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.return_upheld)
    if done:
        return work
    work.ended_at = now
    act_on(session, actor, case, work, WorkAct.return_upheld, now, reason=clean(remark, 500))
    if work.parent_id is None:
        if work.lead:
            follow(session, actor, case, CaseAct.return_upheld, now)
        else:
            follow_replies(session, actor, case, now)
        _judged(session, case, now)
    return work


def withdraw(
    session: Session, actor: Actor, work_id: int, version: int, why: str, *, now: datetime | None = None
) -> Assignment:
    """撤回: who gave it takes it back, with everything that was handed down from it. The lead stays. Raises Refused."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.withdrawn)
    if done:
        return work
    if work.lead and work.parent_id is None:
        raise Refused("主办单位不能撤回，请先退单。", "The leading unit can't be withdrawn.", code="lead_stays")
    take_away(session, actor, case, work, cases.said(why), now)
    if work.parent_id is None:
        follow_replies(session, actor, case, now)
    return work


def take_away(session: Session, actor: Actor, case: Case, work: Assignment, reason: str, now: datetime) -> None:
    """The unit and all below it have it no more."""
    for child in acting.open_children(session, work):
        take_away(session, actor, case, child, reason, now)
    work.ended_at = now
    clocks.work_leaves(session, work, now)
    act_on(session, actor, case, work, WorkAct.withdrawn, now, reason=reason)


def _judged(session: Session, case: Case, now: datetime) -> None:
    """The centre's time for a return is over when none waits for it any more, and no leader is to be found."""
    top = top_of(session, case.id or 0)
    waiting = any(work.state == AssignmentState.returned.value for work in top)
    if any(work.lead for work in top) and not waiting:
        clocks.stops(session, case, ClockKind.dispatch, now)


def _give(
    session: Session, actor: Actor, case: Case, gift: Gift, above: Assignment | None, lead: bool, now: datetime
) -> Assignment:
    _require_free(session, case, gift.unit_id)
    work = Assignment(
        case_id=case.id or 0,
        unit_id=gift.unit_id,
        parent_id=above.id if above else None,
        lead=lead,
        way=case.way or HandlingWay.written.value,
        state=AssignmentState.dispatched.value,
        instructions=clean(gift.instructions, LONGEST_INSTRUCTIONS, lines=True),
        given_by=actor.user_id,
        given_at=now,
    )
    session.add(work)
    session.flush()
    told = {
        "assignment": work.id,
        "unit_id": work.unit_id,
        "parent": work.parent_id,
        "lead": lead,
        "way": work.way,
        "to": work.state,
        "round": 1,
        "instructions": work.instructions,
    }
    note(session, actor, case, acting.event_of(WorkAct.given), now, detail=told)
    clocks.work_begins(session, case, work, now)
    session.add(work)
    return work


def _require_free(session: Session, case: Case, unit_id: int) -> None:
    """Raises BadInput (no such unit), Refused (recused, has_it)."""
    unit = session.get(Unit, unit_id)
    if unit is None or not unit.active:
        raise BadInput(fields={"units": "没有这个单位或已停用 (no such unit, or it is closed)"})
    kept = select(Recusal).where(
        col(Recusal.case_id) == case.id, col(Recusal.unit_id) == unit_id, col(Recusal.lifted_at).is_(None)
    )
    if case.about_unit_id == unit_id or session.execute(kept).first() is not None:
        raise Refused("该单位须回避本工单。", "This unit must have nothing to do with this case.", code="recused")
    gone = AssignmentState.withdrawn.value
    if any(work.unit_id == unit_id and work.state != gone for work in works_of(session, case.id or 0)):
        raise Refused("该单位已承办本工单。", "This unit has this case already.", code="has_it")


def _faults(way: HandlingWay, gifts: Sequence[Gift], led: bool, live: Sequence[Assignment]) -> dict[str, str]:
    found = {}
    if way not in GIVEN_TO_UNITS:
        found["way"] = "这种办理方式不派单 (this way gives nothing to units)"
    leads = sum(one.lead for one in gifts)
    if not 1 <= len(gifts) <= MOST_UNITS or len({one.unit_id for one in gifts}) != len(gifts):
        found["units"] = f"请选择 1 到 {MOST_UNITS} 个不同的单位 (1 to {MOST_UNITS} units)"
    elif led and leads:
        found["units"] = "已有主办单位 (a unit leads already)"
    elif (not led and leads > 1) or (not led and len(gifts) > 1 and leads != 1):
        found["units"] = "多个单位办理时须指定一个主办单位 (one of several must lead)"
    elif way is HandlingWay.coordinated and len(gifts) + len(live) < 2:
        found["units"] = "协调办理至少两个单位 (at least two units)"
    elif way is not HandlingWay.coordinated and len(gifts) + len(live) > 1:
        found["way"] = "多个单位办理须选协调办理 (several units: coordinated)"
    return found
