"""Cases from a table, on the real backend: chosen, checked, mended, confirmed, imported, and taken out again."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import Page, expect

from app.audit.model import Action
from app.auth.model import Role
from app.db import Database
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, WIDE, served, signed_in
from tests.case_kit.documents import workbook
from tests.case_kit.world import World
from tests.integration.web_browser import PASSWORD

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADS: dict[str, str | int | float] = {"A1": "原编号", "B1": "类型", "C1": "标题", "D1": "内容", "E1": "电话"}
RIGHT: dict[str, str | int | float] = {"A2": "旧-1", "B2": "投诉", "C2": "停水", "D2": "三天没水", "E2": 13900000001}
WRONG: dict[str, str | int | float] = {"A4": "旧-2", "B4": "抱怨", "D4": "路面结冰"}


def test_cases_come_in_from_a_workbook_after_a_check_and_a_second_word(
    page: Page, db: Database, world: World, tmp_path: Path
) -> None:
    head = world.somebody(Role.section_head)
    with served(db, tmp_path / "home") as house:
        signed_in(page, db, house, head.name, PASSWORD)
        page.goto(f"{house}/cases")
        page.get_by_role("link", name="导入").click()
        page.get_by_role("button", name="检查").click()
        expect(page.get_by_test_id("error-summary")).to_contain_text("选择文件")
        file = page.locator("#ci-file")
        file.set_input_files({"name": "旧.xlsx", "mimeType": XLSX, "buffer": workbook(HEADS | RIGHT | WRONG)})
        page.get_by_role("button", name="检查").click()
        outcome = page.get_by_test_id("import-outcome")
        expect(outcome).to_contain_text("有 2 处要改（1 行）")
        expect(outcome.locator("tbody tr")).to_have_count(2)
        expect(outcome.locator("tbody tr").first).to_contain_text("第 4 行")
        expect(outcome).to_contain_text("须为：咨询")
        shot(page, "import-faults", tmp_path)
        assert accessibility(page) == []
        page.set_viewport_size(NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.set_viewport_size(WIDE)
        file.set_input_files({"name": "旧.xlsx", "mimeType": XLSX, "buffer": workbook(HEADS | RIGHT)})
        page.get_by_role("button", name="检查").click()
        expect(outcome).to_contain_text("可以登记 1 件工单")
        shot(page, "import-fine", tmp_path)
        outcome.get_by_role("button", name="导入 1 件").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("确认导入 1 件工单？")
        dialog.get_by_role("button", name="导入 1 件").dblclick()
        expect(page.get_by_role("cell", name="停水")).to_have_count(1)
        shot(page, "cases-with-export", tmp_path)
        assert accessibility(page) == []
        with page.expect_download() as taken:
            page.get_by_role("button", name="导出").click()
        text = Path(taken.value.path()).read_text(encoding="utf-8-sig")
        assert [row[3] for row in csv.reader(text.splitlines())] == ["标题", "停水"]
    with db.read() as session:
        from sqlmodel import select

        from app.audit.tables import AuditEntry

        actions = {one.action for one in session.exec(select(AuditEntry)).all()}
    assert {Action.cases_imported.value, Action.cases_exported.value} <= actions
