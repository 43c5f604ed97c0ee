"""Agents with a browser phone: the browser's microphone says a tone, and it tells what comes out of its loudspeaker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

from app.tools import tool
from tests.browser.chromium import WATCH_SOUND, microphone, with_microphone
from tests.browser.house import WIDE
from tests.browser.real import AGENT, CITIZEN, SLOW_MS, Desk, World, hears_now, offered
from tests.peers.network import Line
from tests.peers.waiting import wait_until

PLUG = """
  const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices)
  let taken = null
  let there = true
  if (ask)
    navigator.mediaDevices.getUserMedia = async (wish) => {
      if (!there) throw new DOMException('', 'NotFoundError')
      return (taken = await ask(wish))
    }
  window.plug = (yes) => {
    there = yes
    for (const track of yes ? [] : taken.getTracks()) {
      track.stop()
      track.dispatchEvent(new Event('ended'))
    }
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'))
  }
  window.crashes = false
  window.addEventListener('pagehide', (event) => window.crashes && event.stopImmediatePropagation(), true)
"""
"""The headset can be pulled out, and put in again; the page can go as one goes that crashes: without a word."""


PLAYS = """
  const played = new Set()
  const begin = HTMLMediaElement.prototype.play
  HTMLMediaElement.prototype.play = function () {
    played.add(this)
    return begin.call(this)
  }
  window.playsOn = async () => {
    const names = new Map((await navigator.mediaDevices.enumerateDevices()).map((one) => [one.deviceId, one.label]))
    return [...played].filter((one) => !one.paused && one.srcObject).map((one) => names.get(one.sinkId) ?? one.sinkId)
  }
"""
"""The page tells on which of the computer's loudspeakers it plays something now."""


@contextmanager
def says(playwright: Playwright, folder: Path, hz: int = AGENT) -> Iterator[Browser]:
    """A Chromium with a microphone that says a tone."""
    flags = with_microphone(microphone(folder / f"tone-{hz}.wav", hz))
    chromium = playwright.chromium.launch(executable_path=tool("chromium")[0], args=flags)
    yield chromium
    chromium.close()


def with_headset(world: World, chromium: Browser) -> Desk:
    """An agent who has logged in and chosen the browser phone for the shift. Whoever asks for it closes its context."""
    context = chromium.new_context(viewport=WIDE, locale="zh-CN", ignore_https_errors=True)
    context.set_default_timeout(SLOW_MS)
    allow(context)
    context.add_init_script(WATCH_SOUND)
    context.add_init_script(PLUG)
    context.add_init_script(PLAYS)
    desk = Desk.open(world, context, world.account())
    desk.page.get_by_text("浏览器电话", exact=True).click()
    return desk


def allow(context: BrowserContext) -> None:
    """The person has said yes to both questions of the browser."""
    context.grant_permissions(["microphone", "notifications"])


def page_hears(desk: Desk, *tones: int) -> None:
    """Until these tones come out of the page's loudspeaker: one as the loudest, several all of them."""

    def heard() -> bool:
        now = desk.page.evaluate("window.heardTones()")
        return now[:1] == list(tones) if len(tones) == 1 else set(tones) <= set(now)

    wait_until(heard, 15, f"the page to play {tones} Hz")


def in_talk(world: World, desk: Desk, citizen: Line | None = None) -> Line:
    """A citizen whose call was answered in the browser, both hearing each other."""
    citizen = citizen or offered(world, desk)
    desk.page.keyboard.press("F2")
    citizen.tone(CITIZEN)
    desk.shows("talking")
    desk.talk_began()
    hears_now(citizen, AGENT)
    return citizen
