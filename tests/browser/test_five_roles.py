"""One matter from the citizen's call to the call that asks whether it is settled: eight people of five roles, each in a
browser of their own, on the whole hotline. Nobody does anything but on the pages and the telephones.

The picture of each step lies in the test's folder, for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.db import Database
from tests.browser.conftest import shot
from tests.browser.house import page_of
from tests.browser.real import AGENT, CITIZEN, Desk, World, hears_now, offered, seated
from tests.browser.steps import act, is_in, open_from, says
from tests.case_kit.world import World as Town
from tests.integration.web_browser import PASSWORD
from tests.peers.baresip import BaresipPhone

NUMBER = "02588881234"
"""A number that agents may call back."""
FOLLOWED_MS = 31_000
"""After this long every open screen has looked at what is new."""
RESULT = "已修复全部 6 盏路灯。"
STORY = [
    "建立草稿",
    "登记",
    "交派单",
    "派单",
    "交办 水务局",
    "单位签收 水务局",
    "签收",
    "交下级办理 水务局",
    "开始办理",
    "交办 城南水务所",
    "单位签收 城南水务所",
    "单位报审 城南水务所",
    "单位退回修改 城南水务所",
    "单位报审 城南水务所",
    "单位审签报送 城南水务所",
    "采纳单位结果 城南水务所",
    "单位报审 水务局",
    "单位审签报送 水务局",
    "单位已回复",
    "开始审核",
    "采纳",
    "采纳单位结果 水务局",
    "回访",
    "办结",
]
"""What the case page tells in the end, but for the typing: each line without who it was."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "real", agents=1) as one:
        yield one


@pytest.fixture
def desk(world: World, browser: Browser) -> Iterator[Desk]:
    """An agent who has logged in."""
    with seated(world, browser) as one:
        yield one


Comes = Callable[..., Page]


@pytest.fixture
def comes(world: World, browser: Browser) -> Iterator[Comes]:
    """Somebody of the town sits down, each in a browser of their own, and logs in through the form."""
    db = Database(world.system.settings.url)
    people = Town(db).people
    db.dispose()
    pages: list[Page] = []
    problems: list[str] = []

    def sits_down(who: str, path: str = "/", *, clock: bool = False) -> Page:
        page = page_of(browser, problems)
        pages.append(page)
        if clock:
            page.clock.install()
        page.goto(f"{world.system.http}{path}")
        page.get_by_label("账户").fill(people[who].name or "")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_label("账户")).to_have_count(0)
        return page

    yield sits_down
    for page in pages:
        page.context.close()
    assert not problems, problems


def test_a_call_becomes_a_case_that_five_roles_bring_to_its_end(
    world: World, desk: Desk, comes: Comes, tmp_path: Path
) -> None:
    dispatcher = comes("dispatcher", "/boards/dispatch", clock=True)
    phone = world.phone(desk.account)
    desk.start()
    number = typed(world, desk, phone, tmp_path)
    url = dispatched(dispatcher, number, tmp_path)

    watcher = comes("leader", url, clock=True)
    state = watcher.get_by_test_id("case-state")
    expect(state).to_have_text("已派单")

    upper = comes("WATER.handler")
    handed_down(upper, number, tmp_path)
    answered_below(comes, number, tmp_path)
    answered_above(upper, comes, number, tmp_path)
    reviewed(comes("head", "/boards/review"), number, tmp_path)
    followed_up(world, desk, phone, tmp_path)

    watcher.clock.run_for(FOLLOWED_MS)
    news = watcher.get_by_test_id("case-news")
    expect(news).to_contain_text("已办结")
    shot(watcher, "12-leader-news", tmp_path)
    news.get_by_role("button").click()
    expect(state).to_have_text("已办结")
    expect(news).to_have_count(0)
    lines = watcher.get_by_test_id("timeline").locator("li p:first-child").all_inner_texts()
    told = [" ".join(line.split()[:-1]) for line in lines]
    assert [line for line in told if line != "填写内容"] == STORY
    watcher.screenshot(path=tmp_path / "13-closed.png", full_page=True)
    dispatcher.clock.run_for(FOLLOWED_MS)
    expect(dispatcher.get_by_test_id("case-news")).to_contain_text("已办结")


def typed(world: World, desk: Desk, phone: BaresipPhone, pictures: Path) -> str:
    """A citizen calls; the agent types what is wanted and hands it to the dispatchers. The number of the case."""
    citizen = offered(world, desk, NUMBER)
    phone.wait_ringing()
    phone.pick_up()
    desk.talk_began()
    page = desk.page
    number = str(desk.see("case-number").text_content())
    page.get_by_text("求助", exact=True).first.click()
    page.get_by_label("诉求内容").fill("人民路路灯三天不亮，晚上老人不敢出门。请尽快修好。")
    desk.press("用内容首句作标题")
    page.get_by_label("具体地址").fill("人民路 3 号至 9 号")
    shot(page, "01-typed", pictures)
    page.keyboard.press("F9")
    desk.shows("registered", number)
    page.keyboard.press("Shift+F9")
    page.keyboard.press("4")
    expect(page.get_by_role("dialog").get_by_role("radio", name="一般")).to_be_focused()
    shot(page, "02-passed-on", pictures)
    page.keyboard.press("Enter")
    expect(desk.see("case-state")).to_have_text("待派单")
    page.keyboard.press("Shift+F2")
    desk.shows("wrap-left")
    citizen.hang_up()
    page.keyboard.press("F8")
    desk.is_in("ready")
    return number


def dispatched(page: Page, number: str, pictures: Path) -> str:
    """The dispatcher's board tells of it by itself; it goes to the water bureau in writing. The address of the case."""
    page.clock.run_for(FOLLOWED_MS)
    page.get_by_test_id("list-news").get_by_role("button").click()
    row = page.get_by_role("link", name=number)
    expect(row).to_be_visible()
    shot(page, "03-board", pictures)
    row.press("Enter")
    act(page, "dispatched").click()
    page.locator("#dis-units").fill("水务局")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("gifts")).to_contain_text("水务局")
    page.keyboard.type("三日内办结，并告诉市民多久巡查一次")
    expect(page.get_by_role("radio", name="书面交办")).to_be_checked()
    shot(page, "04-dispatch", pictures)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("works")).to_contain_text("待签收")
    shot(page, "05-dispatched", pictures)
    return page.evaluate("location.pathname")


def handed_down(page: Page, number: str, pictures: Path) -> None:
    """The bureau's handler signs and gives it to the station below."""
    open_from(page, "to_sign", number)
    expect(page.get_by_test_id("asked")).to_contain_text("三日内办结")
    shot(page, "06-asked", pictures)
    page.keyboard.press("F9")
    is_in(page, "signed")
    page.get_by_test_id("act-handed_down").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox")).to_have_count(1)  # only what is directly below
    dialog.get_by_label("城南水务所").check()
    dialog.get_by_label("对城南水务所的要求").fill("请现场查看后答复")
    shot(page, "07-hand-down", pictures)
    dialog.get_by_role("button", name="交办（1）").click()
    expect(page.get_by_test_id("below")).to_contain_text("待签收")
    is_in(page, "in_progress")


def answered_below(comes: Comes, number: str, pictures: Path) -> None:
    """The station replies, its leader wants it better, then signs and seals it."""
    handler = comes("WATER-S.handler")
    open_from(handler, "to_sign", number)
    expect(handler.get_by_test_id("asked")).to_contain_text("请现场查看后答复")
    handler.keyboard.press("F9")
    is_in(handler, "signed")
    handler.get_by_test_id("submit").click()
    summary = handler.get_by_test_id("error-summary")
    for told in ("事项未答复", "缺少办理结果", "请选择与市民联系的方式", "缺少经办人签名"):
        expect(summary).to_contain_text(told)
    shot(handler, "08-missing", pictures)
    summary.get_by_role("link", name="事项未答复").first.click()
    expect(handler.locator("textarea[id^='reply-answers']").first).to_be_focused()
    write_reply(handler, RESULT)
    handler.screenshot(path=pictures / "08-reply.png", full_page=True)
    handler.get_by_test_id("submit").click()
    is_in(handler, "in_review")

    leader = comes("WATER-S.leader")
    expect(leader).to_have_url(re.compile("/work/to_approve$"))
    open_from(leader, "to_approve", number)
    expect(leader.get_by_test_id("reply")).to_contain_text(RESULT)
    leader.get_by_test_id("act-reworked").click()
    says(leader, "请写明换了几盏", "退回修改")
    handler.reload()
    expect(handler.get_by_test_id("why")).to_contain_text("请写明换了几盏")
    handler.get_by_label("采取的措施").fill("更换 6 盏灯泡。")
    handler.keyboard.press("F9")
    is_in(handler, "in_review")
    leader.reload()
    approve(leader, "情况属实", pictures)


def answered_above(handler: Page, comes: Comes, number: str, pictures: Path) -> None:
    """The bureau judges what came from below, replies itself, and its leader signs."""
    handler.get_by_role("link", name="承办任务").click()
    open_from(handler, "from_below", number)
    is_in(handler, "replied")
    shot(handler, "09-from-below", pictures)
    handler.keyboard.press("F9")
    says(handler, "同意采纳", "采纳")
    is_in(handler, "accepted")
    below = handler.url.rsplit("/", 1)[1]
    handler.get_by_role("link", name="上级任务").click()
    expect(handler.get_by_test_id("below")).to_contain_text("已采纳")
    asked: list[str] = []
    handler.on("request", lambda request: asked.append(request.url))
    write_reply(handler, "经城南水务所办理，已修复 6 盏路灯。")
    assert not any(url.endswith(f"/assignments/{below}") for url in asked)  # what is below is read once
    handler.screenshot(path=pictures / "09-own-reply.png", full_page=True)
    handler.get_by_test_id("submit").click()
    is_in(handler, "in_review")
    leader = comes("WATER.leader", "/work")  # a leader who comes by the address
    open_from(leader, "to_approve", number)
    approve(leader, "同意报送", pictures)


def reviewed(page: Page, number: str, pictures: Path) -> None:
    """The section head reads the reply and takes it."""
    expect(page.get_by_role("link", name=number)).to_be_focused()
    page.keyboard.press("Enter")
    act(page, "review_begun").click()
    expect(page.get_by_test_id("reply")).to_contain_text("经城南水务所办理")
    shot(page, "10-review", pictures)
    act(page, "accepted").first.click()
    expect(page.locator("#act-opinion")).to_be_focused()
    page.keyboard.type("办理到位")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("case-state")).to_have_text("待回访")


def followed_up(world: World, desk: Desk, phone: BaresipPhone, pictures: Path) -> None:
    """The agent calls the citizen, who is satisfied."""
    world.city.answers(NUMBER, then=lambda line: line.tone(CITIZEN))
    page = desk.page
    page.get_by_role("link", name="回访").click()
    expect(desk.see("waiting")).to_contain_text("待回访 1 件")
    page.keyboard.press("F9")
    expect(desk.see("reply")).to_contain_text("经城南水务所办理")
    mark = phone.mark()
    desk.click("dial")
    phone.wait_ringing(after=mark)
    phone.pick_up()
    citizen = world.city.wait_incoming(20)
    phone.wait_hears(CITIZEN)
    hears_now(citizen, AGENT)
    page.locator("#fu-satisfaction input").first.focus()
    page.keyboard.press("1")
    for _ in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    page.get_by_label("市民说的话").fill("路灯亮了，谢谢")
    shot(page, "11-follow-up", pictures)
    page.screenshot(path=pictures / "11-follow-up-whole.png", full_page=True)
    desk.press("挂机")
    citizen.wait_ended()
    page.keyboard.press("F9")
    desk.shows("nothing-to-ask")
    shot(page, "11-nothing-to-ask", pictures)


def write_reply(page: Page, result: str) -> None:
    """The whole form: every item, result, contact, opinion, signature; until it is stored."""
    form = page.get_by_test_id("reply-form")
    for item in form.locator("textarea[id^='reply-answers']").all():
        item.fill("已全部更换，照明恢复正常。")
    form.locator("#reply-result").fill(result)
    form.get_by_label("采取的措施").fill("更换灯泡并检修线路。")
    form.locator("#reply-contact").get_by_text("电话联系", exact=True).click()
    form.get_by_label("联系时间").fill("2026-11-24T09:30")
    form.locator("#reply-opinion").get_by_text("满意", exact=True).click()
    form.get_by_role("button", name="填我的名字").click()
    expect(form.get_by_test_id("save-mark")).to_contain_text("已保存")


def approve(page: Page, opinion: str, pictures: Path) -> None:
    """The unit's leader signs; without the seal it is not taken."""
    is_in(page, "in_review")
    page.keyboard.press("F9")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(opinion)
    dialog.get_by_role("button", name="审签报送").click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("盖章后才能报送")
    shot(page, f"09-approve-{opinion}", pictures)
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="审签报送").click()
    is_in(page, "replied")
