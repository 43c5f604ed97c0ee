"""Signing in: the first password, the wrong one, the way on, the language."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.fake_backend import FakeBackend


def test_the_first_login_asks_for_a_password_of_ones_own(page: Page, fake: FakeBackend) -> None:
    fake.must_change = True
    page.goto(f"{fake.base}/agent")
    page.get_by_label("账户").fill("1001")
    page.get_by_label("密码", exact=True).fill("a-good-password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/password")
    page.get_by_label("当前密码").fill("a-good-password")
    page.get_by_label("新密码", exact=True).fill("short")
    page.get_by_label("再输一遍").fill("other")
    page.get_by_role("button", name="换密码并继续").click()
    summary = page.get_by_test_id("error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("新密码至少 10 个字符")
    expect(summary).to_contain_text("两遍新密码不一样")
    page.get_by_label("新密码", exact=True).fill("一句自己记得住的话")
    page.get_by_label("新密码", exact=True).fill("一句我自己记得住的话呀")
    page.get_by_label("再输一遍").fill("一句我自己记得住的话呀")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{fake.base}/agent")
    assert fake.passwords["1001"] == "一句我自己记得住的话呀"


def test_a_wrong_password_says_what_to_do_and_keeps_the_name(page: Page, fake: FakeBackend) -> None:
    page.goto(f"{fake.base}/login")
    page.get_by_label("账户").fill("1001")
    page.get_by_label("密码", exact=True).fill("wrong")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("账户或密码不对")
    expect(page.get_by_label("账户")).to_have_value("1001")


def test_an_address_that_was_asked_for_is_opened_after_login_but_never_another_site(
    page: Page, fake: FakeBackend
) -> None:
    for asked, opened in (("/calls?outcome=answered", "/calls?outcome=answered"), ("//evil.example/x", "/agent")):
        fake.signed_in = None
        page.goto(f"{fake.base}/login?next={asked}")
        page.get_by_label("账户").fill("1001")
        page.get_by_label("密码", exact=True).fill("a-good-password")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{fake.base}{opened}")


def test_the_language_is_chinese_first_and_the_choice_is_remembered(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/calls")
    expect(page.get_by_role("heading", level=1)).to_have_text("通话记录")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_test_id("language").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Calls")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Calls")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_login_that_ended_leads_back_to_the_same_page(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/calls")
    fake.signed_in = None
    page.get_by_role("button", name="刷新").click()
    page.wait_for_url(f"{fake.base}/login?next=/calls")
    expect(page.get_by_text("登录已过期")).to_be_visible()


def test_leaving_makes_the_next_person_sign_in(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/cases")
    page.locator(".who summary").click()
    page.get_by_test_id("logout").click()
    page.wait_for_url(f"{fake.base}/login")
    page.goto(f"{fake.base}/cases")
    page.wait_for_url(f"{fake.base}/login?next=/cases")
