"""Steps that people of units and of the centre take on their pages, for more than one story."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def act(page: Page, name: str) -> Locator:
    """The button of that act on a case's page."""
    return page.locator(f"button[data-act={name}]")


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
