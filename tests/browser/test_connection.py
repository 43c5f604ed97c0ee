"""The live connection: resume, back-off told in words, age of the data, two windows, a hidden page."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.fake_backend import FakeBackend, wait_for

HIDE = """() => {
  Object.defineProperty(document, 'hidden', { value: true, configurable: true })
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}"""
COUNT_NOTES = """
  window.notes = []
  class Note { constructor(title, options) { window.notes.push(title); this.options = options } close() {} }
  Note.permission = 'granted'
  Note.requestPermission = () => Promise.resolve('granted')
  window.Notification = Note
"""
COUNT_VOICES = """
  window.voices = 0
  const start = OscillatorNode.prototype.start
  OscillatorNode.prototype.start = function () { window.voices += 1; return start.apply(this) }
"""


def test_after_a_short_cut_the_page_resumes_and_gets_what_it_missed(on_shift: Page, fake: FakeBackend) -> None:
    fake.refuse_ws = True
    fake.drop()
    expect(on_shift.get_by_test_id("data-age")).to_contain_text("连接中断")
    fake.offer()  # while nobody listens
    fake.refuse_ws = False
    expect(on_shift.get_by_test_id("answer")).to_be_visible()
    assert fake.hellos[-1]["resume"]["epoch"] == "e1"
    wait_for(lambda: fake.acks, "the late pop to be acknowledged")


def test_after_a_restart_of_the_server_a_snapshot_brings_the_picture(on_shift: Page, fake: FakeBackend) -> None:
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    on_shift.get_by_label("诉求内容").fill("重启前写的")
    fake.restart()
    wait_for(lambda: len(fake.hellos) >= 2, "the page to come back")
    expect(on_shift.get_by_test_id("data-age")).to_have_attribute("data-stale", "false")
    expect(on_shift.get_by_test_id("talking")).to_be_visible()
    expect(on_shift.get_by_label("诉求内容")).to_have_value("重启前写的")


def test_a_lost_connection_says_since_when_and_what_to_do(on_shift: Page, fake: FakeBackend) -> None:
    fake.refuse_ws = True
    fake.drop()
    banner = on_shift.get_by_test_id("link-down")
    expect(banner).to_contain_text(re.compile(r"已中断 \d+ 秒"))
    expect(banner).to_contain_text("通话不受影响")
    fake.refuse_ws = False
    expect(banner).to_have_count(0, timeout=15_000)


def test_data_that_is_ten_seconds_old_turns_grey(page: Page, sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page.clock.install()
    sign_in("/agent")
    age = page.get_by_test_id("data-age")
    expect(age).to_have_attribute("data-stale", "false")
    fake.quiet = True
    page.clock.fast_forward(8_500)
    expect(age).to_contain_text(re.compile("数据 [89] 秒前"))
    expect(age).to_have_attribute("data-stale", "false")
    page.clock.fast_forward(2_000)
    expect(age).to_have_attribute("data-stale", "true")


def test_a_gap_in_the_numbers_is_closed_by_a_snapshot(on_shift: Page, fake: FakeBackend) -> None:
    fake._seq += 5
    fake.set_agent(state="not_ready", not_ready_reason="meal")
    expect(on_shift.get_by_test_id("agent-state")).to_contain_text("用餐")
    assert fake.hellos[-1]["resume"] is None


def test_a_window_that_was_replaced_says_so_and_does_not_fight(on_shift: Page, fake: FakeBackend) -> None:
    before = len(fake.hellos)
    fake.drop(4409)
    expect(on_shift.get_by_text("坐席页已在另一个窗口打开")).to_be_visible()
    assert len(fake.hellos) == before
    on_shift.get_by_role("button", name="在此窗口使用").click()
    wait_for(lambda: len(fake.hellos) == before + 1, "the window to take over")
    expect(on_shift.get_by_text("坐席页已在另一个窗口打开")).to_have_count(0)


def test_a_command_without_a_connection_fails_at_once_in_words(on_shift: Page, fake: FakeBackend) -> None:
    fake.refuse_ws = True
    fake.drop()
    expect(on_shift.get_by_test_id("data-age")).to_contain_text("连接中断")
    on_shift.get_by_test_id("break").click()
    expect(on_shift.get_by_test_id("toast")).to_contain_text("与服务器的连接断了")


def test_a_hidden_page_acknowledges_notifies_and_changes_its_title(
    page: Page, sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page.add_init_script(COUNT_NOTES)
    sign_in("/agent")
    page.get_by_test_id("start").click()
    page.get_by_test_id("ready").click()
    expect(page.get_by_test_id("agent-state")).to_have_attribute("data-state", "ready")
    page.evaluate(HIDE)
    fake.offer()
    wait_for(lambda: fake.acks, "a hidden page's acknowledgement")
    expect(page).to_have_title(re.compile("139 1234 5678"))
    page.wait_for_function("window.notes.length")
    assert page.evaluate("window.notes") == ["来电 139 1234 5678"]
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/favicon-ring.svg")
    fake.answer()
    expect(page.get_by_test_id("talking")).to_be_visible()
    expect(page).not_to_have_title(re.compile("来电"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/favicon.svg")


def test_ringing_makes_a_sound(page: Page, sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page.add_init_script(COUNT_VOICES)
    sign_in("/agent")
    page.get_by_test_id("start").click()
    expect(page.get_by_text("浏览器禁止了响铃声")).to_have_count(0)
    fake.set_agent(state="ready")
    fake.offer()
    expect(page.get_by_test_id("answer")).to_be_visible()
    page.wait_for_function("window.voices === 2")


def test_a_call_rings_on_every_page(on_shift: Page, fake: FakeBackend) -> None:
    on_shift.get_by_role("link", name="工单", exact=True).click()
    fake.offer()
    expect(on_shift.get_by_text("有来电正在振铃")).to_be_visible()
    on_shift.get_by_role("link", name="接听来电").click()
    expect(on_shift.get_by_test_id("answer")).to_be_visible()
