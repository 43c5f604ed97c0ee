"""Agents' desks in a real Chromium for the pop bench: when was the card painted, and how long does a bare page take?

The page itself notes when a message came through its socket and when the second frame after it began: by then the first
one, in which the card is looked for, has been painted. Its clock is compared with ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page, Playwright, async_playwright

from app.auth.sessions import COOKIE
from app.tools import tool
from tests.browser.chromium import FLAGS
from tests.browser.house import WIDE

WATCH = """
(() => {
  const now = () => performance.timeOrigin + performance.now()
  const numbers = new Map()
  window.notes = []
  const shows = (number) => {
    const text = document.querySelector('[data-testid=caller-number]')?.textContent ?? ''
    return document.querySelector('[data-testid=ringing]') !== null && text.replace(/\\D/g, '') === number
  }
  function note(text) {
    if (!/"call[.](pop|card|ringing)"/.test(text)) return
    const { event, data } = JSON.parse(text)
    if (data.card) numbers.set(data.call_id, data.card.number)
    if (event === 'call.card') return
    const one = { event, call_id: data.call_id, got: now(), painted: null }
    window.notes.push(one)
    let frames = 0
    const look = () => {
      if (shows(numbers.get(data.call_id))) requestAnimationFrame(() => { one.painted = now() })
      else if (++frames < 120) requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  }
  window.WebSocket = class extends WebSocket {
    constructor(...how) {
      super(...how)
      this.addEventListener('message', (message) => note(message.data))
    }
  }
  setInterval(() => document.querySelector('[data-testid=wrap-finish]:not([disabled])')?.click(), 100)
})()
"""
BARE = """() => {
  document.body.innerHTML = '<p data-testid="ringing"></p><p data-testid="caller-number"></p>'
  const socket = new WebSocket(`ws://${location.host}/ws`)
  socket.onopen = () => socket.send('{"type":"hello","streams":["agent"],"resume":null}')
  socket.onmessage = (message) => {
    const frame = JSON.parse(message.data)
    if (frame.type === 'ping') socket.send('{"type":"pong"}')
    if (frame.event !== 'call.pop') return
    document.querySelector('[data-testid=caller-number]').textContent = frame.data.card?.number ?? ''
  }
}"""
"""The reference: a page that does nothing but write the number down, without a framework or a card."""


@dataclass(frozen=True)
class Painted:
    """One message in a page; seconds since the epoch by our clock. `at` None: the card was not seen within two
    seconds."""

    call_id: str
    event: str
    got: float
    at: float | None


class Desks:
    """Use as an asynchronous context manager."""

    def __init__(self, base: str, tokens: Mapping[str, str]) -> None:
        self._base, self._tokens = base, tokens
        self._pages: list[tuple[Page, bool]] = []
        self._offsets: dict[Page, float] = {}
        self.clock_known_to_ms = 0.0
        self._driver: Playwright
        self._browser: Browser

    async def __aenter__(self) -> Desks:
        self._driver = await async_playwright().start()
        self._browser = await self._driver.chromium.launch(executable_path=tool("chromium")[0], args=FLAGS)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.close()
        await self._driver.stop()

    async def open(self) -> None:
        """Every agent's desk is open, on shift and ready; beside the first one the bare page."""
        for place, token in enumerate(self._tokens.values()):
            page = await self._window(token)
            await page.goto(f"{self._base}/agent")
            await page.get_by_test_id("start").click()
            await page.get_by_test_id("ready").click()
            await page.wait_for_selector("[data-testid=agent-state][data-state=ready]")
            self._pages.append((page, False))
            if place == 0:
                bare = await self._window(token)
                await bare.goto(f"{self._base}/livez")
                await bare.evaluate(BARE)
                self._pages.append((bare, True))
        for page, _ in self._pages:
            await self._learn_clock(page)

    async def _window(self, token: str) -> Page:
        """A page in a window of its own: one behind another tab is not painted."""
        context = await self._browser.new_context(viewport=WIDE, locale="zh-CN")
        await context.add_cookies([{"name": COOKIE, "value": token, "url": self._base}])
        await context.add_init_script(WATCH)
        return await context.new_page()

    async def _learn_clock(self, page: Page) -> None:
        """The page's clock against ours, by the quickest of some questions: no further off than half its way."""
        best = 1e9
        for _ in range(30):
            before = time.time()
            theirs = await page.evaluate("performance.timeOrigin + performance.now()") / 1000
            after = time.time()
            if after - before < best:
                best = after - before
                self._offsets[page] = (before + after) / 2 - theirs
        self.clock_known_to_ms = max(self.clock_known_to_ms, best * 500)

    async def told(self) -> tuple[list[Painted], list[Painted]]:
        """What the desks, and the bare page, have noted since the last question."""
        of_desks: list[Painted] = []
        of_bare: list[Painted] = []
        for page, bare in self._pages:
            offset = self._offsets[page]
            notes: list[dict[str, Any]] = await page.evaluate("window.notes.splice(0)")
            found = of_bare if bare else of_desks
            found += [
                Painted(
                    one["call_id"],
                    one["event"],
                    one["got"] / 1000 + offset,
                    None if one["painted"] is None else one["painted"] / 1000 + offset,
                )
                for one in notes
            ]
        return of_desks, of_bare
