"""The real chain: a citizen's telephone, Asterisk, menu, queue, the agent's page in a real browser, and telephones that
are listened to. Nothing is played but the people."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.real import (
    AGENT,
    CITIZEN,
    COLLEAGUE,
    OUTSIDE,
    SLOW_MS,
    Desk,
    World,
    hears_music,
    hears_now,
    offered,
    recording,
    seated,
    talk,
)
from tests.drills._hearing import longest_gap
from tests.peers import audio
from tests.peers.waiting import wait_until

TESTS = 12
"""More agents than tests: each has its own."""
BACK_S = 5.0
"""A reloaded page must be back within so many seconds (UX 3)."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("real"), agents=TESTS) as one:
        yield one


@pytest.fixture
def desk(world: World, browser: Browser) -> Iterator[Desk]:
    """An agent who has logged in."""
    with seated(world, browser) as one:
        yield one


def call_id_of(desk: Desk, number: str) -> str:
    """The call of this number, as the list of calls has it."""
    return str(desk.rest("POST", "/api/calls/search", {"q": number})["items"][0]["call_id"])


def test_the_card_is_there_before_the_phone_is_picked_up_and_the_case_is_registered(world: World, desk: Desk) -> None:
    phone = world.phone(desk.account)
    desk.start()

    citizen = offered(world, desk)
    desk.shows("caller-number", f"{citizen.number[:3]} {citizen.number[3:7]} {citizen.number[7:]}")
    expect(desk.see("case-number")).to_have_text(re.compile(r"\d{8}-\d{6}"))
    expect(desk.page.get_by_label("联系电话")).to_have_value(citizen.number)
    expect(desk.see("caller")).to_contain_text("首次来电")
    expect(desk.see("caller")).to_contain_text("普通话")
    number = str(desk.see("case-number").text_content())
    drafts = desk.rest("POST", "/api/cases/search", {"state": "draft", "q": number})["items"]
    assert [one["number"] for one in drafts] == [number], "the draft is stored while it rings"
    phone.wait_ringing()
    assert not [event for event in phone.events if event["type"] == "CALL_ESTABLISHED"]

    phone.pick_up()
    citizen.tone(CITIZEN)
    desk.shows("talking")
    desk.talk_began()
    hears_now(citizen, AGENT)
    phone.wait_hears(CITIZEN)

    page = desk.page
    page.get_by_text("求助", exact=True).first.click()
    page.get_by_label("诉求内容").fill("翠竹园小区停水三天。要求恢复供水。")
    desk.press("用内容首句作标题")
    page.get_by_label("具体地址").fill("翠竹园 3 栋")
    desk.click("register")
    desk.shows("registered", number)

    desk.click("hangup")
    desk.shows("wrap-left", "剩")
    phone.wait_idle()
    call_id = call_id_of(desk, citizen.number)
    desk.click("wrap-finish")
    desk.is_in("ready")
    expect(desk.see("case-form")).to_have_count(0)
    citizen.hang_up()

    stored = desk.rest("POST", "/api/cases/search", {"q": number})["items"][0]
    assert (stored["state"], stored["fields"]["title"]) == ("registered", "翠竹园小区停水三天")
    kept = wait_until(recording(world, call_id), 20, "the recording to be stored")
    assert audio.tone_seconds(kept, CITIZEN, channel=0) > 1.0
    assert audio.tone_seconds(kept, AGENT, channel=1) > 1.0

    # Ready for the next: the queue gives it to the same page.
    again = offered(world, desk)
    assert again.number[-4:] in str(desk.see("caller-number").text_content())


def test_a_citizen_on_hold_hears_music_and_then_the_agent_again(world: World, desk: Desk) -> None:
    phone = world.phone(desk.account)
    desk.start()
    one = talk(world, desk, phone)
    desk.click("hold")
    desk.shows("talking", "已保持")
    hears_music(one.citizen, AGENT)
    desk.click("resume")
    desk.shows("talking", "通话中")
    one.both_hear_each_other()


def test_the_agent_consults_a_number_outside_and_comes_back(world: World, desk: Desk) -> None:
    world.city.answers("02588886666", then=lambda line: line.tone(OUTSIDE))
    phone = world.phone(desk.account)
    desk.start()
    one = talk(world, desk, phone)
    desk.calls("先咨询", "02588886666")
    desk.shows("consult", "正在咨询 第三方 02588886666")
    outside = world.city.wait_incoming(20)
    phone.wait_hears(OUTSIDE)
    hears_now(outside, AGENT)
    hears_music(one.citizen, AGENT)
    assert not one.citizen.hears(OUTSIDE)

    desk.press("回到来电人")
    desk.shows("talking", "通话中")
    expect(desk.see("consult")).to_have_count(0)
    assert outside.wait_ended()
    one.both_hear_each_other()


def test_a_warm_transfer_leaves_citizen_and_colleague_together(world: World, desk: Desk) -> None:
    colleague = world.account()
    second = world.phone(colleague, answer="auto", tone_hz=COLLEAGUE)
    phone = world.phone(desk.account)
    desk.start()
    one = talk(world, desk, phone)
    desk.calls("先咨询", colleague.agent_id)
    desk.shows("consult", colleague.agent_id)
    second.wait_hears(AGENT)
    phone.wait_hears(COLLEAGUE)
    hears_music(one.citizen, AGENT)

    desk.press("完成转接")
    desk.shows("wrap-left")
    phone.wait_idle()
    hears_now(one.citizen, COLLEAGUE)
    second.wait_hears(CITIZEN)
    one.citizen.hang_up()
    second.wait_idle()


def test_in_a_three_way_call_everybody_hears_everybody(world: World, desk: Desk) -> None:
    world.city.answers("02588887777", then=lambda line: line.tone(OUTSIDE))
    phone = world.phone(desk.account)
    desk.start()
    one = talk(world, desk, phone)
    desk.calls("三方通话", "02588887777")
    outside = world.city.wait_incoming(20)
    expect(desk.page.get_by_text("第三方 02588887777")).to_be_visible(timeout=SLOW_MS)
    for hz in (AGENT, OUTSIDE):
        hears_now(one.citizen, hz)
    for hz in (CITIZEN, AGENT):
        hears_now(outside, hz)
    for hz in (CITIZEN, OUTSIDE):
        phone.wait_hears(hz)

    desk.click("hangup")
    desk.shows("wrap-left")
    hears_now(one.citizen, OUTSIDE)
    hears_now(outside, CITIZEN)


def test_a_reload_in_the_middle_of_a_call_loses_nothing_and_the_call_never_notices(world: World, desk: Desk) -> None:
    phone = world.phone(desk.account)
    desk.start()
    one = talk(world, desk, phone)
    number = str(desk.see("case-number").text_content())
    desk.page.get_by_label("诉求内容").fill("刷新前写的，还没有失去焦点")
    before = one.citizen.heard_s()

    began = time.monotonic()
    desk.page.reload(wait_until="commit")
    desk.shows("talking", "通话中")
    expect(desk.see("case-number")).to_have_text(number)
    expect(desk.page.get_by_label("诉求内容")).to_have_value("刷新前写的，还没有失去焦点")
    took = time.monotonic() - began
    assert took < BACK_S
    desk.is_in("talking")
    desk.talk_began()

    one.both_hear_each_other()
    assert longest_gap(one.citizen.heard, AGENT, before) < 0.5, "the citizen heard the agent all the time"
    desk.click("hold")  # the page that came back is in charge
    desk.shows("talking", "已保持")
    desk.page.reload(wait_until="commit")
    desk.shows("talking", "已保持")
    desk.click("resume")
    one.both_hear_each_other()


def test_a_second_tab_of_the_same_agent_shows_the_same_and_can_do_the_same(world: World, desk: Desk) -> None:
    phone = world.phone(desk.account)
    desk.start()
    one = talk(world, desk, phone)
    number = str(desk.see("case-number").text_content())
    second = desk.another_tab()
    second.shows("talking", "通话中")
    expect(second.see("case-number")).to_have_text(number)
    second.click("hold")
    for tab in (desk, second):
        tab.shows("talking", "已保持")
    desk.click("resume")
    second.shows("talking", "通话中")
    one.both_hear_each_other()
    desk.page.close()
    one.both_hear_each_other()
    second.click("hangup")
    second.shows("wrap-left")
