"""Nothing that was typed is lost: autosave, reload, no network, an ended login, two writers, a double click."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fake_backend import FakeBackend, wait_for


@pytest.fixture
def talking(on_shift: Page, fake: FakeBackend) -> Page:
    """In a talk with the case open."""
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    expect(on_shift.get_by_test_id("talking")).to_be_visible()
    return on_shift


def stored(fake: FakeBackend, name: str) -> str:
    """A field of the first case as the server has it."""
    return str(fake.cases[1]["fields"][name])


def kept(page: Page) -> list[str]:
    """The drafts kept on this computer."""
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('hotline.draft.'))")


def test_typing_is_stored_within_a_second(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_label("诉求内容").focus()
    talking.keyboard.type("停水三天")
    typed = time.monotonic()
    wait_for(lambda: stored(fake, "content") == "停水三天", "the text to be stored")
    assert time.monotonic() - typed < 1.0
    expect(talking.get_by_test_id("save-mark")).to_contain_text("已保存")
    assert kept(talking) == []


def test_leaving_a_field_stores_at_once(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_label("具体地址").fill("翠竹园 3 栋")
    talking.keyboard.press("Tab")
    left = time.monotonic()
    wait_for(lambda: stored(fake, "address") == "翠竹园 3 栋", "the address to be stored")
    assert time.monotonic() - left < 0.5


def test_closing_the_page_stores_what_was_just_typed(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_label("诉求内容").fill("最后一句")
    talking.goto("about:blank")
    wait_for(lambda: stored(fake, "content") == "最后一句", "the last words to be stored")


def test_without_a_network_the_text_waits_here_and_goes_out_by_itself(talking: Page, fake: FakeBackend) -> None:
    talking.context.set_offline(True)
    talking.get_by_label("诉求内容").fill("断网时写的")
    expect(talking.get_by_test_id("save-mark")).to_contain_text("已存在这台电脑")
    assert [key.split("~")[0] for key in kept(talking)] == ["hotline.draft.7.1"]
    talking.context.set_offline(False)
    wait_for(lambda: stored(fake, "content") == "断网时写的", "the text to be stored")
    expect(talking.get_by_test_id("save-mark")).to_contain_text("已保存")
    assert kept(talking) == []


def test_a_busy_database_is_told_calmly_and_tried_again(talking: Page, fake: FakeBackend) -> None:
    fake.fail_saves = [503, 503]
    talking.get_by_label("诉求内容").fill("停水")
    expect(talking.get_by_test_id("save-mark")).to_contain_text("正在重试")
    wait_for(lambda: stored(fake, "content") == "停水", "the text to be stored")


def test_a_page_that_died_without_network_brings_its_text_back(talking: Page, fake: FakeBackend) -> None:
    fake.fail_saves = [503] * 20
    talking.get_by_label("诉求内容").fill("没传完的话")
    expect(talking.get_by_test_id("save-mark")).to_contain_text("正在重试")
    fake.fail_saves = [503]  # the page's last try fails too
    talking.reload()
    fake.fail_saves = []
    expect(talking.get_by_label("诉求内容")).to_have_value("没传完的话")
    wait_for(lambda: stored(fake, "content") == "没传完的话", "the text to be stored")
    assert fake.cases.keys() == {1}


def test_another_writer_of_another_field_is_merged_without_a_question(talking: Page, fake: FakeBackend) -> None:
    fake.cases[1]["fields"]["address"] = "对方填的地址"
    fake.cases[1]["version"] += 1
    talking.get_by_label("诉求内容").fill("我写的内容")
    wait_for(lambda: stored(fake, "content") == "我写的内容", "the text to be stored")
    expect(talking.get_by_label("具体地址")).to_have_value("对方填的地址")
    expect(talking.get_by_test_id("clash")).to_have_count(0)


def test_the_same_field_written_by_two_is_shown_readably_and_decided(talking: Page, fake: FakeBackend) -> None:
    fake.cases[1]["fields"]["title"] = "停电"
    fake.cases[1]["version"] += 1
    talking.get_by_label("标题").fill("停水")
    clash = talking.get_by_test_id("clash")
    expect(clash).to_contain_text("李班长也改了这张工单")
    expect(clash).to_contain_text("停电")
    expect(clash).to_contain_text("停水")
    clash.get_by_label("用对方的").check()
    clash.get_by_role("button", name="确定").click()
    expect(talking.get_by_label("标题")).to_have_value("停电")
    assert stored(fake, "title") == "停电"


def test_nothing_required_is_demanded_before_saving_and_then_all_at_once(talking: Page) -> None:
    talking.get_by_label("标题").focus()
    talking.get_by_label("诉求内容").focus()
    talking.get_by_label("来电人姓名").focus()
    expect(talking.locator(".wrong")).to_have_count(0)
    talking.get_by_test_id("register").click()
    summary = talking.get_by_test_id("error-summary")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text(["选择工单类型", "填写标题", "填写诉求内容"])
    expect(talking).to_have_title(re.compile("^错误"))
    summary.get_by_role("link", name="填写标题").click()
    expect(talking.get_by_label("标题")).to_be_focused()
    expect(talking.get_by_label("来电人姓名")).to_have_value("张建国")


def test_a_double_click_makes_one_case(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_text("投诉", exact=True).first.click()
    talking.get_by_label("标题").fill("噪音")
    talking.get_by_label("诉求内容").fill("夜间施工")
    talking.get_by_test_id("register").dblclick()
    expect(talking.get_by_test_id("registered")).to_be_visible()
    assert fake.registered == [1]


def test_an_ended_login_keeps_the_text_and_sends_it_after_the_next(talking: Page, fake: FakeBackend) -> None:
    fake.signed_in = None
    talking.get_by_label("诉求内容").fill("登录过期时写的")
    talking.wait_for_url(f"{fake.base}/login?next=/agent")
    talking.get_by_label("账户").fill("1001")
    talking.get_by_label("密码", exact=True).fill("a-good-password")
    talking.keyboard.press("Enter")
    talking.wait_for_url(f"{fake.base}/agent")
    wait_for(lambda: stored(fake, "content") == "登录过期时写的", "the text to be stored")
    expect(talking.get_by_label("诉求内容")).to_have_value("登录过期时写的")


def test_looking_up_another_page_in_a_call_loses_nothing(talking: Page, fake: FakeBackend) -> None:
    talking.get_by_label("诉求内容").fill("写到一半去查")
    talking.get_by_role("link", name="通话", exact=True).click()
    expect(talking.get_by_text("通话进行中")).to_be_visible()
    talking.get_by_role("link", name="回到通话").click()
    expect(talking.get_by_label("诉求内容")).to_have_value("写到一半去查")


def test_another_computer_finds_the_draft(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    fake.case_of("hotline1-7.7")["fields"]["title"] = "在别处写的"
    page = sign_in("/agent")
    expect(page.get_by_text("在别处写的")).to_be_visible()
    page.get_by_role("button", name="继续填写").click()
    expect(page.get_by_label("标题")).to_have_value("在别处写的")
