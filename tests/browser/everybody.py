"""What every page owes to everybody who reads it, looked at by script: axe, names for screen readers, large print, a
small screen, the order of the Tab key, dialogs that keep the focus and give it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import accessibility
from tests.browser.house import NARROW, WIDE

LEAST_PX = 24
"""18 pt."""
NOT_CHINESE = {"English"}
"""What is named in another language on purpose."""
NAMED = {"button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "radiogroup", "tab",
         "dialog", "navigation", "region", "slider", "menuitem", "treeitem", "img"}  # fmt: skip

MORE_STOPS = 40
"""The browser's own window is a stop, and so are the parts of a date."""

BROWSERS_OWN = {"Audio", "Video", "Date", "DateTime", "InputTime"}
"""The browser names the parts of these itself, in its own language."""

COUNT_QUESTIONS = """
  window.asking = 0
  const ask = window.fetch
  window.fetch = (...what) => {
    window.asking += 1
    return ask(...what).finally(() => setTimeout(() => { window.asking -= 1 }, 20))
  }
"""
"""An init script: how many questions to the server are on their way."""

ROUTER = "document.querySelector('#app').__vue_app__.config.globalProperties.$router"
PAGES = f"""() => {ROUTER}.getRoutes()
  .filter((one) => !one.redirect && (one.meta.title || !one.beforeEnter)).map((one) => one.path)"""
GO = f"""async (address) => {{
  await {ROUTER}.push(address)
  return {ROUTER}.currentRoute.value.matched.slice(-1)[0].path
}}"""
SETTLED = "() => window.asking === 0 && !document.body.innerText.includes('正在读取…')"
SMALL_TEXT = """(least) => {
  const seen = (one) => {
    const box = one.getBoundingClientRect()
    return one.checkVisibility() && box.width > 1 && box.height > 1
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const owners = new Set(document.querySelectorAll('input:not([type=radio], [type=checkbox]), select, textarea'))
  while (texts.nextNode()) {
    if (texts.currentNode.data.trim()) owners.add(texts.currentNode.parentElement)
  }
  return [...owners]
    .filter((one) => !one.closest('script, style, noscript, option, datalist, .visually-hidden') && seen(one))
    .filter((one) => parseFloat(getComputedStyle(one).fontSize) < least - 0.1)
    .map((one) => one.outerHTML.slice(0, 120))
}"""
STOPS = """(root) => {
  const all = [...root.querySelectorAll(
    'a[href], button, input, select, textarea, summary, iframe, audio[controls], [tabindex]')]
  const groups = new Map()
  const stops = all.filter((one) => one.tabIndex >= 0 && !one.matches(':disabled') && one.checkVisibility())
  for (const one of stops) {
    if (one.type === 'radio' && (one.checked || !groups.has(one.name))) groups.set(one.name, one)
  }
  return stops.filter((one) => one.type !== 'radio' || groups.get(one.name) === one)
}"""
"""What the Tab key stops at, in the order of the document; of radio buttons of one name, one."""


def pages(page: Page) -> set[str]:
    """The addresses of all pages that the router knows, as it writes them; what only leads elsewhere is none."""
    return set(page.evaluate(PAGES))


def go(page: Page, address: str) -> str:
    """Goes there inside the page and waits for what it asks; which of `pages` it is."""
    pattern = page.evaluate(GO, address)
    settle(page)
    return str(pattern)


def settle(page: Page) -> None:
    """Until what was asked for is on the page. COUNT_QUESTIONS has to be in it."""
    page.wait_for_function(SETTLED)


def faults(page: Page, leave_out: str = "") -> list[str]:
    """What is wrong with the page as it stands: wide, at 320 pixels, and both in large print. `leave_out`: see
    `accessibility`."""
    found = [f"axe {one['rule']}: {one['where']}" for one in accessibility(page, leave_out)]
    found += [f"name: {one}" for one in unnamed(page)]
    if (said := page.evaluate("document.documentElement.lang")) != "zh-CN":
        found.append(f"language {said}")
    found += [f"tabindex: {one}" for one in page.eval_on_selector_all("[tabindex]", _BEFORE_OTHERS)]
    page.set_viewport_size(NARROW)
    found += _too_wide(page, "narrow")
    found += [f"axe, narrow, {one['rule']}: {one['where']}" for one in accessibility(page, leave_out)]
    _print(page, "large")
    found += _too_wide(page, "narrow, large")
    page.set_viewport_size(WIDE)
    found += _too_wide(page, "large")
    found += [f"small: {one}" for one in page.evaluate(SMALL_TEXT, LEAST_PX)]
    _print(page, "usual")
    return found


_BEFORE_OTHERS = "all => all.filter((one) => one.tabIndex > 0).map((one) => one.outerHTML.slice(0, 120))"


def _print(page: Page, size: str) -> None:
    """The attribute that the switch sets; test_the_switch_for_large_print presses it."""
    page.evaluate("(size) => { document.documentElement.dataset.print = size }", size)


def _too_wide(page: Page, how: str) -> list[str]:
    widest = page.evaluate(
        """() => {
          const { clientWidth: room, scrollWidth: wide } = document.documentElement
          if (wide <= room) return null
          const all = [...document.querySelectorAll('body *')]
          const out = all.filter((one) => one.getBoundingClientRect().right > room + 1)
          return [wide, ...out.slice(-3).map((one) => one.outerHTML.slice(0, 120))].join(' ')
        }"""
    )
    return [f"scrolls sideways, {how}: {widest}"] if widest else []


def unnamed(page: Page) -> list[str]:
    """Controls and parts of the page that a screen reader can't name in Chinese, by the browser's own tree: those
    without a name, and those whose name is Latin words alone."""
    tools = page.context.new_cdp_session(page)
    nodes = tools.send("Accessibility.getFullAXTree")["nodes"]
    tools.detach()
    above = {one["nodeId"]: one.get("parentId") for one in nodes}
    owns = {one["nodeId"] for one in nodes if _named(one)[0] in BROWSERS_OWN}
    found = []
    for node in nodes:
        role, name = _named(node)
        if role in NAMED and not _is_chinese(name) and not owns & set(_line(node["nodeId"], above)):
            found.append(f"{role} {name!r}")
    return found


def _line(node: str | None, above: dict[str, str | None]) -> Iterator[str]:
    while node := above.get(node or ""):
        yield node


def _named(node: dict[str, Any]) -> tuple[str, str]:
    role = "" if node.get("ignored") else node.get("role", {}).get("value", "")
    return role, node.get("name", {}).get("value", "")


def _is_chinese(name: str) -> bool:
    if not name.strip():
        return False
    han = any("\u4e00" <= letter <= "\u9fff" for letter in name)
    latin = any(word.isascii() and word.isalpha() and len(word) > 2 for word in name.split())
    return han or not latin or name in NOT_CHINESE


def walk_by_tab(page: Page) -> None:
    """Tab stops at everything there is to press or fill in, in the order of the document, and whatever has the focus
    is in sight: neither scrolled away nor under a bar."""
    page.evaluate(f"() => {{ window.stops = ({STOPS})(document); window.stops[0].focus() }}")
    count = page.evaluate("window.stops.length")
    hidden = []
    for place in range(count):
        if place:
            page.keyboard.press("Tab")
        at, shown, what = page.evaluate(
            """() => {
              const one = document.activeElement
              const box = one.getBoundingClientRect()
              const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
              const seen = top && (one.contains(top) || top.contains(one) || one.closest('label')?.contains(top))
              return [window.stops.indexOf(one), Boolean(seen), one.outerHTML.slice(0, 160)]
            }"""
        )
        assert at == place, f"stop {place + 1} of {count} is {at + 1}: {what}"
        if not shown:
            hidden.append(what)
    assert not hidden, hidden


def keeps_the_focus_and_gives_it_back(page: Page, opener: Locator) -> None:
    """The dialog that Enter on `opener` shows: has a name, Tab goes round in it both ways and reaches everything in it,
    Escape ends it and the focus is where it was."""
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("one => document.getElementById(one.getAttribute('aria-labelledby')).textContent.trim()")
    count = dialog.evaluate(f"(one) => {{ window.stops = ({STOPS})(one); return window.stops.length }}")
    for key in ("Tab", "Shift+Tab"):
        reached: set[int | None] = set()
        for _ in range(count + MORE_STOPS):
            page.keyboard.press(key)
            where = page.evaluate(
                """() => {
                  const one = document.activeElement  // the dialog itself is a stop where it has to be scrolled
                  return one === document.body || one.matches('dialog') ? null : window.stops.indexOf(one)
                }"""
            )
            assert where != -1, page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
            reached.add(where)
            if reached >= set(range(count)):
                break
        assert reached >= set(range(count)), (key, reached, count)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
