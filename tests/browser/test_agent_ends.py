"""What becomes of a case that an agent has just registered: ended or passed on, without leaving the keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility, shot
from tests.browser.fake_backend import FakeBackend


@pytest.fixture
def registered(on_shift: Page, fake: FakeBackend) -> Page:
    """The desk of an agent who talks and has just registered the case."""
    fake.offer()
    fake.answer()
    on_shift.get_by_text("咨询", exact=True).first.click()
    on_shift.get_by_label("标题").fill("停水")
    on_shift.get_by_label("诉求内容").fill("停水三天")
    on_shift.keyboard.press("F9")
    expect(on_shift.get_by_test_id("ends")).to_be_visible()
    return on_shift


def test_nothing_is_offered_before_the_case_is_registered(on_shift: Page, fake: FakeBackend) -> None:
    fake.offer()
    expect(on_shift.get_by_test_id("case-form")).to_be_visible()
    expect(on_shift.get_by_test_id("ends")).to_have_count(0)


def test_a_case_goes_to_dispatch_with_its_urgency_by_three_keys(
    registered: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    registered.keyboard.press("Shift+F9")
    shot(registered, "ends", tmp_path)
    assert accessibility(registered) == []
    registered.keyboard.press("4")
    dialog = registered.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="一般")).to_be_focused()
    registered.keyboard.press("ArrowRight")
    shot(registered, "urgency", tmp_path)
    assert accessibility(registered) == []
    version = fake.cases[1]["version"]
    registered.keyboard.press("Enter")
    expect(registered.get_by_test_id("case-state")).to_have_text("待派单")
    expect(registered.get_by_test_id("ends")).to_have_count(0)
    assert fake.acts == [{"act": "submit", "version": version, "urgency": "utilities", "about_unit_id": None}]


def test_an_answer_that_is_written_goes_out_with_one_key_and_once(registered: Page, fake: FakeBackend) -> None:
    registered.get_by_label("当场答复").fill("明早恢复供水")
    registered.keyboard.press("Shift+F9")
    registered.keyboard.press("1")
    registered.keyboard.press("1")
    expect(registered.get_by_test_id("case-state")).to_have_text("当即答复")
    assert [(one["act"], one["text"]) for one in fake.acts] == [("answer", "明早恢复供水")]
    expect(registered.get_by_label("标题")).to_be_disabled()
    registered.keyboard.press("F9")
    assert fake.registered == [1]


def test_who_is_declined_is_told_why_and_digits_in_the_text_are_only_digits(
    registered: Page, fake: FakeBackend
) -> None:
    registered.keyboard.press("Shift+F9")
    registered.keyboard.press("3")
    dialog = registered.get_by_role("dialog")
    dialog.get_by_role("button", name="不予受理").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("选择不予受理情形")
    dialog.get_by_text("已进入诉讼程序").click()
    dialog.locator("#act-told").fill("")
    dialog.locator("#act-told").press_sequentially("法院案号 1234")
    registered.keyboard.press("Control+Enter")
    expect(registered.get_by_test_id("case-state")).to_have_text("不予受理")
    [act] = fake.acts
    assert (act["act"], act["ground"], act["told"]) == ("decline", "litigation", "法院案号 1234")


def test_who_ends_a_case_that_a_colleague_has_changed_is_told_and_looks_again(
    registered: Page, fake: FakeBackend
) -> None:
    registered.keyboard.press("Shift+F9")
    registered.keyboard.press("1")
    registered.locator("#act-answer").fill("明早恢复供水")
    fake.cases[1]["version"] += 1
    registered.keyboard.press("Control+Enter")
    dialog = registered.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_contain_text("李班长刚处理了这张工单，现在是“已登记”")
    expect(registered.locator("#act-answer")).to_have_value("明早恢复供水")
    assert fake.acts == []
    fake.cases[1] |= {"state": "to_dispatch", "version": fake.cases[1]["version"] + 1}
    dialog.get_by_role("button", name="当即答复").click()
    expect(dialog.get_by_role("alert")).to_contain_text("现在是“待派单”")
    expect(registered.get_by_test_id("case-state")).to_have_text("待派单")
    expect(registered.locator("#act-answer")).to_have_value("明早恢复供水")


def test_the_end_of_wrap_up_takes_nothing_from_whoever_is_ending_the_case(registered: Page, fake: FakeBackend) -> None:
    registered.keyboard.press("Shift+F9")
    registered.keyboard.press("1")
    registered.locator("#act-answer").fill("明早恢复供水")
    fake.end_call()
    expect(registered.get_by_test_id("agent-state")).to_have_attribute("data-state", "wrap_up")
    fake.set_agent(state="ready", until_ms=None, wrapup_until_ms=None)
    expect(registered.get_by_test_id("agent-state")).to_have_attribute("data-state", "ready")
    expect(registered.locator("#act-answer")).to_have_value("明早恢复供水")
    registered.keyboard.press("Control+Enter")
    expect(registered.get_by_test_id("case-state")).to_have_text("当即答复")
    registered.get_by_test_id("registered").get_by_role("button", name="关闭").click()
    expect(registered.get_by_test_id("case-form")).to_have_count(0)
    assert [one["text"] for one in fake.acts] == ["明早恢复供水"]
