"""Calling out in the office: a campaign is written, gets its list, is started and followed; and who said what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.campaigns import calling
from app.clock import utc_now
from app.db import Database
from app.destinations import Destinations
from app.settings import Settings
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, served, signed_in
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

OPEN = {"trunk_out": "127.0.0.2:5060", "calling_opens": "00:00", "calling_closes": "24:00"}


@pytest.fixture
def enter(page: Page, db: Database, world: World, tmp_path: Path) -> Iterator[Callable[[str, str], Page]]:
    """The house whose hotline may call out, entered as somebody of that city."""
    with served(db, tmp_path / "home", **OPEN) as house:

        def open_(who: str, path: str) -> Page:
            signed_in(page, db, house, world.people[who].name or "", PASSWORD)
            page.goto(f"{house}{path}")
            return page

        yield open_


def sheet(*lines: str) -> dict[str, object]:
    return {"name": "list.csv", "mimeType": "text/csv", "buffer": "\r\n".join(["电话,语言", *lines]).encode()}


def test_a_campaign_from_its_first_word_to_its_results(
    enter: Callable[[str, str], Page], db: Database, tmp_path: Path
) -> None:
    page = enter("leader", "/campaigns")
    page.get_by_test_id("new-campaign").click()
    dialog = page.locator("dialog")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("写明为什么打这个电话")
    page.locator("#cp-name").fill("<b>回访</b>" + "长" * 40)
    page.locator("#cp-texts").fill("想就您反映的事项做个回访")
    page.locator("#cp-message-zh").fill("您反映的停水问题已经处理。")
    page.locator("#cp-question-zh").fill("满意请按1，不满意请按2。")
    page.locator("#cp-answers").fill("满意\n不满意")
    page.locator("#cp-windows").fill("随便")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("时段写作")
    page.locator("#cp-windows").fill("00:00-24:00")
    assert accessibility(page, whole=True) == []
    shot(page, "campaign-form", tmp_path / "shots")
    dialog.get_by_role("button", name="保存").dblclick()
    page.wait_for_url("**/campaigns/1")
    expect(page.get_by_test_id("campaign-state")).to_have_text("草稿")
    expect(page.locator("h1").first).to_contain_text("<b>回访</b>")

    page.get_by_test_id("start-campaign").click()
    expect(page.get_by_text("名单里没有待呼号码")).to_be_visible()
    page.get_by_test_id("add-targets").click()
    page.locator("#tg-file").set_input_files(sheet("13900000001", "999", "13900000001"))  # type: ignore[arg-type]
    dialog.get_by_role("button", name="检查").click()
    expect(page.get_by_test_id("targets-outcome")).to_contain_text("第 3 行")
    page.locator("#tg-file").set_input_files(sheet("13900000001", "13900000002,粤语", "13900000003"))  # type: ignore[arg-type]
    dialog.get_by_role("button", name="检查").click()
    dialog.get_by_role("button", name="添加 3 个号码").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_test_id("start-campaign").dblclick()
    expect(page.get_by_test_id("campaign-state")).to_have_text("呼叫中", timeout=20_000)

    settings = Settings(home=tmp_path / "home", database_url=str(db.url), **OPEN)  # type: ignore[arg-type]
    for told in ({"heard": "human", "said": "1", "answer": "1"}, {"cause": "17"}, {"heard": "human", "wish": "refuse"}):
        order = calling.begin(db, settings, Destinations(), 1, "", utc_now())
        assert order is not None
        calling.settle(db, order.call_id, told, utc_now())
    expect(page.get_by_test_id("outcome-human")).to_have_text("2")
    expect(page.get_by_test_id("outcome-busy")).to_have_text("1")
    expect(page.locator("tbody tr").filter(has_text="139 0000 0003")).to_contain_text("不再呼叫")
    page.get_by_role("button", name="试听 普通话 来电事由").click()
    expect(page.locator("audio")).to_have_count(1)
    with page.expect_download() as table:
        page.get_by_role("button", name="导出").click()
    assert "13900000002" in Path(table.value.path()).read_text("utf-8-sig")
    assert accessibility(page) == []
    shot(page, "campaign", tmp_path / "shots")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    shot(page, "campaign-narrow", tmp_path / "shots")

    enter("taker", "/contact-wishes")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("通话中按键")
    page.get_by_test_id("new-wish").click()
    dialog.get_by_role("button", name="登记").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("填写电话")
    page.locator("#wi-number").fill("139 0000 0009")
    dialog.get_by_role("button", name="登记").click()
    expect(row).to_have_count(2)
    shot(page, "wishes", tmp_path / "shots")
    expect(page.get_by_role("button", name="撤回")).to_have_count(0)  # an agent notes, whoever leads takes back
    enter("head", "/contact-wishes")
    row.first.get_by_role("button", name="撤回").click()
    page.locator("#we-why").fill("本人来电")
    dialog.get_by_role("button", name="撤回").click()
    expect(row.first).to_contain_text("本人来电")

    enter("leader", "/campaigns")
    page.get_by_test_id("new-campaign").click()
    expect(page.locator("#cp-gathers")).to_have_count(0)  # only a survey by telephone can
    page.locator("#cp-kind").get_by_text("满意度调查", exact=True).click()
    page.locator("#cp-gathers").get_by_text("自动收录未评价的来电", exact=True).click()
    assert accessibility(page, whole=True) == []
    page.locator("#cp-name").fill("来电回访")
    page.locator("#cp-texts").fill("请您评价刚才的来电")
    page.locator("#cp-question-zh").fill("非常满意请按1，非常不满意请按5。")
    page.locator("#cp-answers").fill("满意\n不满意")
    page.locator("#cp-windows").fill("00:00-24:00")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("五档满意度 1 至 5")
    page.locator("#cp-answers").fill("非常满意\n满意\n一般\n不满意\n非常不满意")
    dialog.get_by_role("button", name="保存").click()
    page.wait_for_url("**/campaigns/2")
    page.get_by_test_id("start-campaign").click()
    expect(page.get_by_test_id("campaign-state")).to_have_text("呼叫中", timeout=20_000)  # though nobody is listed yet
