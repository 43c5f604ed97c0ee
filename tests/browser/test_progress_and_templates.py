"""A citizen sees how their case stands; a reply begins with a template; an agent has code and template at hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Request, expect

from app.assignments import judging, working
from app.db import Database
from app.progress.model import code_of
from app.secrets import secret
from app.settings import Settings
from tests.browser.conftest import accessibility, shot
from tests.browser.everybody import COUNT_QUESTIONS, faults
from tests.browser.fake_backend import FakeBackend
from tests.browser.house import NARROW, WIDE, served
from tests.browser.steps import says
from tests.case_kit.world import World

SeenBy = Callable[..., Page]
LETTER = "尊敬的市民王小明：您好！您反映的人民路路灯已于 11 月 26 日修复，夜间复查照明正常。城管局 2026年11月26日"


def test_a_citizen_sees_without_an_account_how_their_case_stands(
    page: Page, db: Database, world: World, tmp_path: Path
) -> None:
    case_id, _ = world.dispatched("CITY")
    world.handed_in(case_id, "CITY", letter=LETTER)
    world.act("head", judging.accept_case, case_id, "同意")
    with db.read() as session:
        number = world.stored(session, case_id).number
    home = tmp_path / "home"
    code = code_of(secret(Settings(home=home), "progress"), number)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.add_init_script(COUNT_QUESTIONS)
    number_field, code_field = page.get_by_label("工单编号"), page.get_by_label("查询码", exact=True)
    with served(db, home) as house:
        page.goto(f"{house}/progress")
        expect(page.get_by_role("heading", name="查询办理进度")).to_be_visible()
        page.keyboard.press("Tab")
        number_field.fill("2026")
        page.get_by_role("button", name="查询", exact=True).click()
        expect(page.get_by_test_id("error-summary")).to_be_focused()
        expect(page).to_have_title("错误：查询办理进度 · 12345 热线")
        expect(number_field).to_have_value("2026")
        assert faults(page) == []
        number_field.fill(number)
        code_field.fill("0000 0000")
        code_field.press("Enter")
        expect(page.get_by_test_id("failure")).to_contain_text("没有找到与这个编号和查询码相符的工单")
        code_field.fill(f"{code[:4]} {code[4:]}")
        code_field.press("Enter")
        expect(page.get_by_test_id("progress-state")).to_have_text("已有结果，等待回访")
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.get_by_test_id("progress")).to_contain_text("城管局")
        expect(page.get_by_test_id("answer")).to_contain_text("路灯已于 11 月 26 日修复")
        expect(page.get_by_test_id("steps").get_by_role("listitem")).to_have_count(6)
        expect(page.locator("main")).not_to_contain_text("王小明")
        assert faults(page) == []
        assert accessibility(page) == []
        shot(page, "progress", tmp_path)
        page.set_viewport_size(NARROW)
        page.get_by_test_id("large-print").click()
        shot(page, "progress-narrow", tmp_path)
        page.get_by_test_id("large-print").click()
        page.set_viewport_size(WIDE)
        page.get_by_test_id("language").click()
        expect(page.get_by_test_id("progress-state")).to_have_text("There is a result")
        page.get_by_test_id("language").click()

        # Nothing of it is left in an address, in the browser, or for who comes to the machine next.
        assert not [one.url for one in asked if code in one.url or number in one.url or one.url.endswith("/api/me")]
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
        assert code not in kept
        assert number not in kept
        page.goto(f"{house}/login")
        page.get_by_role("link", name="查询办理进度").click()
        expect(number_field).to_have_value("")
        page.go_back()
        page.go_back()
        expect(number_field).to_have_value("")
        expect(page.get_by_test_id("progress")).to_have_count(0)


def test_a_template_is_written_tried_and_used_and_the_reply_says_so(
    world: World, seen_by: SeenBy, tmp_path: Path
) -> None:
    handler = seen_by("CITY.handler", "/knowledge/published")
    handler.get_by_role("link", name="答复模板").click()
    handler.get_by_role("link", name="新建模板").click()
    handler.locator("#rt-title").fill("路灯已修复")
    handler.locator("#rt-result").fill("“{事项标题}”已修复，共【待填：数量】盏。{市民姓名}")
    expect(handler.get_by_test_id("template-faults")).to_have_text("办理结果第 1 行：没有“{市民姓名}”这个占位符")
    handler.get_by_role("button", name="保存并启用").click()
    expect(handler.get_by_test_id("error-summary")).to_contain_text("没有“{市民姓名}”这个占位符")
    handler.locator("#rt-result").fill("“{事项标题}”已修复，共【待填：数量】盏。")
    handler.locator("#rt-result").press("Control+Home")
    handler.get_by_test_id("placeholders").get_by_role("button", name="{工单编号}").click()
    expect(handler.locator("#rt-result")).to_have_value("{工单编号}“{事项标题}”已修复，共【待填：数量】盏。")
    expect(handler.get_by_test_id("template-preview")).to_contain_text("20261124-000123“人民路路灯不亮”已修复")
    handler.locator("#rt-keywords").fill("路灯")
    shot(handler, "template", tmp_path)
    handler.get_by_role("button", name="保存并启用").click()
    expect(handler.get_by_test_id("template-versions")).to_contain_text("第 1 版")
    assert accessibility(handler) == []
    handler.locator("#rt-measures").fill("更换灯泡，{今天}复查。")
    handler.locator("#rt-note").fill("补写措施")
    handler.get_by_role("button", name="保存为新版本").click()
    expect(handler.get_by_test_id("template-versions").get_by_role("listitem").first).to_contain_text("补写措施")
    shot(handler, "versions", tmp_path)

    case_id, [work] = world.dispatched("CITY")
    world.work("CITY.handler", working.sign, work)
    page = seen_by("CITY.handler", f"/work/assignments/{work}")
    page.locator("#reply-measures").fill("夜间巡查。")
    page.get_by_test_id("pick-template").click()
    expect(page.get_by_test_id("template-reads")).to_contain_text("“路灯不亮”已修复")
    expect(page.get_by_role("radio", name="路灯已修复")).to_be_checked()
    assert accessibility(page) == []
    shot(page, "pick", tmp_path)
    page.get_by_test_id("template-take").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    with world.db.read() as session:
        number = world.stored(session, case_id).number
    result = f"{number}“路灯不亮”已修复，共【待填：数量】盏。"
    expect(page.locator("#reply-result")).to_have_value(result)
    expect(page.locator("#reply-measures")).to_have_value(re.compile("^夜间巡查。\n更换灯泡，"))
    expect(page.get_by_test_id("template-sources")).to_contain_text("模板《路灯已修复》第 2 版（城管局）")
    page.get_by_test_id("undo-template").click()
    expect(page.locator("#reply-result")).to_have_value("")
    page.get_by_test_id("pick-template").click()
    page.get_by_test_id("template-take").click()
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("error-summary")).to_contain_text("还有待填的内容：数量")
    page.locator("#reply-result").fill(result.replace("【待填：数量】", " 6 "))
    page.get_by_label("1. ").fill("已更换灯泡。")
    page.locator("#reply-contact").get_by_text("电话联系", exact=True).click()
    page.locator("#reply-contacted_at").fill("2026-11-24T10:00")
    page.locator("#reply-opinion_why").fill("市民未表态")
    page.get_by_role("button", name="填我的名字").click()
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("work-state")).to_have_attribute("data-state", "in_review")
    page.reload()
    named = page.get_by_test_id("reply").get_by_test_id("template-sources")
    expect(named).to_contain_text("模板《路灯已修复》第 2 版（城管局）")

    leader = seen_by("CITY.leader", "/knowledge/templates")
    leader.get_by_role("link", name="路灯已修复").click()
    leader.get_by_test_id("retire").click()
    says(leader, "换新模板", "停用")
    expect(leader.get_by_test_id("retired")).to_contain_text("换新模板")
    other = seen_by("WATER.handler", "/knowledge/templates")
    expect(other.get_by_text("没有符合条件的记录")).to_be_visible()


def test_an_agent_reads_the_code_out_and_answers_with_a_template(
    on_shift: Page, fake: FakeBackend, tmp_path: Path
) -> None:
    page = on_shift
    fake.offer()
    fake.answer()
    page.get_by_text("咨询", exact=True).first.click()
    page.get_by_label("标题").fill("停水")
    page.get_by_label("诉求内容").fill("停水三天")
    page.keyboard.press("F9")
    expect(page.get_by_test_id("registered").get_by_test_id("progress-code")).to_contain_text("1234 5678")
    page.get_by_test_id("pick-template").click()
    page.get_by_test_id("template-take").click()
    answer = page.get_by_label("当场答复")
    expect(answer).to_have_value("已向市民说明。可凭工单编号 20261124-000001 查询。")
    expect(page.get_by_test_id("answer-sources")).to_contain_text("模板 5 第 2 版")
    shot(page, "desk", tmp_path)
    page.keyboard.press("F9")
    expect(page.get_by_test_id("save-mark")).to_have_attribute("data-unsent", "false")
    assert fake.cases[1]["fields"]["answer_source"] == "template:5@2"
