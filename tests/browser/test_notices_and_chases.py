"""Notices, chases, urgent matters and requests for more time in a real Chromium on the real backend."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from app.assignments import working
from app.cases import loop
from app.chasing import sweep
from app.clock import utc_now
from app.clocks.rules import Urgency
from app.settings import get_settings
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, WIDE
from tests.case_kit.world import World

SeenBy = Callable[[str, str], Page]


def is_for_everybody(page: Page, name: str, folder: Path) -> None:
    """axe finds nothing, and at 320 pixels nothing scrolls sideways."""
    shot(page, name, folder)
    assert accessibility(page) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size(WIDE)


def bell(page: Page, unread: int) -> None:
    expect(page.get_by_test_id("bell")).to_contain_text(f"{unread} 条未读")


def says_no_without_a_reason(page: Page, opens: str, no: str, sends: str, *, told: str) -> Locator:
    """Somebody decides against it and is told that they must say why; the dialog, still open."""
    page.get_by_role("button", name=opens).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(no, exact=True).click()
    dialog.get_by_role("button", name=sends).click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text(told)
    return dialog


def test_a_unit_is_told_asks_for_more_time_and_is_told_what_became_of_it(
    world: World, seen_by: SeenBy, tmp_path: Path
) -> None:
    _, [work_id] = world.dispatched("WATER")
    world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    unit = seen_by("WATER.handler", "/work")
    bell(unit, 2)
    unit.get_by_test_id("bell").click()
    expect(unit.get_by_test_id("unread")).to_have_count(2)
    rows = unit.locator("[data-row]")
    expect(rows.first).to_be_focused()
    is_for_everybody(unit, "notices", tmp_path)
    choice = unit.get_by_label("显示")
    choice.focus()
    unit.keyboard.press("ArrowDown")  # chooses there, and leads to no row
    expect(choice).to_be_focused()
    expect(choice).to_have_value("true")
    unit.keyboard.press("ArrowUp")
    rows.first.focus()
    unit.keyboard.press("j")
    unit.keyboard.press("Enter")  # what the older one is about
    expect(unit).to_have_url(re.compile(f"/work/assignments/{work_id}$"))
    bell(unit, 1)

    card = unit.get_by_test_id("extension")
    unit.get_by_test_id("ask-extension").click()
    dialog = unit.get_by_role("dialog")
    dialog.get_by_role("button", name="提交申请").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("写明延期的理由")
    dialog.get_by_label("要延长多少（工作日）").fill("3")
    dialog.get_by_label("理由").fill("配件待采购")
    is_for_everybody(unit, "ask", tmp_path)
    dialog.get_by_role("button", name="提交申请").click()
    expect(card).to_contain_text("3 个工作日")
    expect(card).to_contain_text("待审批")
    expect(unit.get_by_test_id("ask-extension")).to_have_count(0)

    head = seen_by("head", "/notices")
    expect(head.locator("[data-row]")).to_be_focused()
    head.keyboard.press("Enter")
    expect(head).to_have_url(re.compile("/extensions$"))
    expect(head.locator("nav a.here")).to_have_text("督办")
    is_for_everybody(head, "extensions", tmp_path)
    dialog = says_no_without_a_reason(head, "审批", "不同意", "提交审批", told="写明不同意的原因")
    dialog.get_by_text("同意延期", exact=True).click()
    shot(head, "decide", tmp_path)
    dialog.get_by_role("button", name="提交审批").click()
    expect(head.get_by_role("button", name="审批")).to_have_count(0)
    expect(head.get_by_text("已同意，时限延至")).to_be_visible()

    unit.reload()
    expect(card).to_contain_text("已同意")
    bell(unit, 2)
    shot(unit, "granted", tmp_path)
    unit.get_by_test_id("bell").click()
    expect(rows.first).to_contain_text("延期申请已有结果")
    unit.keyboard.press("F9")
    bell(unit, 0)
    expect(unit.get_by_test_id("unread")).to_have_count(0)
    unit.get_by_role("button", name="接收方式").click()
    dialog = unit.get_by_role("dialog")
    dialog.get_by_label("手机号码").fill("123")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("11 位手机号码")
    dialog.get_by_label("手机号码").fill("13912345678")
    shot(unit, "contact", tmp_path)
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_have_count(0)
    unit.get_by_role("button", name="接收方式").click()
    expect(dialog.get_by_label("手机号码")).to_have_value("13912345678")


def test_a_reprimand_is_decided_in_other_words_and_a_supervision_order_reaches_the_unit(
    world: World, seen_by: SeenBy, tmp_path: Path
) -> None:
    world.now = utc_now() - timedelta(days=60)
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    for _ in range(3):
        world.later(days=20)
        sweep.chase_missed(world.db, get_settings(), world.now)
        sweep.climb(world.db, get_settings(), world.now)

    head = seen_by("head", "/cases")
    head.get_by_role("link", name="督办", exact=True).click()
    expect(head).to_have_url(re.compile("/chases/drafts$"))
    expect(head.locator("[data-stage=drafts]")).to_have_text("待审定1")
    is_for_everybody(head, "drafts", tmp_path)
    dialog = says_no_without_a_reason(head, "审定", "不予通报", "不予通报", told="写明不予发出的理由")
    dialog.get_by_text("同意通报", exact=True).click()
    dialog.get_by_label("正文").fill("水务局逾期未办，予以通报，限三日内书面说明。")
    shot(head, "reprimand", tmp_path)
    dialog.get_by_role("button", name="同意通报").click()
    expect(head.get_by_test_id("chase-state")).to_have_count(0)
    head.locator("[data-stage=units]").click()
    table = head.get_by_test_id("by-unit")
    expect(table).to_contain_text("水务局")
    is_for_everybody(head, "by-unit", tmp_path)
    table.get_by_role("link", name="水务局 通报").click()
    expect(head.get_by_test_id("chase-state")).to_have_attribute("data-state", "confirmed")
    shot(head, "reprimands", tmp_path)
    head.locator("[data-row]").click()

    chases = head.get_by_test_id("chases")
    expect(chases).to_contain_text("限三日内书面说明")
    head.get_by_test_id("give-order").click()
    dialog = head.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox", name="水务局")).to_be_checked()
    dialog.get_by_label("督办要求").fill("请两日内修复并书面报告")
    day = (utc_now() + timedelta(hours=8, days=5)).date()
    dialog.get_by_label("办结日期").fill(day.isoformat())
    is_for_everybody(head, "order", tmp_path)
    dialog.get_by_role("button", name="签发", exact=True).click()
    expect(chases.locator("[data-level=order]")).to_contain_text(f"{day:%m-%d} 24:00")
    assert world.history(case_id)[-1] == "chase.order"
    shot(head, "case", tmp_path)

    unit = seen_by("WATER.leader", f"/work/assignments/{work_id}")
    told = unit.get_by_test_id("chases")
    expect(told).to_contain_text("请两日内修复并书面报告")
    expect(told.get_by_role("listitem")).to_have_count(4)
    expect(unit.get_by_test_id("give-order")).to_have_count(0)
    unit.get_by_test_id("bell").click()
    expect(unit.locator("[data-row]").first).to_contain_text("督办单")
    shot(unit, "unit", tmp_path)


def test_an_urgent_case_is_seen_on_every_page_of_a_leader_until_it_is_acknowledged(
    world: World, seen_by: SeenBy, tmp_path: Path
) -> None:
    def urgent(title: str) -> int:
        case_id = world.case({"type": "help", "title": title, "content": "楼道有刺鼻气味"})
        world.act("taker", loop.submit, case_id, urgency=Urgency.life)
        return case_id

    first, _ = urgent("燃气泄漏"), urgent("电梯困人")
    leader = seen_by("leader", "/wallboard")
    mark = leader.get_by_test_id("urgent-mark")
    expect(mark).to_have_text("紧急2")
    shot(leader, "wall", tmp_path)
    mark.click()
    rows = leader.locator("[data-row]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_be_focused()
    is_for_everybody(leader, "urgent", tmp_path)
    place = rows.last.bounding_box()
    leader.keyboard.press("F9")
    expect(leader.get_by_test_id("known")).to_have_count(1)
    expect(mark).to_have_text("紧急1")
    expect(rows).to_have_count(2)
    assert rows.last.bounding_box() == place  # nothing moves under the hand
    expect(rows.first).to_be_focused()
    assert "chase.acknowledged" in world.history(first)
    leader.keyboard.press("F9")  # once is enough: the other one was not chosen
    expect(mark).to_have_text("紧急1")
    shot(leader, "acknowledged", tmp_path)
    leader.get_by_role("button", name="确认收到").click()
    expect(mark).to_have_text("紧急0")
    leader.get_by_role("button", name="刷新").click()
    expect(rows).to_have_count(0)

    leader.clock.install()
    leader.goto(leader.url.replace("/urgent", "/cases"))
    leader.wait_for_load_state("networkidle")
    urgent("路面塌陷")
    leader.clock.fast_forward(15_000)
    expect(mark).to_have_text("紧急1")
    expect(leader.get_by_text("有 1 件紧急工单待确认")).to_be_visible()

    mayor = seen_by("mayor", "/urgent")
    expect(mayor.locator("[data-row]")).to_have_count(1)
    expect(mayor.get_by_role("button", name="确认收到")).to_have_count(0)
    expect(mayor.get_by_test_id("urgent-mark")).to_have_count(0)
