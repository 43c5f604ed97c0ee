"""No address ever tells of a person: not the one in the bar, not one of those that the page asks."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fake_backend import FakeBackend
from tests.browser.steps import menu

NUMBER, NAME = "13912345607", "张建国"
# Every list with a place to write a number or a name into: page, label of the field, words.
FIELDS = [
    ("/calls", "搜索", NUMBER),
    ("/cases", "联系电话", NUMBER),
    ("/cases", "搜索", NAME),
    ("/voicemails", "搜索", NAME),
    ("/admin/audit", "谁（账户）", "zhang.jianguo"),
]


@pytest.fixture
def addresses(page: Page) -> list[str]:
    """Every address so far: those asked for, and those that stood in the bar."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    return seen


@pytest.mark.parametrize(("path", "label", "words"), FIELDS)
def test_a_search_for_a_person_stands_in_no_address_and_survives_reload_and_back(
    sign_in: Callable[..., Page], fake: FakeBackend, addresses: list[str], path: str, label: str, words: str
) -> None:
    page = sign_in(path)
    page.get_by_label(label, exact=True).fill(words)
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_role("button", name="筛选")).to_be_visible()
    page.wait_for_function("words => Object.values(history.state.hidden ?? {}).includes(words)", arg=words)
    since = page.get_by_label("从", exact=True)
    dated = since.count() > 0
    if dated:
        since.fill("2026-11-01")
        page.get_by_role("button", name="筛选").click()
        page.wait_for_url("**from=2026-11-01**")
    page.reload()
    expect(page.get_by_label(label, exact=True)).to_have_value(words)
    if dated:
        page.go_back()
        expect(since).to_have_value("")
        expect(page.get_by_label(label, exact=True)).to_have_value(words)
    page.go_back()
    expect(page.get_by_label(label, exact=True)).to_have_value("")
    assert any(words in body.values() for body in fake.office.asked), "the words were sought, in a body"
    addresses.append(page.url)
    assert [address for address in addresses if words in unquote(address)] == []


def test_every_page_of_the_office_that_takes_words_is_walked(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    """A list that gets a field for numbers or names must be added to FIELDS."""
    page = sign_in("/calls")
    known = {(path, label) for path, label, _ in FIELDS} | {("/calls", "工号"), ("/admin/audit", "做了什么")}
    nav = page.get_by_role("navigation", name="主导航").get_by_role("link")
    menu(page, "管理")  # and with it all that does not stand in the line
    paths = [link.get_attribute("href") for link in nav.all()] + ["/admin/agents", "/admin/users", "/admin/audit"]
    found = set()
    for path in paths:
        if path in ("/agent", "/admin", None):
            continue
        page.goto(f"{fake.base}{path}")
        page.wait_for_load_state("networkidle")
        for field in page.locator("form[role=search] input:not([type=date])").all():
            name = page.locator(f"label[for={field.get_attribute('id')}]").inner_text()
            found.add((path, name.strip()))
    assert found == known


def test_an_expired_login_leads_back_without_the_words_in_the_address(
    sign_in: Callable[..., Page], fake: FakeBackend, addresses: list[str]
) -> None:
    page = sign_in("/cases")
    page.get_by_label("联系电话").fill(NUMBER)
    page.get_by_role("button", name="筛选").click()
    page.wait_for_function("number => history.state.hidden?.number === number", arg=NUMBER)
    fake.signed_in = None
    page.get_by_role("button", name="刷新").click()
    page.wait_for_url("**/login**")
    assert [address for address in [*addresses, page.url] if NUMBER in address] == []
