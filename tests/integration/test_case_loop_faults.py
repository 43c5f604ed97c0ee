"""Faults of the case loop that were found by doing random things, each named after what went wrong."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from app.actor import SYSTEM, Actor
from app.assignments import giving, judging, taking_back, working
from app.assignments.giving import Gift
from app.assignments.tables import Assignment
from app.cases import acting as cases
from app.cases import loop
from app.cases.acting import Begun
from app.cases.model import HandlingWay
from app.clocks.model import ClockKind
from app.clocks.service import Subject, of_subject, open_of
from app.errors import BadInput, Refused, VersionConflict
from app.followups import desk
from app.units import service as units
from tests.case_kit.world import World
from tests.integration.postgres_server import waits_for_a_lock


def open_clocks(world: World, case_id: int) -> set[str]:
    with world.db.read() as session:
        return {row.kind for row in of_subject(session, Subject.case(case_id)) if row.ended_at is None}


def again(world: World, who: str, what: object, work_id: int, version: int, *args: object) -> Assignment:
    """The same act from the same version, as a double click sends it."""
    actor: Actor = world.people[who]
    with world.db.session() as session:
        done: Assignment = what(session, actor, work_id, version, *args, now=world.now)  # type: ignore[operator]
        return done


def test_a_case_that_is_answered_after_a_return_was_still_timed_to_handle(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.give_it_back, work_id, "归城管")
    world.work("head", giving.uphold_return, work_id)
    case = world.act("dispatcher", loop.answer, case_id, "已电话答复市民")
    assert (case.state, case.due_at, open_clocks(world, case_id)) == ("answered", None, set())


def test_a_case_was_ended_at_once_while_a_unit_was_still_at_work(world: World):
    case_id, [water, _] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.give_it_back, water, "归城管")
    world.work("head", giving.uphold_return, water)
    assert world.state(case_id) == "to_dispatch"
    with pytest.raises(Refused) as refused:
        world.act("dispatcher", loop.answer, case_id, "已答复")
    assert refused.value.code == "units_at_work"
    world.work("dispatcher", giving.withdraw, world.work_of(case_id, "CITY"), "已答复市民")
    assert world.act("dispatcher", loop.answer, case_id, "已答复").state == "answered"


@pytest.mark.parametrize("upheld", [True, False])
def test_the_centre_was_timed_for_a_return_that_it_had_judged(world: World, upheld: bool):
    case_id, [_, city] = world.dispatched("WATER", "CITY")
    with world.db.read() as session:
        due = world.stored(session, case_id).due_at
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    assert open_clocks(world, case_id) == {"dispatch", "handle"}
    if upheld:
        world.work("dispatcher", giving.uphold_return, city)
    else:
        world.work("dispatcher", giving.refuse_return, city, "城市照明由你局负责")
    assert open_clocks(world, case_id) == {"handle"}
    with world.db.read() as session:
        assert world.stored(session, case_id).due_at == due


def test_the_centres_time_went_on_while_it_looked_for_a_leader_and_asked_the_taker(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.give_it_back, water, "归城管")
    world.work("head", giving.uphold_return, water)
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.act("dispatcher", loop.send_back, case_id, "问清地址")
    world.work("head", giving.uphold_return, city)
    assert "dispatch" in open_clocks(world, case_id)


def test_the_leaders_return_was_shown_with_the_end_of_handling_when_another_unit_had_returned_before(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.work("WATER.handler", working.give_it_back, water, "也与我局无关")
    with world.db.session() as session:  # to look at a clock locks it
        clock = open_of(session, Subject.case(case_id), ClockKind.dispatch)
        assert clock is not None
        assert world.stored(session, case_id).due_at == clock.due_at


def test_a_unit_could_not_return_a_case_that_had_been_on_account_with_another_return_open(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.sign, water)
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.act("leader", judging.defer, case_id, "等待材料", world.now + timedelta(days=5))
    world.act("leader", judging.resume, case_id)
    assert world.work("WATER.handler", working.give_it_back, water, "也与我局无关").state == "returned"
    assert world.state(case_id) == "returned"


def test_a_unit_was_timed_for_a_case_that_is_on_account_once_its_return_was_refused(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.sign, water)
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.act("leader", judging.defer, case_id, "等待材料", world.now + timedelta(days=5))
    world.work("dispatcher", giving.refuse_return, city, "归你局")
    with world.db.session() as session:
        assert open_of(session, Subject.assignment(city), ClockKind.sign) is None
    world.act("leader", judging.resume, case_id)
    with world.db.session() as session:
        assert open_of(session, Subject.assignment(city), ClockKind.sign) is not None


def test_a_case_waited_for_nobody_when_the_last_return_was_upheld_while_it_was_on_account(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.sign, water)
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.handed_in(case_id, "WATER")
    world.act("leader", judging.defer, case_id, "等待材料", world.now + timedelta(days=5))
    world.work("dispatcher", giving.uphold_return, city)
    assert world.act("leader", judging.resume, case_id).state == "replied"
    assert open_clocks(world, case_id) == {"review"}


def test_a_case_lost_its_leading_unit_when_it_was_dispatched_before_the_return_was_judged(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.give_it_back, work_id, "归城管")
    gifts = [Gift(world.units["CITY"])]
    with pytest.raises(Refused) as refused:
        world.act("dispatcher", giving.dispatch, case_id, HandlingWay.coordinated, gifts)
    assert refused.value.code == "wrong_state"
    world.work("dispatcher", giving.uphold_return, work_id)
    assert world.dispatched("CITY", case_id=case_id)[0] == case_id


def test_a_withdrawal_left_the_version_that_others_had_seen_and_a_double_click_was_called_a_conflict(world: World):
    case_id, [_, city] = world.dispatched("WATER", "CITY")
    with world.db.read() as session:
        seen = world.stored(session, case_id).version
    work = world.work("dispatcher", giving.withdraw, city, "另行安排")
    with world.db.read() as session:
        assert world.stored(session, case_id).version > seen
    assert again(world, "dispatcher", giving.withdraw, city, 1, "另行安排").version == work.version
    assert world.history(case_id).count("unit.withdrawn") == 1


def test_an_act_on_one_unit_was_taken_for_done_because_it_was_done_to_another_from_that_version(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.handed_in(case_id, "WATER")
    with world.db.read() as session:
        row = session.get(Assignment, water)
        assert row is not None
        version = row.version
    world.work("dispatcher", judging.accept_work, water, "同意")
    with pytest.raises(VersionConflict):
        again(world, "dispatcher", judging.accept_work, city, version, "同意")


def test_a_double_click_on_a_dispatch_to_many_units_was_called_a_conflict(world: World):
    with world.db.session() as session:
        for at in range(4):
            values = {"code": f"B{at}", "kind": "bureau", "name": f"第{at}局"}
            unit = units.create(session, SYSTEM, values, parent_id=world.units["C"], now=world.now)
            world.units[f"B{at}"] = unit.id or 0
    case_id = world.case()
    world.act("taker", loop.submit, case_id)
    gifts = [Gift(world.units[f"B{at}"], lead=at == 0) for at in range(4)]
    with world.db.read() as session:
        version = world.stored(session, case_id).version
    for _ in range(2):
        with world.db.session() as session:
            dispatcher = world.people["dispatcher"]
            giving.dispatch(session, dispatcher, case_id, version, HandlingWay.coordinated, gifts, now=world.now)
    assert world.history(case_id).count("unit.given") == 4


def test_an_acceptance_was_taken_back_while_somebody_took_the_case_to_call_the_citizen(world: World):
    case_id = world.to_follow_up("WATER")
    refused: list[str] = []

    def take_back() -> None:
        try:
            world.act("head", taking_back.take_back, case_id, "还有一项没有答复")
        except Refused as error:
            refused.append(error.code)

    with world.db.session() as session:
        assert desk.next_task(session, world.people["taker"], world.now) is not None
        session.flush()
        thread = threading.Thread(target=take_back)
        thread.start()
        while world.db.dialect == "postgresql" and not waits_for_a_lock(world.db):
            assert thread.is_alive()
    thread.join()
    assert refused == ["citizen_is_asked"]
    assert world.state(case_id) == "to_follow_up"


def test_two_cases_are_merged_into_each_other_at_the_same_moment(world: World, monkeypatch: pytest.MonkeyPatch):
    one, other, begin = world.case(), world.case(), cases.begin
    refused: list[str] = []

    def the_other_way() -> None:
        try:
            world.act("dispatcher", judging.merge, one, other)
        except BadInput as error:
            refused.extend(error.fields)

    thread = threading.Thread(target=the_other_way)

    def and_somebody_else_too(*asked: Any) -> Begun:
        begun = begin(*asked)
        monkeypatch.setattr(cases, "begin", begin)
        thread.start()
        while world.db.dialect == "postgresql" and not waits_for_a_lock(world.db):
            assert thread.is_alive()
        return begun

    monkeypatch.setattr(cases, "begin", and_somebody_else_too)
    world.act("head", judging.merge, other, one)
    thread.join()
    assert refused == ["original"]
    assert [world.state(one), world.state(other)] == ["registered", "merged"]
