"""Number audits as people see them: the register, a round, a number graded beside its sound, and what its unit
reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect
from sqlmodel import select

from app.audio import RATE
from app.auth.model import Role
from app.number_audits import corrections, dialling, intake
from app.number_audits.tables import NumberAuditAttempt
from app.settings import Settings
from tests.audit_kit import line
from tests.audit_kit.sounds import voice
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, WIDE
from tests.case_kit.world import World

Open = Callable[..., Page]
TABLE = """单位编码,公布电话,地区,公布位置,公布的接听时间
WATER,87654301,城南,政府网站,
WATER,87654302,城南,<b>公告栏</b>,09:00-12:00
CITY,87654303,城北,政府网站,
"""


def narrow(page: Page) -> None:
    """The page fits 320 pixels, and axe finds nothing there either."""
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(page) == []
    page.set_viewport_size(WIDE)


def called(world: World, settings: Settings) -> None:
    """The first calls of all numbers are made: one is answered, one is a fax machine, one is busy and waits for its
    second."""
    with world.db.session() as session:
        rows = list(session.exec(select(NumberAuditAttempt)))
        # Whatever day it is: the first calls at ten in the morning of the first working day.
        first = min(row.planned_at for row in rows)
        now = first.astimezone(settings.zone).replace(hour=10, minute=0)
        for row in rows:
            row.planned_at = now if row.ordinal == 1 else row.planned_at
    fax = 0.2 * np.sin(2 * np.pi * 2100 * np.arange(2 * RATE) / RATE)
    for one in dialling.take(world.db, settings, now, calm=True):
        how = {"87654301": {"heard": voice(3), "answered": True}, "87654302": {"heard": fax, "answered": True}}
        line.ended(settings, one.call_id, now, **how.get(one.number, {"cause": 17}))
    assert intake.scan(world.db, settings, now) == 3


def test_numbers_are_brought_in_called_graded_published_and_read_by_their_units(
    world: World, seen_by: Open, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home", database_url=str(world.db.url), min_free_mb=0)
    settings.ensure_dirs()
    world.people["grader"] = world.somebody(Role.quality)
    head = seen_by("head", "/number-audits")
    head.wait_for_url("**/number-audits/rounds")
    head.get_by_role("link", name="公布电话", exact=True).click()
    head.get_by_role("button", name="导入").click()
    table = tmp_path / "numbers.csv"
    table.write_text(TABLE.replace("87654301", "110"), encoding="utf-8")
    dialog = head.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(table)
    dialog.get_by_role("button", name="检查").click()
    expect(head.get_by_test_id("import-outcome")).to_contain_text("不是可以拨打的号码")
    assert accessibility(head) == []
    right = tmp_path / "numbers-right.csv"
    right.write_text(TABLE, encoding="utf-8")
    dialog.locator("input[type=file]").set_input_files(right)
    expect(head.get_by_test_id("import-outcome")).to_have_count(0)
    dialog.get_by_role("button", name="检查").click()
    expect(head.get_by_test_id("import-outcome")).to_contain_text("没有问题")
    dialog.get_by_role("button", name="写入").dblclick()
    expect(dialog).to_have_count(0)
    row = head.get_by_role("row").filter(has_text="87654302")
    expect(row).to_contain_text("<b>公告栏</b>")
    row.get_by_role("button", name="修改").click()
    head.get_by_label("公布的接听时间").fill("9点")
    dialog.get_by_role("button", name="保存").click()
    expect(head.get_by_test_id("error-summary")).to_be_focused()
    head.get_by_label("公布的接听时间").fill("8:30-12:00")
    dialog.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("08:30-12:00")
    shot(head, "published-numbers", tmp_path.parent)

    head.get_by_role("link", name="暗访轮次").click()
    head.get_by_role("button", name="新建一轮").click()
    dialog.get_by_role("button", name="排定拨打时间").click()
    expect(head.get_by_test_id("error-summary")).to_be_focused()
    head.get_by_label("名称", exact=True).fill("四季度暗访")
    shot(head, "audit-new", tmp_path.parent)
    assert accessibility(head) == []
    dialog.get_by_role("button", name="排定拨打时间").click()
    expect(head.get_by_test_id("round-state")).to_have_text("待开始")
    head.get_by_test_id("step-start").click()
    dialog.get_by_role("button", name="开始").click()
    expect(head.get_by_test_id("round-state")).to_have_text("拨打中")
    called(world, settings)

    grader = seen_by("grader", "/number-audits/rounds/1")
    expect(grader.get_by_test_id("progress")).to_have_text("待拨打 2，待评分 1，已完成 0")
    assert grader.get_by_test_id("step-pause").count() == 0, "who grades does not run the round"
    grader.get_by_test_id("target").first.click()
    form, total = grader.get_by_test_id("grade-form"), grader.get_by_test_id("total")
    expect(grader.get_by_test_id("attempt").first).to_contain_text("5 秒后接听")
    expect(grader.get_by_test_id("attempt").first).to_contain_text("人声")
    expect(form.get_by_role("group", name="及时接听").get_by_label("优秀")).to_be_checked()
    form.get_by_role("button", name="保存评分").click()
    expect(grader.get_by_test_id("error-summary").get_by_role("listitem")).to_have_count(2)
    with grader.expect_response("**/api/recordings/*/audio") as answer:
        grader.get_by_test_id("play").first.click()
    assert answer.value.status == 206
    form.get_by_role("group", name="态度热情").get_by_text("良好").click()
    form.get_by_role("group", name="文明用语").get_by_text("良好").click()
    expect(total).to_have_text("90 分")
    grader.get_by_label("评语").fill("开头未报单位名称。")
    shot(grader, "audit-grade", tmp_path.parent)
    assert accessibility(grader) == []
    narrow(grader)
    form.get_by_role("button", name="保存评分").dblclick()
    expect(grader.get_by_test_id("came-to")).to_have_text("接听90 分 A")

    unit = seen_by("WATER.handler", "/number-audits")
    unit.wait_for_url("**/number-audits/own")
    expect(unit.get_by_text("87654301")).to_have_count(0)
    head.reload()
    for step, name in (("close", "结束拨打"), ("publish", "发布结果")):
        head.get_by_test_id(f"step-{step}").click()
        dialog.get_by_role("button", name=name).click()
        expect(dialog).to_have_count(0)
    expect(head.get_by_test_id("round-state")).to_have_text("已发布")
    expect(head.get_by_test_id("areas")).to_contain_text("城南21001")
    assert corrections.open_missing(world.db, settings, world.now) == 1
    head.reload()
    expect(head.get_by_role("row").filter(has_text="87654302").get_by_role("link", name="整改工单")).to_be_visible()
    shot(head, "audit-round", tmp_path.parent)
    assert accessibility(head) == []
    narrow(head)
    with head.expect_download() as file:
        head.get_by_role("button", name="导出汇总表").click()
    assert "城南,2,1,0,0,1,50.0,45.0" in Path(file.value.path()).read_text(encoding="utf-8-sig")

    unit.reload()
    expect(unit.get_by_role("row").filter(has_text="87654301")).to_contain_text("开头未报单位名称。")
    expect(unit.get_by_text("87654303")).to_have_count(0)
    shot(unit, "audit-own", tmp_path.parent)
