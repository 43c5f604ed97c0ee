"""Some public-service desktops still run Chromium 90 (UX 39): the pages hold nothing that it cannot read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.all_pages import PLAYED
from tests.browser.everybody import COUNT_QUESTIONS, go
from tests.browser.fake_backend import DIST, FakeBackend

FRONTEND = DIST.parent
OLDEST = "chrome90"
YOUNGER = {
    "script": r"\.at\(-|structuredClone\(|\.findLast(Index)?\(|\.to(Sorted|Reversed|Spliced)\("
    r"|Object\.(hasOwn|groupBy)\(|randomUUID|AbortSignal\.(timeout|any)|withResolvers|fromAsync|showPopover",
    "style": r":has\(|@container|@layer|@scope|color-mix\(|oklch\(|\d[dsl]v[hw]\b|subgrid|text-wrap|@property",
}
"""Interfaces and rules that came after it, which no build can bring."""


TAKEN = """
  for (const [of, names] of [
    [Array, ['fromAsync']], [Object, ['hasOwn', 'groupBy']], [Map, ['groupBy']], [Promise, ['withResolvers', 'try']],
    [URL, ['canParse', 'parse']], [Response, ['json']], [AbortSignal, ['timeout', 'any']],
    [Array.prototype, ['at', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'toSpliced', 'with']],
    [Object.getPrototypeOf(Int8Array.prototype), ['at', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'with']],
    [String.prototype, ['at', 'isWellFormed', 'toWellFormed']],
    [Set.prototype, ['union', 'intersection', 'difference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom']],
    [Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
      ['map', 'filter', 'take', 'drop', 'flatMap', 'toArray', 'forEach', 'some', 'every', 'find', 'reduce']],
    [Crypto.prototype, ['randomUUID']], [AbortSignal.prototype, ['throwIfAborted']],
    [AudioContext.prototype, ['setSinkId']], [Document.prototype, ['startViewTransition']],
    [Element.prototype, ['checkVisibility', 'setHTMLUnsafe']], [ReadableStream.prototype, [Symbol.asyncIterator]],
    [HTMLElement.prototype, ['showPopover', 'hidePopover', 'togglePopover', 'inert', 'popover']],
    [window, ['structuredClone', 'navigation', 'scheduler', 'reportError', 'Iterator', 'Navigation']],
  ])
    for (const name of names) delete of[name]
"""
"""An init script: what came after Chromium 90 is not there, for us and for the libraries that we build in."""


def as_read_by(target: str, folder: Path) -> dict[str, bytes]:
    """The built scripts and styles, rewritten for a browser: the same as they were, when it can read them."""
    files = sorted(str(one) for one in (DIST / "assets").glob("*") if one.suffix in (".js", ".css"))
    assert files
    command = [FRONTEND / "node_modules/.bin/esbuild", *files, f"--outdir={folder}", f"--target={target}"]
    told = subprocess.run([*command, "--log-level=warning"], capture_output=True, text=True, check=True, timeout=60)
    assert not told.stderr, told.stderr
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_no_syntax_is_younger_than_the_oldest_browser(tmp_path: Path) -> None:
    old, new = (as_read_by(target, tmp_path / target) for target in (OLDEST, "esnext"))
    assert [name for name in new if old[name] != new[name]] == []


@pytest.mark.parametrize(("kind", "endings"), [("script", {".ts", ".vue"}), ("style", {".css", ".vue"})])
def test_no_interface_is_younger_than_the_oldest_browser(kind: str, endings: set[str]) -> None:
    wrong = [
        f"{file.relative_to(FRONTEND)}: {found[0]}"
        for file in (FRONTEND / "src").rglob("*")
        if file.suffix in endings and not file.name.endswith(".test.ts")
        for found in re.finditer(YOUNGER[kind], file.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_a_call_and_every_page_go_without_what_came_after_that_browser(
    page: Page, sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    fake.demo = True
    page.add_init_script(TAKEN)
    page.add_init_script(COUNT_QUESTIONS)
    sign_in("/agent")
    assert page.evaluate("[[].at, window.structuredClone, crypto.randomUUID].every((one) => one === undefined)")
    page.get_by_test_id("start").click()
    page.get_by_test_id("ready").click()
    expect(page.get_by_test_id("agent-state")).to_have_attribute("data-state", "ready")
    fake.offer()
    expect(page.get_by_test_id("answer")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("hold")).to_be_visible()
    page.get_by_label("诉求内容").fill("停水三天")
    page.keyboard.press("F8")
    expect(page.get_by_test_id("muted")).to_be_visible()
    page.keyboard.press("F4")
    page.keyboard.press("p")
    expect(page.get_by_test_id("paused")).to_be_visible()
    page.keyboard.press("Shift+F2")
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    for pattern, address in PLAYED.items():
        assert go(page, address) == pattern
        expect(page.locator("main :is(h1, h2)").first).to_be_attached()
