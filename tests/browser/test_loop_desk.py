"""The case loop at the centre's pages, on the real backend: boards, acts, call-backs, by clicks and by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.assignments import working
from app.cases import loop
from app.clock import utc_now
from app.db import Database
from app.migrations.run import upgrade
from tests.browser.conftest import accessibility, shot
from tests.browser.house import served, sit_down
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

SitsDown = Callable[..., Page]
LEAK = {"type": "help", "title": "水管漏水", "content": "幸福里小区门口水管漏水，路面结冰", "area": "城南区"}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A fresh house."""
    url = f"sqlite:///{tmp_path}/hotline.sqlite3"
    upgrade(url)
    made = Database(url)
    yield made
    made.dispose()


@pytest.fixture
def world(db: Database) -> World:
    """A small city, now."""
    made = World(db)
    made.now = utc_now()
    return made


@pytest.fixture
def sits_down(page: Page, db: Database, world: World, tmp_path: Path) -> Iterator[SitsDown]:
    """Opens a page as somebody of that city."""
    with served(db, tmp_path / "home") as house:

        def enter(who: str, path: str) -> Page:
            sit_down(page, db, house, world.people[who].name, PASSWORD)
            page.goto(f"{house}{path}")
            return page

        yield enter


def act(page: Page, name: str) -> Locator:
    """The button of that act."""
    return page.locator(f"button[data-act={name}]")


def submitted(world: World, **more: str) -> int:
    """A case that waits for a dispatcher."""
    case_id = world.case({**LEAK, **more})
    world.act("taker", loop.submit, case_id)
    return case_id


def test_a_case_is_dispatched_judged_accepted_and_followed_up_by_clicks_and_keys(
    world: World, sits_down: SitsDown, tmp_path: Path
) -> None:
    world.later(days=-3)
    late = submitted(world, title="路灯不亮")
    world.now = utc_now()
    case_id = submitted(world)
    desk = sits_down("dispatcher", "/boards")
    rows = desk.locator("[data-row]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_be_focused()
    due = desk.get_by_test_id("due")
    expect(due.first).to_contain_text("超期 2 天")
    expect(due.first).to_have_attribute("data-late", "true")
    expect(due.nth(1)).to_contain_text("还剩 23 小时")
    expect(desk.locator("[data-board=dispatch]")).to_have_text("派单台2超期 1")
    shot(desk, "board", tmp_path)
    assert accessibility(desk) == []
    desk.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    desk.keyboard.press("ArrowUp")
    expect(rows.first).to_have_attribute("data-row", str(late))
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    expect(desk.get_by_test_id("next-acts")).to_be_visible()
    shot(desk, "case", tmp_path)
    act(desk, "dispatched").click()
    expect(desk.locator("#dis-units")).to_be_visible()
    desk.locator("#dis-units").fill("水务局")
    desk.keyboard.press("Enter")
    expect(desk.get_by_test_id("gifts")).to_contain_text("水务局")
    desk.keyboard.type("三日内办结")
    shot(desk, "dispatch", tmp_path)
    assert accessibility(desk) == []
    desk.keyboard.press("Control+Enter")
    works = desk.get_by_test_id("works")
    expect(works).to_contain_text("待签收")
    expect(desk.get_by_test_id("timeline")).to_contain_text("派单")
    assert world.state(case_id) == "dispatched"

    world.now = utc_now()
    world.work("WATER.handler", working.give_it_back, world.work_of(case_id, "WATER"), "管线归物业")
    desk.get_by_role("link", name="工单台").last.click()
    desk.locator("[data-board=returns]").click()
    expect(rows).to_have_count(1)
    desk.locator("[data-row]").press("Enter")
    expect(works).to_contain_text("退单 1 次")
    expect(desk.get_by_test_id("timeline")).to_contain_text("管线归物业")
    shot(desk, "returned", tmp_path)
    act(desk, "return_refused").click()
    desk.get_by_role("dialog").get_by_role("button", name="退单不成立").click()
    expect(desk.get_by_test_id("error-summary")).to_contain_text("填写理由")
    desk.locator("#act-reason").fill("市政管线，由水务局承办")
    desk.get_by_role("dialog").get_by_role("button", name="退单不成立").dblclick()
    expect(works).to_contain_text("待签收")
    assert world.history(case_id).count("unit.return_refused") == 1

    world.handed_in(case_id, "WATER")
    desk = sits_down("head", "/boards/review")
    expect(rows).to_have_count(1)
    desk.keyboard.press("Enter")
    act(desk, "review_begun").click()
    expect(desk.get_by_test_id("reply")).to_contain_text("已修复全部 6 盏路灯")
    shot(desk, "review", tmp_path)
    assert accessibility(desk) == []
    act(desk, "accepted").first.click()
    expect(desk.locator("#act-opinion")).to_be_focused()
    desk.keyboard.type("办理到位")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_role("link", name="登记回访")).to_be_visible()
    assert world.state(case_id) == "to_follow_up"

    asker = sits_down("taker", "/follow-up")
    expect(asker.get_by_test_id("waiting")).to_contain_text("待回访 1 件")
    asker.keyboard.press("F9")
    form = asker.get_by_test_id("follow-up-form")
    expect(form).to_contain_text("138 0013 8000")
    expect(asker.get_by_test_id("reply")).to_contain_text("已修复全部 6 盏路灯")
    expect(asker.locator("#fu-satisfaction input").first).to_be_focused()
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("error-summary")).to_contain_text("选择满意程度")
    assert accessibility(asker) == []
    asker.locator("#fu-satisfaction input").first.focus()
    asker.keyboard.press("4")
    for _ in range(3):
        asker.keyboard.press("Tab")
        asker.keyboard.press("Space")
    shot(asker, "follow-up", tmp_path)
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("error-summary")).to_contain_text("写明不满意的原因")
    asker.locator("#fu-satisfaction input").first.focus()
    asker.keyboard.press("1")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("nothing-to-ask")).to_be_visible()
    assert world.state(case_id) == "closed"
    assert world.state(late) == "to_dispatch"


def test_who_is_second_sees_who_was_first_and_loses_nothing(world: World, sits_down: SitsDown, tmp_path: Path) -> None:
    case_id = submitted(world)
    desk = sits_down("dispatcher", f"/cases/{case_id}")
    act(desk, "dispatched").click()
    for name in ("水务局", "城管局"):
        desk.locator("#dis-units").fill(name)
        desk.keyboard.press("Enter")
        expect(desk.get_by_test_id("gifts")).to_contain_text(name)
    desk.keyboard.type("清扫路面")
    world.act("head", loop.set_items, case_id, ["修好水管", "清除结冰"])
    desk.keyboard.press("Control+Enter")
    told = desk.get_by_role("dialog").get_by_role("alert")
    expect(told).to_contain_text(f"{world.people['head'].display_name}刚处理了这张工单，现在是“待派单”")
    expect(desk.locator("[id^=dis-says-]").last).to_have_value("清扫路面")
    expect(desk.get_by_test_id("items")).to_contain_text("清除结冰")
    shot(desk, "clash", tmp_path)
    assert accessibility(desk) == []
    desk.get_by_role("dialog").get_by_role("button", name="派单", exact=True).click()
    works = desk.get_by_test_id("works")
    expect(works.locator("[data-unit=水务局]")).to_contain_text("主办")
    expect(works.locator("[data-unit=城管局]")).to_contain_text("协调办理")
    assert world.history(case_id).count("dispatched") == 1


def test_new_cases_are_announced_and_move_no_row(world: World, sits_down: SitsDown, page: Page) -> None:
    first = submitted(world)
    page.clock.install()
    desk = sits_down("dispatcher", "/boards/dispatch")
    rows = desk.locator("[data-row]")
    expect(rows).to_have_count(1)
    world.later(days=-3)
    for title in ("路灯不亮", "井盖破损"):
        submitted(world, title=title)
    page.clock.run_for(16_000)
    news = desk.get_by_test_id("board-news")
    expect(news).to_contain_text("有 2 条新工单")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("data-row", str(first))
    expect(desk.locator("[data-board=dispatch]")).to_contain_text("3")
    news.get_by_role("button", name="刷新").click()
    expect(rows).to_have_count(3)
    expect(news).to_have_count(0)


def test_every_act_of_the_centre_has_its_dialog(world: World, sits_down: SitsDown, tmp_path: Path) -> None:
    """From answered at once to archived, through everything that can happen between."""
    twin, case_id = submitted(world, title="同一处漏水"), world.case(LEAK)
    with world.db.read() as session:
        number = world.stored(session, twin).number

    def does(name: str, **said: str) -> None:
        button = act(desk, name)
        expect(button).to_have_count(1)
        if not button.is_visible():
            desk.get_by_test_id("next-acts").get_by_text("更多").click()
        button.click()
        for field, text in said.items():
            desk.locator(f"#act-{field}").fill(text)
        dialog = desk.get_by_role("dialog")
        found.update({f"{name}: {one['rule']}": str(one) for one in accessibility(desk)})
        dialog.locator("button[type=submit]").click()
        expect(dialog).to_have_count(0)

    found: dict[str, str] = {}
    desk = sits_down("leader", f"/cases/{case_id}")
    does("answered", answer="已告知抢修时间")
    does("reopened", reason="市民又来电")
    does("submitted")
    does("sent_back", reason="地址不清")
    does("submitted")
    act(desk, "merged").click() if act(desk, "merged").is_visible() else (
        desk.get_by_test_id("next-acts").get_by_text("更多").click(),
        act(desk, "merged").click(),
    )
    desk.locator("#act-original").fill(number)
    desk.keyboard.press("Enter")
    desk.get_by_role("dialog").get_by_role("button", name=number).click()
    desk.get_by_role("dialog").locator("button[type=submit]").click()
    expect(desk.get_by_test_id("items")).to_contain_text(number)
    does("unmerged", reason="两处不同")
    assert world.state(case_id) == "to_dispatch"
    world.now = utc_now()
    _, [work] = world.dispatched("WATER", case_id=case_id)
    world.work("WATER.handler", working.sign, work)
    desk.reload()
    does("deferred", reason="等材料进场")
    assert world.state(case_id) == "deferred"
    does("resumed")
    world.now = utc_now()
    world.handed_in(case_id, "WATER")
    desk.reload()
    act(desk, "redo").click()
    expect(desk.get_by_role("checkbox", name="水务局（主办）")).to_be_checked()
    desk.locator("#act-reason").fill("还在漏")
    desk.get_by_role("dialog").locator("button[type=submit]").click()
    expect(desk.get_by_test_id("works")).to_contain_text("第 2 轮")
    world.handed_in(case_id, "WATER")
    desk.reload()
    does("accepted", opinion="同意")
    does("closed", reason="市民已致谢")
    does("archived")
    expect(desk.get_by_test_id("next-acts")).to_contain_text("没有需要你做的")
    assert world.state(case_id) == "archived"
    timeline = desk.get_by_test_id("timeline")
    for words in ("当即答复", "重新受理", "退回补充", "并案", "解除并案", "挂账", "恢复办理", "重办", "办结", "归档"):
        expect(timeline).to_contain_text(words)
    assert desk.locator("[data-testid=timeline]").inner_text().count("unit.") == 0
    assert found == {}
    shot(desk, "archived", tmp_path)
