"""The units' pages in a real Chromium on the real backend; the whole way of a case is in test_five_roles.py."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.assignments import judging, working
from app.cases import loop
from tests.browser.conftest import accessibility
from tests.browser.steps import is_in, open_from, says
from tests.case_kit.world import World

ITEMS = ["修好人民路 3 号至 9 号的路灯", "告诉市民多久巡查一次"]
RESULT = "#reply-result"
SeenBy = Callable[..., Page]


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


def test_what_waits_is_signed_together(world: World, seen_by: SeenBy) -> None:
    _, work_id = given(world)
    given(world)
    page = seen_by("WATER.handler")
    expect(page).to_have_url(re.compile("/work/to_sign$"))
    expect(page.get_by_test_id("box-to_sign")).to_contain_text("2")
    given(world)
    page.get_by_test_id("box-to_sign").click()  # the box that is open is read again
    expect(page.get_by_test_id("inbox").get_by_role("link")).to_have_count(3)
    expect(page.get_by_test_id("box-to_sign")).to_contain_text("3")
    page.get_by_test_id("choose-all").check()
    page.get_by_test_id("sign-chosen").click()
    expect(page.get_by_test_id("to-sign").get_by_role("listitem")).to_have_count(3)
    page.get_by_test_id("sign-all").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("box-at_work")).to_contain_text("3")
    assert world.work_state(work_id) == "signed"


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


def test_the_inbox_is_walked_by_keys_and_speaks_english(world: World, seen_by: SeenBy) -> None:
    given(world, items=ITEMS)
    given(world)
    page = seen_by("WATER.handler")
    links = page.get_by_test_id("inbox").get_by_role("link")
    expect(links).to_have_count(2)
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.last).to_be_focused()
    page.keyboard.press("k")
    expect(links.first).to_be_focused()
    page.keyboard.press("End")
    expect(links.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    is_in(page, "dispatched")
    page.keyboard.press("F9")
    is_in(page, "signed")
    page.get_by_role("link", name="承办任务").click()
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("box-to_approve")).to_contain_text("To approve")
