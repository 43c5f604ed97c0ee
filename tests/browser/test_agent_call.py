"""One call at the desk: ring, pop, answer, hold, transfer, hang up, wrap-up, next; by mouse and by keys."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility
from tests.browser.fake_backend import FakeBackend, now_ms, wait_for

STATE = "agent-state"


def test_a_call_from_ring_to_the_next(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    began = time.monotonic()
    fake.offer()
    expect(page.get_by_test_id("caller-number")).to_have_text("139 1234 5678")
    wait_for(lambda: fake.acks, "the pop to be acknowledged")
    assert fake.acks[0][0] - began < 1.0

    # Before the answer: who calls, how long they waited, what they brought before, and the prefilled case.
    expect(page.get_by_test_id("queued")).to_contain_text("已排队 0:4")
    expect(page.get_by_test_id("ring-left")).to_contain_text("振铃剩")
    expect(page.get_by_test_id("case-number")).to_have_text("20261124-000001")
    expect(page.get_by_label("来电人姓名")).to_have_value("张建国")
    expect(page.get_by_test_id("caller")).to_contain_text("翠竹园小区三天没有自来水")
    expect(page.get_by_test_id("caller")).to_contain_text("欢迎语 › 主菜单 › 转人工")
    expect(page.get_by_test_id("caller")).to_contain_text("老年人")

    page.get_by_test_id("answer").click()
    expect(page.get_by_test_id("talking")).to_contain_text("通话中")
    page.get_by_text("求助", exact=True).first.click()
    page.get_by_label("诉求内容").fill("翠竹园小区停水三天。要求恢复供水。")
    page.get_by_role("button", name="用内容首句作标题").click()
    expect(page.get_by_label("标题")).to_have_value("翠竹园小区停水三天")
    page.get_by_test_id("register").click()
    expect(page.get_by_test_id("registered")).to_contain_text("20261124-000001")

    page.get_by_test_id("hangup").click()
    expect(page.get_by_test_id("wrap-left")).to_contain_text("剩")
    page.get_by_test_id("wrap-extend").click()
    wait_for(lambda: fake.commanded("wrapup.extend"), "the extension")
    expect(page.get_by_test_id("wrap-left")).to_contain_text("剩 5")
    page.get_by_test_id("wrap-finish").click()
    expect(page.get_by_test_id(STATE)).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("case-form")).to_have_count(0)
    assert fake.registered == [1]


def test_the_page_rings_before_it_says_that_the_card_is_there(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    page.evaluate(
        """() => {
          window.order = []
          const { start } = OscillatorNode.prototype
          OscillatorNode.prototype.start = function (...when) {
            order.push(`tone ${this.context.state}`)
            start.apply(this, when)
          }
          const { send } = WebSocket.prototype
          WebSocket.prototype.send = function (text) {
            if (String(text).includes('"ack"')) order.push(`shown ${document.title[0]}`)
            send.call(this, text)
          }
        }"""
    )
    fake.offer()
    wait_for(lambda: fake.acks, "the pop to be acknowledged")
    assert page.evaluate("order") == ["tone running", "tone running", "shown ●"]


def test_a_whole_call_without_touching_the_mouse(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    expect(page.get_by_test_id("answer")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("talking")).to_contain_text("通话中")
    page.keyboard.press("F2")
    expect(page.get_by_test_id("talking")).to_contain_text("已保持")
    page.keyboard.press("F2")
    expect(page.get_by_test_id("talking")).to_contain_text("通话中")

    page.keyboard.press("F9")
    expect(page.get_by_test_id("error-summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first missing thing: the type
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("停水三天")
    page.keyboard.press("Tab")
    page.keyboard.type("停水")
    page.keyboard.press("F9")
    expect(page.get_by_test_id("registered")).to_be_visible()

    page.keyboard.press("Shift+F8")
    expect(page.get_by_label("转给")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+F2")
    expect(page.get_by_test_id("wrap-left")).to_be_visible()
    page.keyboard.press("F8")
    expect(page.get_by_test_id(STATE)).to_have_attribute("data-state", "ready")
    page.keyboard.press("F8")
    expect(page.get_by_test_id(STATE)).to_have_attribute("data-state", "not_ready")


def test_keys_that_come_while_the_input_method_composes_are_left_to_it(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    page.get_by_label("诉求内容").focus()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.imeSetComposition", {"text": "tingshui", "selectionStart": 8, "selectionEnd": 8})
    page.keyboard.press("F9")
    expect(page.get_by_test_id("toast")).to_contain_text("F9 没有执行")
    expect(page.get_by_test_id("error-summary")).to_have_count(0)
    devtools.send("Input.insertText", {"text": "停水"})
    expect(page.get_by_label("诉求内容")).to_have_value("停水")
    page.keyboard.press("F9")
    expect(page.get_by_test_id("error-summary")).to_be_focused()


def test_consulting_a_colleague_and_coming_back(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    page.get_by_test_id("transfer").click()
    page.get_by_role("button", name="先咨询").click()
    expect(page.get_by_role("dialog")).to_contain_text("填写要转给谁")
    page.get_by_label("转给").fill("12;34")
    page.get_by_role("button", name="先咨询").click()
    expect(page.get_by_role("dialog")).to_contain_text("号码只能有数字")
    page.get_by_role("button", name="110", exact=True).click()
    page.get_by_role("button", name="先咨询").click()
    expect(page.get_by_test_id("consult")).to_contain_text("正在咨询 第三方 110")
    page.get_by_role("button", name="回到来电人").click()
    wait_for(lambda: fake.commanded("call.cancel_consult"), "the way back")
    assert fake.commanded("call.consult")[0]["args"]["to"] == "110"


def test_a_phone_that_cannot_be_answered_from_the_page_is_named_as_the_way(on_shift: Page, fake: FakeBackend) -> None:
    fake.phone_can_answer = False
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    expect(on_shift.get_by_test_id("toast")).to_contain_text("直接拿起话机")
    fake.answer()
    expect(on_shift.get_by_test_id("talking")).to_be_visible()


def test_a_button_pressed_twice_commands_once(on_shift: Page, fake: FakeBackend) -> None:
    fake.offer()
    on_shift.get_by_test_id("answer").click()
    expect(on_shift.get_by_test_id("hangup")).to_be_visible()
    on_shift.evaluate("() => { const b = document.querySelector('[data-testid=hangup]'); b.click(); b.click() }")
    expect(on_shift.get_by_test_id("wrap-left")).to_be_visible()
    assert len(fake.commanded("call.hangup")) == 1


def test_a_call_that_was_not_answered_is_told_and_the_agent_is_not_ready(on_shift: Page, fake: FakeBackend) -> None:
    fake.offer()
    expect(on_shift.get_by_test_id("answer")).to_be_visible()
    fake.no_answer()
    expect(on_shift.get_by_text("上一个来电没有接成（来电未接）")).to_be_visible()
    expect(on_shift.get_by_test_id(STATE)).to_contain_text("来电未接")
    expect(on_shift.get_by_test_id("case-form")).to_have_count(0)


def test_the_pop_opens_before_the_card_and_takes_it_in_when_it_comes(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    whole = fake.offer(with_card=False)
    expect(page.get_by_test_id("caller-number")).to_be_visible()
    expect(page.get_by_text("来电人资料正在读取")).to_be_visible()
    page.get_by_label("诉求内容").fill("先写下来")
    fake.emit("call.card", {"call_id": whole["call_id"], "card": whole})
    expect(page.get_by_test_id("case-number")).to_have_text("20261124-000001")
    expect(page.get_by_label("诉求内容")).to_have_value("先写下来")
    wait_for(lambda: fake.cases[1]["fields"]["content"] == "先写下来", "what was written to be stored")


def test_reasons_next_state_and_its_cancelling(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    page.get_by_test_id("break").click()
    expect(page.get_by_test_id(STATE)).to_contain_text("小休")
    page.get_by_test_id("ready").click()
    page.get_by_text("更多原因").click()
    page.get_by_role("button", name="学习").click()
    expect(page.get_by_test_id(STATE)).to_contain_text("学习")
    page.get_by_test_id("ready").click()
    fake.offer()
    page.get_by_test_id("answer").click()
    page.get_by_role("button", name="通话后：小休", exact=True).click()
    cancel = page.get_by_role("button", name="取消“通话后小休”")
    cancel.click()
    expect(cancel).to_have_count(0)
    wanted = [one["args"] for one in fake.commanded("agent.next_state")]
    assert wanted == [{"state": "not_ready", "reason": "break"}, {"state": "ready"}]


def test_click_to_dial_takes_a_number_from_the_card(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    expect(page.get_by_test_id("hold")).to_be_visible()
    fake.end_call()
    page.get_by_role("button", name="拨号 02588886666").click()
    expect(page.get_by_label("拨号", exact=True)).to_have_value("02588886666")
    page.get_by_label("拨号", exact=True).press("Enter")
    wait_for(lambda: fake.commanded("call.dial"), "the call")
    assert fake.commanded("call.dial")[0]["args"] == {"number": "02588886666"}
    expect(page.get_by_test_id("talking")).to_contain_text("正在呼叫")


def test_the_timer_shows_the_servers_time_even_when_this_clock_is_wrong(context, fake: FakeBackend) -> None:
    page = context.new_page()
    page.add_init_script("const real = Date.now; Date.now = () => real() - 3600_000")
    page.goto(f"{fake.base}/login")
    page.get_by_label("账户").fill("1001")
    page.get_by_label("密码", exact=True).fill("a-good-password")
    page.keyboard.press("Enter")
    page.get_by_test_id("start").click()
    fake.set_agent(state="ready")
    fake.agent["since_ms"] = now_ms() - 65_000
    fake.emit("agent.state", fake.agent)
    expect(page.get_by_test_id(STATE)).to_contain_text("已 1:0")


def test_a_phone_that_is_not_connected_is_told_with_what_to_do(on_shift: Page, fake: FakeBackend) -> None:
    fake.set_agent(phone_registered=False, unreachable=True)
    expect(on_shift.get_by_test_id("phone")).to_contain_text("话机未注册")
    expect(on_shift.get_by_text("检查话机的电源、网线和 SIP 账户")).to_be_visible()


def test_the_case_of_a_finished_call_stays_until_its_agent_puts_it_away(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    page.get_by_test_id("answer").click()
    page.get_by_label("诉求内容").fill("写了一半")
    fake.end_call()
    fake.set_agent(state="ready", until_ms=None, wrapup_until_ms=None)  # wrap-up ran out
    expect(page.get_by_text("工单还没有登记")).to_be_visible()
    expect(page.get_by_label("诉求内容")).to_have_value("写了一半")
    page.get_by_role("button", name="关闭").first.click()
    expect(page.get_by_text("我没登记完的草稿（1）")).to_be_visible()
    page.get_by_role("button", name="继续填写").click()
    expect(page.get_by_label("诉求内容")).to_have_value("写了一半")


def test_a_call_back_by_the_queue_is_named_and_waits_for_the_citizen_before_it_is_a_talk(
    on_shift: Page, fake: FakeBackend
) -> None:
    page, call_id = on_shift, "hotline1-cb7.0"
    fake.offer(call_id, callback=True, number="13900000001")
    expect(page.get_by_test_id("ringing")).to_contain_text("回拨")
    fake.calls[call_id] |= {"offer": None}
    fake.set_agent(state="talking", until_ms=None)
    fake.emit("call.answered", {"call_id": call_id, "channel": "PJSIP/1001-1", "at_ms": now_ms()})
    citizen, agent = fake.calls[call_id]["members"]
    fake.parties("call.room", call_id, phase="callback", members=[{**citizen, "state": "ringing"}, agent], talked=False)
    expect(page.get_by_test_id("talking")).to_contain_text("正在拨打市民")
    expect(page.get_by_test_id("hold")).to_have_count(0)
    expect(page.get_by_test_id("hangup")).to_be_visible()
    fake.parties("call.room", call_id, phase="room", members=[citizen, agent], talked=True)
    expect(page.get_by_test_id("talking")).to_contain_text("通话中")
    expect(page.get_by_test_id("hold")).to_be_visible()


def test_what_is_being_said_is_read_along_and_goes_with_the_call(on_shift: Page, fake: FakeBackend) -> None:
    page = on_shift
    fake.offer()
    fake.answer()
    expect(page.get_by_test_id("talking")).to_be_visible()
    expect(page.get_by_test_id("live-words")).to_have_count(0)
    (call_id,) = fake.calls
    place = {"call_id": call_id, "segment": 1}
    fake.emit("call.words", {**place, "side": "agent", "start_ms": 900, "text": "您好", "final": True})
    fake.emit("call.words", {**place, "side": "citizen", "start_ms": 2400, "text": "城南停水<b>", "final": True})
    fake.emit("call.words", {**place, "side": "citizen", "start_ms": 4000, "text": "三天", "final": False})
    words = page.get_by_test_id("live-words")
    expect(words.locator("li")).to_have_count(3)
    expect(words).to_contain_text("市民 城南停水<b>")
    expect(words).to_contain_text("可能有错；不保存")
    assert accessibility(page, whole=True) == []
    fake.emit("call.words", {**place, "side": "citizen", "start_ms": 4000, "text": "三天了", "final": True})
    expect(words.locator("li").last).to_contain_text("三天了")
    expect(words.locator("li")).to_have_count(3)
    fake.end_call()
    expect(words).to_have_count(0)
