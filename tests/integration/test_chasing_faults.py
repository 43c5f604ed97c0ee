"""What went wrong with time and with those who were told: clocks, orders, reprimands, urgent matters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from app.actor import SYSTEM
from app.alarms.service import open_alarms
from app.assignments import extensions, giving, judging, taking_back, working
from app.assignments.giving import Gift
from app.assignments.model import Opinion
from app.assignments.tables import Assignment
from app.auth.model import Role
from app.cases import loop
from app.cases.history import events_of
from app.cases.model import HandlingWay
from app.chasing import orders, sweep, urgent
from app.chasing.tables import UrgentMatter
from app.clock import local_day
from app.clocks.model import ClockKind
from app.clocks.rules import Urgency
from app.clocks.service import Subject, of_subject
from app.clocks.tables import CaseClock
from app.errors import Refused
from app.followups.model import Heard, Reached
from app.measures.loop_query import of_the_centre
from app.roster.tables import DutyTurn
from app.settings import Settings
from app.units import service as units
from app.units.tables import Unit
from app.workdays import service as workdays
from tests.case_kit.chasing import chase_of, decided
from tests.case_kit.world import World

HOUR = timedelta(hours=1)


def running(world: World, subject: Subject) -> dict[str, CaseClock]:
    with world.db.read() as session:
        return {row.kind: row for row in of_subject(session, subject) if row.ended_at is None}


def due_of(world: World, case_id: int) -> datetime | None:
    with world.db.read() as session:
        return world.stored(session, case_id).due_at


def more_urgent(world: World, case_id: int, urgency: Urgency) -> None:
    """The dispatcher finds out and asks one more unit."""
    gifts = [Gift(world.units["CITY"])]
    world.act("dispatcher", giving.dispatch, case_id, HandlingWay.coordinated, gifts, urgency=urgency)


def alarms(world: World) -> list[str]:
    with world.db.read() as session:
        return [alarm.code for alarm in open_alarms(session)]


def test_a_returned_case_stood_by_the_end_of_handling_once_that_was_settled(world: World, settings: Settings):
    world.now = datetime(2026, 12, 28, 1, 0, tzinfo=UTC)
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.give_it_back, work_id, "归城管")
    before = due_of(world, case_id)
    admin = world.somebody(Role.admin)
    table = "day,kind\n" + "".join(f"2027-01-0{day},holiday\n" for day in (1, 4, 5))
    with world.db.session() as session:
        workdays.import_year(session, admin, 2027, table, published_by="国务院办公厅", dry_run=False)
    assert sweep.settle_ends(world.db, settings, world.now + HOUR) > 0
    clocks = running(world, Subject.case(case_id))
    assert due_of(world, case_id) == before == clocks["dispatch"].due_at != clocks["handle"].due_at


def test_a_case_that_was_found_to_be_more_urgent_kept_its_old_limit(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.later(minutes=30)
    more_urgent(world, case_id, Urgency.utilities)
    case, unit = running(world, Subject.case(case_id)), running(world, Subject.assignment(work_id))
    end = world.now - timedelta(minutes=30) + 24 * HOUR
    assert case["handle"].due_at == unit["handle"].due_at == due_of(world, case_id) == end
    assert unit["handle"].parent_id == case["handle"].id
    with world.db.read() as session:
        assert session.get_one(Assignment, work_id).due_at == unit["sign"].due_at == end - 22 * HOUR


def test_a_unit_is_not_late_by_an_urgency_that_nobody_knew_of(world: World, time_passes: Callable[..., int]):
    case_id, work_id = world.signed()
    time_passes(hours=30)
    more_urgent(world, case_id, Urgency.life)
    assert running(world, Subject.assignment(work_id))["handle"].due_at == world.now + 2 * HOUR
    time_passes()
    assert "chased" not in world.told("WATER.leader")


def test_one_more_unit_for_the_same_matter_changes_nobody_s_time(world: World):
    case_id, _ = world.dispatched("WATER")
    before = running(world, Subject.case(case_id))["handle"]
    more_urgent(world, case_id, Urgency.general)
    assert running(world, Subject.case(case_id))["handle"].id == before.id


def test_a_unit_whose_own_limit_stayed_is_below_the_case_s_new_clock(world: World):
    case_id, [work_id] = world.dispatched("WATER", way=HandlingWay.telephone)
    world.work("WATER.handler", working.sign, work_id)
    before = running(world, Subject.assignment(work_id))["handle"]
    more_urgent(world, case_id, Urgency.general)
    case, unit = running(world, Subject.case(case_id))["handle"], running(world, Subject.assignment(work_id))["handle"]
    assert (unit.id, unit.due_at, unit.parent_id) == (before.id, before.due_at, case.id)
    assert case.due_at > unit.due_at
    assert longer(world, work_id, 9) == due_of(world, case_id) != case.due_at


def longer(world: World, work_id: int, amount: int) -> datetime:
    with world.db.session() as session:
        asked = extensions.ask(session, world.people["WATER.handler"], work_id, amount, "配件待采购", now=world.now)
        extensions.decide(session, world.people["head"], asked.id or 0, True, now=world.now)
    return running(world, Subject.assignment(work_id))["handle"].due_at


def test_a_unit_lost_the_time_that_it_was_given_when_one_more_was_asked(world: World):
    case_id, [work_id] = world.dispatched("WATER", way=HandlingWay.telephone)
    end = longer(world, work_id, 8)
    assert due_of(world, case_id) == end
    more_urgent(world, case_id, Urgency.general)  # seven days instead of three: the eleventh is later
    case, unit = running(world, Subject.case(case_id))["handle"], running(world, Subject.assignment(work_id))["handle"]
    assert (case.amount, case.due_at, due_of(world, case_id)) == (7, end, end)
    assert unit.due_at == end


def test_more_time_for_a_matter_that_seemed_less_grave_is_over_with_its_limit(world: World):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.utilities)
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    longer(world, work_id, 10)
    more_urgent(world, case_id, Urgency.life)
    assert running(world, Subject.assignment(work_id))["handle"].due_at == world.now + 2 * HOUR


def test_a_return_that_waited_while_the_case_was_on_account_was_timed_no_more(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.sign, water)
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.act("leader", judging.defer, case_id, "等待材料", world.now + timedelta(days=5))
    world.later(days=1)
    world.act("leader", judging.resume, case_id)
    clocks = running(world, Subject.case(case_id))
    assert clocks.keys() == {ClockKind.dispatch, ClockKind.handle}
    assert due_of(world, case_id) == clocks["handle"].due_at
    world.work("dispatcher", giving.refuse_return, city, "归你局")
    assert running(world, Subject.case(case_id)).keys() == {ClockKind.handle}


def test_a_refusal_s_reason_went_into_the_history_as_it_was_typed(world: World):
    case_id, work_id = world.signed()
    with world.db.session() as session:
        asked = extensions.ask(session, world.people["WATER.handler"], work_id, 3, "配件待采购", now=world.now)
        extensions.decide(session, world.people["head"], asked.id or 0, False, "理由\u202e不\x00充分 ", now=world.now)
    with world.db.read() as session:
        assert events_of(session, case_id)[-1].reason == "理由不充分"


def test_an_hour_of_silence_about_an_urgent_matter_is_an_alarm_until_somebody_says_that_they_know(
    world: World, time_passes: Callable[..., int], monkeypatch: pytest.MonkeyPatch
):
    world.act("taker", loop.submit, world.case(), urgency=Urgency.life)
    for _ in range(11):
        time_passes(minutes=5)
    assert (world.told("leader").count("urgent"), alarms(world)) == (12, [])

    with monkeypatch.context() as patched:  # the database takes nothing, or the worker is killed before it is stored
        patched.setattr(sweep, "raise_alarm", lambda *_, **__: False)
        time_passes(minutes=5)
    with world.db.read() as session:
        (matter,) = session.exec(select(UrgentMatter).where(UrgentMatter.cause == "submitted")).all()
        assert matter.next_at is not None
    time_passes(minutes=5)
    assert alarms(world) == ["urgent_unacknowledged"]
    with world.db.read() as session:
        assert session.get_one(UrgentMatter, matter.id).next_at is None
    time_passes(minutes=5)
    assert alarms(world) == ["urgent_unacknowledged"]
    with world.db.session() as session:
        urgent.acknowledge(session, world.people["leader"], matter.id or 0, now=world.now)
    time_passes()
    assert alarms(world) == []


def test_the_leader_whom_the_roster_names_is_called_first_and_everybody_where_nobody_stands(
    world: World, settings: Settings, time_passes: Callable[..., int]
):
    second = world.people["leader 2"] = world.somebody(Role.duty_leader)
    with world.db.session() as session:
        today = local_day(world.now, settings.zone)
        session.add(DutyTurn(day=today, post="leader", user_id=second.user_id or 0, changed_at=world.now))
    world.act("taker", loop.submit, world.case(), urgency=Urgency.utilities)
    assert (world.told("leader"), world.told("leader 2")) == ([], ["urgent"])
    time_passes(minutes=5)
    assert (world.told("leader"), world.told("leader 2")) == (["urgent"], ["urgent", "urgent"])
    world.later(days=1)
    world.act("taker", loop.submit, world.case(), urgency=Urgency.utilities)
    assert (world.told("leader"), world.told("leader 2")) == (["urgent"] * 2, ["urgent"] * 3)


def test_a_unit_was_reprimanded_for_what_it_had_done_meanwhile(world: World, time_passes: Callable[..., int]):
    case_id, _ = world.signed()
    for days in (10, 5, 4):
        time_passes(days=days)
    world.handed_in(case_id, "WATER")
    with pytest.raises(Refused) as refused:
        decided(world, "head", "reprimand", True)
    assert refused.value.code == "met"
    decided(world, "head", "reprimand", False, why="已办结")
    assert "reprimand" not in world.told("WATER.leader")


def test_an_order_fell_due_while_nobody_was_to_act_on_the_case(world: World, time_passes: Callable[..., int]):
    case_id, _ = world.signed()
    with world.db.session() as session:
        orders.order(session, world.people["head"], case_id, "请速办", world.now + timedelta(days=2), now=world.now)
    world.act("leader", judging.defer, case_id, "等待材料", world.now + timedelta(days=5))
    time_passes(days=2)
    row = chase_of(world, "order")
    assert (row.state, row.next_at) == ("sent", world.now + timedelta(days=3))
    time_passes(days=3)
    time_passes(minutes=5)
    assert world.told("head")[-1] == "order_unmet"


def test_a_merged_case_that_closed_with_its_original_counted_as_one_more(world: World, settings: Settings):
    twin, original = world.case(), world.to_follow_up("WATER")
    world.act("taker", loop.submit, twin)
    world.act("dispatcher", judging.merge, twin, original)

    def kept() -> tuple[int, int]:
        with world.db.read() as session:
            counts = of_the_centre(session, world.now - timedelta(days=1), world.now + timedelta(days=1))
            return counts.kept, counts.closed

    assert kept() == (1, 0)
    world.asked(original, Heard(Reached.spoken, Opinion.satisfied, True, True, True))
    assert (world.state(original), world.state(twin)) == ("closed", "closed")
    assert kept() == (1, 1)


def test_an_acceptance_that_was_taken_back_counted_as_accepted_and_nobody_asked(world: World):
    case_id = world.to_follow_up("WATER")

    def accepted() -> int:
        with world.db.read() as session:
            return of_the_centre(session, world.now - timedelta(days=1), world.now + timedelta(days=1)).accepted

    assert accepted() == 1
    world.act("head", taking_back.take_back, case_id, "还有一项没有答复")
    assert accepted() == 0
    world.act("head", judging.accept_case, case_id, "同意")
    assert accepted() == 1
    world.act("head", judging.redo_case, case_id, "重做")  # what was accepted before stays that
    assert accepted() == 1


def test_people_of_a_unit_that_was_closed_were_told_of_what_they_may_not_see(world: World):
    case_id = world.to_follow_up("CITY")
    with world.db.session() as session:
        city = session.get_one(Unit, world.units["CITY"])
        units.close(session, SYSTEM, city.id or 0, city.version, now=world.now)
    world.act("head", judging.redo_case, case_id, "市民反映未修复")
    assert "redo" not in world.told("CITY.handler")
    assert "redo" in world.told("dispatcher")
