"""The voice menu's editor: a picture by keyboard, a form, the text, faults that lead to their line, a call in text, and
versions that two people publish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.auth.model import Role
from app.db import Database
from app.flows import service
from app.flows.file import lay_down
from app.settings import Settings
from ivr.flow import SHIPPED, path_in
from tests.browser.conftest import shot
from tests.case_kit.world import World
from tests.unit.agi_world import speaking_home

Enter = Callable[[str, str], Page]
TEXT = SHIPPED.read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The house's home, in which every prompt has a sound."""
    home = tmp_path / "home"
    home.mkdir()
    return speaking_home(home)


@pytest.fixture
def editor(home: Path, world: World, sits_down: Enter) -> Page:
    world.people["boss"] = world.somebody(Role.supervisor)
    page = sits_down("boss", "/rules/menu")
    expect(page.get_by_test_id("flow-faults")).to_contain_text("检查通过")
    return page


def node(page: Page, name: str) -> Locator:
    return page.locator(f"[data-node={name}]")


def well(page: Page) -> None:
    """What stands there has been checked, and nothing is wrong."""
    expect(page.locator("[data-testid=flow-faults][data-fresh=true]")).to_contain_text("检查通过")


def test_a_menu_is_seen_changed_by_form_and_text_tried_and_mended(editor: Page, tmp_path: Path) -> None:
    page = editor
    expect(page.get_by_test_id("flow-state")).to_have_text("来电走第 0 版（系统自带）")
    expect(page.get_by_test_id("flow-publish")).to_be_disabled()
    expect(page.locator("[data-node]")).to_have_count(TEXT.count("kind:") - TEXT.count("# kind:"))
    node(page, "caller").focus()
    page.keyboard.press("ArrowRight")
    expect(node(page, "elderly")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(node(page, "welcome")).to_be_focused()
    page.keyboard.press("Enter")
    expect(node(page, "welcome")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#fn-silence")).to_have_value("person")
    shot(page, "flow", tmp_path / "shots")

    # The form: one more key, and a longer wait. What stands in the text beside it stays.
    page.locator("#fn-keys").get_by_role("button", name="加按键").click()
    page.get_by_label("第 3 个按键").fill("＊")
    page.get_by_label("＊ 键或结果到").select_option("voicemail")
    page.locator("#fn-timeout_s").fill("99")
    page.get_by_role("button", name="改到文本里").click()
    fault = page.get_by_test_id("flow-faults").get_by_role("button")
    expect(fault).to_contain_text("太大，最大 15")
    expect(page.get_by_test_id("flow-publish")).to_be_disabled()
    fault.click()
    expect(page.locator("#flow-text")).to_be_focused()
    chosen = (
        "document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert page.evaluate(chosen).strip() == "timeout_s: 99"
    page.keyboard.type("    timeout_s: 2.5")
    well(page)
    text = page.locator("#flow-text").input_value()
    assert 'keys: {0: person, 9: emergency, "*": voicemail}' in text
    assert text.startswith(TEXT[: TEXT.index("\nflow:")])
    expect(page.get_by_test_id("flow-publish")).to_be_enabled()

    # A call in text: the new key, in two languages, and the way in the picture.
    page.get_by_test_id("try-begin").click()
    talk = page.get_by_test_id("try-talk")
    expect(talk.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("group", name="按键").get_by_role("button", name="2", exact=True).click()
    page.get_by_role("group", name="按键").get_by_role("button", name="2", exact=True).click()
    page.get_by_label("一次输入多位").fill("20261124000129#")
    page.keyboard.press("Enter")
    expect(talk.get_by_role("listitem").last).to_contain_text("case_settled")
    expect(talk).to_contain_text("粤语")
    expect(talk).to_contain_text("（此刻的突发播报） 人工服務")
    expect(talk).to_contain_text("(the announcements of this moment) To speak")
    expect(node(page, "hours")).to_have_class("node tone-paused walked")
    talk.get_by_label("工单进度").select_option("locked")
    expect(talk.get_by_role("listitem").last).to_contain_text("case_locked")
    page.get_by_role("button", name="退一步").click()
    expect(talk.get_by_role("listitem").last).to_contain_text("case_number")
    shot(page, "try", tmp_path / "shots")

    # A new node, which nothing leads to yet; it is taken out again.
    page.get_by_test_id("add-node").click()
    page.keyboard.type("main")
    page.locator("#fn-kind").select_option("end")
    page.get_by_role("button", name="加节点").last.click()
    expect(page.get_by_test_id("error-summary")).to_contain_text("写一个还没用过的名称")
    page.locator("#fn-id").fill("night")
    page.locator("#fn-next").select_option("voicemail")
    page.get_by_role("button", name="加节点").last.click()
    expect(fault).to_contain_text("没有来电会走到这里")
    expect(node(page, "night")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="去掉节点").click()
    page.get_by_role("button", name="确定去掉 night").click()
    well(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    # Closed by mistake: what was written is there again.
    page.reload()
    expect(page.get_by_text("接着上次没发布的修改")).to_be_visible()
    well(page)
    assert page.locator("#flow-text").input_value() == text
    page.get_by_test_id("flow-reset").click()
    well(page)
    assert page.locator("#flow-text").input_value() == TEXT


def test_two_publish_and_an_older_version_is_back_by_one_click(
    editor: Page, db: Database, home: Path, world: World, tmp_path: Path
) -> None:
    page = editor
    settings = Settings(home=home, database_url=str(db.url))
    mine = TEXT.replace("timeout_s: 4\n", "timeout_s: 6\n", 1)
    page.locator("#flow-text").fill(mine)
    well(page)
    world.people["other"] = world.somebody(Role.section_head)
    theirs = TEXT.replace("patience: 40", "patience: 20")
    service.publish(db, world.people["other"], home, 0, theirs, "<b>少等</b>")
    page.get_by_test_id("flow-publish").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("flow-changes")).to_contain_text("改动 1 个：")
    dialog.get_by_role("button", name="发布", exact=True).click()
    expect(dialog.get_by_test_id("error-summary")).to_contain_text("写明改了什么")
    dialog.get_by_label("改了什么").fill("欢迎语多等两秒")
    dialog.get_by_role("button", name="发布", exact=True).click()
    expect(dialog.get_by_test_id("flow-clash")).to_contain_text("刚发布了第 1 版")
    expect(dialog.get_by_test_id("flow-clash")).to_contain_text("<b>少等</b>")
    expect(dialog.get_by_test_id("flow-clash")).to_contain_text("总设置： patience")
    shot(page, "clash", tmp_path / "shots")
    dialog.get_by_role("button", name="仍以我写的为准，发布").dblclick()
    expect(page.get_by_test_id("flow-state")).to_have_text("来电走第 2 版")
    assert path_in(home).read_text(encoding="utf-8") == mine
    versions = page.get_by_test_id("flow-versions")
    expect(versions.locator("[data-version]")).to_have_count(3)

    page.locator("[data-restore='1']").dblclick()
    expect(page.get_by_test_id("flow-state")).to_have_text("来电走第 3 版")
    expect(versions.locator("[data-version='3']")).to_contain_text("恢复第 1 版")
    expect(versions.locator("[data-version]")).to_have_count(4)
    assert path_in(home).read_text(encoding="utf-8") == theirs
    assert page.locator("#flow-text").input_value() == theirs, "nothing of one's own was being written"
    shot(page, "history", tmp_path / "shots")

    # Somebody else is quicker: nothing is published, and the page shows what holds.
    service.restore(db, world.people["other"], home, 3, 0)
    lay_down(db, settings)
    page.locator("[data-restore='2']").click()
    expect(page.get_by_text("有人刚发布了新的一版")).to_be_visible()
    expect(page.get_by_test_id("flow-state")).to_have_text("来电走第 4 版")
    assert path_in(home) == SHIPPED
