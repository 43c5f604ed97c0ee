"""The telephone at the desk, as the page alone has it: mute, confidential pause, swap, help, emergency lines, menus by
keys; the check before a shift; a page that nobody looks at."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, WebSocketRoute, expect

from app.tools import tool
from tests.browser.chromium import FLAGS
from tests.browser.conftest import accessibility, shot
from tests.browser.fake_backend import FakeBackend, now_ms, wait_for
from tests.browser.house import PATIENCE_MS, WIDE
from tests.browser.samples import calls
from tests.browser.unseen import SLOWED_AFTER_S, Tab, unseen

CALL = "hotline1-1.1"
UNIT = {"number": "02588886666", "unit_id": 4, "unit_name": "城南水务局"}


@pytest.fixture
def talking(on_shift: Page, fake: FakeBackend) -> Page:
    """The desk of an agent with a desk phone, in a talk."""
    fake.offer()
    expect(on_shift.get_by_test_id("answer")).to_be_visible()
    on_shift.keyboard.press("F2")
    expect(on_shift.get_by_test_id("hold")).to_be_visible()
    return on_shift


def menu(page: Page, letter: str) -> None:
    """F4, and a letter of the menu."""
    page.keyboard.press("F4")
    expect(page.get_by_test_id("call-menu")).to_be_visible()
    page.keyboard.press(letter)
    expect(page.get_by_test_id("call-menu")).to_have_count(0)


def args(fake: FakeBackend, name: str) -> list[dict[str, object]]:
    return [{key: value for key, value in one["args"].items() if key != "call_id"} for one in fake.commanded(name)]


def test_mute_pause_help_and_emergency_by_keys_each_with_a_look_of_its_own(
    talking: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    page = talking
    strip = page.get_by_test_id("talking")
    page.get_by_label("诉求内容").focus()  # the keys work from the form, too
    page.keyboard.press("F8")
    expect(page.get_by_test_id("muted")).to_contain_text(re.compile(r"已静音.*0:0", re.DOTALL))
    expect(strip).to_have_class(re.compile("tone-muted"))
    page.keyboard.press("F2")
    expect(strip).to_have_class(re.compile("tone-paused"))
    expect(strip).to_contain_text(re.compile(r"已保持.*保持 0:0", re.DOTALL))
    page.keyboard.press("F2")
    expect(strip).to_contain_text("已静音")
    page.keyboard.press("F8")
    expect(page.get_by_test_id("muted")).to_have_count(0)
    wait_for(lambda: args(fake, "call.mute") == [{"on": True}, {"on": False}], "the exchange to be told of both")

    menu(page, "p")
    expect(page.get_by_test_id("paused")).to_contain_text("双方的话都不录音")
    expect(page.get_by_test_id("pause-left")).to_contain_text(re.compile(r"剩 1[12]\d 秒"))
    menu(page, "h")
    expect(page.get_by_test_id("helping")).to_contain_text("已求助")
    fake.mark(CALL, overseen="whisper")
    expect(page.get_by_test_id("overseen")).to_contain_text("来电人听不到")
    shot(page, "marks", tmp_path)
    assert accessibility(page, whole=True) == []
    page.get_by_test_id("pause-end").click()
    expect(page.get_by_test_id("paused")).to_have_count(0)
    menu(page, "h")
    expect(page.get_by_test_id("helping")).to_have_count(0)
    over = {"level": "warning", "code": "pause_over", "text": "保密时段已到时,录音已恢复。", "at_ms": now_ms()}
    fake.emit("notice", {**over, "call_id": CALL})
    expect(page.get_by_test_id("toast")).to_contain_text("录音已恢复")

    page.keyboard.press("Shift+F4")
    expect(page.get_by_test_id("emergency-menu")).to_contain_text("急救")
    assert accessibility(page, whole=True) == []
    page.keyboard.press("3")
    expect(page.get_by_test_id("parties")).to_contain_text("紧急 120")
    assert args(fake, "call.emergency") == [{"to": "120"}]


def test_a_consultation_says_who_hears_music_and_units_by_their_names(
    talking: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    page = talking
    page.keyboard.press("Shift+F8")
    page.keyboard.type(UNIT["number"])
    page.keyboard.press("Enter")
    consult = page.get_by_test_id("consult")
    expect(consult).to_contain_text("来电人在听音乐")
    expect(page.get_by_test_id("swap")).to_be_disabled()
    third = calls.member("third", kind="consult", **UNIT) | {"joined_ms": now_ms() - 65_000}
    both = [*calls.members(), third]
    fake.parties("call.room", CALL, members=both)
    expect(consult).to_contain_text(re.compile(r"城南水务局 .*8888.*已 1:0", re.DOTALL))
    menu(page, "s")
    expect(consult).to_contain_text(re.compile("正在和来电人说话.*城南水务局.*在听音乐"))
    shot(page, "swapped", tmp_path)
    assert accessibility(page, whole=True) == []
    page.get_by_test_id("swap").click()
    expect(consult).to_contain_text("来电人在听音乐")
    fake.mark(CALL, talks_with="all", members=both)
    fake.parties("call.room", CALL, phase="room")
    expect(consult).to_have_count(0)
    expect(page.get_by_test_id("parties")).to_contain_text("第三方 城南水务局")
    assert args(fake, "call.swap") == [{}, {}]


def test_the_letters_of_a_menu_can_be_switched_off_and_a_menu_is_walked_by_arrows(
    talking: Page, fake: FakeBackend
) -> None:
    page = talking
    page.keyboard.press("F4")
    box = page.get_by_test_id("call-menu")
    box.get_by_role("checkbox").uncheck()
    page.keyboard.press("h")
    expect(box).to_be_visible()
    box.get_by_role("button", name="保密暂停").focus()
    page.keyboard.press("ArrowDown")
    expect(box.get_by_role("button", name="转接、咨询")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("paused")).to_be_visible()
    assert not fake.commanded("call.help")
    page.reload()
    expect(page.get_by_test_id("hold")).to_be_visible()
    page.keyboard.press("F4")
    expect(box.get_by_role("checkbox")).not_to_be_checked()


def test_a_menu_of_one_talk_is_no_menu_of_the_next(talking: Page, fake: FakeBackend) -> None:
    page = talking
    page.keyboard.press("Shift+F4")
    expect(page.get_by_test_id("emergency-menu")).to_be_visible()
    fake.end_call(CALL)
    expect(page.get_by_test_id("emergency-menu")).to_have_count(0)
    fake.offer("hotline1-2.1")
    expect(page.get_by_test_id("answer")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("hold")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_test_id("emergency-menu")).to_have_count(0)
    assert not fake.commanded("call.emergency")


def test_a_hang_up_counts_once_and_a_late_mute_ends_no_wrap_up(talking: Page, fake: FakeBackend) -> None:
    page = talking
    page.evaluate(
        """() => {
          for (let n = 0; n < 10; n += 1) dispatchEvent(new KeyboardEvent('keydown', { key: 'F2', shiftKey: true }))
        }"""
    )
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    assert len(fake.commanded("call.hangup")) == 1
    page.keyboard.press("F8")
    expect(page.get_by_test_id("agent-state")).to_have_attribute("data-state", "ready")

    fake.offer("hotline1-2.1")
    expect(page.get_by_test_id("answer")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("hold")).to_be_visible()
    fake.end_call("hotline1-2.1")  # the citizen hangs up in the moment in which the agent reaches for the key
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    page.keyboard.press("F8")
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    assert len(fake.commanded("wrapup.done")) == 1


def test_a_socket_that_flaps_all_the_time_disturbs_no_talk(talking: Page, fake: FakeBackend) -> None:
    page = talking
    page.get_by_label("诉求内容").fill("写着写着")
    for flap in range(10):
        hellos = len(fake.hellos)
        fake.drop()
        fake.mark(CALL, help_ms=now_ms() if flap % 2 == 0 else None)
        wait_for(lambda before=hellos: len(fake.hellos) > before, "the page to come back", timeout=15)
    expect(page.get_by_test_id("helping")).to_have_count(0)
    expect(page.get_by_label("诉求内容")).to_have_value("写着写着")
    expect(page.get_by_test_id("talking")).to_contain_text("通话中")
    expect(page.get_by_test_id("toast")).to_have_count(0)


def registrar(socket: WebSocketRoute) -> None:
    """An exchange that registers every telephone and knows no echo."""

    def answer(said: str | bytes) -> None:
        text = said if isinstance(said, str) else said.decode()
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq|Contact): .*$", text, re.MULTILINE)
        if text.startswith("REGISTER"):
            socket.send("\r\n".join(["SIP/2.0 200 OK", *(one.strip() for one in kept), "Content-Length: 0", "", ""]))
        elif text.startswith("INVITE"):
            lines = [one.strip() for one in kept if not one.startswith("Contact")]
            told = [one + ";tag=x" if one.startswith("To:") else one for one in lines]
            socket.send("\r\n".join(["SIP/2.0 404 Not Found", *told, "Content-Length: 0", "", ""]))

    socket.on_message(answer)


def test_a_check_that_fails_says_what_to_do_and_a_desk_phone_is_the_way_out(
    playwright: Playwright, fake: FakeBackend, tmp_path: Path
) -> None:
    flags = [*FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    chromium = playwright.chromium.launch(executable_path=tool("chromium")[0], args=flags)
    context = chromium.new_context(locale="zh-CN", viewport=WIDE)
    context.grant_permissions(["microphone"])  # and not notifications
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    account = {"uri": "sip:1001w@127.0.0.1", "username": "1001w", "password": "x", "wss_url": "wss://127.0.0.1:8089/ws"}
    page.route("**/api/agents/me/browser-phone", lambda route: route.fulfill(json=account))
    page.route_web_socket(lambda url: url.startswith("wss:"), registrar)
    fake.signed_in = "1001"
    page.goto(f"{fake.base}/agent")
    page.get_by_text("浏览器电话", exact=True).click()
    page.get_by_test_id("start").click()
    rows = page.get_by_test_id("check")
    for check, result in {
        "link": "passed",
        "line": "passed",
        "microphone": "passed",
        "level": "passed",
        "ringer": "passed",
        "alerts": "alerts_denied",
        "echo": "echo_none",
    }.items():
        expect(rows.locator(f"[data-check={check}]")).to_have_attribute("data-result", result)
    expect(page.get_by_test_id("check-fault")).to_contain_text("把通知改为“允许”")
    expect(page.get_by_test_id("ready")).to_be_disabled()
    page.keyboard.press("F8")
    expect(page.get_by_test_id("toast")).to_contain_text("通过检查后才能示闲")
    assert not fake.commanded("agent.ready")
    shot(page, "check", tmp_path)
    assert accessibility(page, whole=True) == []

    page.get_by_test_id("phone-settings").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("麦克风").select_option(label="Fake Audio Input 2")
    dialog.get_by_label("耳机里也响铃").check()
    wait_for(
        lambda: "Fake Audio Input 2" in str(page.evaluate("localStorage.getItem('hotline.phone.devices')")),
        "the choice to be kept",
    )
    shot(page, "devices", tmp_path)
    assert accessibility(page, whole=True) == []
    page.keyboard.press("Escape")

    second = context.new_page()
    second.goto(f"{fake.base}/agent")
    expect(second.get_by_test_id("check")).to_contain_text("电话在另一个窗口里")
    second.close()

    page.get_by_test_id("use-desk-phone").click()
    expect(rows).to_have_count(0)
    page.keyboard.press("F8")
    expect(page.get_by_test_id("agent-state")).to_have_attribute("data-state", "ready")
    chromium.close()
    assert not problems, problems


def test_a_second_computer_of_the_same_agent_leaves_the_telephone_where_it_is(
    page: Page, sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    fake.agent |= {"state": "ready", "endpoint": "1001w", "phone_registered": True}
    sign_in("/agent")
    expect(page.get_by_test_id("phone-other")).to_contain_text("在另一台电脑上")
    expect(page.get_by_test_id("check")).to_have_count(0)
    page.keyboard.press("F8")  # the state is the agent's, wherever they are
    expect(page.get_by_test_id("agent-state")).to_have_attribute("data-state", "not_ready")
    assert not [url for url in asked if url.endswith("/browser-phone")]
    page.get_by_role("button", name="改在这里用").click()
    expect(page.get_by_test_id("phone-other")).to_have_count(0)


def test_a_page_that_nobody_looks_at_keeps_its_time_as_long_as_the_shift_lasts(fake: FakeBackend) -> None:
    fake.signed_in = "1001"
    with unseen() as chromium:
        tab = Tab(chromium, f"{fake.base}/agent")
        wait_for(lambda: tab.does("document.querySelector('[data-testid=start]') !== null"), "the page")
        tab.does("document.querySelector('[data-testid=start]').click()")
        wait_for(lambda: fake.commanded("agent.sign_in"), "the shift to begin")
        fake.set_agent(state="ready", not_ready_reason="")
        tab.does(
            "{ window.ticks = []; const tick = () => { ticks.push(performance.now()); setTimeout(tick, 500) }; tick() }"
        )
        chromium.hide_behind_another()
        hidden = time.monotonic()
        wait_for(lambda: tab.does("document.visibilityState") == "hidden", "the page to be hidden")
        ticks = "ticks.filter((at) => at > performance.now() - 3000).length"
        wait_for(lambda: time.monotonic() - hidden > SLOWED_AFTER_S + 3.5, "Chromium to slow hidden pages", timeout=30)
        assert tab.does(ticks) >= 2, "the page's own timers go on"
        pongs = len(fake.pongs)
        wait_for(lambda: len(fake.pongs) > pongs, "the answer to a ping")
        asked = time.monotonic()
        fake.offer()
        wait_for(lambda: fake.acks, "the pop to be acknowledged")
        assert fake.acks[0][0] - asked < PATIENCE_MS / 1000, "and not with the next minute"
