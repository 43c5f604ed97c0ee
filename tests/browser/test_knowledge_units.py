"""A unit's article in a real Chromium on the real backend: from a search in vain to the answer that an agent finds."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.knowledge import gaps
from tests.browser.conftest import accessibility
from tests.case_kit.world import World

SeenBy = Callable[[str, str], Page]


def test_a_unit_writes_its_leader_passes_the_centre_publishes_and_an_agent_finds_it(
    world: World, seen_by: SeenBy
) -> None:
    with world.db.session() as session:
        gaps.note(session, world.people["taker"], "二次供水 水箱")
    centre = seen_by("dispatcher", "/knowledge/gaps")
    centre.get_by_role("button", name="交单位 二次供水").click()
    dialog = centre.get_by_role("dialog")
    dialog.get_by_label("交给哪个单位").fill("水务局")
    dialog.get_by_role("button", name="水务局").click()
    expect(dialog.get_by_test_id("kg-chosen")).to_contain_text("水务局")
    assert accessibility(centre) == []
    dialog.get_by_role("button", name="交单位").click()
    expect(centre.locator("tbody tr")).to_contain_text("已交单位")

    handler = seen_by("WATER.handler", "/")
    handler.get_by_role("link", name="知识").click()
    handler.get_by_role("link", name="没找到").click()
    expect(handler.locator("tbody tr")).to_contain_text("二次供水 水箱")
    handler.get_by_role("button", name="写知识 二次供水").click()
    expect(handler.locator("#kn-title")).to_have_value("二次供水 水箱")
    expect(handler.get_by_text("仅供中心内部")).to_have_count(0)
    handler.locator("#kn-phone_answer").fill("小区水箱每半年清洗一次。")
    assert accessibility(handler) == []
    handler.get_by_role("button", name="保存并提交审核").click()
    expect(handler.get_by_test_id("version")).to_contain_text("单位待审")
    expect(handler.get_by_role("button", name="通过，报中心审核")).to_have_count(0)
    handler.get_by_role("link", name="本单位").click()
    expect(handler.locator("tbody tr")).to_contain_text("归 水务局")

    other = seen_by("CITY.leader", "/knowledge/vet")
    expect(other.get_by_text("没有符合条件的记录")).to_be_visible()
    leader = seen_by("WATER.leader", "/knowledge/vet")
    leader.get_by_role("link", name="二次供水 水箱").click()
    leader.get_by_role("button", name="通过，报中心审核").click()
    expect(leader.get_by_test_id("version")).to_contain_text("待审核")

    head = seen_by("head", "/knowledge/review")
    head.get_by_role("link", name="二次供水 水箱").click()
    expect(head.get_by_test_id("owner")).to_contain_text("水务局")
    head.get_by_role("button", name="通过并发布").click()
    expect(head.get_by_text("已发布")).to_be_visible()
    by_phone = head.get_by_test_id("by-phone")
    expect(by_phone).to_contain_text("101 · zh")
    by_phone.get_by_role("button", name="设置").click()
    dialog = head.get_by_role("dialog")
    dialog.get_by_label("译自编号").fill("999")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("没有这个编号")
    dialog.get_by_label("译自编号").fill("")
    dialog.get_by_label("语言代码").fill("yue")
    assert accessibility(head) == []
    dialog.get_by_role("button", name="保存").click()
    expect(by_phone).to_contain_text("101 · yue")
    head.get_by_role("link", name="各单位").click()
    expect(head.get_by_test_id("standing").locator("tbody tr")).to_contain_text("水务局")
    assert accessibility(head) == []

    agent = seen_by("taker", "/knowledge/search")
    agent.get_by_label("查什么").fill("水箱")
    expect(agent.get_by_test_id("reading")).to_contain_text("小区水箱每半年清洗一次。")
    expect(agent.get_by_role("option")).to_contain_text("归 水务局")
    handler.get_by_role("link", name="没找到").click()
    expect(handler.locator("tbody tr")).to_contain_text("已办结")
