"""The page's own telephone in a real Chromium: registering, a talk with sound both ways, what a reload does to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, WebSocketRoute, expect

from tests.browser.fake_backend import FakeBackend
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
)
from tests.peers.agi import AgiChannel
from tests.peers.network import Line
from tests.peers.waiting import wait_until

TESTS = 16
BACK_S = 5.0
"""A talk that a window took with it must be back within so many seconds (UX 3, 4)."""
LOOKS_S = 3.0
"""A new window needs longer to find out that a talk is lost than one that was told."""
RINGING = 440
"""As near as the page can tell it: the exchange's ringing tone has 450 Hz."""
CALLS_BACK = """
queues:
  general:
    callback: {offer_after_s: null, windows: [{from: "00:00", to: "24:00"}]}
"""


@pytest.fixture(scope="module")
def talkative(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium with a microphone that says a tone."""
    with says(playwright, tmp_path_factory.mktemp("microphone")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hotline whose queue calls back those who choose it."""
    one = World(tmp_path_factory.mktemp("webrtc"), agents=TESTS)
    one.system.home.mkdir()
    one.system.settings.paths.queues.write_text(CALLS_BACK)
    with one:
        yield one


@pytest.fixture
def seats(world: World, talkative: Browser) -> Iterator[Callable[[], Desk]]:
    """`seats()` seats an agent who has logged in and chosen the browser phone for the shift."""
    taken: list[Desk] = []

    def seat() -> Desk:
        taken.append(with_headset(world, talkative))
        return taken[-1]

    yield seat
    world.forget()
    for one in taken:
        one.context.close()
    assert not [one.problems for one in taken if one.problems]


@pytest.fixture
def desk(seats: Callable[[], Desk]) -> Desk:
    """One such agent."""
    return seats()


@contextmanager
def taken_back(world: World, within_s: float = BACK_S) -> Iterator[None]:
    """What is done inside costs the agent the talk; the page picks it up again by itself, soon enough."""
    mark = world.manager.mark()
    began = time.monotonic()
    yield
    world.manager.wait_event("DialEnd", 20, mark, DialStatus="ANSWER")
    assert time.monotonic() - began < within_s


@pytest.mark.parametrize("once_held", [False, True], ids=["in a plain talk", "in a room"])
def test_a_reload_cuts_the_sound_but_not_the_citizen_who_is_taken_back_within_seconds(
    world: World, desk: Desk, once_held: bool
) -> None:
    desk.start()
    citizen = in_talk(world, desk)
    if once_held:
        desk.click("hold")
        desk.shows("talking", "已保持")
        desk.click("resume")
        hears_now(citizen, AGENT)
    desk.page.get_by_label("诉求内容").fill("刷新前写的")
    number = str(desk.see("case-number").text_content())

    with taken_back(world):
        desk.page.reload(wait_until="commit")
    assert not citizen.ended.is_set()
    desk.shows("talking")
    hears_now(citizen, AGENT)
    page_hears(desk, CITIZEN)
    expect(desk.see("case-number")).to_have_text(number)
    expect(desk.page.get_by_label("诉求内容")).to_have_value("刷新前写的")
    expect(desk.see("phone-cut")).to_have_count(0)


def test_the_page_says_at_once_when_the_telephone_is_cut_off_and_comes_back_by_itself(desk: Desk) -> None:
    lines: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        if len(lines) != 1:  # the first try after the cut fails
            socket.connect_to_server()
        else:
            socket.close(code=1011)
        lines.append(socket)

    desk.page.route_web_socket(lambda url: url.startswith("wss:"), connect)
    desk.page.reload()
    desk.page.get_by_text("浏览器电话", exact=True).click()
    desk.start()
    lines[0].close(code=1011)
    desk.shows("phone-trouble", "浏览器电话没有连上")
    expect(desk.see("phone")).to_contain_text("话机未注册")
    expect(desk.see("phone-trouble")).to_have_count(0, timeout=SLOW_MS)
    expect(desk.see("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
    assert len(lines) == 3


def test_a_wrong_account_is_never_shown_as_registered(desk: Desk) -> None:
    def spoil(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "password": "wrong"})

    desk.page.route("**/api/agents/me/browser-phone", spoil)
    desk.click("start")
    desk.shows("phone-trouble", "交换机没有接受浏览器电话")
    expect(desk.see("phone")).to_contain_text("话机未注册")


def test_the_password_is_in_no_address_and_no_log(world: World, desk: Desk) -> None:
    secret = desk.account.secret
    addresses: list[str] = []
    said: list[str] = []
    desk.page.on("request", lambda request: addresses.append(request.url))
    desk.page.on("websocket", lambda socket: addresses.append(socket.url))
    desk.page.on("console", lambda message: said.append(message.text))
    desk.start()
    assert any(address.startswith("wss:") for address in addresses)
    assert not [text for text in (*addresses, *said) if secret in text]
    logs = [*(world.system.home / "log").glob("*"), *(world.system.home / "asterisk/log").glob("*")]
    assert [log.name for log in logs if log.is_file()]
    assert not [log.name for log in logs if log.is_file() and secret in log.read_text(errors="replace")]
    kept = desk.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert secret not in kept


def test_one_window_has_the_telephone_and_every_window_can_answer(world: World, desk: Desk) -> None:
    desk.start()
    second = desk.another_tab()
    second.is_in("ready")
    citizen = offered(world, desk)
    second.shows("ringing")
    second.page.keyboard.press("F2")
    citizen.tone(CITIZEN)
    second.talk_began()
    hears_now(citizen, AGENT)
    page_hears(desk, CITIZEN)
    second.click("hangup")
    second.shows("wrap-left")

    second.click("wrap-finish")
    again = in_talk(world, second)
    with taken_back(world):  # whoever is left takes both over, the telephone and the talk
        desk.page.close()
    second.shows("talking")
    hears_now(again, AGENT)
    page_hears(second, CITIZEN)


def test_a_window_that_crashes_in_a_talk_leaves_the_citizen_to_the_next(world: World, desk: Desk) -> None:
    desk.start()
    citizen = in_talk(world, desk)
    desk.page.evaluate("crashes = true")
    desk.page.close()
    with taken_back(world, BACK_S + LOOKS_S):
        second = desk.another_tab()
    assert not citizen.ended.is_set()
    second.talk_began()
    hears_now(citizen, AGENT)
    page_hears(second, CITIZEN)


def test_dialling_out_needs_one_click_and_the_keypad_reaches_the_other_end(world: World, desk: Desk) -> None:
    pressed: list[str] = []

    def machine(line: Line) -> None:
        line.tone(OUTSIDE)

        def listen(channel: AgiChannel) -> None:
            while len(pressed) < 3:
                pressed.append(chr(channel.command("WAIT FOR DIGIT 20000")[0]))

        line.do(listen)

    world.city.answers("02566668888", then=machine)
    desk.start()
    desk.page.get_by_label("拨号", exact=True).fill("02566668888")
    desk.page.get_by_label("拨号", exact=True).press("Enter")
    outside = world.city.wait_incoming(20)
    desk.shows("talking", "去电")
    hears_now(outside, AGENT)
    page_hears(desk, OUTSIDE)
    desk.page.get_by_text("按键", exact=True).click()
    for key in "4#2":
        desk.page.get_by_role("button", name=f"按 {key}", exact=True).click()
        wait_until(lambda expected=key: pressed[-1:] == [expected], 10, f"the other end to hear the key {key}")
    desk.click("hangup")
    assert outside.wait_ended()


def asks_to_be_called(world: World, number: str) -> list[Line]:
    """A citizen waits in line, chooses a call-back and hangs up; the lines on which they are called, once they are."""
    lines: list[Line] = []

    def answers(line: Line) -> None:
        lines.append(line)
        line.tone(COLLEAGUE)

    world.city.answers(number, ring_s=6, then=answers)
    caller = world.call(number)
    mark = world.manager.mark()
    world.wants_a_person(caller)
    call = world.manager.wait_event("AcdJoin", 30, mark, Number=number)["Call"]
    caller.press("2")
    world.manager.wait_event("AcdKey", 10, mark, Call=call, Key="2")
    caller.press("1")
    caller.wait_ended(30)
    return lines


def calls_back(desk: Desk) -> None:
    """The agent is ready, and at once the page rings for the call-back and is answered; the citizen's phone rings."""
    desk.click("start")
    expect(desk.see("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
    desk.click("ready")
    desk.shows("ringing", timeout=40_000)
    desk.page.keyboard.press("F2")
    desk.shows("talking", "正在拨打市民")
    page_hears(desk, RINGING)


def test_a_citizen_is_called_back_from_the_browser_and_the_agent_hears_them_ring_first(
    world: World, desk: Desk
) -> None:
    number = "13922220001"
    lines = asks_to_be_called(world, number)
    calls_back(desk)
    desk.talk_began()
    citizen = lines[0]
    hears_now(citizen, AGENT)
    page_hears(desk, COLLEAGUE)
    desk.click("hold")
    desk.shows("talking", "已保持")
    hears_music(citizen, AGENT)
    desk.click("resume")
    hears_now(citizen, AGENT)
    page_hears(desk, COLLEAGUE)

    done = desk.rest("GET", "/api/callbacks?state=done")["items"]
    assert [(row["number"], row["result"], row["attempts"]) for row in done] == [(number, "reached", 1)]
    desk.click("hangup")
    desk.shows("wrap-left")
    expect(desk.see("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
    citizen.hang_up()


def test_a_browser_that_is_reloaded_while_the_citizen_rings_loses_nobody(world: World, desk: Desk) -> None:
    lines = asks_to_be_called(world, "13922220002")
    calls_back(desk)
    desk.page.reload(wait_until="commit")
    citizen = wait_until(lambda: lines[0] if lines else None, 20, "the citizen to answer")
    desk.talk_began()
    assert not citizen.ended.is_set()
    hears_now(citizen, AGENT)
    page_hears(desk, COLLEAGUE)


def test_without_a_microphone_no_telephone_is_registered_and_the_page_says_what_to_do(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    asked: list[str] = []
    page = sign_in("/agent")
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("浏览器电话", exact=True).click()
    page.get_by_test_id("start").click()
    expect(page.get_by_test_id("check-fault")).to_contain_text("没有找到麦克风")
    expect(page.get_by_test_id("check-fault")).to_contain_text("插好耳机，再检查一次")
    expect(page.get_by_test_id("ready")).to_be_disabled()
    expect(page.get_by_test_id("phone")).to_contain_text("话机未注册")
    assert not [url for url in asked if url.endswith("/browser-phone")]
