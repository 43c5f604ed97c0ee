"""Editions of what talks are judged and drawn by: made, overtaken, held to, tried on last week, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.citizens.service import create
from app.db import Database
from app.editions.service import editions
from app.editions.service import make as make_edition
from app.errors import BadInput, Forbidden, VersionConflict
from app.quality import drawing, editing, previewing, service
from app.quality.criteria import CRITERIA
from app.quality.editions import CRITERIA_FORM, RULES_FORM
from app.quality.sampling import Rules
from app.quality.service import Form
from app.settings import Settings
from tests.integration.talks import NOW, SECRET, Talk, audited, maker
from tests.integration.web_browser import Browser

GOOD = {one.code: "good" for one in CRITERIA}
People = Callable[..., Actor]
Browsers = Callable[..., Browser]


@pytest.fixture
def talk(db: Database, settings: Settings) -> Talk:
    return maker(db, settings)


def test_an_edition_holds_from_its_day_and_a_review_keeps_the_criteria_of_its_talk(
    db: Database, settings: Settings, talk: Talk, person: People
):
    head, chief, agent = person(Role.section_head), person(Role.quality), person(agent_id="1001")
    monday = date(2026, 11, 30)
    later = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    fresh = [replace(CRITERIA[0], weight=5), replace(CRITERIA[1], weight=40), *CRITERIA[2:]]

    def make(
        who: Actor, kind: Any, content: Any, *, after: int = 0, since: date = monday, note: str = "业务更要紧"
    ) -> int:
        with db.session() as session:
            made = make_edition(session, who, kind, after, since, note, content, settings.zone, now=NOW)
            return made[0].number

    for who in (chief, agent):
        with pytest.raises(Forbidden):
            make(who, CRITERIA_FORM, fresh)
    for more, field in (
        ({"since": NOW.date()}, "since"),
        ({"note": " "}, "note"),
        ({"since": date(2030, 1, 7)}, "since"),
    ):
        with pytest.raises(BadInput) as caught:
            make(head, CRITERIA_FORM, fresh, **more)  # type: ignore[arg-type]
        assert set(caught.value.fields) == {field}
    with pytest.raises(BadInput):
        make(head, CRITERIA_FORM, CRITERIA)
    with pytest.raises(BadInput) as caught:
        make(head, RULES_FORM, Rules(at_least=1), since=date(2026, 12, 1))
    assert set(caught.value.fields) == {"since"}, "a week has one edition"
    assert make(head, CRITERIA_FORM, fresh) == 1
    assert make(head, RULES_FORM, Rules(at_least=1, new_agents=1)) == 1
    assert audited(db, "quality.rules_changed") == ["quality_criteria:1", "quality_sampling:1"]

    for n in range(3):
        talk(f"h-1.{n}", "1001")
        talk(f"h-2.{n}", "1001", started_at=later - timedelta(hours=1))
    mixed = {**GOOD, "timely": "poor", "skilled": "excellent"}
    with db.session() as session:
        old = drawing.fill(session, chief, NOW.date(), settings.zone, seed="s", now=later)
        new = drawing.fill(session, chief, later.date(), settings.zone, seed="s", now=later)
        assert [(len(old), {row.edition for row in old}), (len(new), {row.edition for row in new})] == [
            (3, {0}),
            (1, {1}),
        ]
        both = [
            service.publish(session, chief, row.id or 0, 1, Form(mixed), now=later, settings=settings)
            for row in (old[0], new[0])
        ]
        assert [row.total for row in both] == [81, 88]
        row = service.appeal(session, agent, both[0].id or 0, 2, "再看看", now=later)
        service.decide(session, head, row.id or 0, 3, "略高", {**mixed, "timely": "good"}, now=later)
        assert row.total == 90, "an appeal is decided by the criteria of the talk, too"
    with db.read() as session:
        assert [one.number for one in editions(session, chief, CRITERIA_FORM)] == [1, 0]
        with pytest.raises(Forbidden):
            editions(session, agent, CRITERIA_FORM)
    for statement in ("UPDATE quality_edition SET note = 'x'", "DELETE FROM quality_edition"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
            session.connection().exec_driver_sql(statement)


def test_of_two_who_edit_at_once_the_second_reads_who_was_first_and_what_was_changed(
    db: Database, settings: Settings, person: People
):
    first, second = person(Role.section_head, name="first-head"), person(Role.section_head)
    tried: list[object] = []

    def make(who: Actor, after: int, rules: Rules) -> None:
        with db.session() as session:
            since = date(2026, 11, 30)
            make_edition(session, who, RULES_FORM, after, since, "试试", rules, settings.zone, now=NOW)

    def beside() -> None:
        try:
            make(second, 0, Rules(at_least=4))
        except VersionConflict as conflict:
            tried.append(conflict)

    other = threading.Thread(target=beside)
    with db.session() as session:
        since = date(2026, 11, 30)
        make_edition(session, first, RULES_FORM, 0, since, "新人多", Rules(new_agents=6), settings.zone, now=NOW)
        other.start()
        other.join(0.3)  # it waits for this one to be stored; it would be done by now
    other.join()
    [conflict] = tried
    assert isinstance(conflict, VersionConflict)
    said = conflict.to_json()
    assert (said["changed_by"], said["current"]["number"], said["current"]["note"]) == ("first-head", 1, "新人多")
    assert [(one["what"], one["before"][0], one["after"][0]) for one in said["current"]["changes"]] == [
        ("new_agents", "4", "6")
    ]
    make(second, 1, Rules(at_least=4))
    with db.read() as session:
        newest = editions(session, second, RULES_FORM)[0]
        assert (newest.number, newest.content) == (2, Rules(at_least=4))
        assert {one.what for one in newest.changes} == {"at_least", "new_agents"}


def test_a_preview_counts_last_week_as_if_nothing_were_drawn_and_no_secret_talk_for_who_may_not_hear_it(
    db: Database, settings: Settings, talk: Talk, person: People, browser: Browsers
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    chief, leader, agent = person(Role.quality), person(Role.section_head), person(agent_id="1001")
    week = NOW - timedelta(days=7)
    for n in range(9):
        talk(f"h-1.{n}", "1001", started_at=week, seconds=25)
    talk("h-2.1", "1001", started_at=week, number=SECRET, seconds=25)
    with db.session() as session:
        assert len(drawing.fill(session, chief, week.date(), settings.zone, now=NOW)) == 4
    with db.read() as session:
        rules = Rules(at_least=6, new_agents=6)
        shown = previewing.preview(session, chief, rules, settings.zone, now=NOW)
        assert (shown.week, shown.talks, shown.held.drawn, shown.tried.drawn) == (date(2026, 11, 16), 9, 4, 6)
        assert previewing.preview(session, leader, rules, settings.zone, now=NOW).talks == 10
        with pytest.raises(Forbidden):
            previewing.preview(session, agent, rules, settings.zone, now=NOW)
    head = browser(Role.section_head)
    path, tomorrow = "/api/quality/editions", (datetime.now(settings.zone) + timedelta(days=1)).date().isoformat()
    sent = {"after": 0, "since": tomorrow, "note": "<b>改</b>", **editing.criteria_json(CRITERIA)}
    sent["criteria"][0]["zh"] = "\u202e接得快"
    told_by = head.send("POST", f"{path}/criteria", json=sent)
    assert (told_by.status_code, [one["state"] for one in told_by.json()]) == (201, ["to_come", "holds"])
    assert told_by.json()[0]["changes"][0]["after"] == ["接得快", "answered in time"]
    again = head.send("POST", f"{path}/criteria", json=sent)
    assert (again.status_code, again.json()["current"]["number"]) == (409, 1)
    sent["criteria"][0]["weight"] = 99
    sent["after"] = 1
    wrong = head.send("POST", f"{path}/criteria", json=sent)
    assert set(wrong.json()["error"]["fields"]) == {"criteria"}
