"""A unit's article in a real Chromium on the real backend: from a search in vain to the answer that an agent finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.clock import utc_now
from app.db import Database
from app.knowledge import gaps
from app.migrations.run import upgrade
from tests.browser.conftest import accessibility
from tests.browser.house import page_of, served, signed_in
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

SeenBy = Callable[[str, str], Page]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small city on a database of its own, in which somebody has searched in vain."""
    url = f"sqlite:///{tmp_path}/hotline.sqlite3"
    upgrade(url)
    db = Database(url)
    made = World(db)
    made.now = utc_now()
    with db.session() as session:
        gaps.note(session, made.people["taker"], "二次供水 水箱")
    yield made
    db.dispose()


@pytest.fixture
def seen_by(world: World, browser: Browser, tmp_path: Path) -> Iterator[SeenBy]:
    """The page of a person of that city at an address, each in a browser of their own."""
    pages: dict[str, Page] = {}
    problems: list[str] = []
    with served(world.db, tmp_path / "home") as house:

        def open_(who: str, path: str) -> Page:
            if who not in pages:
                pages[who] = page_of(browser, problems)
                signed_in(pages[who], world.db, house, world.people[who].name or "", PASSWORD)
            pages[who].goto(f"{house}{path}")
            return pages[who]

        yield open_
        for page in pages.values():
            page.context.close()
    assert not problems, problems


def test_a_unit_writes_its_leader_passes_the_centre_publishes_and_an_agent_finds_it(seen_by: SeenBy) -> None:
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
    head.get_by_role("link", name="各单位").click()
    expect(head.get_by_test_id("standing").locator("tbody tr")).to_contain_text("水务局")
    assert accessibility(head) == []

    agent = seen_by("taker", "/knowledge/search")
    agent.get_by_label("查什么").fill("水箱")
    expect(agent.get_by_test_id("reading")).to_contain_text("小区水箱每半年清洗一次。")
    expect(agent.get_by_role("option")).to_contain_text("归 水务局")
    handler.get_by_role("link", name="没找到").click()
    expect(handler.locator("tbody tr")).to_contain_text("已办结")
