"""The case card: knowledge, places and units beside what is typed, an answer in one act, and bad input."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.cases import loop
from tests.browser.conftest import accessibility, place_of, shot
from tests.browser.fake_backend import FakeBackend, wait_for
from tests.browser.samples import calls
from tests.case_kit.world import World

WATER: dict[str, Any] = {
    "unit": {
        "id": 4, "code": "WATER", "name": "市水务局", "short_name": "水务局", "kind": "bureau", "level": 1,
        "parent_id": 1, "active": True,
    },
    "words": ["停水", "自来水"],
}  # fmt: skip
PLACE = {"address": "翠竹园小区", "area": "城北区"}


@pytest.fixture
def talking(on_shift: Page, fake: FakeBackend) -> Page:
    """In a talk with the case open."""
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    expect(on_shift.get_by_test_id("talking")).to_be_visible()
    return on_shift


def stored(fake: FakeBackend, name: str) -> str:
    """A field of the first case as the server has it."""
    return str(fake.cases[1]["fields"][name])


def test_knowledge_follows_what_is_typed_is_read_out_and_goes_into_the_answer_with_its_source(
    talking: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    beside, content = talking.get_by_test_id("beside"), talking.get_by_label("诉求内容")
    place = place_of(talking.get_by_label("具体地址"))
    assert (beside.bounding_box() or {"y": 999})["y"] < 500  # in sight, without scrolling
    content.fill("张建国说停水三天了")
    expect(talking.get_by_test_id("to-knowledge")).to_contain_text("知识 3 条")
    assert place_of(talking.get_by_label("具体地址")) == place  # nothing moved
    sought = fake.office.knowledge.sought
    assert sought[-1] == {"q": "说停水三天了", "limit": 5}
    assert "张建国" not in str(sought)  # who calls is asked nowhere
    content.focus()
    talking.get_by_test_id("to-knowledge").focus()
    talking.keyboard.press("Enter")
    expect(beside.locator("[data-hit='1']")).to_be_focused()
    talking.keyboard.press("ArrowDown")
    talking.keyboard.press("Enter")
    expect(beside).to_contain_text("内部资料，不能读给来电人")
    expect(beside.get_by_test_id("take-answer")).to_have_count(0)
    talking.keyboard.press("Escape")
    expect(beside.locator("[data-hit='2']")).to_be_focused()
    talking.keyboard.press("ArrowUp")
    talking.keyboard.press("Enter")
    expect(beside.get_by_test_id("aloud")).to_contain_text("计划停水怎么查询：请先储水")
    shot(talking, "reading", tmp_path)
    assert accessibility(talking, whole=True) == []
    beside.get_by_test_id("take-answer").click()
    expect(talking.get_by_label("当场答复")).to_have_value(re.compile("^计划停水怎么查询"))
    expect(talking.get_by_test_id("answer-sources")).to_contain_text("知识 1 第 2 版")
    wait_for(lambda: stored(fake, "answer_source") == "knowledge:1@2", "the source to be stored")
    beside.get_by_role("button", name="有用").click()
    uses = [body for what, body in fake.office.knowledge.sent if what == "articles/1/uses"]
    wait_for(lambda: len([1 for what, _ in fake.office.knowledge.sent if what == "articles/1/uses"]) == 2, "two uses")
    assert uses[0] == {"call_id": "hotline1-1.1"}
    talking.get_by_test_id("answer-sources").get_by_role("button", name="撤出").click()
    expect(talking.get_by_label("当场答复")).to_have_value("")
    wait_for(lambda: stored(fake, "answer_source") == "", "the source to be taken out")
    talking.get_by_role("button", name="返回列表").click()
    talking.get_by_test_id("beside-missing").click()
    expect(talking.get_by_label("没找到什么")).to_have_value("说停水三天了")
    talking.keyboard.press("Enter")
    wait_for(lambda: ("gaps", {"q": "说停水三天了"}) in fake.office.knowledge.sent, "what was not found")
    assert all(not one.get("done") for one in sought)  # what is typed is never noted by itself


def test_the_list_of_answers_stands_still_under_the_pointer(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_label("诉求内容").fill("停水三天")
    beside = talking.get_by_test_id("beside")
    expect(beside.locator("[data-hit]")).to_have_count(3)
    beside.locator("[data-hit='2']").hover()
    talking.keyboard.insert_text("，公积金")  # the focus is still in the field
    fake.office.knowledge.hits = fake.office.knowledge.hits[:1]
    talking.keyboard.insert_text("停水")
    expect(beside.get_by_test_id("beside-newer")).to_be_visible()
    expect(beside.locator("[data-hit]")).to_have_count(3)
    talking.mouse.move(5, 5)
    expect(beside.locator("[data-hit]")).to_have_count(1)


def test_a_unit_and_a_place_are_proposed_and_taken_by_a_person_only(
    talking: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    fake.suggested, fake.places = [WATER], [PLACE]
    talking.get_by_label("标题").fill("停水三天")
    unit = talking.get_by_test_id("unit-suggestion")
    expect(unit).to_contain_text("依据：停水 · 自来水")
    address = talking.get_by_label("具体地址")
    address.fill("翠竹")
    expect(talking.get_by_test_id("places").get_by_role("option")).to_have_count(1)
    assert fake.places_asked[-1] == {"q": "翠竹", "area": "城南区"}
    assert (stored(fake, "proposed_unit"), stored(fake, "area")) == ("", "城南区")
    box, foot = address.bounding_box(), talking.get_by_test_id("register").bounding_box()
    assert box is not None
    assert foot is not None
    assert box["y"] + box["height"] < foot["y"]  # what has the focus is not behind the buttons
    shot(talking, "places", tmp_path)
    assert accessibility(talking, whole=True) == []
    address.fill("翠竹园12号")
    wait_for(lambda: fake.places_asked[-1]["q"] == "翠竹园12号", "what is typed now to be asked for")
    expect(talking.get_by_test_id("places").get_by_role("option")).to_have_count(1)
    talking.keyboard.press("ArrowDown")
    talking.keyboard.press("Enter")
    expect(address).to_have_value("翠竹园小区12号")
    expect(talking.get_by_label("区域", exact=True)).to_have_value("城北区")
    unit.get_by_role("button", name="水务局").click()
    expect(talking.get_by_test_id("unit-chosen")).to_contain_text("水务局")
    wait_for(lambda: stored(fake, "proposed_unit") == "WATER", "the unit to be stored")
    talking.get_by_text("咨询", exact=True).first.click()
    talking.get_by_label("诉求内容").fill("停水")
    talking.keyboard.press("F9")
    expect(talking.get_by_test_id("ends")).to_be_visible()
    talking.keyboard.press("Shift+F9")
    talking.keyboard.press("5")
    dialog = talking.get_by_role("dialog")
    expect(dialog).to_contain_text("市水务局")
    expect(dialog).to_contain_text("受理时的建议")
    expect(dialog.locator("#act-call")).to_have_value("hotline1-1.1")
    dialog.get_by_role("button", name="换一个").click()
    expect(dialog).not_to_contain_text("受理时的建议")


def test_a_draft_is_answered_at_once_by_one_key_and_what_is_missing_is_explained_first(
    talking: Page, fake: FakeBackend
) -> None:
    talking.keyboard.press("Shift+F9")
    summary = talking.get_by_test_id("error-summary")
    expect(summary).to_be_focused()
    missing = ["选择工单类型", "填写标题", "填写诉求内容", "填写当场答复的内容"]
    expect(summary.get_by_role("link")).to_have_text(missing)
    expect(talking).to_have_title(re.compile("^错误"))
    assert fake.registered == []
    talking.get_by_text("咨询", exact=True).first.click()
    talking.get_by_label("标题").fill("停水")
    talking.get_by_label("诉求内容").fill("停水三天")
    talking.get_by_label("当场答复").fill("明早恢复供水")
    talking.get_by_test_id("answer-at-once").dblclick()
    expect(talking.get_by_test_id("case-state")).to_have_text("当即答复")
    expect(talking.get_by_test_id("registered")).to_be_visible()
    assert fake.registered == [1]
    expect(talking.get_by_label("标题")).to_be_disabled()


def test_earlier_matters_stand_beside_a_case_without_a_call_with_repeats_marked(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    fake.cases[1] = {**calls.case(1, None), "call_id": None}
    fake.earlier = {
        "open_cases": [calls.case_row(88, "还在办", "registered", repeats=2)],
        "last_cases": [calls.case_row(88, "还在办", "registered", repeats=2), calls.case_row(71, "路灯不亮", "closed")],
        "last_calls": [calls.former_call(1)],
    }
    page = sign_in("/agent")
    page.get_by_role("button", name="继续填写").click()
    waiting, others = page.get_by_test_id("open-cases"), page.get_by_test_id("last-cases")
    expect(waiting).to_contain_text("还在办")
    expect(waiting).to_contain_text("重复诉求（第 3 次）")
    expect(others).to_contain_text("路灯不亮")
    expect(others).not_to_contain_text("还在办")


def test_hostile_text_is_cut_told_and_shown_as_text(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_label("来电人姓名").fill("王" * 2000)
    expect(talking.get_by_text("来电人姓名最多 64 字，多出的 1936 字没有保留")).to_be_visible()
    expect(talking.get_by_label("来电人姓名")).to_have_value("王" * 64)
    html = "<img src=x onerror=\"document.title='hacked'\">"
    talking.get_by_label("标题").fill(f"{html}\u202e停水\u0007")
    expect(talking.get_by_label("标题")).to_have_value(f"{html}停水")
    talking.get_by_label("诉求内容").fill(f"{html}\n😀 停水")
    wait_for(lambda: stored(fake, "content") == f"{html}\n😀 停水", "the text to be stored")
    assert (stored(fake, "title"), stored(fake, "caller_name")) == (f"{html}停水", "王" * 64)
    fake.office.knowledge.hits[0]["title"] = [{"text": html, "found": False}]
    talking.get_by_label("诉求内容").fill("停水了")
    expect(talking.get_by_test_id("beside")).to_contain_text(html)
    assert talking.locator("img[src=x]").count() == 0
    assert "hacked" not in talking.title()


def test_the_agents_own_name_and_number_are_noticed_in_the_callers_fields(talking: Page, fake: FakeBackend) -> None:
    notice = talking.get_by_test_id("own-notice")
    talking.get_by_label("联系电话").fill("1001")
    expect(notice).to_contain_text("联系电话里是你自己或热线的信息")
    notice.get_by_role("button", name="清空").click()
    expect(talking.get_by_label("联系电话")).to_have_value("")
    talking.get_by_label("来电人姓名").fill("王小丽")
    expect(notice).to_contain_text("来电人姓名里是你自己")
    notice.get_by_role("button", name="确实如此").click()
    expect(notice).to_be_empty()
    for field in ("来电人姓名", "联系电话", "具体地址"):
        expect(talking.get_by_label(field)).to_have_attribute("autocomplete", "off")


def test_two_pages_typing_into_one_card_lose_nothing_also_over_a_reload(talking: Page, fake: FakeBackend) -> None:
    other = talking.context.new_page()
    other.goto(f"{fake.base}/agent")
    expect(other.get_by_test_id("case-form")).to_be_visible()
    talking.get_by_label("诉求内容").fill("第一页写的")
    other.get_by_label("标题").fill("第二页写的")
    wait_for(lambda: (stored(fake, "content"), stored(fake, "title")) == ("第一页写的", "第二页写的"), "both texts")
    fake.fail_saves = [503] * 40
    talking.get_by_label("具体地址").fill("没传完的")
    expect(talking.get_by_test_id("save-mark")).to_contain_text("正在重试")
    talking.close(run_before_unload=False)
    fake.fail_saves = []
    other.reload()
    expect(other.get_by_label("具体地址")).to_have_value("没传完的")
    wait_for(lambda: stored(fake, "address") == "没传完的", "what the closed page had not sent")
    assert stored(fake, "content") == "第一页写的"


def test_a_network_that_answers_nothing_keeps_the_text_and_says_so(talking: Page, fake: FakeBackend) -> None:
    talking.clock.install()
    hanging: list[Any] = []
    talking.route(re.compile(r"/api/cases/1$"), lambda route: hanging.append(route))
    talking.get_by_label("诉求内容").fill("半死的网络")
    talking.keyboard.press("Tab")
    wait_for(lambda: (talking.clock.run_for(1000), hanging)[1], "the save to hang")
    talking.unroute(re.compile(r"/api/cases/1$"))
    talking.clock.run_for(9000)
    expect(talking.get_by_test_id("save-mark")).not_to_contain_text("正在保存")
    talking.clock.run_for(3000)
    wait_for(lambda: stored(fake, "content") == "半死的网络", "the text to be stored")


def test_whoever_dispatches_sees_the_proposed_unit_and_where_the_answer_is_from(
    sits_down: Callable[[str, str], Page], world: World
) -> None:
    more = {"proposed_unit": "WATER", "answer": "先储水。", "answer_source": "knowledge:12@3"}
    case_id = world.case(**more)
    world.act("taker", loop.submit, case_id)
    page = sits_down("dispatcher", f"/cases/{case_id}")
    expect(page.get_by_test_id("answer-sources")).to_contain_text("知识 12 第 3 版")
    page.locator("button[data-act=dispatched]").first.click()
    gifts = page.get_by_test_id("gifts")
    expect(gifts).to_contain_text("水务局")
    expect(gifts).to_contain_text("受理时的建议")
    assert world.state(case_id) == "to_dispatch"  # nothing goes out by itself
