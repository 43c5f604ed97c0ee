"""The knowledge base at the page: found while typing, by keyboard alone; reviewed; what was searched in vain."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import NARROW


def test_an_answer_is_found_while_typing_and_read_by_keyboard_alone(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/knowledge/search", "boss")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    box, reading, status = (
        page.get_by_label("查什么"),
        page.get_by_test_id("reading"),
        page.get_by_test_id("search-status"),
    )
    expect(box).to_be_focused()
    page.keyboard.type("停水")
    expect(page.get_by_role("option")).to_have_count(3)
    expect(page.get_by_role("option").first.locator("mark").first).to_have_text("停水")
    expect(page.get_by_role("option").last).to_contain_text("已过期")
    expect(reading).to_contain_text("计划停水怎么查询：请先储水")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    expect(reading).to_contain_text("有效期到 2020-01-31，已过期")
    assert accessibility(page) == []
    page.keyboard.press("ArrowUp")
    expect(reading).to_contain_text("突然停水怎么报修")
    reading.get_by_role("button", name="读给市民，有帮助").click()
    expect(reading.get_by_role("button", name="读了，没帮助")).to_be_disabled()
    assert fake.office.knowledge.sent == [("articles/2/uses", {"helped": True})]
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    box.fill("充电桩")
    expect(status).to_have_text("没有找到。换个说法试试")
    box.press("Enter")
    expect(status).to_contain_text("已记入“没找到”")
    assert [one["done"] for one in fake.office.knowledge.sought if one["q"] == "充电桩"] == [False, True]
    assert [one for one in addresses if "停" in unquote(one) or "充" in unquote(one)] == []
    box.fill("停水")
    expect(page.get_by_role("option")).to_have_count(3)
    box.press("Enter")
    page.wait_for_url("**/knowledge/articles/1")


def test_a_new_version_is_compared_and_published_and_a_gap_becomes_an_article(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/knowledge/articles/1", "boss")
    version = page.get_by_test_id("version")
    expect(version).to_contain_text("待审核")
    page.get_by_label("与第 1 版比较").check()
    changed = page.get_by_test_id("differences")
    assert changed.locator("del").all_inner_texts() == ["二十"]
    assert changed.locator("ins").all_inner_texts() == ["十八"]
    assert accessibility(page) == []
    version.get_by_role("button", name="退回").click()
    page.get_by_role("dialog").get_by_role("button", name="退回").click()
    expect(page.get_by_test_id("error-summary")).to_contain_text("写明原因")
    assert accessibility(page) == []
    page.keyboard.press("Escape")
    version.get_by_role("button", name="通过并发布").click()
    expect(page.get_by_text("已发布")).to_be_visible()
    page.get_by_role("link", name="待复审").click()
    expect(page.locator("tbody tr").last).to_contain_text("已过期")
    expect(page.locator("tbody tr").last).to_contain_text("2020-01-31 已过")
    assert accessibility(page) == []
    page.get_by_role("link", name="没找到").click()
    expect(page.locator("tbody tr").first).to_contain_text("没有结果 7，没有用 2")
    assert accessibility(page) == []
    page.get_by_role("button", name="认领 充电桩 安装").click()
    expect(page.locator("tbody tr").first).to_contain_text("已认领")
    page.get_by_role("button", name="写知识 充电桩 安装").click()
    expect(page.locator("#kn-title")).to_have_value("充电桩 安装")
    page.locator("#kn-phone_answer").fill("在政务服务网申请，五个工作日内答复。")
    expect(page.get_by_test_id("preview")).to_contain_text("在政务服务网申请")
    expect(page.get_by_test_id("preview")).to_contain_text("读出来约 4 秒")
    assert accessibility(page) == []
    page.get_by_role("button", name="保存并提交审核").click()
    page.wait_for_url("**/knowledge/articles/9")
    assert [what for what, _ in fake.office.knowledge.sent[-2:]] == ["articles", "articles/9/steps"]
    assert fake.office.knowledge.sent[-1][1] == {"step": "submit", "revision": 1}
