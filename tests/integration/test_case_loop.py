"""The case loop: a case by each of the seven ways, on both databases, and what must be refused on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from app.actor import SYSTEM
from app.assignments import giving, judging, working
from app.assignments.giving import Gift
from app.assignments.model import Opinion
from app.assignments.tables import Assignment, Recusal, Reply
from app.calls.service import record
from app.cases import loop, service
from app.cases.model import Ground, HandlingWay
from app.clocks.model import ClockKind
from app.clocks.rules import Urgency
from app.clocks.service import Subject, of_subject, time_against_centre
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.followups.model import AGAIN_AFTER, Heard, Reached
from app.followups.service import close_all_the_same
from tests.case_kit.world import START, World

CONTENT = Heard(Reached.spoken, Opinion.satisfied, True, True, True)
ANGRY = Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "还是不亮", propose_redo=True)


def clocks_of(world: World, subject: Subject, kind: ClockKind) -> list[tuple[str, int]]:
    with world.db.read() as session:
        return [(row.state, row.round) for row in of_subject(session, subject) if row.kind == kind.value]


def test_first_way_answered_at_once(world: World):
    case_id = world.case()
    with pytest.raises(BadInput, match="marked fields"):
        world.act("taker", loop.answer, case_id, "")
    case = world.act("taker", loop.answer, case_id, "热线已答复：明早恢复照明。")
    assert (case.state, case.way, case.answer) == ("answered", "answer", "热线已答复：明早恢复照明。")
    assert case.ended_at == START
    assert world.act("head", loop.archive, case_id).state == "archived"


def test_second_way_guided_and_taken_up_again(world: World):
    case_id = world.case()
    assert world.act("taker", loop.guide, case_id, "请向市公安局 110 反映").state == "guided"
    with pytest.raises(Forbidden):
        world.act("taker", loop.reopen, case_id, "又来电话")
    case = world.act("dispatcher", loop.reopen, case_id, "引导错误")
    assert (case.state, case.way, case.ended_at) == ("registered", None, None)


def test_third_way_referred_to_a_unit_that_owes_no_answer(world: World):
    case_id = world.case()
    case = world.act("dispatcher", loop.refer, case_id, world.units["CITY"], "供参考")
    assert (case.state, case.to_unit_id) == ("referred", world.units["CITY"])


def test_fourth_way_settled_on_the_telephone_with_the_calls_record(world: World):
    case_id = world.case()
    with pytest.raises(BadInput) as wrong:
        world.act("taker", loop.transfer, case_id, world.units["WATER"], "no-such-call", "已答应上门")
    assert list(wrong.value.fields) == ["call"]
    record(world.db, "h-3.1", number="13800138000")
    case = world.act("taker", loop.transfer, case_id, world.units["WATER"], "h-3.1", "已答应今天上门")
    assert (case.state, case.way, case.with_call_id) == ("transferred", "telephone", "h-3.1")


def test_fourth_way_given_by_telephone_has_three_working_days(world: World):
    case_id, [work_id] = world.dispatched("WATER", way=HandlingWay.telephone)
    with world.db.read() as session:
        work, case = session.get(Assignment, work_id), world.stored(session, case_id)
        clock = of_subject(session, Subject.case(case_id))[-1]
        assert (clock.kind, clock.amount, clock.unit) == ("handle", 3, "working_days")
        assert work is not None
        assert work.due_at is not None
        assert case.due_at is not None
        assert work.due_at <= case.due_at


def test_fifth_way_in_writing_from_dispatch_to_archive(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    assert world.state(case_id) == "dispatched"
    world.work("WATER.handler", working.sign, work_id)
    assert world.state(case_id) == "signed"
    world.work("WATER.handler", working.start, work_id)
    assert world.state(case_id) == "in_progress"
    world.handed_in(case_id, "WATER")
    assert world.state(case_id) == "replied"
    world.act("head", judging.begin_review, case_id)
    world.act("head", judging.accept_case, case_id, "办理到位")
    assert world.state(case_id) == "to_follow_up"
    world.asked(case_id, CONTENT)
    assert world.state(case_id) == "closed"
    assert world.act("head", loop.archive, case_id).state == "archived"
    assert world.history(case_id) == [
        "opened", "registered", "submitted", "dispatched", "unit.given", "unit.signed", "signed", "unit.started",
        "started", "unit.submitted", "unit.replied", "replied", "review_begun", "accepted", "unit.accepted",
        "followed_up", "closed", "archived",
    ]  # fmt: skip
    for subject, kind in (
        (Subject.case(case_id), ClockKind.dispatch),
        (Subject.case(case_id), ClockKind.handle),
        (Subject.case(case_id), ClockKind.review),
        (Subject.case(case_id), ClockKind.follow_up),
        (Subject.assignment(work_id), ClockKind.sign),
        (Subject.assignment(work_id), ClockKind.handle),
    ):
        assert clocks_of(world, subject, kind) == [("met", 1)], (subject, kind)


def test_sixth_way_coordinated_every_unit_answers_before_the_case_is_replied(world: World):
    case_id = world.case()
    world.act("taker", loop.submit, case_id)
    both = [Gift(world.units["WATER"]), Gift(world.units["CITY"])]
    for way, gifts in (
        (HandlingWay.coordinated, both),  # nobody leads
        (HandlingWay.written, [Gift(world.units["WATER"], lead=True), Gift(world.units["CITY"])]),
        (HandlingWay.coordinated, both[:1]),  # one alone
        (HandlingWay.answer, both[:1]),
    ):
        with pytest.raises(BadInput):
            world.act("dispatcher", giving.dispatch, case_id, way, gifts)
    world.dispatched("WATER", "CITY", case_id=case_id)
    world.handed_in(case_id, "WATER")
    assert world.state(case_id) == "in_progress"
    city = world.handed_in(case_id, "CITY")
    assert world.state(case_id) == "replied"
    world.act("head", judging.redo_case, case_id, "城管部分不清楚", units=[world.units["CITY"]])
    assert world.state(case_id) == "redo"
    assert (world.work_state(city), world.work_state(world.work_of(case_id, "WATER"))) == ("redo", "replied")
    world.handed_in(case_id, "CITY")
    assert world.state(case_id) == "replied"


def test_seventh_way_research_ends_with_a_report(world: World):
    case_id, _ = world.dispatched("CITY", way=HandlingWay.research)
    world.handed_in(case_id, "CITY", result="专报：全市老旧路灯情况及建议。")
    assert world.act("head", judging.accept_case, case_id, "报市领导").state == "to_follow_up"
    with world.db.read() as session:
        assert world.stored(session, case_id).way == "research"


def test_what_the_hotline_may_not_take_up_is_declined_with_what_the_caller_was_told(world: World):
    case_id = world.case()
    with pytest.raises(BadInput):
        world.act("taker", loop.decline, case_id, Ground.litigation, " ")
    case = world.act("taker", loop.decline, case_id, Ground.litigation, "已在法院立案，请等待判决。")
    assert (case.state, case.ground) == ("declined", "litigation")


def test_a_unit_above_judges_what_it_handed_down_and_never_ends_before_it(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    with pytest.raises(BadInput):
        world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["CITY"])])
    world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["WATER-S"], instructions="请现场查看")])
    assert world.state(case_id) == "in_progress"
    child = world.work_of(case_id, "WATER-S")
    with world.db.read() as session:
        above, below = session.get(Assignment, work_id), session.get(Assignment, child)
        assert above is not None
        assert below is not None
        assert below.due_at is not None
        assert above.due_at is not None
        assert below.due_at <= above.due_at
    with pytest.raises(Refused) as refused:
        world.work("WATER.handler", working.submit, work_id, world.reply_fields(case_id), 0)
    assert refused.value.code == "children_open"
    with pytest.raises(Refused):
        world.work("WATER.handler", working.give_it_back, work_id, "不是我们的")
    world.handed_in(case_id, "WATER-S")
    with pytest.raises(Refused):  # replied, not judged yet
        world.work("WATER.handler", working.submit, work_id, world.reply_fields(case_id), 0)
    with pytest.raises(Forbidden):
        world.work("head", judging.accept_work, child, "同意")
    world.work("WATER.handler", judging.redo_work, child, "照片不清楚")
    world.handed_in(case_id, "WATER-S")
    world.work("WATER.leader", judging.accept_work, child, "情况属实")
    world.handed_in(case_id, "WATER")
    assert world.state(case_id) == "replied"
    with pytest.raises(Refused) as late:
        world.work("WATER.handler", judging.redo_work, child, "还是再看看")
    assert late.value.code == "giver_done"


def test_a_return_is_counted_judged_and_costs_the_centre_its_time(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.later(hours=3)
    with pytest.raises(BadInput):
        world.work("WATER.handler", working.give_it_back, work_id, "")
    work = world.work("WATER.handler", working.give_it_back, work_id, "路灯归城管")
    assert (work.returns, work.due_at, world.state(case_id)) == (1, None, "returned")
    world.later(hours=5)
    world.work("dispatcher", giving.refuse_return, work_id, "水泵房路灯由水务管理")
    assert (world.state(case_id), world.work_state(work_id)) == ("dispatched", "dispatched")
    world.work("WATER.handler", working.give_it_back, work_id, "已核实，灯杆属城管")
    world.later(hours=1)
    world.work("head", giving.uphold_return, work_id)
    assert (world.state(case_id), world.work_state(work_id)) == ("to_dispatch", "withdrawn")
    with world.db.read() as session:
        assert time_against_centre(session, Subject.case(case_id), world.now) == timedelta(hours=6)
    world.dispatched("CITY", case_id=case_id)
    assert world.state(case_id) == "dispatched"
    with world.db.read() as session, pytest.raises(NotFound):
        service.get_case(session, world.people["WATER.handler"], case_id)
    assert clocks_of(world, Subject.case(case_id), ClockKind.handle)[-1] == ("running", 1)


def test_one_of_several_units_may_return_and_the_rest_go_on(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.handed_in(case_id, "WATER")
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    assert world.state(case_id) == "in_progress"
    world.work("dispatcher", giving.uphold_return, city)
    assert (world.state(case_id), world.work_state(water)) == ("replied", "replied")


def test_an_unsatisfied_citizen_leads_to_a_redo_with_a_new_clock_and_the_first_outcome_stays(world: World):
    case_id = world.to_follow_up("WATER")
    world.later(days=1)
    world.asked(case_id, ANGRY)
    assert world.state(case_id) == "to_follow_up"
    world.act("head", judging.redo_case, case_id, "市民反映未修复")
    work_id = world.work_of(case_id, "WATER")
    assert (world.state(case_id), world.work_state(work_id)) == ("redo", "redo")
    assert clocks_of(world, Subject.assignment(work_id), ClockKind.handle) == [("met", 1), ("running", 2)]
    assert clocks_of(world, Subject.case(case_id), ClockKind.handle) == [("met", 1), ("running", 2)]
    world.handed_in(case_id, "WATER", result="再次检修，已更换电缆。")
    with world.db.read() as session:
        rows = session.exec(select(Reply).order_by(Reply.round)).all()  # type: ignore[arg-type]
        assert [(row.round, row.result) for row in rows] == [
            (1, "已修复全部 6 盏路灯。"),
            (2, "再次检修，已更换电缆。"),
        ]
    world.act("head", judging.accept_case, case_id, "同意")
    world.asked(case_id, CONTENT)
    assert world.state(case_id) == "closed"


def test_a_proposal_to_redo_can_be_turned_down_by_a_reviewer(world: World):
    case_id = world.to_follow_up()
    world.asked(case_id, ANGRY)
    assert world.act("head", close_all_the_same, case_id, "现场复核路灯已亮").state == "closed"


def test_nobody_reached_is_tried_at_other_times_and_then_closed_unasked(world: World):
    case_id = world.to_follow_up()
    nobody = Heard(Reached.no_answer)
    for state in ("to_follow_up", "to_follow_up", "closed"):
        assert world.asked(case_id, nobody).state == state
        world.now += AGAIN_AFTER


def test_only_a_leader_puts_on_account_and_the_clocks_begin_anew(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    until = world.now + timedelta(days=30)
    with pytest.raises(Forbidden):
        world.act("head", judging.defer, case_id, "明年改造", until)
    with pytest.raises(BadInput):
        world.act("leader", judging.defer, case_id, "明年改造", world.now)
    case = world.act("leader", judging.defer, case_id, "纳入明年改造计划", until)
    assert (case.state, case.due_at) == ("deferred", until)
    with pytest.raises(Refused) as refused:
        world.work("WATER.handler", working.start, work_id)
    assert refused.value.code == "on_account"
    world.later(days=10)
    assert world.act("leader", judging.resume, case_id).state == "in_progress"
    assert clocks_of(world, Subject.case(case_id), ClockKind.handle) == [("replaced", 1), ("running", 1)]
    world.handed_in(case_id, "WATER")
    assert world.state(case_id) == "replied"


def test_a_merged_case_closes_with_its_original_and_can_be_taken_out_again(world: World):
    original, _ = world.dispatched("WATER")
    twin, [twin_work] = world.dispatched("CITY")
    other = world.case()
    world.act("head", judging.merge, twin, original)
    world.act("head", judging.merge, other, original)
    assert (world.state(twin), world.work_state(twin_work)) == ("merged", "withdrawn")
    with pytest.raises(BadInput):
        world.act("head", judging.merge, original, twin)
    with pytest.raises(BadInput):
        world.act("head", judging.merge, world.case(), twin)
    assert world.act("head", judging.unmerge, other, "地点不同").state == "to_dispatch"
    world.handed_in(original, "WATER")
    world.act("head", judging.accept_case, original, "同意")
    world.asked(original, CONTENT)
    assert [world.state(one) for one in (original, twin, other)] == ["closed", "closed", "to_dispatch"]


def test_nobody_gets_a_case_about_themselves_and_who_is_kept_from_it_does_not_know_of_it(world: World):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, about_unit_id=world.units["WATER"])
    with pytest.raises(Refused) as refused:
        world.dispatched("WATER", case_id=case_id)
    assert refused.value.code == "recused"
    world.dispatched("CITY", case_id=case_id)
    handler = world.people["CITY.handler"]
    with world.db.session() as session:
        session.add(Recusal(case_id=case_id, user_id=handler.user_id, why="亲属", at=world.now))
    with pytest.raises(NotFound):
        world.work("CITY.handler", working.sign, world.work_of(case_id, "CITY"))
    world.work("CITY.leader", working.sign, world.work_of(case_id, "CITY"))


def test_an_urgent_matter_has_hours_and_the_dispatcher_may_find_it_so(world: World):
    case_id = world.case()
    case = world.act("taker", loop.submit, case_id, urgency=Urgency.utilities)
    assert case.due_at == world.now + timedelta(hours=2)
    way, gifts = HandlingWay.written, [Gift(world.units["WATER"])]
    case = world.act("dispatcher", giving.dispatch, case_id, way, gifts, urgency=Urgency.life)
    assert case.due_at == world.now + timedelta(hours=2)


def test_a_double_click_is_one_act_and_two_people_are_told_of_each_other(world: World):
    case_id = world.case()
    taker, other = world.people["taker"], world.people["dispatcher"]
    with world.db.session() as session:
        version = world.stored(session, case_id).version
        loop.submit(session, taker, case_id, version, now=world.now)
    with world.db.session() as session:
        assert loop.submit(session, taker, case_id, version, now=world.now).state == "to_dispatch"
    with pytest.raises(VersionConflict), world.db.session() as session:
        loop.submit(session, other, case_id, version, now=world.now)
    assert world.history(case_id).count("submitted") == 1
    world.dispatched("WATER", case_id=case_id)
    work_id = world.work_of(case_id, "WATER")
    for _ in range(2):
        with world.db.session() as session:
            working.sign(session, world.people["WATER.handler"], work_id, 1, now=world.now)
    assert world.history(case_id).count("unit.signed") == 1
    with pytest.raises(VersionConflict), world.db.session() as session:
        working.sign(session, world.people["WATER.leader"], work_id, 1, now=world.now)


def test_strangers_to_a_case_may_do_nothing_to_it(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    for who in ("CITY.handler", "WATER-S.leader"):
        with pytest.raises(NotFound):
            world.work(who, working.sign, work_id)
    for who in ("taker", "head", "mayor", "auditor"):
        with pytest.raises(Forbidden):
            world.work(who, working.sign, work_id)
    with pytest.raises(Forbidden):
        world.work("WATER.handler", giving.withdraw, work_id, "不想办")
    world.work("WATER.handler", working.sign, work_id)
    with pytest.raises(Forbidden):
        world.act("WATER.leader", judging.defer, case_id, "等等", world.now + timedelta(days=3))


def test_a_reply_is_refused_while_anything_is_missing_and_says_all_of_it(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    with pytest.raises(BadInput) as refused:
        world.work("WATER.handler", working.submit, work_id, {}, 0)
    item = next(name for name in refused.value.fields if name.startswith("answers."))
    assert set(refused.value.fields) == {item, "result", "contact", "opinion", "signed_name"}
    with world.db.session() as session:
        kept = working.write_reply(session, world.people["WATER.handler"], work_id, 0, {"result": "写了一半"})
        assert kept.version == 1
    with pytest.raises(VersionConflict), world.db.session() as session:
        working.write_reply(session, world.people["WATER.leader"], work_id, 0, {"result": "我也写"})
    world.work("WATER.handler", working.submit, work_id, world.reply_fields(case_id), 1)
    with pytest.raises(BadInput) as unsealed:
        world.work("WATER.leader", working.approve, work_id, "同意", seal=False)
    assert list(unsealed.value.fields) == ["sealed"]
    with pytest.raises(Forbidden):
        world.work("WATER.handler", working.approve, work_id, "同意", seal=True)
    world.work("WATER.leader", working.rework, work_id, "请补充照片")
    assert world.work_state(work_id) == "in_progress"
    world.work("WATER.handler", working.submit, work_id, world.reply_fields(case_id), 2)
    world.work("WATER.leader", working.approve, work_id, "同意", seal=True)
    assert world.state(case_id) == "replied"


def test_the_system_may_do_what_the_table_says_it_may(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    world.act("leader", judging.defer, case_id, "等待材料", world.now + timedelta(days=3))
    with world.db.session() as session:
        version = world.stored(session, case_id).version
        assert judging.resume(session, SYSTEM, case_id, version, now=world.now).state == "in_progress"
