"""What was heard of the citizen, and what follows from it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.acting import works_of
from app.cases import acting as cases
from app.cases import clocks
from app.cases.states import CaseAct
from app.cases.tables import Case
from app.cases.twins import close_twins
from app.clock import iso, utc_now
from app.clocks.model import ClockKind
from app.errors import BadInput, Refused
from app.followups.desk import take_off_desk
from app.followups.model import AGAIN_AFTER, LONGEST_NOTE, UNANSWERED, Heard, Reached, closes, faults
from app.followups.tables import FollowUp, FollowUpTask
from app.text import clean, is_call_id


def follow_up(
    session: Session,
    actor: Actor,
    case_id: int,
    version: int,
    heard: Heard,
    *,
    call_id: str | None = None,
    now: datetime | None = None,
) -> Case:
    """回访: a try with what it brought; the case is closed when that ends it.

    A proposal to redo leaves the case on the reviewers' list. Raises BadInput (what `faults` names), Refused
    (too_early, redo_proposed), and what `cases.acting.begin` raises.
    """
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.followed_up)
    if done:
        return case
    if missing := faults(heard):
        raise BadInput(fields=missing)
    if heard.reached is Reached.keyed and not actor.is_system:
        raise BadInput(fields={"reached": "由市民来电按键评价 (only the citizen can, by keys)"})
    task = session.get(FollowUpTask, case_id, with_for_update=True)
    if task is not None:
        _require_time(task, heard, now)
    tries = (task.tries if task else 0) + 1
    row = FollowUp(
        case_id=case_id,
        round=max((work.round for work in works_of(session, case_id)), default=1),
        at=now,
        by=actor.user_id,
        call_id=call_id if call_id and is_call_id(call_id) else None,
        reached=heard.reached.value,
        satisfaction=heard.satisfaction.value if heard.satisfaction else "",
        solved=heard.solved,
        contacted_in_time=heard.contacted_in_time,
        true_to_reality=heard.true_to_reality,
        note=clean(heard.note, LONGEST_NOTE, lines=True),
        propose_redo=heard.propose_redo,
    )
    session.add(row)
    session.flush()
    told = {
        "try": tries,
        "at": iso(now),
        **row.model_dump(include={"round", "call_id", "reached", "satisfaction", "solved", "note", "propose_redo"}),
        **row.model_dump(include={"contacted_in_time", "true_to_reality"}),
    }
    cases.act_on(session, actor, case, CaseAct.followed_up, now, detail=told)
    if task is not None:
        task.tries, task.claimed_by, task.claimed_at, task.after = tries, None, None, now + AGAIN_AFTER
        session.add(task)
    if closes(heard, tries):
        _close(session, actor, case, now)
    elif heard.propose_redo:
        take_off_desk(session, case)
    return case


def _require_time(task: FollowUpTask, heard: Heard, now: datetime) -> None:
    if not task.open:
        raise Refused("已建议重办，等待审核。", "A redo was proposed: a reviewer decides.", code="redo_proposed")
    if heard.reached in UNANSWERED and now < task.after:
        raise Refused(
            "距上次回访时间太短，请换个时间再拨。", "It was tried not long ago: try at another time.", code="too_early"
        )


def follow_ups_of(session: Session, case_id: int) -> list[FollowUp]:
    """Every try, oldest first."""
    return list(
        session.execute(select(FollowUp).where(col(FollowUp.case_id) == case_id).order_by(col(FollowUp.id))).scalars()
    )


def close_all_the_same(
    session: Session, actor: Actor, case_id: int, version: int, why: str, *, now: datetime | None = None
) -> Case:
    """办结: a reviewer decides that a proposal to redo is not followed, or that nobody has to be asked."""
    now = now or utc_now()
    case, done = cases.begin(session, actor, case_id, version, CaseAct.closed)
    if not done:
        _close(session, actor, case, now, cases.said(why))
    return case


def _close(session: Session, actor: Actor, case: Case, now: datetime, reason: str = "") -> None:
    case.ended_at = now
    cases.act_on(session, actor, case, CaseAct.closed, now, reason=reason)
    clocks.ends(session, case, ClockKind.follow_up, now)
    take_off_desk(session, case)
    close_twins(session, actor, case, now)
