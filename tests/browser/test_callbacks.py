"""Call-backs in the office: taken by one, seen by all, called now, given up in the sight of a supervisor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.fake_backend import FakeBackend, wait_for


def row_of(page: Page, serial: int) -> Locator:
    return page.locator("tbody tr").filter(has_text=f"139 1234 56{serial:02d}")


def test_what_was_asked_for_is_told_with_tries_and_last_outcome(sign_in: Callable[..., Page]) -> None:
    page = sign_in("/callbacks")
    for text in ("待回拨", "粤语", "general", "0 / 3", "已到时间"):
        expect(row_of(page, 1)).to_contain_text(text)
    expect(row_of(page, 2)).to_contain_text("无人接听")
    expect(row_of(page, 3)).to_contain_text("1002 陈晓")
    expect(row_of(page, 3).get_by_role("button", name="立即拨打")).to_have_count(0)


def test_what_the_queue_will_dial_says_so_and_what_it_dials_cannot_be_taken(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    fake.office.row("callbacks", 1).update(in_line=True)
    fake.office.row("callbacks", 2).update(in_line=True, state="dialling", agent_id="1002", agent_name="陈晓")
    page = sign_in("/callbacks")
    expect(row_of(page, 1).get_by_test_id("in-line")).to_have_text("轮到时系统自动拨打")
    expect(row_of(page, 1)).not_to_contain_text("已到时间")
    expect(row_of(page, 1).get_by_role("button", name="领取")).to_be_visible()
    expect(row_of(page, 2)).to_contain_text("系统拨打中")
    expect(row_of(page, 2).get_by_role("button", name="立即拨打")).to_have_count(0)
    expect(row_of(page, 2).get_by_role("button", name="领取")).to_have_count(0)


def test_taking_one_is_seen_by_a_colleague_without_a_click_and_nothing_moves(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/callbacks")
    before = page.locator("tbody tr").all_inner_texts()
    first = row_of(page, 2).bounding_box()
    fake.office.row("callbacks", 1).update(state="taken", agent_id="1002", agent_name="陈晓", attempts=1)
    expect(row_of(page, 1)).to_contain_text("1002 陈晓", timeout=4_000)
    expect(row_of(page, 1).get_by_role("button", name="领取")).to_have_count(0)
    fake.office.lists["callbacks"].reverse()
    expect(page.get_by_text("有新的或已完成的任务")).to_be_visible()
    order = [text[:20] for text in page.locator("tbody tr").all_inner_texts()]
    assert [text[:20] for text in before] == order, "rows stay where they are until somebody asks"
    assert first is not None
    page.locator(".notices").get_by_role("button", name="刷新").click()
    expect(page.locator("tbody tr").first).to_contain_text("139 1234 5604")


def test_the_second_of_two_is_told_who_has_it(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/callbacks")
    expect(row_of(page, 1)).to_be_visible()
    fake.office.row("callbacks", 1).update(state="taken", agent_id="1002", agent_name="陈晓")
    row_of(page, 1).get_by_role("button", name="领取").click()
    expect(page.get_by_test_id("toast")).to_contain_text("该回拨正由坐席 1002 陈晓 处理")
    expect(row_of(page, 1).get_by_test_id("holder")).to_contain_text("1002 陈晓")


def test_what_is_mine_can_be_called_put_back_or_reported(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/callbacks")
    row_of(page, 1).get_by_role("button", name="领取").click()
    expect(row_of(page, 1)).to_contain_text("回拨中")
    expect(row_of(page, 1).get_by_test_id("holder")).to_contain_text("1001 （我）")
    row_of(page, 1).get_by_role("button", name="更多").click()
    page.get_by_role("dialog").get_by_role("button", name="放回队列").click()
    expect(row_of(page, 1)).to_contain_text("待回拨")
    row_of(page, 1).get_by_role("button", name="领取").click()
    row_of(page, 1).get_by_role("button", name="更多").click()
    page.get_by_role("dialog").get_by_role("button", name="没接通").click()
    expect(row_of(page, 1)).to_contain_text("无人接听")


def test_call_now_dials_by_the_desk_and_goes_there(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/callbacks")
    row_of(page, 2).get_by_role("button", name="立即拨打").click()
    page.wait_for_url("**/agent")
    wait_for(lambda: fake.commanded("callback.start"), "the command")
    assert fake.commanded("callback.start")[0]["args"] == {"callback_id": 2}
    expect(page.get_by_test_id("toast")).to_contain_text("正在呼叫你的话机")


def test_a_promise_is_withdrawn_only_with_a_reason(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/callbacks")
    row_of(page, 1).get_by_role("button", name="更多").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="取消任务").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("写明为什么取消")
    dialog.get_by_label("原因").fill("市民当面办好了")
    dialog.get_by_role("button", name="取消任务").click()
    expect(row_of(page, 1)).to_contain_text("已取消")
    expect(row_of(page, 1)).to_contain_text("市民当面办好了")


def test_what_was_given_up_is_put_before_whoever_leads_and_tried_once_more(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/callbacks", "boss")
    expect(page.get_by_text("1 个回拨已停止")).to_be_visible()
    page.get_by_role("button", name="查看").click()
    page.wait_for_url("**/callbacks?state=given_up")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="再试一次").click()
    wait_for(lambda: fake.office.row("callbacks", 4)["state"] == "open", "the call-back to be open again")


def test_an_agent_is_not_bothered_with_what_others_gave_up(
    sign_in: Callable[..., Page], fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", ["callbacks.handle", "calls.read"])
    page = sign_in("/callbacks")
    expect(row_of(page, 4)).to_contain_text("已停止，等班长处理")
    expect(page.get_by_text("个回拨已停止")).to_have_count(0)
    expect(page.get_by_role("button", name="再试一次")).to_have_count(0)
