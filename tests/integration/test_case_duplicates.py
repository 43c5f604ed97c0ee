"""While a matter is typed, cases that may be the same are shown with reasons; one that comes again is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.assignments import judging
from app.assignments.tables import Recusal
from app.assignments.views import loop_json
from app.auth.model import Role
from app.cases import loop, service
from app.cases.duplicates import SHOWN, Candidate, candidates
from app.cases.history import events_of
from app.cases.likeness import Matter
from app.cases.tables import Case
from app.cases.views import case_json
from app.errors import Forbidden
from tests.case_kit.world import World
from tests.integration.web_browser import Browser, SeenBy

WATER = {"type": "complaint", "title": "幸福里停水两天", "content": "5号楼从昨晚开始没有自来水，物业不解释"}
TYPED = Matter("幸福里没有水", "从昨天晚上停水到现在，5号楼没有自来水", "幸福里 5 号")
LIGHT = {"type": "complaint", "title": "人民路路灯不亮", "content": "人民路路灯三天不亮"}


def shown(world: World, typed: Matter = TYPED, number: str = "", who: str = "taker", **more: Any) -> list[Candidate]:
    with world.db.read() as session:
        return candidates(session, world.people[who], typed, number, world.now, **more)


def reasons(found: list[Candidate]) -> dict[int, list[str]]:
    return {one.case.id or 0: [reason.why.value for reason in one.reasons] for one in found}


def test_a_similar_matter_at_the_same_place_from_the_same_number_is_shown_with_every_reason(world: World):
    case_id = world.case(WATER)
    found = shown(world, number="138 0013 8000")
    assert reasons(found) == {case_id: ["number", "place", "words"]}
    number, place, words = found[0].reasons
    assert (number.zh, place.zh) == ("同一号码", "同一地点")
    assert words.zh == f"内容相似 {words.likeness:.2f}"
    assert 0.42 <= words.likeness <= 1


def test_each_reason_finds_by_itself(world: World):
    same_number = world.case(LIGHT, number="13900139000", address="")
    same_place = world.case({**LIGHT, "title": "楼道堆杂物"}, number="13700137000", address="幸福里5号")
    similar = world.case(WATER, number="13600136000", address="")
    found = reasons(shown(world, number="13900139000"))
    assert found == {similar: ["words"], same_number: ["number"], same_place: ["place"]}
    assert list(found) == [similar, same_number, same_place], "the likeliest first"


def test_another_matter_and_what_is_older_than_90_days_are_not_shown(world: World):
    world.case(LIGHT, number="13900139000", address="人民路 1 号")
    old = world.case(WATER)
    assert old in reasons(shown(world, number="13800138000"))
    world.later(days=91)
    assert shown(world, number="13800138000") == []


def test_the_draft_itself_and_other_drafts_are_not_shown(world: World):
    with world.db.session() as session:
        fields = {**WATER, "caller_number": "13800138000"}
        draft = service.create_manual(session, world.people["taker"], fields, now=world.now)
    case_id = world.case(WATER)
    assert set(reasons(shown(world, number="13800138000"))) == {case_id}
    assert shown(world, number="13800138000", but=case_id) == []
    assert draft.id != case_id


def test_at_most_five_are_shown(world: World):
    for _ in range(SHOWN + 3):
        world.case(WATER)
    assert len(shown(world, number="13800138000")) == SHOWN


def test_number_and_place_of_somebody_in_secret_speak_for_nothing(world: World):
    case_id = world.case(WATER, confidential=True)
    assert reasons(shown(world, number="13800138000", who="head")) == {case_id: ["number", "place", "words"]}
    assert reasons(shown(world, number="13800138000", who="dispatcher")) == {case_id: ["words"]}
    assert shown(world, Matter("", "", "幸福里 5 号"), number="13800138000", who="dispatcher") == []


def test_a_case_from_which_somebody_is_kept_is_not_shown_to_them(world: World):
    case_id = world.case(WATER)
    with world.db.session() as session:
        user_id = world.people["dispatcher"].user_id
        session.add(Recusal(case_id=case_id, user_id=user_id, why="亲属", at=world.now))
    assert shown(world, number="13800138000", who="dispatcher") == []


def test_only_the_centre_looks_for_duplicates(world: World):
    with pytest.raises(Forbidden):
        shown(world, who="WATER.handler")


@pytest.mark.parametrize(
    "nasty", ['"', "' OR 1=1 --", "停水:* & !", "%_\\", "😀" * 200, "停" * 500, "\0", "NEAR(a b)", ""]
)
def test_whatever_is_being_typed_is_answered(world: World, nasty: str):
    world.case(WATER)
    shown(world, Matter(nasty, nasty, nasty), number=nasty)


def ended(world: World, matter: dict[str, Any] = WATER, **more: Any) -> int:
    case_id = world.case(matter, **more)
    world.act("taker", loop.answer, case_id, "已告知恢复时间")
    return case_id


def row(world: World, case_id: int, who: str = "taker") -> dict[str, Any]:
    with world.db.read() as session:
        case = world.stored(session, case_id)
        return case_json(session, world.people[who], case) | loop_json(session, world.people[who], case)


def test_a_matter_that_comes_again_after_it_was_ended_is_a_repeat_and_every_time_is_counted(world: World):
    first = ended(world)
    world.later(days=3)
    again = {**WATER, "title": "幸福里又停水了", "content": "上周修好，昨晚5号楼又停水没有自来水"}
    second = ended(world, again)
    world.later(days=30)
    third = world.case(again)
    assert [row(world, one)["repeats"] for one in (first, second, third)] == [0, 1, 2]
    assert row(world, second)["repeat_of"]["id"] == first
    assert row(world, third)["repeat_of"]["id"] == second
    assert row(world, first)["repeat_of"] is None
    with world.db.read() as session:
        stored: Case = world.stored(session, third)
        assert stored.repeat_of_id == second


def test_what_is_still_open_another_matter_or_another_number_repeats_nothing(world: World):
    world.case(WATER)
    assert row(world, world.case(WATER))["repeats"] == 0, "the first is still open"
    ended(world)
    assert row(world, world.case(LIGHT))["repeats"] == 0, "another matter"
    assert row(world, world.case(WATER, number="13900139000"))["repeats"] == 0, "another number"
    assert row(world, world.case(WATER, number=""))["repeats"] == 0, "a withheld number"
    assert row(world, world.case(WATER))["repeats"] == 1


def test_after_a_year_a_matter_is_a_new_one(world: World):
    ended(world)
    world.later(days=366)
    assert row(world, world.case(WATER))["repeats"] == 0


def test_the_case_that_is_repeated_is_named_to_those_only_who_may_know_of_it(world: World):
    ended(world)
    world.later(days=1)
    case_id, _ = world.dispatched("WATER", case_id=world.case(WATER))
    assert row(world, case_id, "head")["repeat_of"] is not None
    unit = row(world, case_id, "WATER.handler")
    assert (unit["repeats"], unit["repeat_of"]) == (1, None)


def test_the_history_names_the_case_that_is_repeated_to_those_only_who_may_know_of_it(world: World, seen_by: SeenBy):
    first = ended(world)
    world.later(days=1)
    case_id, _ = world.dispatched("WATER", case_id=world.case(WATER))
    number = row(world, first)["number"]

    def told(who: str) -> str:
        answer = seen_by(who).get(f"/api/cases/{case_id}/events")
        assert answer.status_code == 200
        return answer.text

    assert number in told("head")
    assert number in told("dispatcher")
    assert number not in told("WATER.handler")
    with world.db.session() as session:
        user_id = world.people["dispatcher"].user_id
        session.add(Recusal(case_id=first, user_id=user_id, why="亲属", at=world.now))
    assert number not in told("dispatcher"), "who is kept from a case is not told of it either"
    assert number in told("head")
    with world.db.read() as session:
        events = events_of(session, case_id)
    assert all(number not in str(event.detail) for event in events), "not stored: it would be read by whoever reads"


def test_a_merged_twin_may_be_taken_apart_again_and_stays_a_repeat(world: World):
    ended(world)
    twin, original = world.case(WATER), world.case(WATER)
    for one in (twin, original):
        world.act("taker", loop.submit, one)
    world.act("dispatcher", judging.merge, twin, original)
    world.act("dispatcher", judging.unmerge, twin, "不是同一件")
    assert row(world, twin)["repeats"] == 1


def test_rest_shows_duplicates_by_a_body_and_the_history_names_what_is_repeated(
    browser: Callable[..., Browser], world: World
):
    first = ended(world)
    agent = browser(Role.agent, agent_id="1001")
    body = {"number": "13800138000", "title": TYPED.title, "content": TYPED.content, "address": TYPED.address}
    (one,) = agent.send("POST", "/api/cases/duplicates", json=body).json()
    assert one["id"] == first
    assert [reason["zh"][:4] for reason in one["reasons"]] == ["同一号码", "同一地点", "内容相似"]
    assert "13800138000" not in str(one)
    assert agent.get("/api/cases/duplicates").status_code in (404, 405, 422)
    assert agent.send("POST", "/api/cases/duplicates", json={"number": "1" * 41}).status_code == 422
    assert browser(Role.unit_handler).send("POST", "/api/cases/duplicates", json=body).status_code == 403
    number = row(world, first)["number"]
    again = agent.send("POST", "/api/cases", json={"fields": {**WATER, "caller_number": "13800138000"}}).json()
    done = agent.send("POST", f"/api/cases/{again['id']}/register", json={"version": 1}).json()
    assert done["repeats"] == 1
    events = agent.get(f"/api/cases/{again['id']}/events").json()
    assert events[-1]["detail"]["repeat_of"] == number
