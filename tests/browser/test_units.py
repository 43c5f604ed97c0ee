"""The directory of units in a real Chromium, on the real backend without a telephone: keyboard, table, clash, axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.actor import SYSTEM
from app.auth.model import Role
from app.auth.service import create_user
from app.db import Database
from app.migrations.run import upgrade
from app.units import exchange, queries, service
from app.units.suggestions import NETWORK
from tests.browser.conftest import accessibility
from tests.browser.house import NARROW, served, signed_in

PASSWORD = "Stiller-Ozean-42"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A house with the starting network, a dispatcher, and a handler who is in no unit."""
    url = f"sqlite:///{tmp_path}/hotline.sqlite3"
    upgrade(url)
    made = Database(url)
    for name, shown, role in (("chief", "李派单", Role.dispatcher), ("wang", "王经办", Role.unit_handler)):
        create_user(made, name, display_name=shown, roles=[role], password=PASSWORD)
    with made.session() as session:
        assert exchange.import_units(session, SYSTEM, NETWORK.read_bytes(), dry_run=False).written
    yield made
    made.dispose()


@pytest.fixture
def house(db: Database, tmp_path: Path) -> Iterator[str]:
    """The backend's pages and REST, served; its address."""
    with served(db, tmp_path / "home") as address:
        yield address


@pytest.fixture
def desk(page: Page, db: Database, house: str) -> Page:
    """The directory, opened by the dispatcher."""
    signed_in(page, db, house, "chief", PASSWORD)
    page.goto(f"{house}/units")
    expect(page.get_by_role("treeitem", name="供水集团")).to_be_visible()
    return page


def test_a_dispatcher_finds_reads_changes_and_closes_units_by_keyboard(desk: Page, db: Database) -> None:
    tree = desk.get_by_test_id("unit-tree")
    tree.locator("[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "Enter"):  # the first bureau, opened, its first child
        desk.keyboard.press(key)
    expect(tree.locator("[aria-selected='true']")).to_have_attribute("aria-level", "3")
    assert accessibility(desk) == []
    desk.locator("#unit-search").fill("rlgs")
    expect(desk.get_by_test_id("units-found")).to_have_text("找到 1 个单位")
    desk.keyboard.press("Enter")
    expect(desk.locator("#unit-name")).to_be_focused()
    expect(desk.get_by_test_id("unit")).to_contain_text("云川市热力有限公司")
    desk.locator("#unit-search").fill("")

    desk.locator("#which-text").fill("路口红绿灯全灭了，车都堵死了")
    desk.keyboard.press("Enter")
    suggested = desk.get_by_test_id("suggestions")
    expect(suggested.get_by_role("listitem").first).to_contain_text("交通警察支队")
    expect(suggested.get_by_role("listitem").first).to_contain_text("红绿灯")
    suggested.get_by_role("button").first.click()
    expect(desk.locator("#unit-name")).to_have_text("云川市公安局交通警察支队")

    desk.get_by_role("button", name="修改").click()
    desk.locator("#un-office_hours").fill("全天")
    desk.locator("#un-office_hours").press("Enter")
    expect(desk.get_by_test_id("error-summary")).to_be_focused()
    assert accessibility(desk) == []
    desk.locator("#un-office_hours").fill("9:00-12:00")
    desk.locator("#un-office_hours").press("Enter")
    expect(desk.get_by_test_id("unit")).to_contain_text("09:00-12:00")
    desk.get_by_role("button", name="修改").click()
    with db.session() as session:
        unit = queries.by_code(session, ["JJ"])["JJ"]
        service.change(session, SYSTEM, unit.id or 0, unit.version, {**unit.model_dump(), "name": "交警"})
    desk.locator("#un-name").press("Enter")
    expect(desk.get_by_role("dialog").get_by_role("alert")).to_contain_text("刚修改了这个单位")
    desk.keyboard.press("Escape")
    expect(desk.locator("#unit-name")).to_have_text("交警")

    desk.get_by_role("button", name="增加人员").click()
    desk.locator("#ub-user_id").select_option(label="王经办（wang） · 还没有单位")
    desk.get_by_role("dialog").get_by_role("button", name="增加人员").click()
    expect(desk.get_by_test_id("unit-members")).to_contain_text("王经办 经办人")

    desk.get_by_role("treeitem", name="东湖区").click()
    expect(desk.locator("#unit-name")).to_have_text("云川市东湖区人民政府")
    desk.get_by_role("button", name="停用", exact=True).click()
    expect(desk.get_by_test_id("hinders")).to_contain_text("还有 3 个下级单位")
    expect(desk.get_by_role("dialog").get_by_role("button", name="停用")).to_have_count(0)


def test_a_table_is_checked_row_by_row_before_it_is_written(desk: Page, db: Database, tmp_path: Path) -> None:
    def choose(rows: str) -> None:
        table = f"编码,名称,类别,上级编码\n{rows}".encode()
        desk.locator("#ui-file").set_input_files({"name": "units.csv", "mimeType": "text/csv", "buffer": table})
        desk.get_by_role("button", name="检查").click()

    desk.get_by_text("导入 / 导出").click()
    desk.get_by_role("button", name="导入", exact=True).click()
    choose("X1,新局,市直部门,YC\nX2,新科,下属单位,NO\n")
    told = desk.get_by_test_id("import-outcome")
    expect(told).to_contain_text("有 1 处要改，什么都没有写入")
    expect(told.locator("tbody tr")).to_have_text(["3上级编码没有这个编码的单位"])
    assert accessibility(desk) == []
    choose("X1,新局,市直部门,YC\nX2,新科,下属单位,X1\n")
    expect(told).to_contain_text("新建 2 个，修改 0 个")
    desk.get_by_role("button", name="写入").click()
    expect(desk.get_by_role("treeitem", name="新局")).to_be_visible()
    desk.set_viewport_size(NARROW)
    assert desk.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(desk) == []
