"""The back office: lists whose views live in the address, details, players, people."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility
from tests.browser.fake_backend import FakeBackend, wait_for


def test_a_view_lives_in_the_address(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/calls")
    page.get_by_label("结果").select_option("abandoned")
    page.get_by_role("button", name="筛选").click()
    page.wait_for_url("**/calls?outcome=abandoned")
    expect(page.get_by_text("共 8 条")).to_be_visible()
    page.reload()
    expect(page.get_by_label("结果")).to_have_value("abandoned")
    expect(page.get_by_text("共 8 条")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("共 60 条")).to_be_visible()


def test_pages_are_turned(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/calls")
    expect(page.get_by_text("第 1 / 3 页")).to_be_visible()
    page.get_by_role("button", name="下一页").click()
    page.wait_for_url("**/calls?page=2")
    expect(page.get_by_text("第 2 / 3 页")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(25)


def test_a_recording_is_played_by_ranges(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/calls/hotline1-1795.1")
    recording = page.get_by_test_id("recording")
    expect(recording).to_contain_text("校验通过")
    expect(page.get_by_text("坐席 1001 空闲最久")).to_be_visible()
    expect(page.get_by_test_id("foretold")).to_have_text("1:00–3:00，实际 1:15")
    expect(page.get_by_test_id("third")).to_contain_text("城南水务局")
    for text in ("三方通话", "1001 呼叫", "录在第 1 段", "已通话"):
        expect(page.get_by_test_id("third")).to_contain_text(text)
    expect(page.get_by_test_id("pause")).to_contain_text("1001 暂停录音、坐席恢复录音")
    with page.expect_response("**/api/recordings/5/audio") as answer:
        page.evaluate("document.querySelector('audio').play()")
    assert answer.value.status == 206
    page.wait_for_function("document.querySelector('audio').duration > 1.9")


def test_a_case_shows_its_whole_history(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/cases/3")
    timeline = page.get_by_test_id("timeline")
    for text in ("建立草稿", "填写内容", "标题、诉求内容", "登记", "草稿 → 已登记"):
        expect(timeline).to_contain_text(text)


def test_a_new_agent_comes_with_what_to_enter_in_a_phone(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/admin/agents")
    page.get_by_test_id("new-agent").click()
    page.get_by_role("dialog").get_by_role("button", name="新建坐席").click()
    expect(page.get_by_test_id("error-summary")).to_contain_text("填写姓名")
    page.get_by_label("姓名").fill("陈晓")
    page.get_by_label("粤语").select_option("4")
    page.get_by_role("dialog").get_by_role("button", name="新建坐席").click()
    sip = page.get_by_test_id("sip")
    for text in ("1002", "p-8fk2-qq91-zm", "127.0.0.1", "5060"):
        expect(sip).to_contain_text(text)
    expect(page.get_by_test_id("one-time")).to_have_text("stone-river-42")


def test_a_fax_opens_as_pdf_and_a_failed_one_says_why(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/faxes")
    expect(page.get_by_text("对方中途挂断")).to_be_visible()
    page.get_by_role("button", name="查看 PDF").click()
    assert page.locator("iframe").get_attribute("src") == "/api/faxes/1/pdf"


def test_a_dropped_voicemail_says_why_and_has_no_player(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/voicemails")
    expect(page.get_by_text("没有说话声")).to_be_visible()
    expect(page.locator("audio")).to_have_count(1)


def test_what_a_machine_heard_in_a_message_is_marked_so_put_right_and_sought(
    sign_in: Callable[..., Page], fake: FakeBackend
) -> None:
    page = sign_in("/voicemails")
    expect(page.locator("tbody tr").first).to_contain_text("机器识别")
    page.get_by_role("button", name="看文字").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("机器识别，可能有错")
    assert accessibility(page) == []
    text = dialog.get_by_label("留言内容")
    expect(text).to_have_value("人工，一三八零零一三八零零零，投诉")
    dialog.get_by_role("button", name="0:06").click()
    page.wait_for_function("document.querySelector('dialog audio').currentTime >= 0")

    # Somebody else was faster: nothing typed is lost, and what they wrote is shown.
    fake.office.texts[1] |= {"text": "我要转人工", "version": 2, "source": "hand", "by_name": "王组长"}
    text.fill("转人工，回电13800138000，投诉")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).to_contain_text("王组长 刚改过")
    expect(dialog).to_contain_text("我要转人工")
    expect(text).to_have_value("转人工，回电13800138000，投诉")
    dialog.get_by_role("button", name="保存").click()
    expect(dialog).not_to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("人工整理")

    page.get_by_label("搜索").fill("投诉")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("tbody mark")).to_have_text("投诉")
    assert "投诉" not in page.url, "what was said is in no address"
    expect(page.locator("tbody tr")).to_have_count(1)


def test_what_the_role_does_not_allow_is_not_offered(
    sign_in: Callable[..., Page], fake: FakeBackend, monkeypatch
) -> None:
    monkeypatch.setattr("tests.browser.samples.people.PERMISSIONS", ["cases.read"])
    page = sign_in("/cases", "boss")
    links = page.get_by_role("navigation", name="主导航").get_by_role("link")
    expect(links).to_have_text(["工单", "工单台", "督办"])
    page.goto(f"{fake.base}/admin/users")
    expect(page.get_by_role("heading", level=1)).to_have_text("你的账户没有打开此页的权限")


def test_an_unknown_address_says_so(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/cases")
    page.goto(f"{fake.base}/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有这个页面")


def test_a_server_that_is_away_is_told_with_a_way_to_retry(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/calls")
    page.context.set_offline(True)
    page.get_by_role("button", name="刷新").click()
    expect(page.get_by_role("alert")).to_contain_text("连不上服务器")
    page.context.set_offline(False)
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_demo_page_shows_the_city_and_dials(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    fake.demo = True
    page = sign_in("/demo")
    expect(page.get_by_text("138 0000 0002")).to_be_visible()
    page.get_by_label("粤语").check()
    page.get_by_test_id("demo-call").click()
    wait_for(lambda: fake.demo_calls == [{"language": "yue"}], "the call to be asked for")
    expect(page.get_by_test_id("toast")).to_contain_text("138 0000 1234")


def test_without_a_demo_its_page_says_how_to_get_one(sign_in: Callable[..., Page], fake: FakeBackend) -> None:
    page = sign_in("/demo")
    expect(page.get_by_role("heading", level=1)).to_have_text("这不是演示环境")
    expect(page.get_by_role("link", name="演示")).to_have_count(0)
