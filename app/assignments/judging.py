"""What becomes of a unit's reply: accepted, or done again; and of a case that must wait or is another's twin (C8).

One reply is judged by who gave the work: a unit above, or the centre. The whole case is judged by the centre only.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from app.actor import Actor
from app.assignments.acting import act_on, begin, follow_replies, top_of, works_of
from app.assignments.giving import take_away
from app.assignments.tables import Assignment
from app.cases import acting as cases
from app.cases import clocks
from app.cases.acting import said
from app.cases.parties import giver_at_work
from app.cases.states import AT_THE_UNIT, CASE_DONE, WORK_DONE, AssignmentState, CaseAct, CaseState, WorkAct
from app.cases.tables import Case
from app.cases.twins import twins_of
from app.clock import iso, utc_now
from app.clocks.model import ClockKind
from app.errors import BadInput, Refused
from app.followups.desk import put_on_desk, take_off_desk
from app.notices.model import WHOLE_UNIT, NoticeKind
from app.notices.telling import tell

LONGEST_DEFERRAL_DAYS = 366


def begin_review(session: Session, actor: Actor, case_id: int, version: int, *, now: datetime | None = None) -> Case:
    """审核: somebody of the centre is reading what the units reply."""
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.review_begun)
    if not done:
        cases.act_on(session, actor, case, CaseAct.review_begun, now)
    return case


def accept_case(
    session: Session, actor: Actor, case_id: int, version: int, opinion: str, *, now: datetime | None = None
) -> Case:
    """采纳: what the units did will do; the citizen is asked next. Raises BadInput (opinion)."""
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.accepted)
    if done:
        return case
    words = said(opinion, "opinion")
    cases.act_on(session, actor, case, CaseAct.accepted, now, reason=words, detail={"opinion": words})
    for work in top_of(session, case.id or 0):
        if work.state == AssignmentState.replied.value:
            work.ended_at = now
            act_on(session, actor, case, work, WorkAct.accepted, now, detail={"opinion": words})
    clocks.ends(session, case, ClockKind.review, now)
    clocks.begins(session, case, ClockKind.follow_up, now)
    put_on_desk(session, case, now)
    return case


def redo_case(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    why: str,
    *,
    units: Collection[int] = (),
    now: datetime | None = None,
) -> Case:
    """重办: the leading unit, or these `units` of the case, do it again; a new clock begins, the first outcome stays.

    Raises BadInput (reason, units).
    """
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.redo)
    if done:
        return case
    reason = said(why)
    again = [work for work in top_of(session, case_id) if (work.unit_id in units if units else work.lead)]
    if not again or len(again) < len(set(units)):
        raise BadInput(fields={"units": "请选择承办本工单的单位 (units that have this case)"})
    told = {"units": [work.unit_id for work in again]}
    cases.act_on(session, actor, case, CaseAct.redo, now, reason=reason, detail=told)
    take_off_desk(session, case)
    for kind in (ClockKind.review, ClockKind.follow_up):
        clocks.ends(session, case, kind, now)
    case.ended_at = None
    clocks.begins(session, case, ClockKind.handle, now)
    for work in again:
        _again(session, actor, case, work, reason, now)
    return case


def accept_work(
    session: Session, actor: Actor, work_id: int, version: int, opinion: str, *, now: datetime | None = None
) -> Assignment:
    """A unit takes over what one below it did, with its own opinion; or the centre one of several. Raises BadInput."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.accepted)
    if done:
        return work
    _require_giver_at_work(session, work)
    words = said(opinion, "opinion")
    work.ended_at = now
    act_on(session, actor, case, work, WorkAct.accepted, now, reason=words, detail={"opinion": words})
    return work


def redo_work(
    session: Session, actor: Actor, work_id: int, version: int, why: str, *, now: datetime | None = None
) -> Assignment:
    """One of several units, or one below, does it again, while whoever gave it is still at work. Raises Refused."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.redo)
    if done:
        return work
    _require_giver_at_work(session, work)
    _again(session, actor, case, work, said(why), now)
    return work


def defer(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    why: str,
    until: datetime,
    *,
    now: datetime | None = None,
) -> Case:
    """挂账: it can't be done now, says a leader, and until when; then it is taken up again by itself.

    Its clocks end without an outcome, what was missed stays missed. Raises BadInput (reason, until).
    """
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.deferred)
    if done:
        return case
    reason = said(why)
    if not 0 < (until - now).total_seconds() <= LONGEST_DEFERRAL_DAYS * 86_400:
        raise BadInput(fields={"until": f"须在 {LONGEST_DEFERRAL_DAYS} 天以内 (within {LONGEST_DEFERRAL_DAYS} days)"})
    cases.act_on(session, actor, case, CaseAct.deferred, now, reason=reason, detail={"until": iso(until)})
    case.deferred_until = until
    clocks.leaves(session, case, now)
    for work in works_of(session, case.id or 0):
        if AssignmentState(work.state) not in WORK_DONE:
            clocks.work_leaves(session, work, now)
            session.add(work)
    case.due_at = until
    return case


def resume(session: Session, actor: Actor, case_id: int, version: int, *, now: datetime | None = None) -> Case:
    """恢复办理: the time to an answer begins anew."""
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.resumed)
    if done:
        return case
    case.deferred_until = None
    cases.act_on(session, actor, case, CaseAct.resumed, now)
    back = AssignmentState.returned.value
    if any(work.state == back and work.parent_id is None for work in works_of(session, case_id)):
        clocks.waits(session, case, now)
    clocks.begins(session, case, ClockKind.handle, now)
    for work in at_work(session, case):
        to_sign = work.state == AssignmentState.dispatched.value
        clocks.work_begins(session, case, work, now, to_sign=to_sign)
        session.add(work)
        key = f"resumed:{work.id}:{case.version}"
        tell(session, case, NoticeKind.resumed, WHOLE_UNIT, key, now, work=work, but=actor.user_id)
    follow_replies(session, actor, case, now)  # a return may have been upheld meanwhile: nobody else is waited for
    return case


def at_work(session: Session, case: Case) -> list[Assignment]:
    """The assignments whose units are to act next; those above come before those below."""
    return [work for work in works_of(session, case.id or 0) if AssignmentState(work.state) in AT_THE_UNIT]


def merge(
    session: Session, actor: Actor, case_id: int, version: int, original_id: int, *, now: datetime | None = None
) -> Case:
    """并案: the same matter is handled as another case that goes on, and closes with it. Raises BadInput (original)."""
    now = now or utc_now()
    cases.lock_both(session, case_id, original_id)
    case, done = cases.begin(session, actor, case_id, version, CaseAct.merged)
    if done:
        return case
    original = cases.locked(session, actor, original_id)
    if original.id == case.id or CaseState(original.state) in _NO_ORIGINAL:
        raise BadInput(fields={"original": "该工单不能作为并案的原工单 (can't be merged into this case)"})
    if twins_of(session, case):
        raise BadInput(fields={"original": "已有工单并入本工单，须先解除 (others were merged into this one)"})
    case.merged_into_id = original.id
    cases.act_on(session, actor, case, CaseAct.merged, now, detail={"original": original.id})
    for work in top_of(session, case.id or 0):
        if AssignmentState(work.state) not in WORK_DONE:
            take_away(session, actor, case, work, "并案", now)
    clocks.leaves(session, case, now)
    return case


def unmerge(
    session: Session, actor: Actor, case_id: int, version: int, why: str, *, now: datetime | None = None
) -> Case:
    """解除并案: it was another matter after all, and waits to be dispatched by itself."""
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.unmerged)
    if done:
        return case
    told = {"original": case.merged_into_id}
    case.merged_into_id = None
    cases.act_on(session, actor, case, CaseAct.unmerged, now, reason=said(why), detail=told)
    clocks.begins(session, case, ClockKind.dispatch, now)
    return case


def _again(session: Session, actor: Actor, case: Case, work: Assignment, reason: str, now: datetime) -> None:
    work.round += 1
    work.ended_at = work.replied_at = None
    act_on(session, actor, case, work, WorkAct.redo, now, reason=reason)
    clocks.work_begins(session, case, work, now, to_sign=False)
    session.add(work)


def _require_giver_at_work(session: Session, work: Assignment) -> None:
    """What was submitted upwards is no longer this giver's to judge. Raises Refused (giver_done)."""
    if not giver_at_work(session, work):
        raise Refused("上级已报送结果，不能再单独处理。", "What came of it was handed in already.", code="giver_done")


_NO_ORIGINAL = CASE_DONE | {CaseState.draft}
