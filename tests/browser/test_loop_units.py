"""The units' pages in a real Chromium on the real backend: a case goes one unit further down and comes back up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.assignments import judging, working
from app.assignments.tables import Assignment
from app.cases import loop
from app.clock import utc_now
from app.db import Database
from app.migrations.run import upgrade
from tests.browser.conftest import accessibility
from tests.browser.house import page_of, served, signed_in
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

ITEMS = ["修好人民路 3 号至 9 号的路灯", "告诉市民多久巡查一次"]
RESULT = "#reply-result"
SeenBy = Callable[[str], Page]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small city on a database of its own, now."""
    url = f"sqlite:///{tmp_path}/hotline.sqlite3"
    upgrade(url)
    db = Database(url)
    made = World(db)
    made.now = utc_now()
    yield made
    db.dispose()


@pytest.fixture
def seen_by(world: World, browser: Browser, tmp_path: Path) -> Iterator[SeenBy]:
    """The page of a person of that city, each in a browser of their own, at their home."""
    pages: dict[str, Page] = {}
    problems: list[str] = []
    with served(world.db, tmp_path / "home") as house:

        def open_(who: str) -> Page:
            if who not in pages:
                page = pages[who] = page_of(browser, problems)
                signed_in(page, world.db, house, world.people[who].name or "", PASSWORD)
                page.goto(f"{house}/")
            return pages[who]

        yield open_
        for page in pages.values():
            page.context.close()
    assert not problems, problems


def given(world: World, *, confidential: bool = False, items: list[str] | None = None) -> tuple[int, int]:
    """A case that the water bureau was just given; its id and the assignment's."""
    case_id = world.case(confidential=confidential)
    if items:
        world.act("taker", loop.set_items, case_id, items)
    case_id, [work_id] = world.dispatched("WATER", case_id=case_id)
    return case_id, work_id


def number(world: World, case_id: int) -> str:
    with world.db.read() as session:
        return world.stored(session, case_id).number


def open_from(page: Page, box: str, case_number: str) -> None:
    page.get_by_test_id(f"box-{box}").click()
    page.get_by_role("link", name=case_number).click()


def is_in(page: Page, state: str) -> None:
    expect(page.get_by_test_id("work-state")).to_have_attribute("data-state", state)


def says(page: Page, words: str, button: str) -> None:
    """Writes into the dialog and sends it."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(words)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_have_count(0)


def write_reply(page: Page, **texts: str) -> Locator:
    """Fills the whole form: every item, result, contact, opinion, signature."""
    form = page.get_by_test_id("reply-form")
    for at, item in enumerate(ITEMS, 1):
        form.get_by_label(f"{at}. {item}").fill(texts.get("answer", "已全部更换，照明恢复正常。"))
    form.locator(RESULT).fill(texts.get("result", "已修复全部 6 盏路灯。"))
    form.get_by_label("采取的措施").fill("更换灯泡并检修线路。")
    form.locator("#reply-contact").get_by_text("电话联系", exact=True).click()
    form.get_by_label("联系时间").fill("2026-11-24T09:30")
    form.locator("#reply-opinion").get_by_text("满意", exact=True).click()
    form.get_by_role("button", name="填我的名字").click()
    return form


def test_a_case_is_signed_handed_down_answered_below_judged_and_sealed_on_its_way_back_up(
    world: World, seen_by: SeenBy
) -> None:
    case_id, work_id = given(world, items=ITEMS)
    given(world)
    case_number = number(world, case_id)

    upper = seen_by("WATER.handler")
    expect(upper).to_have_url(re.compile("/work/to_sign$"))
    expect(upper.get_by_test_id("box-to_sign")).to_contain_text("2")
    upper.get_by_test_id("choose-all").check()
    upper.get_by_test_id("sign-chosen").click()
    expect(upper.get_by_test_id("to-sign").get_by_role("listitem")).to_have_count(2)
    upper.get_by_test_id("sign-all").click()
    expect(upper.get_by_role("dialog")).to_have_count(0)
    expect(upper.get_by_test_id("box-at_work")).to_contain_text("2")
    assert world.work_state(work_id) == "signed"

    open_from(upper, "at_work", case_number)
    is_in(upper, "signed")
    upper.get_by_test_id("act-handed_down").click()
    dialog = upper.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox")).to_have_count(1)  # only what is directly below
    dialog.get_by_label("城南水务所").check()
    dialog.get_by_label("对城南水务所的要求").fill("请现场查看后答复")
    dialog.get_by_role("button", name="交办（1）").click()
    expect(upper.get_by_test_id("below")).to_contain_text("待签收")
    is_in(upper, "in_progress")
    child = world.work_of(case_id, "WATER-S")

    lower = seen_by("WATER-S.handler")
    open_from(lower, "to_sign", case_number)
    expect(lower.get_by_test_id("asked")).to_contain_text("请现场查看后答复")
    lower.keyboard.press("F9")  # the likeliest act: to sign
    is_in(lower, "signed")
    lower.get_by_test_id("submit").click()
    summary = lower.get_by_test_id("error-summary")
    for told in ("事项未答复", "缺少办理结果", "请选择与市民联系的方式", "缺少经办人签名"):
        expect(summary).to_contain_text(told)
    summary.get_by_role("link", name="事项未答复").first.click()
    expect(lower.get_by_label(f"1. {ITEMS[0]}")).to_be_focused()
    write_reply(lower)
    expect(lower.get_by_test_id("save-mark")).to_contain_text("已保存")
    lower.get_by_test_id("submit").click()
    is_in(lower, "in_review")

    chief = seen_by("WATER-S.leader")
    expect(chief).to_have_url(re.compile("/work/to_approve$"))
    open_from(chief, "to_approve", case_number)
    expect(chief.get_by_test_id("reply")).to_contain_text("已修复全部 6 盏路灯。")
    chief.get_by_test_id("act-reworked").click()
    says(chief, "请写明换了几盏", "退回修改")
    lower.reload()
    expect(lower.get_by_test_id("why")).to_contain_text("请写明换了几盏")
    lower.get_by_label("采取的措施").fill("更换 6 盏灯泡。")
    lower.keyboard.press("F9")
    is_in(lower, "in_review")
    chief.reload()
    approve(chief, "情况属实")
    assert world.work_state(child) == "replied"

    upper.get_by_role("link", name="承办任务").click()
    open_from(upper, "from_below", case_number)
    upper.get_by_test_id("act-accepted").click()
    says(upper, "同意采纳", "采纳")
    is_in(upper, "accepted")
    upper.get_by_role("link", name="上级任务").click()
    expect(upper.get_by_test_id("below")).to_contain_text("已采纳")
    asked: list[str] = []
    upper.on("request", lambda request: asked.append(request.url))
    with upper.expect_response(f"**/api/assignments/{work_id}"):
        write_reply(upper, result="经城南水务所办理，已修复 6 盏路灯。")
    expect(upper.get_by_test_id("save-mark")).to_contain_text("已保存")
    assert not any(url.endswith(f"/assignments/{child}") for url in asked)  # what is below is read once
    upper.get_by_test_id("submit").click()
    is_in(upper, "in_review")
    head = seen_by("WATER.leader")
    head.goto(f"{head.evaluate('location.origin')}/work")  # a leader who comes by the address
    expect(head).to_have_url(re.compile("/work/to_approve$"))
    open_from(head, "to_approve", case_number)
    approve(head, "同意报送")
    is_in(head, "replied")
    assert world.state(case_id) == "replied"
    with world.db.read() as session:
        row = session.get(Assignment, work_id)
        assert row is not None
        [reply] = working.replies_of(session, work_id)
    assert (reply.sealed, reply.leader_opinion, reply.contact, reply.opinion) == (
        True,
        "同意报送",
        "phone",
        "satisfied",
    )
    assert set(reply.answers.values()) == {"已全部更换，照明恢复正常。"}


def approve(page: Page, opinion: str) -> None:
    """The unit's leader signs; without the seal it is not taken."""
    page.get_by_test_id("act-replied").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(opinion)
    dialog.get_by_role("button", name="审签报送").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("盖章后才能报送")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="审签报送").click()
    is_in(page, "replied")


def test_what_was_written_survives_a_lost_connection_and_a_colleague(world: World, seen_by: SeenBy) -> None:
    case_id, work_id = given(world, items=ITEMS)
    world.work("WATER.handler", working.sign, work_id)
    one, other = seen_by("WATER.handler"), seen_by("WATER.leader")
    for page in (one, other):
        open_from(page, "at_work", number(world, case_id))
        expect(page.get_by_test_id("reply-form")).to_be_visible()

    one.context.set_offline(True)
    one.locator(RESULT).fill("断网时写的结果")
    expect(one.get_by_test_id("save-mark")).to_contain_text("网络不通")
    one.context.set_offline(False)
    expect(one.get_by_test_id("save-mark")).to_contain_text("已保存", timeout=15_000)

    other.get_by_label("采取的措施").fill("同事写的措施")  # another field: both stay
    expect(other.get_by_test_id("save-mark")).to_contain_text("已保存")
    expect(other.locator(RESULT)).to_have_value("断网时写的结果")
    other.locator(RESULT).fill("同事改的结果")
    expect(other.get_by_test_id("save-mark")).to_have_attribute("data-unsent", "false")
    expect(other.get_by_test_id("save-mark")).to_contain_text("已保存")

    one.locator(RESULT).fill("我改的结果")
    clash = one.get_by_test_id("clash")
    expect(clash).to_contain_text("同事改的结果")
    expect(clash).to_contain_text("我改的结果")
    assert accessibility(one) == []
    clash.get_by_text("用对方的").click()
    clash.get_by_role("button", name="确定").click()
    expect(one.locator(RESULT)).to_have_value("同事改的结果")
    with world.db.read() as session:
        [reply] = working.replies_of(session, work_id)
        assert (reply.result, reply.measures) == ("同事改的结果", "同事写的措施")


def test_a_return_is_judged_by_the_unit_above_and_a_redo_begins_with_the_earlier_text(
    world: World, seen_by: SeenBy
) -> None:
    case_id, _ = given(world)
    upper = seen_by("WATER.handler")
    open_from(upper, "to_sign", number(world, case_id))
    upper.get_by_test_id("act-returned").click()
    dialog = upper.get_by_role("dialog")
    upper.keyboard.press("F9")  # beneath the dialog it would sign
    dialog.get_by_role("button", name="退单", exact=True).click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("填写理由")
    says(upper, "路灯归城管局", "退单")
    is_in(upper, "returned")
    expect(upper.get_by_test_id("why")).to_contain_text("路灯归城管局")
    assert world.state(case_id) == "returned"
    assert "unit.signed" not in world.history(case_id)

    done, again = given(world)
    world.handed_in(done, "WATER", result="第一次的结果")
    world.act("head", judging.redo_case, done, "市民说还是不亮")
    upper.get_by_role("link", name="承办任务").click()
    open_from(upper, "at_work", number(world, done))
    expect(upper.get_by_test_id("why")).to_contain_text("市民说还是不亮")
    upper.get_by_role("button", name="沿用第 1 次的内容").click()
    expect(upper.locator(RESULT)).to_have_value("第一次的结果")
    expect(upper.locator("#reply-opinion .on")).to_have_count(0)  # the citizen is asked again
    upper.get_by_text("第 1 次办理结果").click()
    expect(upper.get_by_role("group").get_by_text("第一次的结果", exact=True)).to_be_visible()
    assert world.work_state(again) == "redo"


def test_a_unit_never_reads_who_asked_for_secrecy_and_prints_a_sheet(world: World, seen_by: SeenBy) -> None:
    case_id, _ = given(world, confidential=True)
    page = seen_by("WATER.handler")
    open_from(page, "to_sign", number(world, case_id))
    is_in(page, "dispatched")
    for word in ("王小明", "13800138000", "幸福里"):
        assert word not in page.content()
    page.emulate_media(media="print")
    expect(page.get_by_test_id("sheet")).to_be_visible()
    expect(page.get_by_test_id("asked")).to_be_hidden()
    expect(page.locator("header.top")).to_be_hidden()
    page.emulate_media(media="screen")
    expect(page.get_by_test_id("sheet")).to_be_hidden()


def test_the_pages_are_for_keyboards_and_readers_and_narrow_screens(world: World, seen_by: SeenBy) -> None:
    given(world, items=ITEMS)
    given(world)
    page = seen_by("WATER.handler")
    links = page.get_by_test_id("inbox").get_by_role("link")
    expect(links).to_have_count(2)
    assert accessibility(page) == []
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.last).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    is_in(page, "dispatched")
    page.keyboard.press("F9")
    is_in(page, "signed")
    assert accessibility(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("link", name="承办任务").click()
    expect(page.get_by_test_id("box-to_sign")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("box-to_approve")).to_contain_text("To approve")
