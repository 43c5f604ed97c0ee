"""Every page for everybody: axe, names, reflow at 320 pixels, large print, targets, focus, motion, forced colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from app.assignments import judging, working
from app.auth.model import Role
from app.cases import loop
from app.db import Database
from tests.browser.all_pages import BY_THEIR_TESTS, LIVED, OF_UNITS, PLAYED, SIGNED_OUT
from tests.browser.conftest import accessibility, shot
from tests.browser.everybody import (
    COUNT_QUESTIONS,
    LEAST_PX,
    SMALL_TEXT,
    faults,
    go,
    keeps_the_focus_and_gives_it_back,
    pages,
    walk_by_tab,
)
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import served, signed_in
from tests.browser.steps import act
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

EVERYTHING = (
    Role.agent,
    Role.dispatcher,
    Role.section_head,
    Role.duty_leader,
    Role.supervisor,
    Role.quality,
    Role.admin,
)
LIKE_THE_FIRST = {"/rules/workdays": ".months > section:nth-child(n + 2)"}
"""Twelve months are looked at by the first one: hundreds of targets take axe long."""


def walk(page: Page, places: Mapping[str, str]) -> dict[str, list[str]]:
    """What is wrong with these pages."""
    found = {}
    for pattern, address in places.items():
        assert go(page, address) == pattern
        expect(page.locator("main :is(h1, h2)").first).to_be_attached()
        expect(page.get_by_text("你的账户没有打开此页的权限")).to_have_count(0)
        found[address] = faults(page, LIKE_THE_FIRST.get(pattern, ""))
    return {address: it for address, it in found.items() if it}


def test_no_page_is_left_out(page: Page, fake: FakeBackend) -> None:
    """Whoever adds a page to the router adds it to one of the lists above."""
    page.goto(f"{fake.base}/login")
    page.wait_for_selector("main :is(h1, h2)")
    assert pages(page) == PLAYED.keys() | LIVED.keys() | OF_UNITS.keys() | SIGNED_OUT | BY_THEIR_TESTS.keys()
    for name in BY_THEIR_TESTS.values():
        assert "accessibility(page) == []" in (Path(__file__).parent / name).read_text(encoding="utf-8")


def test_everybody_can_use_every_page(page: Page, sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    fake.demo = True
    page.add_init_script(COUNT_QUESTIONS)
    assert walk(sign_in("/agent"), PLAYED) == {}


def test_everybody_can_use_the_pages_of_the_case_loop_and_its_refusals(
    page: Page, db: Database, world: World, tmp_path: Path
) -> None:
    waits = world.case()
    world.act("taker", loop.submit, waits)
    world.dispatched("WATER")
    _, [work] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work)
    replied, _ = world.dispatched("WATER")
    world.handed_in(replied, "WATER")
    world.act("head", judging.begin_review, replied)
    asks = world.to_follow_up("WATER")
    world.people["everything"] = world.somebody(*EVERYTHING)
    page.add_init_script(COUNT_QUESTIONS)
    found: dict[str, list[str]] = {}

    with served(db, tmp_path / "home") as house:

        def look(who: str, path: str, see: str, *then: Callable[[], object]) -> None:
            signed_in(page, db, house, world.people[who].name or "", PASSWORD)
            page.goto(f"{house}{path}")
            expect(page.locator(see).first).to_be_visible()
            for do in then:
                do()
            found[path] = faults(page)

        def wrong(press: Callable[[], object]) -> Callable[[], object]:
            return lambda: (press(), expect(page.get_by_test_id("error-summary")).to_be_visible())

        look("everything", "/boards/dispatch", "[data-row]")
        found |= walk(page, LIVED)
        look("WATER.handler", "/work", "[data-testid=inbox] a")
        found |= walk(page, OF_UNITS)
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
    found["ringing"] = accessibility(page, whole=True)
    page.get_by_test_id("answer").click()
    expect(page.get_by_test_id("hold")).to_be_visible()
    found["talking"] = accessibility(page, whole=True)
    page.keyboard.press("F9")
    expect(page.get_by_test_id("error-summary")).to_be_visible()
    found["missing"] = accessibility(page, whole=True)
    page.get_by_test_id("transfer").click()
    expect(page.get_by_label("转给")).to_be_focused()
    found["transfer"] = accessibility(page, whole=True)
    page.keyboard.press("Escape")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("resume")).to_be_visible()
    found["held"] = accessibility(page, whole=True)
    fake.cases[1]["fields"]["title"] = "停电"
    fake.cases[1]["version"] += 1
    page.get_by_label("标题").fill("停水")
    expect(page.get_by_test_id("clash")).to_be_visible()
    found["clash"] = accessibility(page, whole=True)
    fake.end_call()
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    found["wrap-up"] = accessibility(page, whole=True)
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
    page.get_by_role("button", name="按小时 1").click()
    expect(page.get_by_test_id("announcement-hours")).to_be_visible()
    found["hours"] = accessibility(page)
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


def test_tab_reaches_everything_at_the_desk_in_order_and_in_sight(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    walk_by_tab(page)
    fake.offer()
    page.get_by_test_id("answer").click()
    expect(page.get_by_test_id("hold")).to_be_visible()
    walk_by_tab(page)


def test_dialogs_keep_the_focus_and_give_it_back(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    keeps_the_focus_and_gives_it_back(page, page.get_by_test_id("transfer"))
    for path, opener in (
        ("/admin/agents", page.get_by_test_id("new-agent")),
        ("/announcements", page.get_by_test_id("new-announcement")),
    ):
        page.goto(f"{fake.base}{path}")
        keeps_the_focus_and_gives_it_back(page, opener)


def test_the_switch_for_large_print_is_remembered(on_shift: Page, fake: FakeBackend, tmp_path: Path) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    switch = page.get_by_test_id("large-print")
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(SMALL_TEXT, LEAST_PX) != []
    switch.focus()
    page.keyboard.press("Enter")
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(SMALL_TEXT, LEAST_PX) == []
    assert page.get_by_test_id("hangup").bounding_box()["height"] >= 60  # type: ignore[index]
    shot(page, "large", tmp_path)
    page.goto(f"{fake.base}/cases")
    expect(page.get_by_test_id("large-print")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(SMALL_TEXT, LEAST_PX) == []
    page.get_by_test_id("large-print").click()
    page.reload()
    expect(page.get_by_test_id("large-print")).to_have_attribute("aria-pressed", "false")


def test_a_ringing_desk_is_still_for_those_who_ask_for_it(on_shift: Page, fake: FakeBackend) -> None:
    moving = "document.getAnimations().filter((one) => one.effect.getTiming().duration > 1).length"
    on_shift.emulate_media(reduced_motion="no-preference")
    fake.offer()
    expect(on_shift.get_by_test_id("ringing")).to_be_visible()
    assert on_shift.evaluate(moving) > 0
    on_shift.emulate_media(reduced_motion="reduce")
    assert on_shift.evaluate(moving) == 0


def test_what_is_chosen_can_be_seen_in_forced_colours(on_shift: Page, fake: FakeBackend, tmp_path: Path) -> None:
    page = on_shift
    page.emulate_media(forced_colors="active")
    fake.offer()
    page.get_by_test_id("answer").click()
    page.get_by_text("投诉", exact=True).first.click()

    def grounds(chosen: str, other: str) -> list[str]:
        look = "(css) => getComputedStyle(document.querySelector(css)).backgroundColor"
        return [page.evaluate(look, css) for css in (chosen, other)]

    for chosen, other in (
        (".segments label.on", ".segments label:not(.on)"),
        ("nav .header-link.here", "nav .header-link:not(.here)"),
    ):
        on, off = grounds(chosen, other)
        assert on != off, chosen
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    shot(page, "forced", tmp_path)
