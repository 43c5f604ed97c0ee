"""A real Chromium, a page in it, and the fake backend for tests of the pages alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect, sync_playwright

from app.clock import utc_now
from app.db import Database
from app.migrations.run import upgrade
from app.tools import tool
from tests.browser.chromium import FLAGS
from tests.browser.fake_backend import DIST, FakeBackend
from tests.browser.house import PATIENCE_MS, WIDE, page_of, served, signed_in
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

AXE = DIST.parent / "node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives browsers; there can be only one at a time."""
    if not (DIST / "index.html").exists():
        pytest.fail("the pages are not built. Remedy: make setup (or npm ci && npm run build in app/frontend)")
    with sync_playwright() as one:
        expect.set_options(timeout=PATIENCE_MS)
        yield one


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests of this folder."""
    chromium = playwright.chromium.launch(executable_path=tool("chromium")[0], args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here before."""
    made = browser.new_context(viewport=WIDE, locale="zh-CN")
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; whatever goes wrong inside it fails the test."""
    made = context.new_page()
    problems: list[str] = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    yield made
    assert not problems, problems


@pytest.fixture(scope="session")
def house_with_city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A migrated file with a small city in it, to copy, and the city."""
    file = tmp_path_factory.mktemp("house") / "hotline.sqlite3"
    upgrade(f"sqlite:///{file}")
    made = Database(f"sqlite:///{file}")
    city = World(made)
    made.dispose()  # the last one out puts everything into the one file
    return file, city


@pytest.fixture
def db(tmp_path: Path, house_with_city: tuple[Path, World]) -> Iterator[Database]:
    """A fresh house with a small city in it."""
    made = Database(f"sqlite:///{shutil.copyfile(house_with_city[0], tmp_path / 'hotline.sqlite3')}")
    yield made
    made.dispose()


@pytest.fixture
def world(db: Database, house_with_city: tuple[Path, World]) -> World:
    """That city, now."""
    made = house_with_city[1].copied_to(db)
    made.now = utc_now()
    return made


@pytest.fixture
def sits_down(page: Page, db: Database, world: World, tmp_path: Path) -> Iterator[Callable[[str, str], Page]]:
    """Opens the one page at an address as somebody of that city."""
    with served(db, tmp_path / "home") as house:

        def enter(who: str, path: str) -> Page:
            signed_in(page, db, house, world.people[who].name or "", PASSWORD)
            page.goto(f"{house}{path}")
            return page

        yield enter


@pytest.fixture
def seen_by(world: World, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """The page of a person of that city, each in a browser of their own: at that address, else where they are, at
    first their home."""
    pages: dict[str, Page] = {}
    problems: list[str] = []
    with served(world.db, tmp_path / "home") as house:

        def open_(who: str, path: str = "") -> Page:
            if who not in pages:
                pages[who] = page_of(browser, problems)
                signed_in(pages[who], world.db, house, world.people[who].name or "", PASSWORD)
                path = path or "/"
            if path:
                pages[who].goto(f"{house}{path}")
            return pages[who]

        yield open_
        for page in pages.values():
            page.context.close()
    assert not problems, problems


@pytest.fixture
def fake() -> Iterator[FakeBackend]:
    """The fake backend, serving."""
    backend = FakeBackend()
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def sign_in(page: Page, fake: FakeBackend) -> Callable[..., Page]:
    """Open `path` as somebody who has signed in; tests/browser/test_login.py walks through the form."""

    def enter(path: str = "/agent", name: str = "1001") -> Page:
        fake.signed_in = name
        page.goto(f"{fake.base}{path}")
        page.wait_for_selector("main :is(h1, h2)", state="attached")
        return page

    return enter


@pytest.fixture
def on_shift(sign_in: Callable[..., Page], fake: FakeBackend) -> Page:
    """The desk of agent 1001, ready for calls."""
    page = sign_in("/agent")
    page.get_by_test_id("start").click()
    page.get_by_test_id("ready").click()
    expect(page.get_by_test_id("agent-state")).to_have_attribute("data-state", "ready")
    return page


def accessibility(page: Page, leave_out: str = "", *, whole: bool = False) -> list[dict[str, Any]]:
    """What axe finds against WCAG 2.2 A and AA, with target-size on: one line per violation.

    `leave_out` is a selector of what is the same as something else on the page: hundreds of targets take axe long.
    `whole`: in a window that shows all of it, where a row that always stays in sight covers half of a field by chance.
    """
    if whole:
        usual = page.viewport_size or WIDE
        page.set_viewport_size({"width": usual["width"], "height": 2400})
        found = accessibility(page, leave_out)
        page.set_viewport_size(usual)
        return found
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"target-size": {"enabled": True}},
        "resultTypes": ["violations"],
    }
    place = json.dumps({"include": [["html"]], "exclude": [[leave_out]]}) if leave_out else "document"
    found = page.evaluate(f"axe.run({place}, {json.dumps(options)})")
    return [
        {"rule": it["id"], "help": it["help"], "where": [node["html"][:160] for node in it["nodes"]][:3]}
        for it in found["violations"]
    ]


def place_of(shown: Locator) -> dict[str, float]:
    """Where something stands on the page, however far that is scrolled."""
    box = "(one) => { const b = one.getBoundingClientRect(); return { x: b.x + scrollX, y: b.y + scrollY } }"
    place: dict[str, float] = shown.evaluate(box)
    return place


def shot(page: Page, name: str, folder: Path) -> None:
    """A picture of the page, for a person to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
