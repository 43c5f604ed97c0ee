"""The queues' rules for those who lead: which file holds, what is wrong with it, what waits for a start, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from acd.config import EngineConfig, QueueConfig
from app.actor import SYSTEM
from app.auth.model import Role
from app.clock import utc_now
from app.db import Database
from app.hours.service import set_special_day
from app.queues.source import RulesFile
from app.settings import Settings
from tests.integration.web_browser import Browser

PATH = "/api/queue-rules"
Browsers = Callable[..., Browser]


def lines(rules: dict[str, Any], queue: str, topic: str) -> list[str]:
    (section,) = [one for one in rules["sections"] if one["queue"] == queue]
    return [line for told in section["told"] if told["topic"] == topic for line in told["lines"]]


def test_the_shipped_rules_are_told_in_the_readers_language(browser: Browsers):
    chief = browser(Role.supervisor)
    rules = chief.get(PATH).json()
    assert (rules["file"], rules["live"], rules["problem"], rules["later"]) == ("shipped", False, "", [])
    assert [section["queue"] for section in rules["sections"]] == ["", "general"]
    assert "等满 15 分钟还没有轮到：转语音留言" in lines(rules, "general", "overflow")
    english = chief.client.get(PATH, headers={"Accept-Language": "en"}).json()
    assert "Whoever has waited 15 min: goes to voicemail" in lines(english, "general", "overflow")


def test_the_instances_own_file_is_told_and_reading_it_writes_nothing(browser: Browsers, settings: Settings):
    settings.paths.queues.write_text("queues: {social: {overflow_wait_s: 90}}\n")
    rules = browser(Role.supervisor).get(PATH).json()
    assert (rules["file"], [section["queue"] for section in rules["sections"]]) == ("own", ["", "social"])
    assert "等满 1 分钟 30 秒还没有轮到：转语音留言" in lines(rules, "social", "overflow")
    assert list(settings.paths.journal.iterdir()) == []


def test_a_broken_file_is_named_with_its_line_and_what_holds_instead_is_told(browser: Browsers, settings: Settings):
    settings.paths.queues.write_text("queues: {general: {overflow_wait_s: 90}}\n")
    RulesFile(settings).read()
    settings.paths.queues.write_text("queues:\n  general: {overflow_wait_s: soon}\n")
    rules = browser(Role.supervisor).get(PATH).json()
    assert "line 2" in rules["problem"] or ":2" in rules["problem"], rules["problem"]
    assert "等满 1 分钟 30 秒还没有轮到：转语音留言" in lines(rules, "general", "overflow")


def test_what_the_running_queue_goes_by_comes_before_the_file(
    browser: Browsers, client: TestClient, settings: Settings
):
    class Running:
        """A queue that has read its rules some time ago."""

        def rules_in_force(self) -> EngineConfig:
            config, _ = RulesFile(settings).held()
            return replace(config, redial_s=60, queues=(QueueConfig("general", overflow_wait_s=45),))

    web = client.app.state.web  # type: ignore[attr-defined]
    client.app.state.web = replace(web, realtime=Running())  # type: ignore[attr-defined]
    rules = browser(Role.supervisor).get(PATH).json()
    assert (rules["live"], rules["later"]) == (True, ["redial_s"])
    assert "等满 45 秒还没有轮到：转语音留言" in lines(rules, "general", "overflow")
    assert "排队时挂断、1 分钟内再打来的，恢复原来的位置（一次）" in lines(rules, "", "order")


def test_opening_is_told_with_the_days_that_differ(browser: Browsers, db: Database, settings: Settings):
    today = utc_now().astimezone(settings.zone).date()
    with db.session() as session:
        set_special_day(session, SYSTEM, today + timedelta(days=2), closed=True, note="停电检修")
        set_special_day(session, SYSTEM, today + timedelta(days=90), opens="10:00", closes="12:00")
    opening = browser(Role.supervisor).get(PATH).json()["opening"]
    assert (opening["opens"], opening["closes"]) == (settings.opens, settings.closes)
    own = [(day["kind"], day["note"]) for day in opening["days"] if day["kind"] == "closed" or day["opens"]]
    assert own == [("closed", "停电检修")], "and none of those beyond the next weeks"


@pytest.mark.parametrize(
    ("role", "status"),
    [
        *((role, 200) for role in (Role.supervisor, Role.duty_leader, Role.section_head, Role.auditor, Role.admin)),
        *((role, 403) for role in (Role.agent, Role.quality, Role.dispatcher, Role.city_leader, Role.citizen)),
    ],
)
def test_rules_are_for_those_who_lead_or_look_after(browser: Browsers, role: Role, status: int):
    assert browser(role).get(PATH).status_code == status
