"""Steps that people of units and of the centre take on their pages, for more than one story."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def act(page: Page, name: str) -> Locator:
    """The button of that act on a case's page."""
    return page.locator(f"button[data-act={name}]")


def menu(page: Page, name: str) -> Locator:
    """The entry of that name in the bar on top; what does not stand in its line is unfolded first."""
    bar = page.get_by_role("navigation", name="主导航")
    expect(bar.get_by_role("link").first).to_be_visible()
    entry = bar.get_by_role("link", name=name, exact=True)
    if not entry.count():
        page.get_by_test_id("nav-more").click()
    return entry


def open_from(page: Page, box: str, case_number: str) -> None:
    """Opens an assignment from a box of the inbox."""
    page.get_by_test_id(f"box-{box}").click()
    page.get_by_role("link", name=case_number).click()


def is_in(page: Page, state: str) -> None:
    """Until the page shows this state of the assignment."""
    expect(page.get_by_test_id("work-state")).to_have_attribute("data-state", state)


def says(page: Page, words: str, button: str) -> None:
    """Writes into the dialog and sends it."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(words)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_have_count(0)
