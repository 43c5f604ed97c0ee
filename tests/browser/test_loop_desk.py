"""The case loop at the centre's pages, on the real backend: boards, acts, call-backs, by clicks and by keys.

The whole way of a case is in test_five_roles.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect

from app.actor import SYSTEM
from app.assignments import judging, working
from app.auth.model import Role
from app.calls.service import record
from app.cases import loop
from app.clock import utc_now
from app.db import Database
from app.units import service as units
from tests.browser.conftest import accessibility, shot
from tests.browser.fake_backend import FakeBackend
from tests.browser.samples import calls
from tests.browser.steps import act
from tests.case_kit.world import World

SitsDown = Callable[..., Page]
LEAK = {"type": "help", "title": "水管漏水", "content": "幸福里小区门口水管漏水，路面结冰", "area": "城南区"}


def submitted(world: World, **more: str) -> int:
    """A case that waits for a dispatcher."""
    case_id = world.case({**LEAK, **more})
    world.act("taker", loop.submit, case_id)
    return case_id


def test_a_board_is_walked_by_keys_the_late_ones_first_and_a_return_is_judged_once(
    world: World, sits_down: SitsDown
) -> None:
    world.later(days=-3)
    late = submitted(world, title="路灯不亮")
    world.now = utc_now()
    case_id = submitted(world)
    desk = sits_down("dispatcher", "/boards")
    rows = desk.locator("[data-row]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_be_focused()
    due = desk.get_by_test_id("due")
    expect(due.first).to_contain_text("超期 2 天")
    expect(due.first).to_have_attribute("data-late", "true")
    expect(due.nth(1)).to_contain_text("还剩 23 小时")
    expect(desk.locator("[data-board=dispatch]")).to_have_text("派单台2超期 1")
    desk.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    desk.keyboard.press("ArrowUp")
    expect(rows.first).to_have_attribute("data-row", str(late))

    _, [work] = world.dispatched("WATER", case_id=case_id)
    world.work("WATER.handler", working.give_it_back, work, "管线归物业")
    desk.locator("[data-board=returns]").click()
    expect(rows).to_have_count(1)
    rows.press("Enter")
    works = desk.get_by_test_id("works")
    expect(works).to_contain_text("退单 1 次")
    expect(desk.get_by_test_id("timeline")).to_contain_text("管线归物业")
    act(desk, "return_refused").click()
    desk.get_by_role("dialog").get_by_role("button", name="退单不成立").click()
    expect(desk.get_by_test_id("error-summary")).to_contain_text("填写理由")
    desk.locator("#act-reason").fill("市政管线，由水务局承办")
    desk.get_by_role("dialog").get_by_role("button", name="退单不成立").dblclick()
    expect(works).to_contain_text("待签收")
    assert world.history(case_id).count("unit.return_refused") == 1


def test_whoever_asks_the_citizen_is_told_what_is_missing_and_is_heard_once(world: World, sits_down: SitsDown) -> None:
    case_id = world.to_follow_up("WATER")
    asker = sits_down("taker", "/follow-up")
    expect(asker.get_by_test_id("waiting")).to_contain_text("待回访 1 件")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("follow-up-form")).to_contain_text("138 0013 8000")
    expect(asker.locator("#fu-satisfaction input").first).to_be_focused()
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("error-summary")).to_contain_text("选择满意程度")
    asker.locator("#fu-satisfaction input").first.focus()
    asker.keyboard.press("4")
    for _ in range(3):
        asker.keyboard.press("Tab")
        asker.keyboard.press("Space")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("error-summary")).to_contain_text("写明不满意的原因")
    asker.locator("#fu-satisfaction input").first.focus()
    asker.keyboard.press("1")
    asker.keyboard.press("F9")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("nothing-to-ask")).to_be_visible()
    assert world.history(case_id).count("followed_up") == 1
    assert world.state(case_id) == "closed"


def test_what_was_written_down_stays_when_a_colleague_asked_first(world: World, sits_down: SitsDown) -> None:
    case_id = world.to_follow_up("WATER")
    asker = sits_down("taker", f"/follow-up/{case_id}")
    asker.get_by_text("无人接听").click()
    asker.locator("#fu-note").fill("响了六声")
    world.act("head", judging.redo_case, case_id, "市民又来电")
    asker.keyboard.press("F9")
    form = asker.get_by_test_id("follow-up-form")
    expect(form.get_by_role("alert")).to_contain_text("现在是“重办”")
    expect(asker.get_by_text("不需要回访")).to_be_visible()
    expect(asker.locator("#fu-note")).to_have_value("响了六声")
    expect(asker.get_by_test_id("next-follow-up").locator("kbd")).to_have_count(0)
    asker.keyboard.press("F9")
    expect(form.get_by_role("alert")).to_have_count(1)
    expect(form.get_by_role("alert")).not_to_contain_text("现在是“重办”")  # asked again, refused again
    expect(asker.locator("#fu-note")).to_have_value("响了六声")
    assert asker.url.endswith(f"/follow-up/{case_id}")


def test_what_was_only_saved_is_not_saved_again_by_the_key_that_means_next(world: World, sits_down: SitsDown) -> None:
    case_id = world.to_follow_up("WATER")
    asker = sits_down("taker", f"/follow-up/{case_id}")
    asker.get_by_text("无人接听").click()
    asker.get_by_role("button", name="只保存").click()
    expect(asker.get_by_test_id("follow-up-form")).to_have_count(0)
    expect(asker.get_by_test_id("items")).to_contain_text("无人接听")
    expect(asker.get_by_test_id("next-follow-up").locator("kbd")).to_have_text("F9")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("nothing-to-ask")).to_be_visible()
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("nothing-to-ask")).to_be_visible()
    assert world.history(case_id).count("followed_up") == 1


def test_after_the_last_one_the_tabs_tell_as_well_that_nobody_waits_to_be_asked(
    world: World, sits_down: SitsDown
) -> None:
    world.to_follow_up("WATER")
    asker = sits_down("head", "/follow-up")
    tab = asker.locator("[data-board=follow_up]")
    expect(tab).to_have_text("回访1")
    asker.keyboard.press("F9")
    expect(asker.locator("#fu-satisfaction input").first).to_be_focused()
    asker.keyboard.press("1")
    for _ in range(3):
        asker.keyboard.press("Tab")
        asker.keyboard.press("Space")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("nothing-to-ask")).to_be_visible()
    expect(asker.get_by_test_id("waiting")).to_contain_text("待回访 0 件")
    expect(tab).to_have_text("回访0")


def test_who_tries_again_too_early_is_told_so_and_keeps_the_text(world: World, sits_down: SitsDown) -> None:
    case_id = world.to_follow_up("WATER")
    asker = sits_down("taker", f"/follow-up/{case_id}")
    refusal = {"error": {"code": "too_early", "message": "14:30 后再试。"}}
    asker.route(f"**/api/cases/{case_id}/follow-up", lambda route: route.fulfill(status=409, json=refusal))
    asker.get_by_text("无人接听").click()
    asker.locator("#fu-note").fill("响了六声")
    asker.keyboard.press("F9")
    expect(asker.get_by_test_id("follow-up-form").get_by_role("alert")).to_contain_text("14:30 后再试。")
    expect(asker.locator("#fu-note")).to_have_value("响了六声")


def test_who_sees_masks_cannot_write_them_over_the_real_text(world: World, sits_down: SitsDown) -> None:
    case_id = world.case({**LEAK, "answer": "已告知王小明明早修好"}, confidential=True)
    world.act("taker", loop.submit, case_id)
    desk = sits_down("dispatcher", f"/cases/{case_id}")
    expect(desk.get_by_test_id("items")).to_be_visible()
    expect(desk.get_by_role("button", name="修改事项")).to_have_count(0)
    act(desk, "answered").click()
    expect(desk.locator("#act-answer")).to_have_value("")
    with world.db.session() as session:
        world.stored(session, case_id).confidential = False
    desk.reload()
    expect(desk.get_by_role("button", name="修改事项")).to_be_visible()
    act(desk, "answered").click()
    expect(desk.locator("#act-answer")).to_have_value("已告知王小明明早修好")


def test_the_centre_reads_why_a_unit_has_no_opinion_and_which_case_came_before(
    world: World, sits_down: SitsDown
) -> None:
    earlier = world.to_follow_up("CITY")
    case_id, _ = world.dispatched("WATER", case_id=submitted(world))
    world.handed_in(case_id, "WATER", opinion="", opinion_why="市民外出，三次未接通")
    with world.db.session() as session:
        number = world.stored(session, earlier).number
        world.stored(session, case_id).repeat_of_id = earlier
    desk = sits_down("head", f"/cases/{case_id}")
    expect(desk.get_by_test_id("reply")).to_contain_text("市民外出，三次未接通")
    expect(desk.get_by_test_id("items").get_by_role("link", name=number)).to_be_visible()


def test_a_slow_answer_never_lands_on_another_case(world: World, sits_down: SitsDown) -> None:
    first, second = submitted(world, title="路灯不亮"), submitted(world)
    desk = sits_down("head", f"/cases/{first}")
    expect(desk.get_by_role("heading", name="路灯不亮")).to_be_visible()
    desk.get_by_role("link", name="工单", exact=True).first.click()
    desk.locator(f"a[href='/cases/{second}']").click()
    expect(desk.get_by_role("heading", name="水管漏水")).to_be_visible()
    held: list[Route] = []
    desk.route(f"**/api/cases/{first}", lambda route: held.append(route))
    desk.evaluate("history.go(-2)")
    expect(desk.get_by_text("正在读取…")).to_be_visible()
    desk.evaluate("history.go(2)")
    expect(desk.get_by_role("heading", name="水管漏水")).to_be_visible()
    with desk.expect_response(f"**/api/cases/{first}"):
        held[0].fulfill(status=404, json={"error": {"code": "not_found", "message": "没有这张工单"}})
    desk.evaluate("new Promise((done) => setTimeout(done, 50))")
    expect(desk.get_by_role("heading", name="水管漏水")).to_be_visible()
    expect(desk.get_by_text("没有这张工单")).to_have_count(0)


def test_an_administrator_who_comes_by_the_address_sees_the_accounts(world: World, sits_down: SitsDown) -> None:
    world.people["admin"] = world.somebody(Role.admin)
    expect(sits_down("admin", "/admin")).to_have_url(re.compile("/admin/agents$"))


def test_an_agent_calls_from_the_follow_up_desk_and_the_call_is_kept(on_shift: Page, fake: FakeBackend) -> None:
    fake.cases[5] = calls.case(5, None) | {"state": "to_follow_up", "masked": False}
    on_shift.goto(f"{fake.base}/follow-up/5")
    on_shift.get_by_test_id("dial").click()
    expect(on_shift.get_by_role("button", name="挂机")).to_be_visible()
    assert fake.commanded("call.dial")[0]["args"] == {"number": "13912345678"}
    on_shift.get_by_text("市民不愿回访").click()
    expect(on_shift.locator("#fu-satisfaction")).to_have_count(0)
    on_shift.keyboard.press("F9")
    expect(on_shift.get_by_test_id("nothing-to-ask")).to_be_visible()
    [asked] = fake.acts
    assert (asked["act"], asked["reached"], asked["satisfaction"]) == ("follow-up", "declined", None)
    assert asked["call_id"] == "out-1"


def test_a_number_that_was_to_be_kept_secret_is_not_dialled(on_shift: Page, fake: FakeBackend) -> None:
    fake.cases[5] = calls.case(5, None) | {"state": "to_follow_up", "masked": True}
    on_shift.goto(f"{fake.base}/follow-up/5")
    expect(on_shift.get_by_test_id("follow-up-form")).to_contain_text("由有权限的同事回访")
    expect(on_shift.get_by_test_id("dial")).to_have_count(0)


def test_the_words_of_the_matter_suggest_the_unit_and_a_unit_is_offered_once(
    world: World, sits_down: SitsDown, db: Database
) -> None:
    with db.session() as session:
        heat = {"code": "HEAT", "kind": "utility", "name": "热力公司", "keywords": ["暖气", "不热"]}
        units.create(session, SYSTEM, heat, parent_id=world.units["C"])
    case_id = submitted(world, title="暖气不热", content="幸福里小区暖气不热，家有老人")
    desk = sits_down("dispatcher", f"/cases/{case_id}")
    act(desk, "dispatched").click()
    offered = desk.get_by_test_id("dis-units-found")
    expect(offered).to_contain_text("按诉求内容建议")
    offered.get_by_role("button", name="热力公司").click()
    expect(offered.get_by_role("button", name="热力公司")).to_have_count(0)
    expect(desk.get_by_test_id("gifts")).to_contain_text("热力公司")
    desk.get_by_role("button", name="去掉热力公司").click()
    expect(desk.get_by_test_id("gifts")).to_contain_text("还没有选单位")
    desk.get_by_role("dialog").get_by_role("button", name="派单", exact=True).click()
    expect(desk.get_by_test_id("error-summary")).to_contain_text("至少选一个单位")
    assert world.state(case_id) == "to_dispatch"


def test_who_is_second_sees_who_was_first_and_loses_nothing(world: World, sits_down: SitsDown, tmp_path: Path) -> None:
    case_id = submitted(world)
    desk = sits_down("dispatcher", f"/cases/{case_id}")
    act(desk, "dispatched").click()
    for name in ("水务局", "城管局"):
        desk.locator("#dis-units").fill(name)
        desk.keyboard.press("Enter")
        expect(desk.get_by_test_id("gifts")).to_contain_text(name)
    desk.keyboard.type("清扫路面")
    world.act("head", loop.set_items, case_id, ["修好水管", "清除结冰"])
    desk.keyboard.press("Control+Enter")
    told = desk.get_by_role("dialog").get_by_role("alert")
    expect(told).to_contain_text(f"{world.people['head'].display_name}刚处理了这张工单，现在是“待派单”")
    expect(desk.locator("[id^=dis-says-]").last).to_have_value("清扫路面")
    expect(desk.get_by_test_id("items")).to_contain_text("清除结冰")
    shot(desk, "clash", tmp_path)
    assert accessibility(desk) == []
    desk.get_by_role("dialog").get_by_role("button", name="派单", exact=True).click()
    works = desk.get_by_test_id("works")
    expect(works.locator("[data-unit=水务局]")).to_contain_text("主办")
    expect(works.locator("[data-unit=城管局]")).to_contain_text("协调办理")
    assert world.history(case_id).count("dispatched") == 1


def test_new_cases_are_announced_and_move_no_row(world: World, sits_down: SitsDown, page: Page) -> None:
    first = submitted(world)
    page.clock.install()
    desk = sits_down("dispatcher", "/boards/dispatch")
    rows = desk.locator("[data-row]")
    expect(rows).to_have_count(1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    with page.expect_response("**/api/boards/dispatch*"):
        page.clock.run_for(16_000)
    assert "/api/boards" not in asked  # nothing has changed: nothing is counted
    world.later(days=-3)
    for title in ("路灯不亮", "井盖破损"):
        submitted(world, title=title)
    page.clock.run_for(16_000)
    news = desk.get_by_test_id("list-news")
    expect(news).to_contain_text("有 2 条新工单")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("data-row", str(first))
    expect(desk.locator("[data-board=dispatch]")).to_contain_text("3")
    news.get_by_role("button", name="刷新").click()
    expect(rows).to_have_count(3)
    expect(news).to_have_count(0)


def test_what_is_late_is_late_also_on_a_computer_whose_clock_is_behind(
    world: World, sits_down: SitsDown, page: Page
) -> None:
    world.later(days=-3)
    submitted(world)
    page.clock.install(time=utc_now() - timedelta(days=30))
    desk = sits_down("dispatcher", "/boards/dispatch")
    page.clock.run_for(1_000)
    expect(desk.get_by_test_id("due")).to_have_text("超期 2 天")


def test_every_act_of_the_centre_has_its_dialog(world: World, sits_down: SitsDown, tmp_path: Path) -> None:
    """From answered at once to archived, through everything that can happen between."""
    twin, case_id = submitted(world, title="同一处漏水"), world.case(LEAK)
    with world.db.read() as session:
        number = world.stored(session, twin).number

    def opens(name: str) -> None:
        button = act(desk, name)
        expect(button).to_have_count(1)
        if not button.is_visible():
            desk.get_by_test_id("next-acts").get_by_text("更多").click()
        button.click()

    def does(name: str, **said: str) -> None:
        opens(name)
        for field, text in said.items():
            desk.locator(f"#act-{field}").fill(text)
        dialog = desk.get_by_role("dialog")
        found.update({f"{name}: {one['rule']}": str(one) for one in accessibility(desk)})
        dialog.locator("button[type=submit]").click()
        expect(dialog).to_have_count(0)

    found: dict[str, str] = {}
    desk = sits_down("leader", f"/cases/{case_id}")
    does("answered", answer="已告知抢修时间")
    does("reopened", reason="市民又来电")
    does("submitted")
    does("sent_back", reason="地址不清")
    does("submitted")
    opens("merged")
    desk.locator("#act-original").fill(number)
    desk.keyboard.press("Enter")
    desk.get_by_role("dialog").get_by_role("button", name=number).click()
    desk.get_by_role("dialog").locator("button[type=submit]").click()
    expect(desk.get_by_test_id("items")).to_contain_text(number)
    does("unmerged", reason="两处不同")
    assert world.state(case_id) == "to_dispatch"
    world.now = utc_now()
    _, [work] = world.dispatched("WATER", case_id=case_id)
    world.work("WATER.handler", working.sign, work)
    desk.reload()
    does("deferred", reason="等材料进场")
    assert world.state(case_id) == "deferred"
    does("resumed")
    world.now = utc_now()
    world.handed_in(case_id, "WATER")
    desk.reload()
    act(desk, "redo").click()
    expect(desk.get_by_role("checkbox", name="水务局（主办）")).to_be_checked()
    desk.locator("#act-reason").fill("还在漏")
    desk.get_by_role("dialog").locator("button[type=submit]").click()
    expect(desk.get_by_test_id("works")).to_contain_text("第 2 轮")
    world.handed_in(case_id, "WATER")
    desk.reload()
    does("accepted", opinion="同意")
    does("closed", reason="市民已致谢")
    does("archived")
    expect(desk.get_by_test_id("next-acts")).to_contain_text("没有需要你做的")
    assert world.state(case_id) == "archived"
    timeline = desk.get_by_test_id("timeline")
    for words in ("当即答复", "重新受理", "退回补充", "并案", "解除并案", "挂账", "恢复办理", "重办", "办结", "归档"):
        expect(timeline).to_contain_text(words)
    assert desk.locator("[data-testid=timeline]").inner_text().count("unit.") == 0
    assert found == {}
    shot(desk, "archived", tmp_path)


def test_a_matter_is_referred_to_a_unit_or_settled_with_it_on_the_telephone(
    world: World, sits_down: SitsDown, db: Database
) -> None:
    record(db, "h-7.1", number="13800138000", started_at=world.now, agent_id="1001")
    case_id = world.case(LEAK)
    desk = sits_down("leader", f"/cases/{case_id}")
    dialog = desk.get_by_role("dialog")
    more = desk.get_by_test_id("next-acts").get_by_text("更多")
    more.click()
    act(desk, "referred").click()
    dialog.locator("#act-unit").fill("城管局")
    dialog.get_by_role("button", name="城管局").click()
    dialog.locator("#act-remark").fill("供参考")
    dialog.get_by_role("button", name="转阅").click()
    expect(desk.get_by_test_id("items")).to_contain_text("转往单位城管局")
    act(desk, "reopened").click()
    dialog.locator("#act-reason").fill("单位要求交办")
    dialog.locator("button[type=submit]").click()
    act(desk, "transferred").click()
    dialog.locator("#act-unit").fill("水务局")
    dialog.locator("#act-unit").press("Enter")
    dialog.locator("#act-answer").fill("今晚修好")
    dialog.locator("#act-call").fill("h-0.0")
    dialog.get_by_role("button", name="电话转办").click()
    expect(desk.get_by_test_id("error-summary")).to_contain_text("没有这通电话")
    dialog.locator("#act-call").fill("h-7.1")
    dialog.get_by_role("button", name="电话转办").click()
    expect(desk.get_by_test_id("items")).to_contain_text("转往单位水务局")
    assert world.state(case_id) == "transferred"


def test_one_of_several_units_does_it_again_is_accepted_gives_it_back_and_is_withdrawn(
    world: World, sits_down: SitsDown
) -> None:
    case_id, [_, city] = world.dispatched("WATER", "CITY", case_id=submitted(world))
    world.handed_in(case_id, "CITY")
    desk = sits_down("dispatcher", f"/cases/{case_id}")
    row = desk.get_by_test_id("works").locator("[data-unit=城管局]")

    def judges(name: str, field: str, said: str, after: str) -> None:
        row.locator(f"button[data-act={name}]").click()
        desk.locator(f"#act-{field}").fill(said)
        desk.get_by_role("dialog").locator("button[type=submit]").click()
        expect(row).to_contain_text(after)

    judges("redo", "reason", "照片不全", "第 2 轮")
    world.handed_in(case_id, "CITY")
    desk.reload()
    judges("accepted", "opinion", "可以", "已采纳")
    judges("redo", "reason", "又积水了", "第 3 轮")
    world.work("CITY.handler", working.give_it_back, city, "不归城管")
    desk.reload()
    expect(desk.get_by_test_id("next-acts")).to_contain_text("城管局退单，第 1 次，等待裁定")
    expect(desk.get_by_test_id("next-acts")).to_contain_text("不归城管")
    judges("return_upheld", "reason", "", "已撤回")
    act(desk, "dispatched").first.click()
    expect(desk.get_by_role("dialog")).to_contain_text("已有主办单位：水务局")
    desk.locator("#dis-units").fill("城南水务所")
    desk.keyboard.press("Enter")
    expect(desk.get_by_test_id("gifts")).to_contain_text("城南水务所")
    desk.keyboard.press("Control+Enter")
    row = desk.get_by_test_id("works").locator("[data-unit=城南水务所]")
    judges("withdrawn", "reason", "派重了", "已撤回")
    leads = desk.get_by_test_id("works").locator("[data-unit=水务局]")
    expect(leads.locator("button[data-act=withdrawn]")).to_have_count(0)
