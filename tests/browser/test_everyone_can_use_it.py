"""axe on every page and state, reflow at 320 pixels, targets, focus, and no scrolling sideways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.assignments import judging, working
from app.cases import loop
from app.db import Database
from tests.browser.conftest import WIDE, accessibility
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import served, signed_in
from tests.browser.steps import act
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

PAGES = [
    "/agent",
    "/wallboard",
    "/cases",
    "/cases/3",
    "/calls",
    "/calls/hotline1-1795.1",
    "/voicemails",
    "/faxes",
    "/callbacks",
    "/announcements",
    "/rules/queues",
    "/rules/nuisance",
    "/rules/clocks",
    "/admin/agents",
    "/admin/users",
    "/admin/audit",
    "/demo",
    "/password",
]


def settle(page: Page) -> None:
    """Until what was asked for is on the page."""
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("正在读取…")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_320_pixels_are_enough(
    sign_in: Callable[..., Page], fake: FakeBackend, path: str
) -> None:
    fake.demo = True
    page = sign_in(path)
    settle(page)
    assert accessibility(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(page) == []


def test_axe_finds_nothing_on_the_pages_of_the_case_loop(
    page: Page, db: Database, world: World, tmp_path: Path
) -> None:
    """On the real backend: nobody would believe a fake that plays twenty states."""
    waits = world.case()
    world.act("taker", loop.submit, waits)
    world.dispatched("WATER")
    _, [work] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work)
    replied, _ = world.dispatched("WATER")
    world.handed_in(replied, "WATER")
    world.act("head", judging.begin_review, replied)
    asks = world.to_follow_up("WATER")
    found: dict[str, list[dict[str, Any]]] = {}

    with served(db, tmp_path / "home") as house:

        def look(who: str, path: str, see: str, *then: Callable[[], object]) -> None:
            signed_in(page, db, house, world.people[who].name or "", PASSWORD)
            page.goto(f"{house}{path}")
            expect(page.locator(see).first).to_be_visible()
            for do in then:
                do()
            found[path] = accessibility(page)
            page.set_viewport_size({"width": 320, "height": 640})
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            found[f"{path}, narrow"] = accessibility(page)
            page.set_viewport_size(WIDE)

        def wrong(press: Callable[[], object]) -> Callable[[], object]:
            return lambda: (press(), expect(page.get_by_test_id("error-summary")).to_be_visible())

        look("dispatcher", "/boards/dispatch", "[data-row]")
        look(
            "dispatcher",
            f"/cases/{waits}",
            "[data-testid=next-acts]",
            act(page, "dispatched").click,
            wrong(page.get_by_role("dialog").locator("button[type=submit]").click),
        )
        look("head", f"/cases/{replied}", "[data-testid=reply] dl")
        look("taker", f"/follow-up/{asks}", "#fu-satisfaction", wrong(lambda: page.keyboard.press("F9")))
        look("WATER.handler", "/work/to_sign", "[data-testid=inbox] a")
        look(
            "WATER.handler",
            f"/work/assignments/{work}",
            "[data-testid=reply-form]",
            wrong(page.get_by_test_id("submit").click),
        )
        look("head", "/roster", "[data-testid=faults]")
    assert {place: it for place, it in found.items() if it} == {}


def test_the_login_page_too(page: Page, fake: FakeBackend) -> None:
    page.goto(f"{fake.base}/login")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_test_id("error-summary")).to_be_visible()
    assert accessibility(page) == []


def test_the_desk_in_every_state_of_a_call(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    found: dict[str, list[dict[str, Any]]] = {}
    fake.offer()
    expect(page.get_by_test_id("answer")).to_be_visible()
    found["ringing"] = accessibility(page)
    page.get_by_test_id("answer").click()
    expect(page.get_by_test_id("hold")).to_be_visible()
    found["talking"] = accessibility(page)
    page.keyboard.press("F9")
    expect(page.get_by_test_id("error-summary")).to_be_visible()
    found["missing"] = accessibility(page)
    page.get_by_test_id("transfer").click()
    expect(page.get_by_label("转给")).to_be_focused()
    found["transfer"] = accessibility(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("resume")).to_be_visible()
    found["held"] = accessibility(page)
    fake.cases[1]["fields"]["title"] = "停电"
    fake.cases[1]["version"] += 1
    page.get_by_label("标题").fill("停水")
    expect(page.get_by_test_id("clash")).to_be_visible()
    found["clash"] = accessibility(page)
    fake.end_call()
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    found["wrap-up"] = accessibility(page)
    assert {state: it for state, it in found.items() if it} == {}


def test_the_dialogs_of_the_back_office(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/admin/agents")
    page.get_by_test_id("new-agent").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert accessibility(page) == []
    page.get_by_label("姓名").fill("陈晓")
    page.get_by_role("dialog").get_by_role("button", name="新建坐席").click()
    expect(page.get_by_test_id("sip")).to_be_visible()
    assert accessibility(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_dialogs_of_announcements_and_call_backs(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/announcements")
    found: dict[str, list[dict[str, Any]]] = {}
    page.get_by_test_id("new-announcement").click()
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_test_id("error-summary")).to_be_focused()
    found["new"] = accessibility(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="编辑播报 1").click()
    fake.office.row("announcements", 1)["version"] += 1
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_test_id("announcement-clash")).to_be_visible()
    found["clash"] = accessibility(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="马上结束 1").click()
    found["end"] = accessibility(page)
    page.goto(f"{fake.base}/callbacks")
    page.get_by_role("button", name="更多 13912345603").click()
    page.get_by_role("button", name="取消任务").click()
    expect(page.get_by_test_id("error-summary")).to_be_focused()
    found["cancel"] = accessibility(page)
    assert {state: it for state, it in found.items() if it} == {}


def test_what_an_agent_presses_is_44_pixels_high(on_shift: Page, fake: FakeBackend) -> None:
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    expect(on_shift.get_by_test_id("hold")).to_be_visible()
    small = on_shift.eval_on_selector_all(
        "main :is(button, input, select, summary, .segments label, label.check):not([type=radio], [type=checkbox])",
        """all => all.filter(one => one.offsetParent && one.getBoundingClientRect().height < 43.5)
                     .map(one => one.outerHTML.slice(0, 120))""",
    )
    assert small == []


def test_ringing_and_paused_never_share_a_hue(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/agent")
    hues = page.evaluate(
        """() => ['--ringing', '--paused', '--ready', '--talking', '--trouble', '--wrapup'].map((name) => {
          const written = getComputedStyle(document.documentElement).getPropertyValue(name)
          const [r, g, b] = written.match(/[0-9a-f]{2}/gi).map((x) => parseInt(x, 16) / 255)
          const max = Math.max(r, g, b), d = max - Math.min(r, g, b)
          const h = max === r ? ((g - b) / d) % 6 : max === g ? (b - r) / d + 2 : (r - g) / d + 4
          return (h * 60 + 360) % 360
        })"""
    )
    ringing = hues[0]
    assert all(min(abs(ringing - hue), 360 - abs(ringing - hue)) > 40 for hue in hues[1:])


def test_the_first_tab_stop_skips_to_the_content(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/cases")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到主要内容")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
