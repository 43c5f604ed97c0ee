"""Recordings heard again, and judged: on the real backend, with a small talk on the disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from app.actor import SYSTEM, Actor
from app.agents.service import actor_for, create_agent
from app.audio import write_wav
from app.auth.model import Role
from app.calls.service import record
from app.clock import iso
from app.db import Database
from app.quality.assessment import quarter_of
from app.quality.tables import QualityReview
from app.settings import Settings
from recordings import transcripts
from recordings.lines import Channel, Line
from recordings.store import Store
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, WIDE
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

CALL, RATE, SECONDS, AGO = "h-1.1", 8000, 40, timedelta(minutes=5)
CITY = ZoneInfo("Asia/Shanghai")
SAID = (
    (Channel.agent, 1_000, "您好，12345 热线，工号 1001 为您服务。"),
    (Channel.citizen, 6_000, "城南幸福里停水三天了，水务所电话没人接。"),
    (Channel.agent, 14_000, "这种事，我们管不了。"),
    (Channel.citizen, 20_000, "那我找谁呢？"),
    (Channel.agent, 25_000, "我记下来，转水务局，三个工作日内答复您。"),
)
Open = Callable[..., Page]


def staff(world: World, agent_id: str, name: str) -> Actor:
    """An agent who can sign in."""
    made = create_agent(world.db, name=name, agent_id=agent_id, user_name=f"a{agent_id}", password=PASSWORD)
    return actor_for(world.db, made.agent.agent_id)


@pytest.fixture
def house(db: Database, world: World, tmp_path: Path) -> World:
    """The city with a recorded talk of agent 1001's, of which is known what was said."""
    settings = Settings(home=tmp_path / "home", database_url=str(db.url), min_free_mb=0)
    settings.ensure_dirs()
    world.people["agent"] = staff(world, "1001", "王小丽")
    for who, role in (("reviewer", Role.quality), ("second", Role.quality)):
        world.people[who] = world.somebody(role)
    began = world.now - AGO
    ended = began + timedelta(seconds=SECONDS)
    facts = {"started_at": began, "joined_at": began, "answered_at": began, "ended_at": ended, "outcome": "answered"}
    record(db, CALL, number="13800138000", agent_id="1001", rating=1, **facts)
    t = np.arange(RATE * SECONDS) / RATE
    legs = []
    for side, channel in (("r", Channel.citizen), ("t", Channel.agent)):
        loud = sum(((t > at / 1000) & (t < at / 1000 + 4.0)).astype(float) for one, at, _ in SAID if one is channel)
        wav = settings.paths.record_spool / f"{CALL}-1-{side}.wav"
        voice = np.sin(2 * np.pi * 300 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
        write_wav(wav, (9000 * loud * voice).astype(np.int16), RATE)
        legs.append(wav)
    row = Store(settings, db).adopt(CALL, 1, *legs)
    assert row is not None
    lines = [Line(channel, at, at + 4_000, text) for channel, at, text in SAID]
    with db.session() as session:
        transcripts.put(session, SYSTEM, row.seq, "asr", lines)
    return world


def narrow(page: Page) -> None:
    """The page fits 320 pixels, and axe finds nothing there either."""
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(page) == []
    page.set_viewport_size(WIDE)


def paused(route: Route) -> None:
    """What the call tells of a confidential pause is added to the real answer."""
    answer = route.fetch()
    call: dict[str, Any] = answer.json()
    since = datetime.fromisoformat(call["recordings"][0]["started_at"]) + timedelta(seconds=30)
    until = since + timedelta(seconds=6)
    call["pauses"] = [{"since": iso(since), "until": iso(until), "by_agent": "1001", "ended_by": "agent"}]
    route.fulfill(response=answer, json=call)


def test_a_recording_is_steered_read_commented_and_found_by_its_words(
    house: World, seen_by: Open, tmp_path: Path
) -> None:
    page = seen_by("reviewer")
    page.route(f"**/api/calls/{CALL}", paused)
    seen_by("reviewer", f"/calls/{CALL}")
    wave, when = page.get_by_test_id("wave"), page.get_by_test_id("player-time")
    expect(when).to_have_text("0:00 / 0:40")
    expect(wave.locator("path")).to_have_count(2)
    expect(page.get_by_test_id("pauses")).to_have_text("保密暂停 0:30–0:36")

    wave.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(wave).to_have_attribute("aria-valuenow", "15")
    page.keyboard.press("ArrowLeft")
    expect(when).to_have_text("0:10 / 0:40")
    page.keyboard.press("l")
    expect(when).to_have_text("0:20 / 0:40")
    page.get_by_label("字母快捷键").uncheck()
    page.keyboard.press("l")
    expect(when).to_have_text("0:20 / 0:40")

    transcript = page.get_by_test_id("transcript")
    transcript.get_by_role("button", name="三个工作日").click()
    expect(when).to_have_text("0:25 / 0:40")
    expect(transcript.locator("[aria-current=true]")).to_contain_text("三个工作日")
    wave.press("Home")
    page.get_by_label("速度").select_option("0.75×")
    with page.expect_response("**/api/recordings/1/audio") as answer:
        page.get_by_test_id("play").click()
    assert answer.value.status == 206
    expect(when).not_to_have_text("0:00 / 0:40")
    assert page.evaluate("(a => [a.playbackRate, a.preservesPitch])(document.querySelector('audio'))") == [0.75, True]
    page.get_by_role("group", name="声道").get_by_text("市民").click()
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("play")).to_have_text("播放")

    transcript.get_by_role("button", name="管不了").click()
    page.get_by_role("button", name="添加批注").click()
    comments = page.get_by_test_id("comments")
    expect(comments).to_contain_text("写上批注")
    comments.get_by_role("textbox").fill("<b>这里是忌语</b>")
    page.get_by_role("button", name="添加批注").click()
    expect(comments).to_contain_text("<b>这里是忌语</b>")
    expect(wave.locator(".mark")).to_have_count(1)
    shot(page, "recording", tmp_path.parent)
    assert accessibility(page) == []
    comments.get_by_role("button", name="删除").click()
    expect(comments).to_contain_text("已由本人于")
    narrow(page)

    page.get_by_role("link", name="通话记录", exact=True).click()
    page.get_by_role("link", name="录音检索").click()
    expect(page.get_by_role("heading", name="录音检索")).to_be_visible()
    page.get_by_role("searchbox").fill("停水 水务所")
    page.get_by_role("button", name="筛选").click()
    heard = page.get_by_test_id("heard")
    expect(heard.locator("mark").first).to_have_text("停水")
    assert accessibility(page) == []
    assert "q=" not in page.url
    heard.get_by_role("link").first.click()
    expect(page.get_by_test_id("player-time")).to_have_text("0:06 / 0:40")


def test_a_talk_is_drawn_judged_appealed_and_judged_again(house: World, seen_by: Open, tmp_path: Path) -> None:
    page = seen_by("reviewer", "/quality")
    page.wait_for_url("**/quality/mine")
    page.get_by_label("哪一周").fill(f"{(house.now - AGO).astimezone(CITY):%Y-%m-%d}")
    page.get_by_role("button", name="抽取通话").click()
    expect(page.get_by_text("抽到 1 通")).to_be_visible()
    page.get_by_test_id("review").click()
    expect(page.get_by_text("抽取原因：差评")).to_be_visible()
    hints = page.get_by_test_id("hints")
    hints.get_by_role("listitem").filter(has_text="管不了").get_by_role("button").click()
    expect(page.get_by_test_id("player-time")).to_have_text("0:14 / 0:40")
    form, total = page.get_by_test_id("review-form"), page.get_by_test_id("total")
    form.get_by_role("button", name="发布给坐席").click()
    expect(page.get_by_test_id("error-summary")).to_be_focused()
    expect(page.get_by_test_id("error-summary").get_by_role("listitem")).to_have_count(5)
    for group in ("及时接听", "业务熟练", "首问负责", "态度热情"):
        form.get_by_role("group", name=group).get_by_text("良好").click()
    form.get_by_role("group", name="文明用语").get_by_text("严重").click()
    expect(total).to_have_text("72 分，不合格")
    page.get_by_label("在当前播放位置记一笔").fill("说了“管不了”")
    page.keyboard.press("Enter")
    page.get_by_label("评语").fill("答复前先核对承办单位。")
    shot(page, "review", tmp_path.parent)
    assert accessibility(page) == []
    narrow(page)
    form.get_by_role("button", name="发布给坐席").click()
    expect(page.get_by_test_id("grade")).to_have_text("72 分 D 不合格")

    agent = seen_by("agent", "/quality")
    agent.wait_for_url("**/quality/own")
    expect(agent.get_by_test_id("bell")).to_contain_text("1 条未读")
    seen_by("agent", "/notices")
    agent.get_by_role("link", name="质检单已发布").click()
    agent.wait_for_url("**/quality/reviews/1")
    expect(agent.get_by_test_id("levels")).to_contain_text("严重")
    agent.get_by_role("button", name="0:14", exact=True).click()
    with agent.expect_response("**/api/recordings/1/audio") as answer:
        agent.get_by_test_id("play").click()
    assert answer.value.status == 206, "the agent hears the own talk"
    agent.get_by_role("button", name="申诉").click()
    agent.get_by_role("dialog").get_by_role("button", name="申诉").click()
    expect(agent.get_by_test_id("error-summary")).to_be_focused()
    agent.get_by_label("原因").fill("说的是另一件事，后面已经受理。")
    agent.get_by_role("dialog").get_by_role("button", name="申诉").click()
    expect(agent.get_by_test_id("state")).to_have_text("申诉中")
    expect(agent.get_by_test_id("steps")).to_have_count(0)

    page.reload()
    expect(page.get_by_test_id("state")).to_have_text("申诉中")
    expect(page.get_by_role("button", name="改判")).to_have_count(0)
    head = seen_by("second", "/quality/appeals")
    expect(head.get_by_test_id("review")).to_have_count(1)
    seen_by("second", "/notices")
    head.get_by_role("link", name="质检（1001 ").click()
    head.get_by_role("button", name="改判").click()
    dialog = head.get_by_role("dialog")
    dialog.get_by_role("group", name="文明用语").get_by_text("合格", exact=True).click()
    dialog.get_by_label("原因").fill("语境不是推诿，用语仍需改进。")
    assert accessibility(head) == []
    dialog.get_by_role("button", name="改判").click()
    expect(head.get_by_test_id("grade")).to_have_text("82 分 B")
    expect(head.get_by_role("link", name="申诉")).to_have_text("申诉")  # none waits any more
    expect(head.get_by_test_id("history")).to_contain_text("72 分 → 82 分")
    shot(head, "judged-again", tmp_path.parent)


def test_a_quarter_is_confirmed_and_who_failed_twice_is_trained(
    house: World, page: Page, sits_down: Open, tmp_path: Path
) -> None:
    second = quarter_of(house.now.date())
    first, last = (quarter_of(second.first - timedelta(days=days)) for days in (100, 1))
    if first.year != last.year:  # the year has only begun: both are quarters of the one before
        last = quarter_of(last.first - timedelta(days=1)) if last.number == 1 else last
        first = quarter_of(last.first - timedelta(days=1))
    staff(house, "1002", "李明")
    days: list[date] = [first.first, last.first]
    for n in range(12):
        agent, total = ("1001", 50) if n % 2 else ("1002", 88)
        call_id, day = f"h-q.{n}", days[n % 4 // 2]
        record(house.db, call_id, agent_id=agent, started_at=house.now)
        values = {"call_id": call_id, "agent_id": agent, "reason": "random", "state": "acknowledged"}
        judged = {"reviewer_id": house.people["reviewer"].user_id, "total": total, "passed": total >= 60}
        with house.db.session() as session:
            session.add(QualityReview(**values, **judged, day=day, week=day, drawn_at=house.now))
    head = sits_down("head", f"/quality/quarters?quarter={first}")
    table = head.get_by_test_id("quarter")
    expect(table).to_contain_text("88.0")
    for quarter in (first, last):
        head.get_by_label("季度", exact=True).select_option(str(quarter))
        expect(table.get_by_role("row", name="1001")).to_contain_text("不合格")
        head.get_by_test_id("confirm").click()
        head.get_by_role("dialog").get_by_role("button", name="确认本季度").click()
        expect(head.get_by_test_id("confirm")).to_have_count(0)
    row = table.get_by_role("row", name="1001")
    expect(row).to_contain_text("暂停上岗")
    row.get_by_text("3 通").click()
    expect(row.get_by_role("link")).to_have_count(3)
    shot(head, "quarter", tmp_path.parent)
    assert accessibility(head) == []
    narrow(head)
    row.get_by_role("button", name="登记培训").click()
    head.get_by_label("培训内容").fill("文明用语复训，考核通过。")
    head.get_by_role("dialog").get_by_role("button", name="登记培训").click()
    expect(row).to_contain_text("已培训")
    expect(row).not_to_contain_text("暂停上岗")


def test_criteria_and_rules_are_edited_tried_and_who_is_second_reads_who_was_first(
    house: World, seen_by: Open, tmp_path: Path
) -> None:
    house.people["other head"] = house.somebody(Role.section_head)
    head, other = seen_by("head", "/quality/criteria"), seen_by("other head", "/quality/criteria")
    expect(head.get_by_test_id("holds").locator("dt")).to_have_count(5)
    for page in (head, other):
        page.get_by_test_id("edit").click()
    form, total = head.get_by_test_id("edition-form"), head.get_by_test_id("sum")
    expect(total).to_have_text("权重合计 100 / 100")
    skilled = head.get_by_test_id("criterion-1")
    skilled.get_by_label("权重 %").fill("２０")
    skilled.get_by_label("业务熟练 第 5 级 分值").fill("多少")
    expect(total).to_have_text("权重合计 90 / 100")
    head.get_by_role("button", name="存为新的一版").click()
    summary = head.get_by_test_id("error-summary")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text(["业务熟练 第 5 级 分值 写一个整数", "写明原因或内容"])
    skilled.get_by_label("业务熟练 第 5 级 分值").fill("0")
    head.get_by_label("为什么改").fill("加一项“倾听”")
    head.get_by_role("button", name="存为新的一版").click()
    expect(summary.get_by_role("link")).to_have_text(["权重合计须为 100，现为 90"])
    head.get_by_role("button", name="加一项标准").click()
    new = head.get_by_test_id("criterion-5")
    for label, words in (("中文名称", "倾听"), ("英文名称", "listens"), ("权重 %", "10"),
                         ("看什么（中文）", "是否听完"), ("看什么（英文）", "hears out")):  # fmt: skip
        new.get_by_label(label, exact=True).fill(words)
    for n, (zh, en, points) in enumerate((("好", "good", "100"), ("差", "bad", "30")), 1):
        new.get_by_label(f"倾听 第 {n} 级 中文名称").fill(zh)
        new.get_by_label(f"倾听 第 {n} 级 英文名称").fill(en)
        new.get_by_label(f"倾听 第 {n} 级 分值").fill(points)
    expect(total).to_have_text("权重合计 100 / 100")
    shot(head, "criteria-form", tmp_path.parent)
    narrow(head)
    form.get_by_role("button", name="存为新的一版").click()
    editions = head.get_by_test_id("editions").locator("> li")
    expect(editions).to_have_count(2)
    expect(editions.first).to_contain_text("待生效")
    expect(editions.first.get_by_role("listitem")).to_have_text(["业务熟练 权重：30% → 20%", "倾听 新增 10%"])
    shot(head, "criteria", tmp_path.parent)

    other.get_by_test_id("criterion-0").get_by_label("中文名称", exact=True).fill("接得快")
    other.get_by_label("为什么改").fill("说法")
    other.get_by_role("button", name="存为新的一版").click()
    clash = other.get_by_test_id("edition-clash")
    expect(clash).to_be_focused()
    expect(clash).to_contain_text("刚存了第 1 版")
    expect(clash.get_by_role("listitem")).to_have_text(["业务熟练 权重：30% → 20%", "倾听 新增 10%"])
    expect(other.get_by_test_id("criterion-0").get_by_label("中文名称", exact=True)).to_have_value("接得快")
    shot(other, "criteria-clash", tmp_path.parent)
    assert accessibility(other) == []
    other.get_by_role("button", name="存为新的一版").click()
    expect(other.get_by_test_id("editions").locator("> li")).to_have_count(3)

    seen_by("head", "/quality/sampling")
    head.get_by_test_id("edit").click()
    head.get_by_label("每名坐席每周至少（通）", exact=True).fill("21")
    head.get_by_test_id("preview").click()
    expect(head.get_by_role("alert")).to_contain_text("每名坐席每周至少（通） 须为 0 至 20")
    head.get_by_label("每名坐席每周至少（通）", exact=True).fill("3")
    head.get_by_test_id("preview").click()
    expect(head.get_by_test_id("previewed")).to_contain_text("共 0 通可抽的通话")
    narrow(head)
    head.get_by_label("为什么改").fill("多听一通")
    head.get_by_role("button", name="存为新的一版").click()
    expect(head.get_by_test_id("editions").locator("> li").first).to_contain_text("每名坐席每周至少（通）：2 → 3")
    shot(head, "sampling", tmp_path.parent)

    page = seen_by("reviewer", "/quality/sampling")
    expect(page.get_by_text("要改找处室负责人")).to_be_visible()
    expect(page.get_by_test_id("edit")).to_have_count(0)
    seen_by("reviewer", "/quality/mine")
    expect(page.get_by_text("每名坐席每周至少 2 通，新上岗 4 通")).to_be_visible()
