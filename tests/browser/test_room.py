"""The supervisor's room in a browser: the floor by keys, alerts on every page, figures that lead to their calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility, shot
from tests.browser.fake_backend import FakeBackend, now_ms, wait_for
from tests.browser.samples import board, room


def a_busy_floor(fake: FakeBackend) -> None:
    """Two agents ask for help, the first long ago; one alert is known, one is not."""
    now = now_ms()
    fake.board = board.board(now, waiting=4)
    fake.board["agents"][1]["call"] |= {"help_ms": now - 42_000, "paused": True}
    fake.board["agents"][3]["page_lost_ms"] = now - 40_000
    fake.board["agents"][4]["name"] = "<b>" + "欧阳" * 60
    fake.board["help"] = [
        {"call_id": "hotline1-8.1", "agent_id": "1002", "name": "陈晓", "since_ms": now - 42_000},
        {"call_id": "hotline1-8.5", "agent_id": "1006", "name": "王小丽", "since_ms": now - 5_000},
    ]
    fake.board["alerts"] = [
        room.alert("none_ready", now),
        room.alert("longest_wait", now, acked_by="赵班长", acked_ms=now - 9_000),
        room.alert("long_talk", now, "1003", name="李明", acked_by="王班长", acked_ms=now - 9_000),
    ]


def test_the_floor_is_led_by_keys_alone_and_nothing_moves_under_the_hand(
    sign_in: Callable[..., Page], fake: FakeBackend, tmp_path: Path
) -> None:
    a_busy_floor(fake)
    page = sign_in("/room")
    rows = page.get_by_test_id("agents").locator("tbody tr")
    expect(rows).to_have_count(14)
    expect(rows.nth(1)).to_contain_text("求助中")
    expect(rows.nth(3)).to_contain_text("页面断开")
    for number, age, word in ((10, "long", "过长"), (12, "look", "偏长"), (7, "plain", "7:2")):
        expect(rows.nth(number)).to_have_attribute("data-age", age)
        expect(rows.nth(number)).to_contain_text(word)
    expect(page.get_by_test_id("figure-depth")).to_contain_text("未达标")
    assert page.get_by_text("<b>欧阳").count() == 1  # a name is text
    shot(page, "room-floor", tmp_path)
    assert accessibility(page) == []

    # F9 goes to who asked first, and that is heard by the agent alone.
    page.keyboard.press("F9")
    wait_for(lambda: fake.commanded("call.oversee"), "the supervisor to come")
    assert fake.commanded("call.oversee")[-1]["args"] == {"call_id": "hotline1-8.1", "mode": "whisper"}
    expect(rows.nth(1).get_by_test_id("overseen")).to_have_text("密语中")
    page.keyboard.press("F8")
    expect(page.get_by_test_id("alerts").get_by_text("李班长 已于")).to_be_visible()
    assert [one["args"]["alert_id"] for one in fake.commanded("alert.acknowledge")] == ["none_ready::1"]

    # Arrows walk, letters act on the row, and only there.
    page.keyboard.press("b")
    page.locator("[data-row='1001']").focus()
    page.keyboard.press("ArrowDown")
    for key, mode, word in (("b", "barge", "强插中"), ("l", "listen", "监听中")):
        page.keyboard.press(key)
        wait_for(lambda mode=mode: fake.commanded("call.oversee")[-1]["args"]["mode"] == mode, f"to {mode}")
        expect(rows.get_by_text(word)).to_be_visible()
    assert len(fake.commanded("call.oversee")) == 3
    # Two letters at once: the second is another wish, and does not wait for the first.
    held = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}))"
    page.evaluate("for (const key of ['w', 'w', 'l']) " + held)
    wait_for(lambda: len(fake.commanded("call.oversee")) == 5, "both to be asked for")
    assert [one["args"]["mode"] for one in fake.commanded("call.oversee")[3:]] == ["whisper", "listen"]
    page.keyboard.press("x")
    wait_for(lambda: fake.commanded("call.oversee_end"), "the end of it")

    # While the focus is in the rows somebody goes and somebody comes: the rows stay where they are.
    top = rows.nth(5).bounding_box()
    agents = [one for one in fake.board["agents"] if one["agent_id"] != "1003"]
    fresh = {**fake.board["agents"][0], "agent_id": "0999", "name": "新来"}
    fake.show_board(agents=[*agents, fresh], help=[], alerts=[])
    expect(rows.nth(14)).to_have_attribute("data-agent", "0999")
    expect(rows.nth(2)).to_contain_text("离线")
    assert rows.nth(5).bounding_box() == top
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1004")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog.get_by_text("选择一个状态").first).to_be_visible()
    dialog.get_by_text("示忙", exact=True).click()
    dialog.get_by_text("会议").click()
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_have_count(0)
    asked = {"agent_id": "1004", "state": "not_ready", "reason": "meeting"}
    assert fake.commanded("agent.set_state")[-1]["args"] == asked
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(2, 2)
    fake.show_board()
    expect(rows.nth(0)).to_have_attribute("data-agent", "0999")
    expect(rows).to_have_count(14)

    # Those of one state, and one of them changes it under the pointer.
    page.get_by_role("navigation", name="按状态查看").get_by_role("link", name="通话中").click()
    expect(rows).to_have_count(5)
    rows.nth(0).hover()
    now_ready = {**fake.board["agents"][1], "state": "ready", "call": None}
    fake.show_board(agents=[now_ready if one["agent_id"] == "1002" else one for one in fake.board["agents"]])
    expect(rows.nth(0)).to_contain_text("示闲")
    expect(rows).to_have_count(5)
    page.mouse.move(2, 2)
    expect(rows).to_have_count(4)


def test_an_alert_is_told_once_on_every_page_on_the_wall_and_kept_in_a_list(
    sign_in: Callable[..., Page], fake: FakeBackend, tmp_path: Path
) -> None:
    page = sign_in("/cases", "boss")
    expect(page.get_by_test_id("alert-mark")).to_have_text("预警0")
    fake.show_board(alerts=[room.alert("connect_24h", now_ms()), room.alert("disk", now_ms())])
    expect(page.get_by_test_id("alert-mark")).to_have_text("预警2")
    expect(page.get_by_text("24 小时接通率偏低 等 2 项预警")).to_be_visible()
    page.goto(f"{fake.base}/wallboard")
    expect(page.get_by_test_id("wall-alerts")).to_contain_text("2 项预警：24 小时接通率偏低")
    assert page.get_by_text("等 2 项预警").count() == 0  # told already
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert page.evaluate(
        "document.documentElement.scrollHeight <= 1080 && document.documentElement.scrollWidth <= 1920"
    )
    shot(page, "room-wall", tmp_path)
    page.get_by_test_id("alert-mark").click()
    expect(page.get_by_role("row").filter(has_text="陈晓")).to_contain_text("历时 5:00")
    page.get_by_role("button", name=re.compile("知道了.*录音磁盘空间不足")).click()
    expect(page.get_by_test_id("alert-mark")).to_have_text("预警1")
    shot(page, "room-alerts", tmp_path)
    assert accessibility(page) == []
    # Without a staff number nobody can listen, and the page says so.
    page.get_by_role("link", name="现场").click()
    expect(page.get_by_text("您没有工号，不能监听")).to_be_visible()
    expect(page.get_by_role("button", name="监听：1002 陈晓")).to_be_disabled()


def test_a_rule_is_changed_beside_somebody_elses_change_without_losing_what_was_typed(
    sign_in: Callable[..., Page], fake: FakeBackend, tmp_path: Path
) -> None:
    page = sign_in("/room/rules", "boss")
    row = page.get_by_role("row").filter(has_text="24 小时接通率偏低")
    expect(row).to_contain_text("< 95%")
    assert accessibility(page) == []
    row.get_by_role("button").click()
    fake.office.alert_rules[4] |= {"raise_at": 0.9, "version": 1}
    field = page.get_by_label("低于多少时预警")
    field.fill("九成")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("填写一个数").first).to_be_visible()
    field.fill("92.5")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("别人刚刚改过这条规则")).to_be_visible()
    expect(field).to_have_value("92.5")
    shot(page, "room-rule", tmp_path)
    page.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("< 92.5%")
    assert fake.office.alert_rules[4]["version"] == 2


@pytest.mark.parametrize(
    ("path", "table", "says"), [("figures", "figures", "来电：本期"), ("staffing", "staffing", "人力不足")]
)
def test_chart_and_table_say_the_same_and_a_figure_leads_to_its_calls(
    sign_in: Callable[..., Page], fake: FakeBackend, tmp_path: Path, path: str, table: str, says: str
) -> None:
    page = sign_in(f"/room/{path}", "boss")
    expect(page.get_by_role("img", name=says).locator("canvas")).to_be_visible()
    rows = page.get_by_test_id(table).locator("tbody tr")
    if path == "staffing":
        expect(rows.filter(has_text="10:00–")).to_contain_text("缺")
        expect(rows.filter(has_text="09:30–")).to_contain_text("足够")
    shot(page, f"room-{path}", tmp_path)
    assert accessibility(page) == []
    rows.filter(has_text="10:00–").get_by_role("link").first.click()
    expect(page.get_by_test_id("counted")).to_contain_text("11-24 10:00 – 11-24 10:30")
    assert "result=joined" in page.url
    page.set_viewport_size({"width": 320, "height": 800})
    page.go_back()
    expect(page.get_by_test_id(table)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 320")
