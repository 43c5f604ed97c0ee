"""In small what `make bench-desktop` measures: what the first load weighs, and that calls leave nothing behind."""

from __future__ import annotations

from playwright.sync_api import Browser, BrowserContext

from tests.bench._desktop_shift import Shift
from tests.bench.desktop import GOAL_KB, GROWTH, first_load
from tests.browser.fake_backend import FakeBackend


def test_the_first_load_is_small_and_packed(browser: Browser, fake: FakeBackend) -> None:
    fake.signed_in = "1001"
    load = first_load(browser, fake)
    assert load.kb <= GOAL_KB, load
    unpacked = [
        path for path, wire, whole in load.files if path.startswith("/assets/") and whole > 3000 and wire > whole / 2
    ]
    assert unpacked == []


def test_calls_leave_nothing_behind_in_the_page(context: BrowserContext, fake: FakeBackend) -> None:
    fake.signed_in = "1001"
    page = context.new_page()
    page.add_init_script("window.longTasks = []")
    page.goto(f"{fake.base}/agent")
    shift = Shift(page, fake)
    shift.begins()
    early, late = shift.goes_on(calls=20, every=10)  # after another page, one desk that was left is kept
    assert late.kept_mb <= early.kept_mb * GROWTH, (early, late)
    assert late.nodes <= early.nodes * GROWTH, (early, late)
    assert late.listeners <= early.listeners * GROWTH, (early, late)
