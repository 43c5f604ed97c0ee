"""The duty roster in a real Chromium on the real backend: four weeks planned, a change, a hand-over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.actor import Actor
from app.auth.model import Role
from app.auth.service import create_user
from app.auth.sessions import actor_of
from app.clock import local_day, utc_now
from app.db import Database
from app.migrations.run import upgrade
from app.roster import service
from app.settings import get_settings
from tests.browser.conftest import accessibility
from tests.browser.house import served, signed_in

PASSWORD = "Stiller-Ozean-42"
POSTS = ("supervision-1", "supervision-2", "supervision-3", "office")


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[Database, dict[str, Actor]]]:
    """A section head, a leader, and one person for each post."""
    url = f"sqlite:///{tmp_path}/hotline.sqlite3"
    upgrade(url)
    db = Database(url)
    made: dict[str, Actor] = {}
    for name, shown, role in (
        ("head", "周处长", Role.section_head),
        ("leader", "吴领导", Role.duty_leader),
        *((post, f"值班员{n}", Role.agent) for n, post in enumerate(POSTS, 1)),
    ):
        user, _ = create_user(db, name, display_name=shown, roles=[role], password=PASSWORD)
        made[name] = actor_of(user)
    with db.session() as session:
        for post in POSTS:
            service.set_people(session, made["head"], post, [made[post].user_id or 0])
    yield db, made
    db.dispose()


def test_a_section_head_plans_the_month_and_whoever_is_on_duty_hands_over(
    page: Page, people: tuple[Database, dict[str, Actor]], tmp_path: Path
) -> None:
    db, made = people
    with served(db, tmp_path / "home") as house:
        signed_in(page, db, house, "head", PASSWORD)
        page.goto(f"{house}/roster")
        expect(page.get_by_test_id("faults")).to_be_visible()
        page.get_by_role("button", name="带班领导").click()
        page.get_by_label("增加人员").select_option(label="吴领导")
        expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(0)  # chosen is not yet added
        page.get_by_role("dialog").get_by_role("button", name="增加").click()
        page.get_by_role("dialog").get_by_role("button", name="保存").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_test_id("plan").click()
        expect(page.get_by_test_id("faults")).to_have_count(0)
        assert accessibility(page) == []
        page.screenshot(path=str(tmp_path / "roster.png"), full_page=True)

        today = local_day(utc_now(), get_settings().zone)
        cell = page.get_by_label(f"{today} 带班领导")
        cell.focus()
        cell.select_option(label="（空）")
        expect(page.get_by_test_id("faults")).to_contain_text("1 处问题")
        expect(cell).to_be_focused()
        cell.select_option(label="吴领导")
        expect(page.get_by_test_id("faults")).to_have_count(0)

        with db.read() as session:
            turns = service.roster(session, made["head"], today, today + timedelta(days=20)).turns
        on_duty = next(turn.post for turn in turns if turn.day == today and turn.post in POSTS)
        signed_in(page, db, house, on_duty, PASSWORD)
        page.goto(f"{house}/roster")
        expect(page.get_by_test_id("plan")).to_have_count(0)
        page.locator("textarea").fill("停水工单待回访 3 件")
        page.get_by_role("button", name="交班").click()
        expect(page.locator("ol.left")).to_contain_text("停水工单待回访 3 件")
        assert accessibility(page) == []
