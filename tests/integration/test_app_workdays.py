"""The working-day calendar as it is stored: who changes it, what is audited, imports, one source with the hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.actor import Actor
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound
from app.hours import service as hours
from app.migrations import run
from app.workdays import service as workdays
from app.workdays.model import WorkDayKind, add_working_days
from app.workdays.tables import WorkDay
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
TABLE = "日期,类型,说明\n2027-01-01,放假,元旦\n2027-01-02,放假,元旦\n2027-01-03,上班,元旦\n"
NOTICE = "国务院办公厅 国办发明电〔2026〕X号"
People = Callable[..., Actor]
Browsers = Callable[..., Browser]


def reached(db: Database, start: date, count: int) -> tuple[date, bool]:
    with db.read() as session:
        found = add_working_days(workdays.calendar(session, start), start, count)
    return found.day, found.provisional


def audited(db: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with db.read() as session:
        rows = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        kept = [row for row in rows if row.action.startswith(("workday", "calendar"))]
        return [(row.action, row.object, dict(row.detail)) for row in kept]


def test_the_published_years_are_there_from_the_start_and_a_day_can_be_changed(db: Database, person: People):
    leader = person(Role.section_head)
    assert reached(db, date(2026, 9, 24), 7) == (date(2026, 10, 12), False)
    assert reached(db, date(2026, 12, 31), 1) == (date(2027, 1, 1), True)
    with db.session() as session:
        workdays.set_day(session, leader, date(2026, 9, 29), WorkDayKind.holiday, note="市运会", now=NOW)
    assert reached(db, date(2026, 9, 24), 7) == (date(2026, 10, 13), False)
    with db.session() as session:
        workdays.clear_day(session, leader, date(2026, 9, 29), now=NOW)
    assert reached(db, date(2026, 9, 24), 7) == (date(2026, 10, 12), False)
    assert audited(db) == [
        ("workday.changed", "workday:2026-09-29", {"from": None, "to": "holiday"}),
        ("workday.changed", "workday:2026-09-29", {"from": "holiday", "to": None}),
    ]
    with pytest.raises(NotFound), db.session() as session:
        workdays.clear_day(session, leader, date(2026, 9, 29))
    with pytest.raises(BadInput), db.session() as session:
        workdays.set_day(session, leader, date(2026, 9, 29), WorkDayKind.makeup)


def test_an_import_replaces_the_year_and_makes_it_final(db: Database, person: People):
    admin = person(Role.admin)

    def take(text: str, **more: Any) -> workdays.Import:
        given = {"published_by": NOTICE, "now": NOW, **more}
        with db.session() as session:
            return workdays.import_year(session, admin, 2027, text, **given)

    with db.session() as session:
        workdays.set_day(session, admin, date(2027, 1, 1), WorkDayKind.holiday, now=NOW)
        workdays.set_day(session, admin, date(2027, 2, 8), WorkDayKind.holiday, now=NOW)
    tried = take(TABLE, dry_run=True)
    assert (tried.added, tried.changed, tried.removed, tried.faults) == (2, 1, 1, ())
    wrong = take(TABLE + "2027-13-01,放假,\n", dry_run=False)
    assert [fault.row for fault in wrong.faults] == [5]
    assert reached(db, date(2026, 12, 31), 1) == (date(2027, 1, 4), True), "neither a try nor a fault stored anything"
    draft = take(TABLE, dry_run=False, provisional=True, published_by="")
    assert (draft.added, draft.changed, draft.removed) == (2, 1, 1)
    assert reached(db, date(2026, 12, 31), 1) == (date(2027, 1, 3), True)
    assert take(TABLE, dry_run=False) == workdays.Import((), draft.days)
    assert reached(db, date(2026, 12, 31), 1) == (date(2027, 1, 3), False)
    with pytest.raises(BadInput) as caught:
        take(TABLE, dry_run=True, published_by=" ")
    assert list(caught.value.fields) == ["published_by"]
    imported = [detail for action, _, detail in audited(db) if action == "calendar.imported"]
    assert [one["provisional"] for one in imported] == [True, False]


@pytest.mark.parametrize("role", [Role.agent, Role.supervisor, Role.auditor, Role.dispatcher])
def test_nobody_else_changes_the_calendar(db: Database, person: People, role: Role):
    stranger = person(role)
    with pytest.raises(Forbidden), db.session() as session:
        workdays.set_day(session, stranger, date(2026, 9, 29), WorkDayKind.holiday)
    with pytest.raises(Forbidden), db.session() as session:
        workdays.clear_day(session, stranger, date(2026, 10, 1))
    with pytest.raises(Forbidden), db.session() as session:
        workdays.import_year(session, stranger, 2027, TABLE, dry_run=True)


def test_a_holiday_is_entered_once_and_the_opening_hours_know_it(db: Database, person: People):
    leader = person(Role.duty_leader)
    with db.session() as session:
        workdays.set_day(session, leader, date(2027, 5, 1), WorkDayKind.holiday, note="劳动节")
        hours.set_special_day(session, leader, date(2027, 5, 1), opens="09:00", closes="17:00")
        hours.set_special_day(session, leader, date(2027, 5, 2), closed=True, note="检修")
    with db.read() as session:
        found = [
            (one.day.day, one.kind.value, one.opens, one.note) for one in hours.coming_days(session, date(2027, 5, 1))
        ]
    assert found == [(1, "holiday", "09:00", "劳动节"), (2, "closed", "", "检修")]
    with db.session() as session:
        workdays.clear_day(session, leader, date(2027, 5, 1))
    with db.read() as session:
        assert hours.coming_days(session, date(2027, 5, 1))[0].kind.value == "workday", "only the hours are its own now"


def test_holidays_that_stood_among_the_opening_hours_move_into_the_calendar(db_url: str):
    run.downgrade(db_url, "0006")
    old = Database(db_url)
    with old.engine.begin() as connection:
        for day, kind, opens, closes, note in (
            ("2026-10-01", "holiday", "09:00", "17:00", ""),
            ("2027-01-01", "holiday", "", "", "元旦"),
            ("2026-12-01", "closed", "", "", "停电"),
            ("2026-12-02", "workday", "10:00", "12:00", ""),
        ):
            connection.execute(
                sa.text("INSERT INTO special_day (day, kind, opens, closes, note) VALUES (:d, :k, :o, :c, :n)"),
                {"d": date.fromisoformat(day), "k": kind, "o": opens, "c": closes, "n": note},
            )
    run.upgrade(db_url)
    with old.read() as session:
        special = hours.coming_days(session, date(2026, 12, 1))
        row = session.get(WorkDay, date(2027, 1, 1))
        october = hours.coming_days(session, date(2026, 10, 1))[0]
    assert [(one.day.day, one.kind.value) for one in special if one.day.month == 12] == [(1, "closed"), (2, "workday")]
    assert row is not None
    assert (row.kind, row.note, row.source) == ("holiday", "元旦", "hours")
    assert (october.kind.value, october.opens, october.note) == ("holiday", "09:00", "国庆节")
    old.dispose()
    run.downgrade(db_url, "0006")


def test_rest_tells_counts_changes_and_imports(browser: Browsers):
    leader, chief, agent = browser(Role.section_head), browser(Role.supervisor), browser(Role.agent, agent_id="1001")
    year = chief.get("/api/workdays/2026").json()
    assert (year["provisional"], len(year["days"]), year["published_on"]) == (False, 39, "2025-11-04")
    assert chief.get("/api/workdays/2027").json()["provisional"] is True
    counted = chief.get("/api/workdays/count?start=2026-09-30&days=7").json()
    assert counted == {"day": "2026-10-15", "provisional": False}
    for path in ("/api/workdays/2026", "/api/workdays/count?start=2026-09-30&days=7"):
        assert agent.get(path).status_code == 403
    day = {"kind": "holiday", "note": "市运会"}
    assert chief.send("PUT", "/api/workdays/days/2027-03-01", json=day).status_code == 403
    made = leader.send("PUT", "/api/workdays/days/2027-03-01", json=day)
    assert (made.status_code, made.json()["source"]) == (200, "edit"), made.text
    assert leader.send("DELETE", "/api/workdays/days/2027-03-01").status_code == 204
    body = {"text": "日期,类型\n2027-01-01,假\n", "published_by": NOTICE, "dry_run": True}
    tried = leader.send("POST", "/api/workdays/2027/import", json=body).json()
    assert (tried["stored"], tried["faults"][0]["message"]) == (False, "第 2 行“类型”：写“放假”或“上班”")
    stored = leader.send("POST", "/api/workdays/2027/import", json={**body, "text": TABLE, "dry_run": False}).json()
    assert (stored["stored"], stored["added"]) == (True, 3)
    assert chief.get("/api/workdays/2027").json()["published_by"] == NOTICE
