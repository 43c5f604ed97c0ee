"""Edges of the case loop: what is not offered, not overwritten, not told to others and not left without an end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.assignments import giving, judging, working
from app.assignments.giving import Gift
from app.assignments.model import LONGEST_ANSWER, REPLY_TEXTS, Opinion
from app.assignments.recusing import recuse
from app.assignments.tables import Assignment
from app.assignments.views import loop_json
from app.auth.model import Role
from app.calls.model import CallFacts
from app.calls.service import record
from app.calls.tables import Call
from app.cases import loop, service
from app.cases.access import hidden
from app.cases.acting import locked
from app.cases.messages import message_case
from app.cases.model import HandlingWay, Source
from app.cases.parties import work_acts
from app.cases.queries import case_events
from app.cases.states import WorkAct
from app.cases.tables import Case
from app.clocks.model import ClockKind
from app.clocks.service import Subject, open_of
from app.errors import BadInput, NotFound, Refused
from app.followups import desk
from app.followups.model import AGAIN_AFTER, Heard, Reached
from app.settings import Settings
from tests.case_kit.world import MATTER, World
from tests.integration.web_browser import SeenBy
from tests.peers.waiting import wait_until

CONTENT = Heard(Reached.spoken, Opinion.satisfied, True, True, True)
NUMBER = "13800138000"


def next_for(world: World, who: str) -> int | None:
    with world.db.session() as session:
        task = desk.next_task(session, world.people[who], world.now)
        return task.case_id if task else None


def reasons_read(world: World, who: str, case_id: int) -> list[str]:
    with world.db.read() as session:
        return [line.reason for line in case_events(session, world.people[who], case_id) if line.reason]


def acts_on(world: World, who: str, work_id: int) -> list[WorkAct]:
    with world.db.read() as session:
        work = session.get(Assignment, work_id)
        assert work is not None
        return work_acts(session, world.people[who], work)


def test_whoever_has_begun_to_call_about_a_case_gets_that_one_again(world: World):
    first = world.to_follow_up()
    assert next_for(world, "taker") == first
    world.now -= timedelta(hours=1)
    second = world.to_follow_up("CITY")
    world.now += timedelta(hours=1)
    assert next_for(world, "taker") == first
    assert next_for(world, "dispatcher") == second


def test_nobody_is_given_a_case_to_call_about_whose_citizen_they_may_not_see(world: World):
    secret, _ = world.dispatched("WATER", case_id=world.case(confidential=True))
    world.handed_in(secret, "WATER")
    world.act("head", judging.accept_case, secret, "同意")
    assert next_for(world, "taker") is None
    assert next_for(world, "head") == secret


def test_items_that_a_unit_is_answering_are_not_changed(world: World):
    case_id, [water, _] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.give_it_back, water, "归城管")
    world.work("head", giving.uphold_return, water)
    with pytest.raises(Refused) as refused:
        world.act("dispatcher", loop.set_items, case_id, ["另一件事"])
    assert refused.value.code == "units_have_it"


def test_a_double_click_on_the_items_is_one_change(world: World):
    case_id = world.case()
    with world.db.read() as session:
        version = world.stored(session, case_id).version
    for _ in range(2):
        with world.db.session() as session:
            items = loop.set_items(session, world.people["taker"], case_id, version, ["修路灯"], now=world.now)
            assert [item.text for item in items] == ["修路灯"]
    world.act("taker", loop.set_items, case_id, ["修路灯"])
    assert world.history(case_id).count("amended") == 1, "nor are the same items again a change"


def test_masks_that_somebody_was_shown_are_never_written_over_the_citizens_words(world: World):
    told = f"请回电 {NUMBER}"
    case_id = world.case({**MATTER, "content": f"{told}，路灯不亮"}, confidential=True)
    world.people["supervisor"] = world.somebody(Role.supervisor)
    world.act("supervisor", loop.set_items, case_id, [told, "修路灯"])
    with world.db.read() as session:
        case = world.stored(session, case_id)
        shown, content = hidden(told, case), hidden(case.content, case)
    assert NUMBER not in shown + content
    items = world.act("dispatcher", loop.set_items, case_id, [shown, "修路灯", "答复市民"])
    assert [item.text for item in items] == [told, "修路灯", "答复市民"]
    with world.db.session() as session:
        version = world.stored(session, case_id).version
        fields = {"content": content, "title": "路灯全不亮"}
        service.amend_or_autosave(session, world.people["taker"], case_id, fields, version, now=world.now)
    world.act("supervisor", loop.answer, case_id, told)
    world.act("head", loop.reopen, case_id, "再问")
    case = world.act("taker", loop.answer, case_id, shown)
    assert (case.answer, case.content, case.title) == (told, f"{told}，路灯不亮", "路灯全不亮")


def test_the_type_of_a_draft_in_secret_is_chosen_by_somebody_who_sees_masks(world: World):
    with world.db.session() as session:
        fields = {"title": "路灯不亮", "caller_number": NUMBER, "confidential": True}
        case = service.create_manual(session, world.people["taker"], fields, now=world.now)
        chosen = {"type": "complaint"}
        service.autosave(session, world.people["dispatcher"], case.id or 0, chosen, case.version, now=world.now)
        assert case.type == "complaint"


def test_what_was_merged_into_a_case_ends_with_it_however_that_ends(world: World):
    original, twin = world.case(), world.case()
    world.act("head", judging.merge, twin, original)
    world.act("taker", loop.answer, original, "明早恢复照明")
    assert [world.state(original), world.state(twin)] == ["answered", "closed"]
    with pytest.raises(BadInput):
        world.act("head", judging.merge, world.case(), original)


def test_a_merged_case_takes_what_waits_to_be_judged_with_it_and_a_double_click_is_one_merge(world: World):
    original = world.case()
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    with world.db.read() as session:
        version = world.stored(session, case_id).version
    for _ in range(2):
        with world.db.session() as session:
            judging.merge(session, world.people["head"], case_id, version, original, now=world.now)
    assert {world.work_state(one) for one in (water, city)} == {"withdrawn"}
    assert world.history(case_id).count("merged") == 1


def test_a_unit_hears_of_a_twin_only_when_it_knows_of_that(world: World):
    original, _ = world.dispatched("WATER")
    twin, _ = world.dispatched("CITY")
    world.act("head", judging.merge, twin, original)
    with world.db.read() as session:
        case = world.stored(session, original)
        assert [one["id"] for one in loop_json(session, world.people["head"], case)["twins"]] == [twin]
        assert loop_json(session, world.people["WATER.handler"], case)["twins"] == []


def test_a_case_is_called_by_its_number_in_another_ones_history_for_those_only_who_may_know_of_it(
    world: World, seen_by: SeenBy
):
    original, (twin, _) = world.case(), world.dispatched("WATER")
    world.act("head", judging.merge, twin, original)
    with world.db.session() as session:
        kept, number = world.people["dispatcher"].user_id, world.stored(session, original).number
        recuse(session, world.people["head"], original, "亲属", user_id=kept, now=world.now)
    assert number in seen_by("head").get(f"/api/cases/{twin}/events").text
    lines = seen_by("dispatcher").get(f"/api/cases/{twin}/events")
    assert (lines.status_code, number in lines.text) == (200, False)
    world.act("taker", loop.answer, original, "明早恢复照明")
    assert seen_by("head").get(f"/api/cases/{twin}/events").text.count(number) == 2, "it closed with it"
    assert number not in seen_by("dispatcher").get(f"/api/cases/{twin}/events").text


def test_what_the_leading_unit_says_as_it_gives_back_is_not_told_to_the_others(world: World):
    case_id, [water, _] = world.dispatched("WATER", "CITY")
    world.work("WATER.handler", working.give_it_back, water, "局内人手不足")
    assert "局内人手不足" in reasons_read(world, "WATER.handler", case_id)
    assert "局内人手不足" in reasons_read(world, "head", case_id)
    assert "局内人手不足" not in reasons_read(world, "CITY.handler", case_id)


def test_why_somebody_is_kept_from_a_case_is_read_by_those_who_may_judge_it(world: World):
    case_id, _ = world.dispatched("WATER")
    kept = world.somebody(Role.agent).user_id
    with world.db.session() as session:
        recuse(session, world.people["head"], case_id, "投诉人的姐夫", user_id=kept, now=world.now)
    for who, reads in (("head", True), ("auditor", True), ("taker", False), ("WATER.handler", False)):
        assert ("投诉人的姐夫" in reasons_read(world, who, case_id)) is reads, who


def test_whoever_is_kept_from_a_case_while_they_wait_for_it_does_nothing_to_it_any_more(world: World):
    if world.db.dialect == "sqlite":
        pytest.skip("SQLite has one writer: nobody else waits inside")
    case_id, _ = world.dispatched("WATER")
    kept, waiting = world.somebody(Role.section_head), threading.Event()

    def acts() -> None:
        with world.db.session() as session:
            waiting.set()
            locked(session, kept, case_id)

    with ThreadPoolExecutor(1) as thread:
        with world.db.session() as session:
            recuse(session, world.people["head"], case_id, "投诉人的姐夫", user_id=kept.user_id, now=world.now)
            acting = thread.submit(acts)
            waiting.wait(10)
            queue = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_until(lambda: session.execute(queue).scalar_one() > 0, 10, "the other to wait for the case")
        with pytest.raises(NotFound):
            acting.result(10)


def test_a_try_that_nobody_answered_counts_only_at_another_time(world: World):
    case_id = world.to_follow_up()
    nobody = Heard(Reached.no_answer)
    world.asked(case_id, nobody)
    with pytest.raises(Refused) as refused:
        world.asked(case_id, nobody)
    assert refused.value.code == "too_early"
    world.now += AGAIN_AFTER
    world.asked(case_id, nobody)
    assert world.asked(case_id, CONTENT).state == "closed"


def test_nobody_is_asked_again_while_a_reviewer_decides_on_a_redo(world: World):
    case_id = world.to_follow_up()
    world.asked(case_id, Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "没修", propose_redo=True))
    with pytest.raises(Refused) as refused:
        world.asked(case_id, CONTENT)
    assert refused.value.code == "redo_proposed"


def test_blanks_are_no_reason(world: World):
    case_id = world.to_follow_up()
    with pytest.raises(BadInput) as wrong:
        world.asked(case_id, Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "  "))
    assert list(wrong.value.fields) == ["note"]


def test_the_centres_time_for_a_return_goes_on_when_one_more_unit_is_asked(world: World):
    case_id, [_, city] = world.dispatched("WATER", "CITY")
    world.work("CITY.handler", working.give_it_back, city, "与我局无关")
    world.act("dispatcher", giving.dispatch, case_id, HandlingWay.coordinated, [Gift(world.units["WATER-S"])])
    with world.db.session() as session:
        assert open_of(session, Subject.case(case_id), ClockKind.dispatch) is not None
    world.work("dispatcher", giving.uphold_return, city)
    with world.db.session() as session:
        assert open_of(session, Subject.case(case_id), ClockKind.dispatch) is None


def test_only_what_would_not_be_refused_is_offered(world: World):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    assert WorkAct.withdrawn not in acts_on(world, "dispatcher", water)
    assert WorkAct.withdrawn in acts_on(world, "dispatcher", city)
    world.handed_in(case_id, "CITY")
    assert {WorkAct.accepted, WorkAct.redo} <= set(acts_on(world, "head", city))
    world.handed_in(case_id, "WATER")
    assert not {WorkAct.accepted, WorkAct.redo} & set(acts_on(world, "head", city))


def test_a_reply_that_is_too_long_is_refused_and_not_cut(world: World):
    _, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    limit = REPLY_TEXTS["result"].limit
    fields = {"result": "修" * (limit + 1), "answers": {"1": "好" * (LONGEST_ANSWER + 1)}}
    with pytest.raises(BadInput) as wrong, world.db.session() as session:
        working.write_reply(session, world.people["WATER.handler"], work_id, 0, fields, now=world.now)
    assert set(wrong.value.fields) == {"result", "answers.1"}


@pytest.mark.parametrize("agent_id", ["1001", None])
def test_a_message_that_comes_late_leaves_an_ended_case_with_its_agent(
    world: World, settings: Settings, agent_id: str | None
):
    record(world.db, "h-7.1", number=NUMBER)
    supervisor = world.people["supervisor"] = world.somebody(Role.supervisor)
    facts = CallFacts(call_id="h-7.1", number=NUMBER)
    with world.db.session() as session:
        case = service.open_draft(session, facts, agent_id=agent_id, now=world.now)
        case_id = case.id or 0
        service.register(session, supervisor, case_id, dict(MATTER), case.version, now=world.now)
    world.act("supervisor", loop.answer, case_id, "已答复")
    with world.db.session() as session:
        call = session.get(Call, "h-7.1")
        assert call is not None
        message_case(session, settings, call, Source.voicemail, "留言", now=world.now, key="v-1")
    with world.db.read() as session:
        stored = session.get(Case, case_id)
        assert stored is not None
        assert (stored.agent_id, stored.source, stored.section) == (agent_id, "call", None)


def test_a_time_without_a_zone_is_refused(world: World, seen_by: SeenBy):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    with world.db.read() as session:
        body = {"version": world.stored(session, case_id).version, "reason": "明年改造", "until": "2026-12-24T09:00:00"}
    assert seen_by("leader").send("POST", f"/api/cases/{case_id}/defer", json=body).status_code == 422
    reply = {"version": 0, "fields": {"contacted_at": "2026-11-24T09:00:00"}}
    assert seen_by("WATER.handler").send("PUT", f"/api/assignments/{work_id}/reply", json=reply).status_code == 422
