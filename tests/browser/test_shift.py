"""A shift at the page with a headset, from the check before it to the end of the wrap-up, with real telephones all
round: everything that the agent does is a key."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from app.actor import SYSTEM
from app.db import Database
from app.units.fields import Phone
from app.units.model import PhoneKind
from app.units.service import create
from tests.browser.conftest import shot
from tests.browser.headsets import in_talk, page_hears, says, with_headset
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
)
from tests.drills._hearing import longest_gap
from tests.peers import audio
from tests.peers.waiting import wait_until

UNIT, BUREAU = "02588886666", "城南水务局"
USED_MICROPHONE = "JSON.parse(localStorage.getItem('hotline.phone.devices')).microphone.label"
RINGER, EARPIECE = "Fake Audio Output 1", "Fake Audio Output 2"
CHECKED_S = 3.0
"""The check before a shift takes no longer (UX 2)."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hotline that knows one unit by its number."""
    with World(tmp_path_factory.mktemp("shift"), agents=3) as one:
        db = Database(one.system.settings.url)
        with db.session() as session:
            centre = create(session, SYSTEM, {"code": "HUB", "name": "中心", "kind": "centre"})
            named = {"code": "CSWS", "name": BUREAU, "kind": "bureau"}
            create(session, SYSTEM, named, [Phone(PhoneKind.voice, UNIT, "")], parent_id=centre.id)
        db.dispose()
        yield one


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with says(playwright, tmp_path_factory.mktemp("one"), AGENT) as one:
        yield one


@pytest.fixture(scope="module")
def other_chromium(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with says(playwright, tmp_path_factory.mktemp("other"), COLLEAGUE) as one:
        yield one


@pytest.fixture
def desks(world: World, chromium: Browser, other_chromium: Browser) -> Iterator[tuple[Desk, Desk]]:
    """Two agents with headsets, who say different tones."""
    both = with_headset(world, chromium), with_headset(world, other_chromium)
    yield both
    world.forget()
    for one in both:
        one.context.close()
    assert not [one.problems for one in both if one.problems]


def begins(desk: Desk) -> float:
    """The agent begins the shift, and is ready by a key once the check is passed; how long it took, s."""
    desk.click("start")
    desk.is_in("not_ready")
    began = time.monotonic()
    expect(desk.see("check")).to_have_count(0, timeout=SLOW_MS)
    took = time.monotonic() - began
    expect(desk.see("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
    desk.page.keyboard.press("F8")
    desk.is_in("ready")
    return took


def writes_the_case(page: Page) -> None:
    """Type, title and content by keys alone, beginning with what is missing."""
    keys = page.keyboard
    keys.press("F9")
    expect(page.get_by_test_id("error-summary")).to_be_focused()
    for key in ("Tab", "Enter", "Space", "Tab"):
        keys.press(key)
    keys.type("翠竹园小区停水三天，要求恢复供水。")
    keys.press("Tab")
    keys.type("停水三天")
    keys.press("F9")
    expect(page.get_by_test_id("registered")).to_be_visible()


def chooses(page: Page, way: str, number: str) -> None:
    """⇧F8, the number, and Tab to the way that is wanted."""
    page.keyboard.press("Shift+F8")
    expect(page.get_by_label("转给")).to_be_focused()
    page.keyboard.type(number)
    wanted = page.get_by_role("dialog").get_by_role("button", name=way)
    for _ in range(12):
        page.keyboard.press("Tab")
        if wanted.evaluate("button => button === document.activeElement"):
            break
    expect(wanted).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_shift_at_the_page_by_keys_alone(world: World, desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    desk, colleague = desks
    page, keys = desk.page, desk.page.keyboard
    world.city.answers(UNIT, then=lambda line: line.tone(OUTSIDE))

    assert begins(desk) < CHECKED_S
    # Ringing goes to one loudspeaker, the talk to another. (Like the microphone below: there is no key for it.)
    desk.click("phone-settings")
    for device, label in (("铃声从这里响", RINGER), ("听筒（耳机）", EARPIECE)):
        page.get_by_label(device, exact=True).select_option(label=label)
    keys.press("Escape")
    citizen = offered(world, desk)
    wait_until(lambda: page.evaluate("playsOn()") == [RINGER], 10, "it to ring there alone")
    in_talk(world, desk, citizen)
    page_hears(desk, CITIZEN)
    wait_until(lambda: page.evaluate("playsOn()") == [EARPIECE], 10, "the citizen to be heard there alone")
    shot(page, "talk", tmp_path)

    # Muted: at once, and nobody hears the agent, who still hears.
    keys.press("F8")
    desk.shows("muted", "已静音")
    wait_until(lambda: not citizen.hears(AGENT), 5, "the citizen not to hear the agent")
    page_hears(desk, CITIZEN)
    keys.press("F8")
    hears_now(citizen, AGENT)

    # Another microphone in the middle of the talk: nobody hears a gap. (The only thing here for which there is no key.)
    before = citizen.heard_s()
    desk.click("phone-settings")
    page.get_by_label("麦克风").select_option(label="Fake Audio Input 2")
    keys.press("Escape")
    writes_the_case(page)
    hears_now(citizen, AGENT)
    assert longest_gap(citizen.heard, AGENT, before) < 0.5
    assert page.evaluate(USED_MICROPHONE) == "Fake Audio Input 2"

    # A unit joins: all hear all.
    chooses(page, "三方通话", UNIT)
    unit = world.city.wait_incoming(20)
    for hz in (AGENT, OUTSIDE):
        hears_now(citizen, hz)
    for hz in (CITIZEN, AGENT):
        hears_now(unit, hz)
    page_hears(desk, CITIZEN, OUTSIDE)
    desk.shows("parties", f"{BUREAU} {UNIT}")
    page.evaluate("scrollTo(0, 0)")
    shot(page, "three-way", tmp_path)
    unit.hang_up()
    hears_now(citizen, AGENT)
    page_hears(desk, CITIZEN)

    # A colleague is asked first, then gets the citizen.
    begins(colleague)
    chooses(page, "先咨询", colleague.account.agent_id)
    colleague.shows("colleague-rings")
    assert not colleague.see("hangup").count(), "nothing is answered by itself"
    colleague.page.keyboard.press("F2")
    page_hears(colleague, AGENT)
    page_hears(desk, COLLEAGUE)
    hears_music(citizen, AGENT)
    keys.press("F4")
    expect(desk.see("call-menu").get_by_role("button", name="完成转接")).to_be_enabled()
    keys.press("c")
    hears_now(citizen, COLLEAGUE)
    page_hears(colleague, CITIZEN)
    assert not citizen.hears(AGENT)

    desk.shows("wrap-left", "剩")
    number = str(desk.see("registered").text_content())
    keys.press("F8")
    desk.is_in("ready")

    # The headset is pulled out: no call comes, and the page says what to do.
    page.evaluate("plug(false)")
    desk.is_in("not_ready")
    desk.shows("check-fault", "插好耳机")
    expect(desk.see("ready")).to_be_disabled()

    colleague.page.keyboard.press("Shift+F2")
    colleague.shows("wrap-left")
    citizen.hang_up()

    case = re.search(r"\d{8}-\d{6}", number)
    assert case is not None
    stored = desk.rest("POST", "/api/cases/search", {"q": case[0]})["items"][0]
    assert (stored["state"], stored["fields"]["title"]) == ("registered", "停水三天")
    call_id = str(desk.rest("POST", "/api/calls/search", {"q": citizen.number})["items"][0]["call_id"])
    kept = wait_until(recording(world, call_id), 20, "the recording to be stored")
    assert audio.tone_seconds(kept, CITIZEN, channel=0) > 1.0
