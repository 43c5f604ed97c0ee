"""Several cases at once on a board, on the real backend: chosen by keys and clicks, tried, done, taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from app.assignments import working
from app.cases import loop
from app.clock import utc_now
from tests.browser.conftest import accessibility, shot
from tests.browser.house import NARROW, WIDE
from tests.case_kit.world import World

SitsDown = Callable[..., Page]


def fits_a_telephone(page: Page) -> None:
    """At 320 pixels nothing scrolls sideways, and axe finds nothing."""
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert accessibility(page) == []
    page.set_viewport_size(WIDE)


def test_several_cases_are_dispatched_after_a_look_at_what_would_happen_and_taken_back(
    world: World, sits_down: SitsDown, tmp_path: Path
) -> None:
    ids = []
    for place in ("东街", "西街", "南街", "北街"):
        ids.append(world.case({"type": "help", "title": f"{place}水管漏水", "content": "路面结冰", "area": "城南区"}))
        world.act("taker", loop.submit, ids[-1])
    with world.db.session() as session:
        world.stored(session, ids[2]).about_unit_id = world.units["WATER"]
    desk = sits_down("dispatcher", "/boards/dispatch")
    rows, boxes = desk.locator("[data-row]"), desk.get_by_role("checkbox")
    bar = desk.get_by_test_id("batch-bar")
    expect(rows.first).to_be_focused()
    expect(bar.locator("[data-batch=dispatched]")).to_be_disabled()
    desk.keyboard.press("Space")
    desk.keyboard.press("Shift+J")
    desk.keyboard.press("Shift+ArrowDown")
    expect(bar).to_contain_text("已选 3 件")
    boxes.nth(2).click()
    expect(bar).to_contain_text("已选 2 件")
    boxes.first.click()
    boxes.first.click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(bar).to_contain_text("已选 4 件")
    shot(desk, "batch-chosen", tmp_path)
    assert accessibility(desk) == []
    fits_a_telephone(desk)

    bar.locator("[data-batch=dispatched]").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_role("button", name="先看结果").click()
    expect(desk.get_by_test_id("error-summary")).to_contain_text("选择单位")
    desk.locator("#bat-unit").fill("水务局")
    desk.keyboard.press("Enter")
    expect(desk.get_by_test_id("batch-unit")).to_have_text("水务局")
    shot(desk, "batch-form", tmp_path)
    assert accessibility(desk) == []
    dialog.get_by_role("button", name="先看结果").click()
    trial = desk.get_by_test_id("batch-trial")
    expect(trial).to_contain_text("3 件可以办理，1 件不能办理")
    expect(trial.locator("tr[data-able=false]")).to_contain_text("须回避")
    expect(trial.locator("tr[data-able=true]").first).to_contain_text("变为“已派单”，时限")
    assert [world.state(one) for one in ids] == ["to_dispatch"] * 4
    shot(desk, "batch-trial", tmp_path)
    assert accessibility(desk) == []
    fits_a_telephone(desk)
    dialog.get_by_role("button", name="确认派单（3 件）").dblclick()
    result = desk.get_by_test_id("batch-result")
    expect(result).to_contain_text("派单：3 件已办理")
    expect(rows).to_have_count(1)
    assert [world.state(one) for one in ids] == ["dispatched", "dispatched", "to_dispatch", "dispatched"]
    assert world.history(ids[0]).count("dispatched") == 1

    world.now = utc_now()
    world.work("WATER.handler", working.sign, world.work_of(ids[1], "WATER"))
    desk.reload()  # who comes back can still take it back
    desk.get_by_test_id("batch-undo").click()
    expect(result).to_contain_text("派单：2 件已撤销，1 件不能撤销")
    expect(result).to_contain_text("签收")
    expect(rows).to_have_count(3)
    shot(desk, "batch-undone", tmp_path)
    assert accessibility(desk) == []
    assert [world.state(one) for one in ids] == ["to_dispatch", "signed", "to_dispatch", "to_dispatch"]
