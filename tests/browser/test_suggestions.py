"""From words to card: what was heard lies beside it with its second, and gets onto it only by an act of the agent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from app.understanding.routes import SuggestionOut
from tests.browser.conftest import accessibility, place_of, shot
from tests.browser.fake_backend import FakeBackend, wait_for
from tests.browser.samples import calls

Json = dict[str, Any]
CALL = "hotline1-1.1"


def heard(kind: str, value: str, quote: str = "", at: int | None = 2_000, sure: float = 0.9, **more: Any) -> Json:
    """A suggestion as the server tells it."""
    moments = {"start_ms": at, "end_ms": None if at is None else at + 900}
    base = {"kind": kind, "value": value, "label": "", "quote": quote or value, "confidence": sure, **moments}
    return SuggestionOut(**{**base, "source": "live:1", "audio_url": None, **more}).model_dump(mode="json")


LIVE = [
    heard("type", "complaint", "投诉"),
    heard("telephone", "13800138000", "幺三八零零幺三八零零零", 12_000),
    heard("address", "人民路120号", "人民路一百二十号", 4_000),
    heard("moment", "2026-11-23T15:00", "昨天下午三点", 6_000),
    heard("other_telephone", "55551234", "五五五五一二三四", 15_000, 0.4),
]


def say(fake: FakeBackend, text: str, at: int, side: str = "citizen", final: bool = True) -> None:
    """Something is said in the talk."""
    words = {"call_id": CALL, "segment": 1, "side": side, "start_ms": at, "text": text, "final": final}
    fake.emit("call.words", words)


def stored(fake: FakeBackend, name: str) -> str:
    """A field of the first case as the server has it."""
    return str(fake.cases[1]["fields"][name])


def row(page: Page, kind: str) -> Any:
    """One suggestion in the opened list."""
    return page.get_by_test_id("said-panel").locator(f"li[data-kind={kind}]")


def test_what_is_heard_in_a_talk_is_taken_by_a_person_only_and_moves_nothing(
    on_shift: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    expect(page.get_by_test_id("talking")).to_be_visible()
    content, address = page.get_by_label("诉求内容"), page.get_by_label("具体地址")
    content.fill("我写的")
    places = [place_of(one) for one in (content, address, page.get_by_test_id("register"))]
    fake.said_live = LIVE
    say(fake, "您好", 300, side="agent")
    say(fake, "我住人民路", 4_000, final=False)
    say(fake, "我住人民路一百二十号", 4_000)
    button = page.get_by_test_id("said")
    expect(button).to_contain_text("听到 5 项")
    assert fake.said_asked == [{"said": [{"segment": 1, "start_ms": 4_000, "text": "我住人民路一百二十号"}]}]
    assert [place_of(one) for one in (content, address, page.get_by_test_id("register"))] == places, "nothing moved"
    wait_for(lambda: stored(fake, "content") == "我写的", "what was typed to be stored")
    assert (stored(fake, "type"), stored(fake, "address")) == ("", ""), "nothing is on the card"

    # One key to the list, one for each value; a second press of the same does nothing more.
    page.keyboard.press("F6")
    expect(row(page, "type").locator("[data-take]")).to_be_focused()
    assert [place_of(one) for one in (content, address, page.get_by_test_id("register"))] == places
    expect(row(page, "address")).to_contain_text("“人民路一百二十号”")
    expect(row(page, "address")).to_contain_text("0:04")
    expect(row(page, "other_telephone")).to_contain_text("不太确定")
    shot(page, "heard", tmp_path)
    assert accessibility(page, whole=True) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(address).to_have_value("人民路120号")
    expect(row(page, "address")).to_contain_text("已填入")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Delete")
    expect(row(page, "telephone")).to_contain_text("已略过")

    # What comes meanwhile waits: the rows stand still.
    before = [place_of(row(page, kind)) for kind in ("type", "telephone", "address", "moment")]
    fake.said_live = [heard("name", "王", "我姓王"), *LIVE, heard("area", "城北区")]
    say(fake, "我姓王", 8_000)
    wait_for(lambda: len(fake.said_asked) == 2, "the new words to be asked for")
    assert [place_of(row(page, kind)) for kind in ("type", "telephone", "address", "moment")] == before

    # All that are sure, together: what stands on the card stays, and is joined by a line.
    page.keyboard.press("Shift+F6")
    expect(content).to_have_value("我写的\n时间：2026-11-23 15:00（昨天下午三点）")
    expect(page.locator("input[name=case-type][value=complaint]")).to_be_checked()
    expect(page.get_by_label("联系电话")).to_have_value("13912345678")
    expect(page.get_by_label("区域", exact=True)).to_have_value("城南区")
    expect(page.get_by_label("来电人姓名")).to_have_value("张建国")
    row(page, "moment").locator("[data-other]").click()
    expect(content).to_have_value("我写的")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("said-panel")).to_have_count(0)
    expect(button).to_contain_text("听到 1 项")  # the one that is unsure

    # What was turned down or taken back does not come back: not with new words, and not after a reload.
    say(fake, "电话幺三八零零幺三八零零零", 20_000)
    wait_for(lambda: len(fake.said_asked) == 3, "the words to be asked for again")
    expect(button).to_contain_text("听到 1 项")
    wait_for(lambda: stored(fake, "content") == "我写的", "the card to be stored")
    page.reload()
    expect(page.get_by_test_id("talking")).to_be_visible()
    say(fake, "再说一遍", 30_000)
    expect(button).to_contain_text("听到 1 项")

    # Who asks for secrecy is listened to no more.
    page.get_by_label("来电人要求保密", exact=False).check()
    expect(button).to_have_count(0)
    asked = len(fake.said_asked)
    say(fake, "别告诉别人", 40_000)
    expect(page.get_by_test_id("live-words")).to_contain_text("别告诉别人")
    page.get_by_label("来电人要求保密", exact=False).uncheck()
    expect(button).to_have_count(0)
    say(fake, "可以公开", 50_000)
    wait_for(lambda: len(fake.said_asked) > asked, "words to be asked for again")
    assert len(fake.said_asked) == asked + 1, "what was said in between was not asked for by itself"

    # When the talk is over and stored, its seconds can be heard; the values are there until the card is put away.
    expect(button).to_contain_text("听到 1 项")
    fake.recorded = [{"id": 5, "call_id": CALL, "segment": 1, "audio_url": "/api/recordings/5/audio"}]
    fake.end_call()
    expect(page.get_by_test_id("wrapup")).to_be_visible()
    expect(page.get_by_test_id("live-words")).to_have_count(0)
    page.keyboard.press("F6")
    with page.expect_request(lambda request: request.url.endswith("/api/recordings/5/audio")):
        row(page, "other_telephone").get_by_role("button", name="从 0:15 听").click()


def test_a_message_that_became_a_draft_is_heard_from_the_second_of_each_value(
    sign_in: Callable[..., Page], fake: FakeBackend, tmp_path: Path
) -> None:
    sound = {"source": "voicemail:1", "audio_url": "/api/voicemails/1/audio"}
    fake.cases[1] = {**calls.case(1, None), "source": "voicemail"}
    fake.cases[1]["fields"] = {**calls.NO_FIELDS, "caller_number": "13912345678"}
    html = "<img src=x onerror=\"document.title='hacked'\">"
    fake.said = [
        heard("matter", f"停水三天{html}", at=1_000, **sound),
        heard("name", "王", "我姓王", 6_000, **sound),
        heard("unit", "WATER", "停水", 1_000, 0.7, label="水务局", **sound),
        heard("case_number", "20261101-000088", "二零二六一一零一零零零零八八", None, **sound),
    ]
    page = sign_in("/agent")
    page.get_by_role("button", name="继续填写").click()
    expect(page.get_by_test_id("said")).to_contain_text("听到 4 项")
    page.get_by_test_id("said").click()
    with page.expect_request(lambda request: request.url.endswith("/api/voicemails/1/audio")):
        row(page, "name").get_by_role("button", name="从 0:06 听").click()
    page.wait_for_function("document.querySelector('#said-panel audio').getAttribute('src').endsWith('/1/audio')")
    expect(row(page, "case_number").get_by_role("button", name="听")).to_have_count(0)
    page.get_by_test_id("said-all").dblclick()
    expect(page.get_by_label("诉求内容")).to_have_value(f"停水三天{html}\n提到工单：20261101-000088")
    expect(page.get_by_label("来电人姓名")).to_have_value("王")
    wait_for(lambda: stored(fake, "proposed_unit") == "WATER", "the unit to be stored")
    assert page.locator("img[src=x]").count() == 0
    assert "hacked" not in page.title()
    assert fake.said_asked == [], "there is no talk"
    page.set_viewport_size({"width": 320, "height": 800})
    row(page, "unit").scroll_into_view_if_needed()
    shot(page, "narrow", tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(page) == []
