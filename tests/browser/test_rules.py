"""The supervisor's pages about rules: what the queues do, in words; rules about callers, set and ended by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.conftest import accessibility
from tests.browser.fake_backend import FakeBackend
from tests.browser.steps import menu


@pytest.fixture
def office(sign_in: Callable[..., Page]) -> Page:
    return sign_in("/rules/nuisance", "boss")


def row_of(page: Page, rule: int) -> Locator:
    return page.locator("tbody tr").filter(has=page.locator("td").first.get_by_text(str(rule), exact=True))


def test_a_supervisor_reads_why_callers_wait_and_are_sent_on_without_yaml(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/calls", "boss")
    menu(page, "规则").click()
    page.wait_for_url("**/rules/queues")
    expect(page.get_by_test_id("queue-section")).to_have_count(2)
    everywhere, general = page.get_by_test_id("queue-section").all()
    expect(everywhere).to_contain_text("所有队列")
    for words in (
        "队列 general",
        "技能放宽",
        "等满 40 秒，译员 1 级以上也可以接",
        "什么时候不再等",
        "次日 08:00",
        "回拨",
    ):
        expect(general).to_contain_text(words)
    opening = page.get_by_test_id("opening")
    for words in (
        "现在没有人接听",
        "下次开始：11-25 08:00",
        "每天 08:00–22:00",
        "2026-12-01：不接听 · 停电检修",
        "09:00–17:00",
    ):
        expect(opening).to_contain_text(words)
    expect(page.get_by_test_id("rules-source")).to_have_text("正在运行的规则 · 使用本机的 queues.yaml")
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("queue-section").nth(1)).to_contain_text("Whoever has waited 15 min: goes to voicemail")
    expect(page.get_by_test_id("queue-section").nth(1)).to_contain_text("When waiting ends")


def test_a_broken_file_and_what_waits_for_a_start_are_told_on_top(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    fake.office.queue_rules = {"problem": "queues.yaml: line 3, column 5: …", "later": ["redial_s"], "live": False}
    page = sign_in("/rules/queues", "boss")
    expect(page.get_by_role("alert")).to_contain_text("line 3, column 5")
    expect(page.get_by_text("这些设置在核心进程下次启动时生效：redial_s")).to_be_visible()
    expect(page.get_by_test_id("rules-source")).to_contain_text("排队程序在另一个进程里")


def test_who_is_restricted_how_until_when_and_by_whom(office: Page) -> None:
    for words in ("生效中", "139 1234 5601", "不转人工，播放公告并可留言", "谩骂坐席", "2026-11-30 17:30", "李班长"):
        expect(row_of(office, 1)).to_contain_text(words)
    expect(row_of(office, 2)).to_contain_text("同时最多 1 通，多出的播放公告")
    expect(row_of(office, 2).get_by_role("link")).to_have_attribute("href", "/calls/hotline1-1795.1")
    for words in ("已提前结束", "赵主任", "申诉成立", "优先级降低 20 分"):
        expect(row_of(office, 3)).to_contain_text(words)
    expect(row_of(office, 4)).to_contain_text("已到期")
    expect(office.get_by_role("button", name="提前结束")).to_have_count(2)


def test_a_rule_is_set_by_keyboard_alone_with_a_reason_and_an_end(office: Page, fake: FakeBackend) -> None:
    office.get_by_test_id("new-rule").focus()
    office.keyboard.press("Enter")
    dialog = office.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="设定规则").click()
    summary = office.get_by_test_id("error-summary")
    expect(summary).to_be_focused()
    for fault in ("填写来电号码", "写明原因"):
        expect(summary).to_contain_text(fault)
    office.locator("#nu-number").focus()
    office.keyboard.type("13800138000")
    office.keyboard.press("Tab")
    office.keyboard.press("ArrowDown")  # 限制同时通话数
    office.keyboard.press("Tab")
    office.keyboard.type("20")
    office.locator("#nu-why").focus()
    office.keyboard.type("反复占线")
    office.keyboard.press("Enter")
    expect(summary).to_contain_text("填写 1 到 10 的整数")
    office.locator("#nu-value").fill("2")
    office.locator("#nu-until").fill("2020-01-01T08:00")
    office.locator("#nu-why").press("Enter")
    expect(summary).to_contain_text("要晚于现在，最长一年")
    office.locator("#nu-until").fill(office.evaluate("new Date(Date.now() + 48 * 36e5).toISOString().slice(0, 16)"))
    office.locator("#nu-why").press("Enter")
    expect(dialog).to_have_count(0)
    expect(office.get_by_text("规则 5 已设定，几秒后生效")).to_be_visible()
    expect(row_of(office, 5)).to_contain_text("同时最多 2 通")
    made = fake.office.lists["nuisance-rules"][0]
    assert (made["number"], made["action"], made["value"], made["why"]) == ("13800138000", "limit", 2, "反复占线")
    assert made["until"].endswith(":00+08:00")


def test_a_rule_ends_early_only_with_a_reason(office: Page, fake: FakeBackend) -> None:
    office.get_by_role("button", name="提前结束 1", exact=True).click()
    dialog = office.get_by_role("dialog")
    expect(dialog).to_contain_text("139 1234 5601")
    dialog.get_by_role("button", name="提前结束").click()
    expect(office.get_by_test_id("error-summary")).to_contain_text("写明原因")
    assert fake.office.row("nuisance-rules", 1)["state"] == "active"
    office.locator("#ne-why").fill("申诉成立")
    office.locator("#ne-why").press("Enter")
    expect(row_of(office, 1)).to_contain_text("已提前结束")
    assert fake.office.row("nuisance-rules", 1)["end_why"] == "申诉成立"


def test_the_caller_of_a_call_is_restricted_without_a_number_being_typed_or_seen(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/calls/hotline1-1795.1", "boss")
    page.get_by_role("link", name="对此号码设限").click()
    expect(page.locator("#nu-number")).to_have_value("hotline1-1795.1")
    page.locator("#nu-why").fill("谩骂")
    page.locator("#nu-why").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert fake.office.lists["nuisance-rules"][0]["call_id"] == "hotline1-1795.1"
    page.wait_for_url(lambda url: urlsplit(url).query == "")


def test_a_search_by_number_stands_in_no_address(office: Page, fake: FakeBackend) -> None:
    asked: list[Request] = []
    office.on("request", lambda request: asked.append(request))
    office.locator("#f-number").fill("13912345602")
    office.get_by_role("button", name="筛选").click()
    expect(office.locator("tbody tr")).to_have_count(1)
    assert fake.office.asked[-1]["number"] == "13912345602"
    assert not [one.url for one in asked if "13912345602" in one.url]
    assert "13912345602" not in office.url


def test_who_may_only_read_sees_no_buttons_and_others_no_page(
    sign_in: Callable[..., Page], fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", ["rules.read", "calls.read"])
    page = sign_in("/rules/nuisance", "boss")
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.get_by_test_id("new-rule")).to_have_count(0)
    expect(page.get_by_role("button", name="提前结束")).to_have_count(0)
    expect(page.locator("#f-number")).to_have_count(0)
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", ["cases.read"])
    page.goto(f"{fake.base}/rules/queues")
    expect(page.get_by_role("heading", level=1)).to_have_text("你的账户没有打开此页的权限")
    expect(page.get_by_role("link", name="规则", exact=True)).to_have_count(0)


def test_the_dialogs_can_be_used_by_everybody(office: Page) -> None:
    office.get_by_test_id("new-rule").click()
    office.get_by_role("button", name="设定规则").click()
    expect(office.get_by_test_id("error-summary")).to_be_focused()
    assert accessibility(office) == []
    office.keyboard.press("Escape")
    expect(office.get_by_test_id("new-rule")).to_be_focused()
    office.get_by_role("button", name="提前结束 1", exact=True).click()
    assert accessibility(office) == []
