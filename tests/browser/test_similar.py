"""While a matter is typed, one line of the form says how many cases may be the same; nothing below it moves."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import place_of
from tests.browser.fake_backend import FakeBackend, wait_for

TWIN: dict[str, Any] = {
    "id": 7, "number": "20261124-000007", "type": "complaint", "state": "registered", "title": "幸福里停水两天",
    "created_at": "2026-11-23T02:00:00Z", "area": "城南", "repeats": 0,
    "reasons": [
        {"why": "number", "zh": "同一号码", "en": "same number", "likeness": 0.0},
        {"why": "words", "zh": "内容相似 0.72", "en": "similar 0.72", "likeness": 0.72},
    ],
}  # fmt: skip


@pytest.fixture
def talking(on_shift: Page, fake: FakeBackend) -> Page:
    """In a talk with the case open."""
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    expect(on_shift.get_by_test_id("talking")).to_be_visible()
    return on_shift


def test_a_case_that_may_be_the_same_is_named_with_its_reasons_and_moves_nothing(
    talking: Page, fake: FakeBackend
) -> None:
    line = talking.get_by_test_id("similar")
    expect(line).to_contain_text("没有疑似重复的工单")
    below = talking.get_by_label("具体地址")
    before = place_of(below)
    fake.similar = [TWIN]
    talking.get_by_label("诉求内容").fill("幸福里停水两天")
    expect(line).to_contain_text("疑似重复 1 件")
    assert place_of(below) == before
    asked = fake.similar_asked[-1]
    assert asked["content"] == "幸福里停水两天"
    assert asked["case_id"] == 1
    line.locator("summary").focus()
    talking.keyboard.press("Enter")
    twin = line.get_by_role("link")
    expect(twin).to_contain_text("20261124-000007")
    expect(line).to_contain_text("同一号码")
    expect(line).to_contain_text("内容相似 0.72")
    assert twin.get_attribute("href") == "/cases/7"
    assert "幸福里" not in talking.url


def test_an_emptied_form_names_no_case_and_asks_nothing(talking: Page, fake: FakeBackend) -> None:
    fake.similar = [TWIN]
    content, number = talking.get_by_label("诉求内容"), talking.get_by_label("联系电话")
    content.fill("幸福里停水两天")
    expect(talking.get_by_test_id("similar")).to_contain_text("疑似重复 1 件")
    content.fill("")
    number.fill("")
    expect(talking.get_by_test_id("similar")).to_contain_text("没有疑似重复的工单")
    wait_for(lambda: fake.similar_asked, "a question")
    assert all(one["content"] or one["number"] for one in fake.similar_asked)
