"""The working-day calendar and the time limits: read at a glance, changed and imported by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import WIDE


def test_a_year_is_read_changed_by_keyboard_and_imported_only_after_it_was_seen(
    sign_in: Callable[..., Page], fake: FakeBackend, tmp_path: Path
) -> None:
    page = sign_in("/rules/queues", "boss")
    page.get_by_role("link", name="工作日历").click()
    page.goto(f"{fake.base}/rules/workdays?year=2026")
    expect(page.get_by_test_id("published")).to_contain_text("国办发明电〔2025〕7号")
    expect(page.locator("section.card")).to_have_count(12)
    expect(page.get_by_role("button", name="10月1日星期四，放假，国庆节")).to_contain_text("休")
    expect(page.get_by_role("button", name="10月10日星期六，调休上班，国庆节")).to_contain_text("班")
    page.get_by_label("从", exact=True).fill("2026-09-30")
    page.get_by_role("button", name="推算").click()
    expect(page.get_by_test_id("counted")).to_contain_text("2026-10-15")

    page.get_by_role("button", name="9月28日星期一，工作日").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="9月29日星期二，工作日")).to_be_focused()
    assert page.locator(".months button[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("调休上班")).to_have_count(0)
    dialog.get_by_label("工作日", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.locator("#wd-note").fill("市运会")
    assert accessibility(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="9月29日星期二，放假，市运会")).to_be_visible()
    page.get_by_role("button", name="9月29日星期二，放假，市运会").click()
    dialog.get_by_text("工作日", exact=True).click()
    dialog.get_by_role("button", name="保存").click()
    expect(page.get_by_role("button", name="9月29日星期二，工作日")).to_be_visible()

    page.get_by_role("button", name="下一年").click()
    expect(page.get_by_text("2027 年的放假安排还没有公布，全年为暂定")).to_be_visible()
    assert page.url.endswith("?year=2027")
    expect(page.get_by_role("button", name="1月4日星期一，工作日，暂定")).to_be_visible()
    for width in (1366, 320):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert accessibility(page, leave_out=".months > section:nth-child(n + 2)") == []
    page.set_viewport_size(WIDE)
    page.get_by_test_id("import").click()
    dialog.get_by_role("button", name="检查").click()
    expect(page.get_by_test_id("error-summary")).to_contain_text("选择文件或粘贴内容")
    table = tmp_path / "2027.csv"
    table.write_bytes("日期,类型,说明\n2027-01-01,放假,元旦\n2027-01-05,上班,元旦\n".encode("gb18030"))
    page.locator("#im-file").set_input_files(table)
    page.locator("#im-published_by").fill("国务院办公厅")
    dialog.get_by_role("button", name="检查").click()
    expect(page.get_by_test_id("tried")).to_contain_text("第 3 行“类型”：周一至周五本来就上班")
    expect(dialog.get_by_role("button", name="导入", exact=True)).to_have_count(0)
    page.locator("#im-text").fill("日期,类型,说明\n2027-01-01,放假,元旦\n2027-01-03,上班,元旦\n")
    expect(page.get_by_test_id("tried")).to_have_text("")
    page.locator("#im-published_by").press("Enter")
    expect(page.get_by_test_id("tried")).to_contain_text("将新增 2 天、修改 0 天、删除 0 天")
    assert accessibility(page) == []
    assert fake.office.imported == []
    dialog.get_by_role("button", name="导入", exact=True).click()
    expect(page.get_by_role("button", name="1月3日星期日，调休上班，元旦")).to_be_visible()
    assert fake.office.imported[0]["published_by"] == "国务院办公厅"
    expect(page.get_by_text("暂定", exact=True)).to_have_count(1, timeout=2_000)  # in the key alone


def test_a_limit_is_set_and_taken_back_by_those_who_may(
    sign_in: Callable[..., Page], fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = sign_in("/rules/clocks", "boss")
    rows = page.locator("tbody tr")
    for words in ("派单", "其他情况", "24 小时", "最后 25%", "系统自带"):
        expect(rows.nth(0)).to_contain_text(words)
    for words in ("办理", "投诉", "5 个工作日", "最后 2 个工作日", "本单位设定", "赵主任"):
        expect(rows.nth(4)).to_contain_text(words)
    page.get_by_test_id("new-clock-rule").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    page.locator("#cr-amount").fill("300")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("error-summary")).to_contain_text("填写 1 到 250 的整数")
    assert accessibility(page) == []
    page.locator("#cr-urgency").select_option("utilities")
    page.locator("#cr-unit").select_option("working_hours")
    page.locator("#cr-amount").fill("8")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(rows.nth(5)).to_contain_text("8 个工作小时")
    assert fake.office.lists["clock-rules"][5]["urgency"] == "utilities"
    page.get_by_role("button", name="删除 办理 投诉").click()
    dialog.get_by_role("button", name="确定").click()
    expect(rows).to_have_count(5)
    page.get_by_test_id("language").click()
    expect(rows.nth(0)).to_contain_text("Everything else")

    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", ["rules.read"])
    page.reload()
    expect(rows).to_have_count(5)
    expect(page.get_by_role("button", name="Change the limit")).to_have_count(0)
    expect(page.get_by_test_id("new-clock-rule")).to_have_count(0)
    page.goto(f"{fake.base}/rules/workdays?year=2026")
    page.get_by_role("button", name="Thursday, October 1, Holiday, 国庆节").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("import")).to_have_count(0)
