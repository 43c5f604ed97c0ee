"""The bar on top of every page: one line for whoever has twenty entries, by keys, in large print, on a small screen;
and marks that move by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.auth.model import PERMISSIONS, Permission, Role
from tests.browser.conftest import accessibility, place_of, shot
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import NARROW, WIDE
from tests.browser.steps import menu

ALL = ["坐席", "班长席", "大屏", "承办", "工单", "工单台", "督办", "通话", "质检", "留言", "传真", "回拨", "外呼",
       "播报", "知识", "值班", "规则", "单位", "管理", "演示"]  # fmt: skip
AGENTS = ["坐席", "大屏", "工单", "回访", "通话", "质检", "留言", "传真", "回拨", "知识", "值班", "单位"]
ONE_LINE_PX = 60


@pytest.fixture
def everything(sign_in: Callable[..., Page], fake: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page of somebody who may do everything."""
    every = [one.value for one in Permission]
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", every)
    fake.demo = True
    return sign_in("/knowledge/search")


def test_an_agents_entries_all_stand_in_one_line(
    sign_in: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = [one.value for one in PERMISSIONS[Role.agent]]
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", own)
    page = sign_in("/cases")
    assert shown(page) == AGENTS
    assert height(page) <= ONE_LINE_PX
    expect(page.get_by_test_id("nav-more")).to_be_hidden()
    shot(page, "header-agent", tmp_path.parent)


def height(page: Page) -> float:
    return float(page.evaluate("document.querySelector('header.top').offsetHeight"))


def shown(page: Page) -> list[str]:
    """The entries in the line."""
    return page.locator("nav .line a").all_inner_texts()


def test_twenty_entries_stand_in_one_line_and_behind_one_button(
    everything: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    page, more = everything, everything.get_by_test_id("nav-more")
    bar = page.get_by_role("navigation", name="主导航")
    expect(bar.get_by_role("link", name="演示")).to_have_count(0)
    assert height(page) <= ONE_LINE_PX
    first = shown(page)
    assert first == ALL[: len(first)]
    assert len(first) >= 3
    shot(page, "header-1366", tmp_path.parent)

    more.focus()
    page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(more).to_have_accessible_name("更多 （当前页面在其中）")
    assert sorted(bar.get_by_role("link").all_inner_texts()) == sorted(ALL)
    expect(bar.get_by_role("group", name="管理").get_by_role("link")).to_have_text(
        ["值班", "规则", "单位", "管理", "演示"]
    )
    expect(bar.get_by_role("link", name="知识")).to_have_attribute("aria-current", "page")
    shot(page, "header-more", tmp_path.parent)
    assert accessibility(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")
    menu(page, "规则").click()
    page.wait_for_url("**/rules/queues")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    page.get_by_test_id("language").focus()
    expect(more).to_have_attribute("aria-expanded", "false")

    spots = {name: place_of(bar.get_by_role("link", name=name, exact=True)) for name in first}
    fake.show_board(alerts=[alert(n) for n in range(12)])
    expect(page.get_by_test_id("alert-mark")).to_contain_text("12")
    assert {name: place_of(bar.get_by_role("link", name=name, exact=True)) for name in first} == spots


def alert(n: int) -> dict[str, Any]:
    shape = {"kind": "depth", "subject": "", "name": "", "sort": "callers", "value": 9.0, "raise_at": 5.0}
    return {"alert_id": f"a{n}", **shape, "raised_ms": 1, "acked_by": "", "acked_ms": None}


def test_the_bar_fits_small_screens_large_print_and_english(everything: Page, tmp_path: Path) -> None:
    page, more = everything, everything.get_by_test_id("nav-more")

    def fits(name: str) -> None:
        expect(more).to_be_visible()
        page.wait_for_function(
            "() => { const line = document.querySelector('nav .line').getBoundingClientRect();"
            " return line.right <= innerWidth && document.documentElement.scrollWidth <= innerWidth }"
        )
        more.click()
        expect(page.locator("#nav-rest a").last).to_be_visible()
        box = page.locator("#nav-rest").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= page.evaluate("innerWidth")
        shot(page, name, tmp_path.parent)
        page.keyboard.press("Escape")

    page.set_viewport_size({"width": 1024, "height": 768})
    fits("header-1024")
    page.set_viewport_size(NARROW)
    fits("header-320")
    page.get_by_test_id("large-print").click()
    fits("header-320-large")
    page.set_viewport_size(WIDE)
    fits("header-1366-large")
    page.get_by_test_id("large-print").click()
    page.get_by_test_id("language").click()
    fits("header-1366-english")
    assert height(page) <= ONE_LINE_PX


def test_the_bell_moves_when_something_is_told_without_a_reload(on_shift: Page, fake: FakeBackend) -> None:
    page, bell = on_shift, on_shift.get_by_test_id("bell")
    fake.office.unread = 1
    fake.emit("notices.changed", {})
    expect(bell).to_contain_text("1 条未读", timeout=3_000)  # the page itself asks every 15 s
    fake.office.unread = 3
    fake.emit("notices.changed", {})
    expect(bell).to_contain_text("3 条未读", timeout=3_000)
    expect(page.get_by_test_id("toast")).to_have_count(0)
