"""Phrases on the pages: the list edited and tried, what was found heard and taken on, a hint while one talks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.actor import SYSTEM
from app.agents.service import actor_for, create_agent
from app.audio import write_wav
from app.auth.model import Role
from app.calls.service import record
from app.db import Database
from app.settings import Settings
from recordings import transcripts
from recordings.lines import Channel, Line
from recordings.store import Store
from tests.browser.conftest import accessibility, place_of, shot
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import NARROW, WIDE
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

CALL, RATE, SECONDS = "h-1.1", 8000, 40
SAID = (
    (Channel.agent, 1_000, "您好，市民热线。"),
    (Channel.citizen, 6_000, "城南停水三天了，什么态度！"),
    (Channel.agent, 14_000, "你提的建议太夫浅。"),
    (Channel.agent, 25_000, "再说一遍。"),
)
Open = Callable[..., Page]


@pytest.fixture
def house(db: Database, world: World, tmp_path: Path) -> World:
    """The city with a recorded talk of agent 1001's, of which is known what was said."""
    settings = Settings(home=tmp_path / "home", database_url=str(db.url), min_free_mb=0)
    settings.ensure_dirs()
    create_agent(db, name="王小丽", agent_id="1001", user_name="a1001", password=PASSWORD)
    world.people["agent"] = actor_for(db, "1001")
    world.people["reviewer"] = world.somebody(Role.quality)
    began = world.now - timedelta(minutes=5)
    ended = began + timedelta(seconds=SECONDS)
    record(db, CALL, number="13800138000", agent_id="1001", started_at=began, answered_at=began, ended_at=ended)
    wav = settings.paths.record_spool / f"{CALL}-1-r.wav"
    write_wav(wav, np.full(RATE * SECONDS, 4000, np.int16), RATE)
    row = Store(settings, db).adopt(CALL, 1, wav, None)
    assert row is not None
    with db.session() as session:
        lines = [Line(channel, at, at + 3_000, text) for channel, at, text in SAID]
        transcripts.put(session, SYSTEM, row.seq, "asr", lines)
    return world


def narrow(page: Page) -> None:
    """The page fits 320 pixels, and axe finds nothing there either."""
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(page) == []
    page.set_viewport_size(WIDE)


def test_a_list_is_edited_and_tried_and_what_was_found_is_heard_and_taken_on(
    house: World, seen_by: Open, tmp_path: Path
) -> None:
    head = seen_by("head", "/quality/phrases")
    expect(head.get_by_test_id("holds")).to_contain_text("我们管不了")
    shot(head, "phrases", tmp_path.parent)
    head.get_by_test_id("edit").click()
    head.get_by_test_id("add-phrase").click()
    new = head.locator("details[open]")
    expect(new.get_by_label("中文名称")).to_be_focused()
    new.get_by_label("中文名称").fill("等着")
    new.get_by_label("英文名称").fill("wait")
    new.get_by_label("各种说法").fill("啊")
    head.get_by_label("坐席可能说的话").fill("那你就等着吧，麻烦您再说一遍")
    head.get_by_test_id("try").click()
    expect(head.get_by_role("alert")).to_contain_text("太短")
    new.get_by_label("各种说法").fill("等着吧\n<b>你等着</b>")
    head.get_by_test_id("try").click()
    expect(head.get_by_test_id("tried").locator("mark")).to_have_text(["等着吧 等着"])
    head.get_by_role("group", name="语言").get_by_text("英语").click()
    head.get_by_role("button", name="存为新的一版").click()
    expect(head.get_by_test_id("error-summary")).to_be_focused()
    head.get_by_role("group", name="语言").get_by_text("普通话").click()
    head.get_by_label("为什么改").fill("来电反映")
    shot(head, "phrases-form", tmp_path.parent)
    narrow(head)
    head.get_by_role("button", name="存为新的一版").click()
    first = head.get_by_test_id("editions").locator("> li").first
    expect(first.get_by_role("listitem")).to_have_text(["等着 新增 等着吧、<b>你等着</b>"])

    page = seen_by("reviewer", "/quality/findings")
    row = page.get_by_role("row", name="1001")
    expect(row.get_by_role("listitem")).to_have_text(
        [
            "没有听到“问还有没有别的事” 0:00",
            "忌语“提的建议太肤浅”（近似） 0:14",
            "没有听到“致谢道别” 0:20",
            "忌语“再说一遍” 0:25",
        ]
    )
    shot(page, "findings", tmp_path.parent)
    narrow(page)
    page.get_by_label("哪一类").select_option("忌语")
    page.get_by_label("哪一条").select_option("普通话 快点说")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_test_id("talk")).to_have_count(0)
    page.get_by_label("哪一条").select_option("普通话 再说一遍")
    page.get_by_role("button", name="筛选").click()
    page.get_by_test_id("pick").click()
    page.wait_for_url("**/quality/reviews/1")
    expect(page.get_by_text("抽取原因：从用语清单选取")).to_be_visible()
    hints = page.get_by_test_id("hints")
    expect(hints.get_by_role("listitem")).to_have_count(4)
    hints.get_by_role("listitem").filter(has_text="再说一遍").get_by_role("button").click()
    expect(page.get_by_test_id("player-time")).to_have_text("0:25 / 0:40")
    expect(page.get_by_test_id("hints-well")).to_contain_text("说了“问候”")
    expect(page.get_by_test_id("transcript").locator(".badge")).to_have_text(
        ["疑似忌语：提的建议太肤浅", "疑似忌语：再说一遍"]
    )
    page.get_by_test_id("look-again").click()
    expect(page.get_by_text("已检查")).to_be_visible()
    shot(page, "phrases-review", tmp_path.parent)
    narrow(page)


def test_a_hint_stands_where_its_place_was_and_moves_nothing(on_shift: Page, fake: FakeBackend, tmp_path: Path) -> None:
    page = on_shift
    fake.offer()
    fake.answer()
    (call_id,) = fake.calls
    place = {"call_id": call_id, "segment": 1}
    fake.emit("call.words", {**place, "side": "agent", "start_ms": 900, "text": "再说一遍", "final": True})
    quiet = page.get_by_test_id("phrase-hints")
    expect(quiet).to_contain_text("只有你看得到")
    below = page.get_by_role("region", name="用语", exact=True)
    before, hold = place_of(below), place_of(page.get_by_test_id("hold"))
    hint = {**place, "kind": "required", "name": ["问候", "greeting"], "at_ms": 900}
    fake.emit(
        "call.hint",
        {**hint, "code": "greeting", "told": "missing", "say": "您好，12345 热线，工号 {id} 为您服务，您有什么事？"},
    )
    expect(quiet).to_contain_text("还没有听到：问候")
    expect(quiet).to_contain_text("工号 1001 为您服务")
    rude = {
        **hint,
        "kind": "forbidden",
        "code": "say_again",
        "told": "said",
        "name": ["<b>再说一遍</b>", "say it again"],
    }
    fake.emit("call.hint", {**rude, "say": "麻烦您再说一遍，好吗？"})
    expect(quiet).to_contain_text("留意用语：<b>再说一遍</b>")
    expect(quiet).to_contain_text("另有 1 条")
    assert (place_of(below), place_of(page.get_by_test_id("hold"))) == (before, hold)
    assert quiet.get_attribute("role") == "status", "told when there is a moment, no alarm"
    shot(page, "phrase-hint", tmp_path.parent)
    assert accessibility(page, whole=True) == []
    fake.emit("call.hint", {**hint, "code": "greeting", "told": "heard", "say": ""})
    expect(quiet).not_to_contain_text("另有")
    fake.end_call()
    expect(quiet).to_have_count(0)
    expect(below.get_by_text("忌语")).to_be_visible()
