"""The levels of chasing for late clocks: begun when an end is missed, climbed while nothing comes of it (C8).

Everything here happens inside a transaction that has locked the case (`app.chasing.locking`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlmodel import Session

from app.actor import SYSTEM
from app.assignments.tables import Assignment
from app.cases.history import note
from app.cases.states import AT_THE_UNIT, AssignmentState, CaseState
from app.cases.tables import Case
from app.chasing.locking import work_of
from app.chasing.model import (
    RESPONSES,
    RUNGS,
    ChaseEvent,
    ChaseState,
    Level,
    Moment,
    UrgentCause,
    Whose,
    after,
    next_state,
)
from app.chasing.tables import Chase
from app.chasing.urgent import call_leaders
from app.clock import iso
from app.clocks.limits import Unit, end_of
from app.clocks.model import ClockKind
from app.clocks.service import reckoning
from app.clocks.tables import CaseClock
from app.notices.model import NoticeKind
from app.notices.telling import tell, title_of
from app.notices.words import STEPS, due_words
from app.settings import Settings
from app.units.tables import Unit as UnitRow

TAKEN_UP = timedelta(minutes=5)  # by then a case whose day on account has come is with its units again


def warn(session: Session, case: Case, clock: CaseClock, now: datetime) -> None:
    """The clock is nearly late: whoever has the step is told, nothing is counted."""
    work = work_of(session, clock)
    response = RESPONSES[_whose(work), ClockKind(clock.kind), Moment.near]
    key = f"near:{clock.id}:{iso(clock.due_at)}"
    tell(session, case, response.kind, response.desks, key, now, work=work, step=clock.kind, due_at=clock.due_at)


def missed(session: Session, case: Case, clock: CaseClock, now: datetime, settings: Settings) -> Chase | None:
    """The clock's end has come and the step is not done: the first level begins."""
    work, kind = work_of(session, clock), ClockKind(clock.kind)
    response = RESPONSES[_whose(work), kind, Moment.late]
    chase = _begin(session, case, clock, work, response.ladder[0], now, settings)
    key = f"chase:{chase.id}"
    tell(session, case, response.kind, response.desks, key, now, work=work, step=clock.kind, due_at=clock.due_at)
    if work is None and kind is ClockKind.dispatch:
        call_leaders(session, SYSTEM, case, UrgentCause.dispatch_late, now)
    return chase


def climb(session: Session, case: Case, chase: Chase, now: datetime, settings: Settings) -> Chase | None:
    """The time that a level had is over: it was met, or the next one begins. That one, if there is one."""
    chase.next_at = None
    session.add(chase)
    if chase.level == Level.order.value:
        _order_ends(session, case, chase, now)
        return None
    clock = session.get(CaseClock, chase.clock_id, populate_existing=True)
    if clock is None or clock.ended_at is not None:
        chase.state = next_state(ChaseState(chase.state), ChaseEvent.meet).value
        return None
    chase.state = next_state(ChaseState(chase.state), ChaseEvent.miss).value
    work = work_of(session, clock)
    level = after(_whose(work), ClockKind(clock.kind), Level(chase.level))
    if level is None:
        return None
    following = _begin(session, case, clock, work, level, now, settings)
    rung = RUNGS[level]
    key = f"chase:{following.id}"
    tell(session, case, rung.kind, rung.desks, key, now, work=work, step=clock.kind, due_at=clock.due_at)
    return following


def next_time(session: Session, chase: Chase, now: datetime, settings: Settings) -> datetime | None:
    """When the level after this one comes, in working days; None at the top, and while a draft waits for a person."""
    if chase.step == "":
        return None
    whose = Whose.unit if chase.assignment_id is not None else Whose.centre
    if after(whose, ClockKind(chase.step), Level(chase.level)) is None:
        return None
    days = settings.chase_after_days[_PAUSES[Level(chase.level)]]
    return end_of(now, days, Unit.working_days, reckoning(session, now, settings)).at


_PAUSES = {Level.first: 0, Level.second: 1, Level.reprimand: 2}


def _begin(
    session: Session,
    case: Case,
    clock: CaseClock,
    work: Assignment | None,
    level: Level,
    now: datetime,
    settings: Settings,
) -> Chase:
    state = RUNGS[level].begins
    chase = Chase(
        case_id=case.id or 0,
        assignment_id=work.id if work else None,
        unit_id=work.unit_id if work else None,
        clock_id=clock.id,
        step=clock.kind,
        round=clock.round,
        level=level.value,
        state=state.value,
        due_at=clock.due_at,
        at=now,
    )
    if state is ChaseState.sent:
        chase.next_at = next_time(session, chase, now, settings)
    else:
        chase.text = draft_text(session, case, chase, now, settings)
    session.add(chase)
    session.flush()
    note(session, SYSTEM, case, f"chase.{level.value}", now, detail=told(chase))
    return chase


def told(chase: Chase) -> dict[str, object]:
    """What a line of the history says of it."""
    return {
        "chase": chase.id,
        "assignment": chase.assignment_id,
        "unit_id": chase.unit_id,
        "step": chase.step,
        "round": chase.round,
        "state": chase.state,
        "due_at": iso(chase.due_at),
    }


def draft_text(session: Session, case: Case, chase: Chase, now: datetime, settings: Settings) -> str:
    """The draft of a reprimand or of an exposure: the unit, the case and the days, nothing of the citizen."""
    unit = session.get(UnitRow, chase.unit_id) if chase.unit_id is not None else None
    step = STEPS[chase.step][0]
    late = _late_days(chase.due_at, now, settings)
    facts = (
        f"{unit.name if unit else '热线中心'}承办的工单 {case.number}（{title_of(session, case)}），"
        f"{step}时限为 {due_words(chase.due_at, settings.zone)}，至今已超期 {late} 天，"
    )
    if chase.level == Level.exposure.value:
        return f"{facts}经两次催办和通报仍未办结，建议通过新闻媒体公开曝光。"
    return f"{facts}经两次催办仍未办结，现予通报批评，请立即办理，并书面说明原因。"


def _late_days(due_at: datetime, now: datetime, settings: Settings) -> int:
    first: date = (due_at - timedelta(microseconds=1)).astimezone(settings.zone).date()
    return max(1, (now.astimezone(settings.zone).date() - first).days)


def _order_ends(session: Session, case: Case, chase: Chase, now: datetime) -> None:
    """The day of a supervision order has come: heads are told where the unit has still not replied."""
    if case.state == CaseState.deferred.value:  # nobody is to act: it is looked at when the case is taken up again
        chase.next_at = max(case.deferred_until or now, now + TAKEN_UP)
        session.add(chase)
        return
    work = session.get(Assignment, chase.assignment_id)
    unmet = work is not None and AssignmentState(work.state) in AT_THE_UNIT
    event = ChaseEvent.miss if unmet else ChaseEvent.meet
    chase.state = next_state(ChaseState(chase.state), event).value
    session.add(chase)
    note(session, SYSTEM, case, f"chase.order_{chase.state}", now, detail=told(chase))
    if unmet:
        rung = RUNGS[Level.second]  # the unit, and the heads
        key = f"order:{chase.id}:unmet"
        tell(session, case, NoticeKind.order_unmet, rung.desks, key, now, work=work, due_at=chase.due_at)


def _whose(work: Assignment | None) -> Whose:
    return Whose.centre if work is None else Whose.unit
