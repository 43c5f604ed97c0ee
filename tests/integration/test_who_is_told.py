"""Who is told what of a case, and what the words keep to themselves."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import select

from app.assignments import giving, judging, working
from app.assignments.giving import Gift
from app.assignments.model import Opinion
from app.assignments.tables import Recusal
from app.cases import loop, service
from app.cases.history import events_of
from app.chasing import queries
from app.followups.model import Heard, Reached
from app.notices.tables import Notice
from app.settings import Settings
from app.units import members
from tests.case_kit.chasing import chase_of, decided
from tests.case_kit.world import World

ANGRY = Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "还是不亮", propose_redo=True)


def test_a_unit_is_told_what_it_was_given_and_who_gave_it_is_told_what_comes_back(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    assert world.told("WATER.handler") == ["given"]
    assert world.told("CITY.handler") == []
    world.work("WATER.handler", working.give_it_back, work_id, "路灯归城管")
    assert world.told("dispatcher") == ["returned"]
    assert world.told("head") == ["returned"]
    assert world.told("leader") == []
    world.work("dispatcher", giving.refuse_return, work_id, "水泵房路灯由水务管理")
    world.handed_in(case_id, "WATER")
    assert world.told("WATER.handler") == ["given", "return_refused"]
    assert world.told("WATER.leader") == ["to_approve"]
    assert world.told("head")[1:] == ["replied"]
    world.act("head", judging.accept_case, case_id, "同意")
    world.asked(case_id, ANGRY)
    assert world.told("head")[-1] == "proposal"
    world.act("head", judging.redo_case, case_id, "市民反映未修复")
    assert world.told("WATER.handler")[-1] == "redo"
    assert world.told("WATER.leader")[-1] == "redo"


def test_a_unit_below_is_its_unit_above_s_business_and_not_the_centre_s(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["WATER-S"])])
    assert world.told("WATER-S.handler") == ["given"]
    below = world.work_of(case_id, "WATER-S")
    world.work("WATER-S.handler", working.give_it_back, below, "不在本所辖区")
    assert world.told("WATER.handler")[-1] == "returned"
    assert "returned" not in world.told("dispatcher")


def test_who_is_kept_from_a_case_is_told_nothing_of_it(world: World, time_passes: Callable[..., int]):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, about_unit_id=world.units["CITY"])
    with world.db.session() as session:
        for who in ("WATER.handler", "head"):
            why = {"why": "亲属", "at": world.now}
            session.add(Recusal(case_id=case_id, user_id=world.people[who].user_id, **why))
    world.dispatched("WATER", case_id=case_id)
    time_passes(days=20)
    for who in ("WATER.handler", "head", "CITY.handler", "CITY.leader"):
        assert world.told(who) == [], who
    assert "chased" in world.told("WATER.leader")


def test_what_nobody_is_there_to_read_goes_to_somebody_else(world: World):
    with world.db.session() as session:
        for member in members.listed(session, world.people["dispatcher"], world.units["CITY"]):
            members.end(session, world.people["dispatcher"], world.units["CITY"], member.row.id or 0, now=world.now)
    world.dispatched("CITY")
    assert world.told("head") == ["given"]
    assert world.told("WATER.handler") == []


def test_units_hear_of_what_was_decided_about_themselves_and_of_nothing_else(
    world: World, settings: Settings, time_passes: Callable[..., int]
):
    case_id, _ = world.signed()
    for days in (10, 5, 4):
        time_passes(days=days)

    def seen(who: str) -> list[str]:
        with world.db.read() as session:
            return [row.level for row in queries.chases(session, world.people[who], settings.zone).items]

    assert seen("WATER.leader") == ["second", "first"]  # a draft is nothing yet
    assert seen("CITY.leader") == []
    assert seen("taker") == ["second", "first", "first"]
    assert seen("auditor") == seen("head")
    assert seen("head") == ["reprimand", "second", "first", "first"]

    def lines(who: str) -> list[str]:
        with world.db.read() as session:
            return [event.event for event in service.case_events(session, world.people[who], case_id)]

    assert "chase.reprimand" in lines("head")
    assert "chase.reprimand" not in lines("WATER.leader")
    assert "chase.second" in lines("WATER.leader")
    decided(world, "head", "reprimand", True)
    assert seen("WATER.leader") == ["reprimand", "second", "first"]
    assert "chase.reprimand_confirmed" in lines("WATER.leader")
    with world.db.read() as session:
        counted = queries.counts_by_unit(session, world.people["head"], settings.zone)
    assert counted[world.units["WATER"]] == {"first": 1, "second": 1, "reprimand": 1, "exposure": 0, "order": 0}
    assert counted[None]["first"] == 1


def test_a_late_reprimand_says_whom_it_is_about_and_nothing_of_the_caller(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.case(title="王小明反映幸福里 5 号路灯不亮，电话13800138000")
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    world.work("WATER.handler", working.sign, work_id)
    for days in (10, 5, 4):
        time_passes(days=days)
    row = chase_of(world, "reprimand")
    with world.db.read() as session:
        lines = [event.detail for event in events_of(session, case_id) if event.event.startswith("chase.")]
        titles = {notice.title for notice in session.exec(select(Notice)).all()}
    for secret in ("王小明", "幸福里", "13800138000"):
        assert secret not in row.text
        assert secret not in str(lines)
        assert all(secret not in title for title in titles)
    assert "水务局" in row.text
    assert "已超期" in row.text
