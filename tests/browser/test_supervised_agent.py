"""What others do to an agent's state, and what the telephone refuses, is told at the desk in the reader's language."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility
from tests.browser.fake_backend import FakeBackend, now_ms

STATE = "agent-state"


def sets(fake: FakeBackend, state: str, *, later: bool = False) -> None:
    """The supervisor 王班长 gives the agent a state, as the real bridge tells it."""
    if later:
        fake.agent = {**fake.agent, "next_state": state, "next_reason": "meeting", "set_by": "王班长"}
        fake.emit("agent.state", fake.agent)
    else:
        fake.set_agent(state=state, not_ready_reason="meeting", reason="set_by_other", set_by="王班长")
    fake.emit(
        "notice",
        {
            "level": "warning",
            "code": "state_set",
            "text": "王班长 已将您设为示忙。",
            "by": "王班长",
            "state": state,
            "reason": "meeting",
            "later": later,
            "at_ms": now_ms(),
        },
    )


def test_the_agent_sees_who_set_the_state_in_both_languages(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    sets(fake, "not_ready")
    expect(page.get_by_text("王班长把你设为“示忙”", exact=True)).to_be_visible()
    expect(page.get_by_test_id("set-by")).to_have_text("由 王班长 设置")
    expect(page.get_by_test_id(STATE)).to_contain_text("示忙 · 会议")
    assert accessibility(page) == []
    page.get_by_test_id("language").click()
    expect(page.get_by_text("王班长 has set you to “Not ready”", exact=True)).to_be_visible()
    expect(page.get_by_test_id("set-by")).to_have_text("set by 王班长")


def test_the_name_goes_when_the_agent_chooses_again(on_shift: Page, fake: FakeBackend) -> None:
    sets(fake, "not_ready")
    expect(on_shift.get_by_test_id("set-by")).to_be_visible()
    fake.set_agent(state="ready", reason="agent_chose", not_ready_reason="", set_by="")
    expect(on_shift.get_by_test_id("set-by")).to_have_count(0)


def test_a_state_for_after_the_call_names_who_queued_it_and_does_not_claim_the_talk(
    on_shift: Page, fake: FakeBackend
) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    sets(fake, "not_ready", later=True)
    expect(page.get_by_text("王班长把你设为“示忙”，这个通话处理完后生效", exact=True)).to_be_visible()
    expect(page.get_by_test_id("next-by")).to_have_text("由 王班长 设置")
    expect(page.get_by_test_id("set-by")).to_have_count(0)


@pytest.mark.parametrize(
    ("code", "chinese", "english"),
    [
        ("connecting", "工号还在播报", "staff number is still being said"),
        ("not_connected", "通话没有接通，所以没有执行", "so nothing was done"),
    ],
)
def test_a_refusal_says_what_happened_in_the_readers_language(
    on_shift: Page, fake: FakeBackend, code: str, chinese: str, english: str
) -> None:
    page = on_shift
    fake.refusals["call.hold"] = {"code": code, "message": "服务器的话"}
    fake.offer()
    page.get_by_test_id("answer").click()
    page.get_by_test_id("hold").click()
    expect(page.get_by_text(chinese)).to_be_visible()
    page.get_by_test_id("language").click()
    page.get_by_test_id("hold").click()
    expect(page.get_by_text(english)).to_be_visible()


def test_a_notice_that_the_page_does_not_know_is_shown_in_the_servers_words(on_shift: Page, fake: FakeBackend) -> None:
    fake.emit("notice", {"level": "info", "code": "something_new", "text": "服务器的话", "at_ms": now_ms()})
    expect(on_shift.get_by_text("服务器的话", exact=True)).to_be_visible()
