"""Agents whose telephone is the page itself, in one Chromium: each desk a browser context of its own.

Every page notes by itself, twenty times a second, whether it shows its call and card by a live link, and how long it
has heard no tone; so nothing is lost while nobody asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page, Playwright, TimeoutError, async_playwright, expect

from app.auth.sessions import COOKIE, login
from app.db import Database
from app.tools import tool
from tests.browser.chromium import WATCH_SOUND, microphone, with_microphone
from tests.browser.house import WIDE
from tests.drills._scene import Scene
from tests.harness.system import PASSWORD

SAYS = 880
"""What every agent's microphone says, in hertz; one of tests/peers/network_conf.py's tones."""
SLOW_MS = 30_000
NICENESS = 10
TURN_MS = 300_000
"""A desk may be the last of all to get its call; and all of them may be slow to come back."""
LOOK_MS = 200
"""How often a page is looked at: ten pages that are looked at with every frame have no time for anything else."""
NOTE = """
  window.cut = { down: null, back: null }
  window.sound = { last: Date.now(), longest: 0 }
  window.see = (name) => document.querySelector(`[data-testid=${name}]`)
  window.card = () => [see('case-number')?.textContent ?? '', document.querySelector('#case-content')?.value ?? '']
  setInterval(() => {
    const now = Date.now()
    const stale = see('data-age')?.dataset.stale !== 'false'
    const whole = see('talking') && window.kept && window.card().join() === window.kept.join()
    if (stale) window.cut.down ??= now
    else if (window.cut.down && whole) window.cut.back ??= now
    if (window.heardTones().length) window.sound.last = now
    else window.sound.longest = Math.max(window.sound.longest, now - window.sound.last)
  }, 200)
"""


@dataclass
class Desk:
    """One agent's page."""

    agent_id: str
    page: Page
    problems: list[str]
    passed_over: int = 0

    async def is_ready(self) -> None:
        """On shift by the page's own telephone, registered, ready."""
        await self.page.get_by_text("浏览器电话", exact=True).click()
        await self.page.get_by_test_id("start").click()
        await expect(self.page.get_by_test_id("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
        await self.page.get_by_test_id("ready").click()
        await self.is_in("ready")

    async def answers(self) -> None:
        """Rings, is answered by a key, and something is written into the card. A page that was too slow to say that it
        shows the card was passed over and is not ready: its agent is ready again, as the page asks for."""
        waiting = "['ringing', 'talking', 'not_ready']"
        while (now := await self._waits_for(waiting, TURN_MS)) != "talking":
            if now == "ringing":
                await self.page.keyboard.press("F2")
                await self._waits_for("['talking', 'not_ready']")
            else:
                self.passed_over += 1
                await self.page.get_by_test_id("ready").click()
                with contextlib.suppress(TimeoutError):  # or passed over again at once
                    await self._waits_for("['ready', 'ringing', 'talking']", SLOW_MS / 10)
        await expect(self.page.get_by_test_id("talking")).to_have_attribute("data-talked", "true", timeout=SLOW_MS)
        await self.page.get_by_label("诉求内容").fill(f"坐席{self.agent_id}写到一半")
        await expect(self.page.get_by_test_id("save-mark")).to_contain_text("已保存", timeout=SLOW_MS)
        await self.page.evaluate("() => { window.kept = window.card() }")

    async def _waits_for(self, states: str, timeout_ms: float = 2 * SLOW_MS) -> str:
        """Until the page is in one of these; in which."""
        found = await self.page.wait_for_function(
            f"""() => {{
              const now = see('ringing') ? 'ringing' : see('talking') ? 'talking' : see('agent-state')?.dataset.state
              return {states}.includes(now) && now
            }}""",
            timeout=timeout_ms,
            polling=LOOK_MS,
        )
        return str(await found.json_value())

    async def is_in(self, state: str) -> None:
        """Until the page shows this state of the agent."""
        await expect(self.page.get_by_test_id("agent-state")).to_have_attribute("data-state", state, timeout=SLOW_MS)

    async def is_free(self) -> None:
        """Until the talk is over: what follows it, or has followed it by now."""
        await self._waits_for("['wrap_up', 'ready']")

    async def notes_anew(self) -> None:
        """Forgets what was noted: something is about to happen."""
        await self.page.evaluate(
            "() => { window.cut = { down: null, back: null }; window.sound = { last: Date.now(), longest: 0 } }"
        )

    async def back_after_s(self, since: float) -> float:
        """Seconds from `since` (wall clock) until the page had a live link again and showed its call and card as
        before. Raises AssertionError when it never lost the link, or does not come back."""
        try:
            await self.page.wait_for_function("() => window.cut.back", timeout=TURN_MS, polling=LOOK_MS)
        except Exception as error:
            raise AssertionError(f"the desk of {self.agent_id} is not back: {await self.told()}") from error
        return float(await self.page.evaluate("window.cut.back")) / 1000 - since

    async def silent_s(self) -> float:
        """The longest time without a tone in the page's loudspeaker since `notes_anew`."""
        return float(await self.page.evaluate("window.sound.longest")) / 1000

    async def hears_now(self) -> None:
        """Until a tone comes out of the page's loudspeaker."""
        await self.page.wait_for_function("() => window.heardTones().length", timeout=SLOW_MS, polling=LOOK_MS)

    async def holds_and_resumes(self) -> None:
        """The exchange obeys the page."""
        for mark in ("resume", "hold"):
            await self.page.keyboard.press("F2")
            await expect(self.page.get_by_test_id(mark)).to_be_visible(timeout=SLOW_MS)

    async def told(self) -> Any:
        """What the page has noted, for messages."""
        return await self.page.evaluate(
            """() => ({ cut: window.cut, kept: window.kept, card: window.card(), stale: see('data-age')?.dataset.stale,
              talking: see('talking')?.textContent, state: see('agent-state')?.textContent })"""
        )


class Desks:
    """All desks of a scene. Use as an asynchronous context manager."""

    def __init__(self, scene: Scene, agent_ids: Sequence[str]) -> None:
        self._scene, self._agent_ids = scene, list(agent_ids)
        self.all: list[Desk] = []
        self._driver: Playwright
        self._browser: Browser

    async def __aenter__(self) -> Desks:
        self._driver = await async_playwright().start()
        sound = microphone(self._scene.folder / "microphone.wav", SAYS)
        flags = with_microphone(sound)
        # In life every desk has a machine of its own: here the browsers leave the processors to the hotline.
        yielding = self._scene.folder / "chromium"
        yields = f"nice -n {NICENESS}"
        if os.geteuid() == 0:  # root's browser would give its sound a rank above everybody's
            yields = f"setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice {yields}"
        yielding.write_text(f'#!/bin/sh\nexec {yields} {shlex.quote(tool("chromium")[0])} "$@"\n')
        yielding.chmod(0o700)
        self._browser = await self._driver.chromium.launch(executable_path=yielding, args=flags)
        await asyncio.to_thread(self._scene.system.add_agents, self._agent_ids)
        # Ten pages that start in one moment on two processors help nobody.
        for agent_id in self._agent_ids:
            desk = await self._open(agent_id)
            await desk.is_ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.close()
        await self._driver.stop()

    async def _open(self, agent_id: str) -> Desk:
        base = self._scene.system.http
        context = await self._browser.new_context(viewport=WIDE, locale="zh-CN", ignore_https_errors=True)
        context.set_default_timeout(SLOW_MS)
        await context.grant_permissions(["microphone", "notifications"])
        token = await asyncio.to_thread(_token, self._scene.settings.url, agent_id)
        await context.add_cookies([{"name": COOKIE, "value": token, "url": base}])
        await context.add_init_script(WATCH_SOUND)
        await context.add_init_script(NOTE)
        page = await context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(f"{base}/agent")
        desk = Desk(agent_id, page, problems)
        self.all.append(desk)
        return desk


def _token(url: str, agent_id: str) -> str:
    database = Database(url)
    try:
        return login(database, agent_id, PASSWORD, "127.0.0.1").token
    finally:
        database.dispose()
