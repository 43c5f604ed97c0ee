"""Clocks as they are stored: begun, stopped, extended, given back, swept by index, and limits that an office sets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from app.actor import Actor
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.clocks import extensions, office
from app.clocks import service as clocks
from app.clocks.limits import Unit, due_day
from app.clocks.model import ClockKind
from app.clocks.rules import Key, Matter, Urgency, Way
from app.clocks.service import Subject
from app.clocks.tables import CaseClock, ClockExtension
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.settings import Settings
from app.workdays import service as workdays
from tests.integration.postgres_server import waits_for_a_lock
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # a Tuesday, 09:00 in the city
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("Asia/Shanghai")
CASE, UNIT = Subject.case(7), Subject.assignment(3)
WRITTEN, BURST_PIPE = Matter(), Matter("help", Urgency.utilities)
HANDLE, DISPATCH = ClockKind.handle, ClockKind.dispatch
People = Callable[..., Actor]
Browsers = Callable[..., Browser]


@pytest.fixture
def steps(settings: Settings) -> dict[str, Any]:
    """What every step is told."""
    return {"now": NOW, "settings": settings}


def audited(session: Session, prefix: str) -> list[tuple[str, dict[str, Any]]]:
    rows = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
    return [(row.action, dict(row.detail)) for row in rows if row.action.startswith(prefix)]


def test_a_step_is_timed_once_and_stopped_once(db: Database, steps: dict[str, Any]):
    with db.session() as session:
        row = clocks.start(session, CASE, DISPATCH, BURST_PIPE, **steps)
        assert (row.due_at, row.warn_at, row.state) == (NOW + 2 * HOUR, NOW + 1.5 * HOUR, "running")
        with pytest.raises(Refused, match="runs already"):
            clocks.start(session, CASE, DISPATCH, BURST_PIPE, **steps)
        clocks.start(session, UNIT, DISPATCH, BURST_PIPE, **steps)
    with db.session() as session:
        assert clocks.stop(session, CASE, DISPATCH, now=NOW + HOUR).state == "met"
        with pytest.raises(NotFound):
            clocks.stop(session, CASE, DISPATCH, now=NOW + HOUR)
        assert clocks.stop(session, UNIT, DISPATCH, now=NOW + 3 * HOUR).state == "missed"


def test_two_who_begin_a_step_at_once_do_not_begin_it_twice(db: Database, steps: dict[str, Any]):
    with db.session() as session:
        first = clocks.start(session, CASE, DISPATCH, WRITTEN, **steps)
        copy = first.model_dump(exclude={"id"})
    with db.session() as session:
        session.add(CaseClock(**copy))
        with pytest.raises(sa.exc.IntegrityError):
            session.flush()
        session.rollback()


def test_more_time_needs_a_reason_and_somebody_elses_yes_and_both_are_audited(
    db: Database, person: People, steps: dict[str, Any]
):
    head, leader, chief = person(Role.section_head), person(Role.duty_leader), person(Role.supervisor)
    with db.session() as session:
        row = clocks.start(session, CASE, HANDLE, WRITTEN, **steps)
        with pytest.raises(BadInput) as caught:
            extensions.ask_extension(session, head, row.id or 0, 0, " ", **steps)
        assert caught.value.fields.keys() == {"why", "amount"}
        asked = extensions.ask_extension(session, head, row.id or 0, 3, "待上级批复", **steps)
    ident = asked.id or 0
    for actor, approved, error in ((chief, True, Forbidden), (head, True, Forbidden), (leader, False, BadInput)):
        with pytest.raises(error), db.session() as session:
            extensions.decide_extension(session, actor, ident, approved, **steps)
    with db.session() as session:
        longer = extensions.decide_extension(session, leader, ident, True, **steps)
        assert due_day(longer.due_at, ZONE) == date(2026, 12, 8)
    with pytest.raises(Refused), db.session() as session:
        extensions.decide_extension(session, leader, ident, False, "改主意", **steps)
    with db.read() as session:
        stored = session.get(ClockExtension, ident)
        assert stored is not None
        assert (stored.state, stored.decided_by, stored.decided_at) == ("approved", leader.user_id, NOW)
        assert audited(session, "extension") == [
            ("extension.asked", {"amount": 3, "unit": "working_days"}),
            ("extension.decided", {
                "approved": True, "from": "2026-12-03T16:00:00.000Z", "to": "2026-12-08T16:00:00.000Z",
            }),
        ]  # fmt: skip


def test_two_who_decide_at_once_decide_once(db: Database, person: People, steps: dict[str, Any]):
    asker, leader, other = person(Role.dispatcher), person(Role.duty_leader), person(Role.section_head)
    with db.session() as session:
        row = clocks.start(session, CASE, HANDLE, WRITTEN, **steps)
        ident = extensions.ask_extension(session, asker, row.id or 0, 3, "待上级批复", **steps).id or 0
    refused: list[Refused] = []

    def decide() -> None:
        try:
            with db.session() as session:
                seen = session.get(ClockExtension, ident)  # as somebody who has looked at the list has
                extensions.decide_extension(session, other, ident, True, **steps)
                assert seen is not None
        except Refused as error:
            refused.append(error)

    with db.session() as session:
        extensions.decide_extension(session, leader, ident, True, **steps)
        session.flush()
        thread = threading.Thread(target=decide)
        thread.start()
        while db.dialect == "postgresql" and not waits_for_a_lock(db):
            assert thread.is_alive()
    thread.join()
    assert [error.code for error in refused] == ["nothing_pending"]
    with db.read() as session:
        (stored,) = clocks.of_subject(session, CASE)
        assert due_day(stored.due_at, ZONE) == date(2026, 12, 8)


def test_a_unit_that_gives_back_costs_the_centre_time_and_a_redo_keeps_the_first_outcome(
    db: Database, steps: dict[str, Any], settings: Settings
):
    def at(hours: int) -> dict[str, Any]:
        return {"now": NOW + hours * HOUR, "settings": settings}

    with db.session() as session:
        clocks.start(session, CASE, DISPATCH, WRITTEN, **at(0))
        clocks.stop(session, CASE, DISPATCH, now=NOW + 2 * HOUR)
        whole = clocks.start(session, CASE, HANDLE, WRITTEN, **at(2))
        clocks.start(session, UNIT, ClockKind.sign, WRITTEN, **at(2))
        child = clocks.start(session, UNIT, HANDLE, WRITTEN, parent=whole, **at(50))
        assert child.due_at == whole.due_at
        clocks.end_all(session, UNIT, now=NOW + 52 * HOUR)
        dispatch = clocks.begin(session, CASE, DISPATCH, WRITTEN, **at(52))
        assert (dispatch.round, dispatch.due_at) == (2, NOW + 76 * HOUR)
        assert [row.state for row in clocks.of_subject(session, UNIT)] == ["missed", "replaced"]
        assert whole.state == "running"
        assert clocks.time_against_centre(session, CASE, NOW + 55 * HOUR) == 5 * HOUR
        assert clocks.begin(session, CASE, DISPATCH, WRITTEN, **at(53)).id == dispatch.id
        clocks.stop(session, CASE, HANDLE, now=NOW + 60 * HOUR)
        again = clocks.restart(session, CASE, HANDLE, Matter(way=Way.telephone), **at(61))
        assert (again.round, again.after_id, again.unit, again.amount) == (2, whole.id, "working_days", 3)
    with db.read() as session:
        first, second = [row for row in clocks.of_subject(session, CASE) if row.kind == "handle"]
        assert (first.state, second.state) == ("met", "running")


def test_another_kind_of_matter_has_another_limit_from_the_same_beginning_and_that_is_audited(
    db: Database, person: People, steps: dict[str, Any], settings: Settings
):
    chief = person(Role.supervisor)
    with db.session() as session:
        before = clocks.start(session, CASE, DISPATCH, WRITTEN, **steps)
        later = {"now": NOW + HOUR, "settings": settings}
        after = clocks.exchange(session, chief, CASE, DISPATCH, BURST_PIPE, **later)
        assert (before.state, after.started_at, after.due_at) == ("replaced", NOW, NOW + 2 * HOUR)
        assert [action for action, _ in audited(session, "clock")] == ["clock.exchanged"]
        much_later = {"now": NOW + 10 * HOUR, "settings": settings}
        again = clocks.exchange(session, chief, CASE, DISPATCH, Matter(urgency=Urgency.life), **much_later)
        assert (after.state, again.due_at) == ("missed", NOW + 11 * HOUR)  # nobody is late by what was not known


def test_what_is_due_or_nearly_so_is_swept_once_first_ends_first(db: Database, person: People, steps: dict[str, Any]):
    dispatcher = person(Role.dispatcher)
    with db.session() as session:
        for number, matter in enumerate((WRITTEN, BURST_PIPE, Matter(urgency=Urgency.life))):
            clocks.start(session, Subject.case(number), DISPATCH, matter, **steps)
        row = clocks.start(session, UNIT, DISPATCH, BURST_PIPE, **steps)
        extensions.ask_extension(session, dispatcher, row.id or 0, 1, "车辆故障", **steps)
    when = NOW + 1.6 * HOUR
    with db.session() as session:
        assert [one.subject_id for one in clocks.due(session, when)] == [2]
        assert [one.subject_id for one in clocks.to_warn(session, when, limit=1)] == [1]
        assert [one.subject_id for one in clocks.to_warn(session, when)] == [3]
    with db.session() as session:
        assert clocks.due(session, when) == clocks.to_warn(session, when) == []
        assert [one.state for one in clocks.due(session, NOW + 2 * HOUR)] == ["missed", "missed"]
        assert [one.state for one in session.exec(select(ClockExtension))] == ["lapsed"]
        late = clocks.stop(session, Subject.case(2), DISPATCH, now=when)
        assert (late.state, late.ended_at) == ("missed", when)


def test_a_warning_is_given_again_for_a_later_end(db: Database, person: People, steps: dict[str, Any]):
    leader, dispatcher, nearly = person(Role.duty_leader), person(Role.dispatcher), NOW + 23 * HOUR
    with db.session() as session:
        row = clocks.start(session, CASE, DISPATCH, WRITTEN, **steps)
        assert clocks.to_warn(session, nearly) == [row]
        asked = extensions.ask_extension(session, dispatcher, row.id or 0, 24, "核实地址", **{**steps, "now": nearly})
        extensions.decide_extension(session, leader, asked.id or 0, True, **{**steps, "now": nearly})
        assert clocks.to_warn(session, nearly) == []
        assert clocks.to_warn(session, NOW + 47 * HOUR) == [row]


def test_provisional_ends_become_final_when_the_year_is_published(db: Database, person: People, settings: Settings):
    start, admin = datetime(2026, 12, 28, 2, 0, tzinfo=UTC), person(Role.admin)
    with db.session() as session:
        whole = clocks.start(session, CASE, HANDLE, WRITTEN, now=start, settings=settings)
        clocks.start(session, UNIT, HANDLE, WRITTEN, parent=whole, now=start + HOUR, settings=settings)
        assert (due_day(whole.due_at, ZONE), whole.provisional) == (date(2027, 1, 6), True)
        assert clocks.settle(session, start + HOUR, settings=settings) == []
        table = "day,kind\n2027-01-01,holiday\n2027-01-02,holiday\n"
        workdays.import_year(session, admin, 2027, table, published_by="国务院办公厅", dry_run=False)
        session.flush()
        settled = clocks.settle(session, start + 2 * HOUR, settings=settings)
        assert [(due_day(row.due_at, ZONE), row.provisional) for row in settled] == [(date(2027, 1, 7), False)] * 2
        assert clocks.settle(session, start + 2 * HOUR, settings=settings) == []


def test_the_sweeps_read_a_range_of_an_index_and_nothing_else(db: Database, steps: dict[str, Any]):
    with db.session() as session:
        pattern = clocks.start(session, CASE, DISPATCH, WRITTEN, **steps).model_dump(exclude={"id"})
        ended = pattern | {"state": "met", "ended_at": NOW}
        session.execute(sa.insert(CaseClock), [ended | {"subject_id": number} for number in range(2000)])
    dialect = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}[db.dialect]
    explain = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
    wanted = {"ix_case_clock_due": clocks.due_statement(NOW), "ix_case_clock_warn": clocks.warn_statement(NOW)}
    with db.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        for index, statement in wanted.items():
            text = str(statement.limit(200).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + text.replace("%", "%%")))
            assert index in plan, plan
            assert "Seq Scan" not in plan, plan
            assert "SCAN" not in plan, plan
            assert "Sort" not in plan, plan
            assert "TEMP B-TREE" not in plan, plan


def test_an_office_sets_its_own_limits_and_takes_them_back(db: Database, person: People, steps: dict[str, Any]):
    head, chief = person(Role.section_head), person(Role.supervisor)
    key = Key(DISPATCH, "complaint")
    with pytest.raises(Forbidden), db.session() as session:
        office.set_rule(session, chief, key, 4, Unit.hours, 25)
    with pytest.raises(BadInput), db.session() as session:
        office.set_rule(session, head, key, 0, Unit.hours, 25)
    with db.session() as session:
        office.set_rule(session, head, key, 4, Unit.hours, 25, now=NOW)
        office.set_rule(session, head, Key(DISPATCH), 12, Unit.hours, 10, now=NOW)
    with db.session() as session:
        assert clocks.start(session, CASE, DISPATCH, Matter("complaint"), **steps).due_at == NOW + 4 * HOUR
        assert clocks.start(session, UNIT, DISPATCH, WRITTEN, **steps).due_at == NOW + 12 * HOUR
        office.reset_rule(session, head, Key(DISPATCH), now=NOW)
        with pytest.raises(NotFound):
            office.reset_rule(session, head, Key(DISPATCH))
        assert clocks.start(session, Subject.case(9), DISPATCH, WRITTEN, **steps).due_at == NOW + 24 * HOUR
        assert audited(session, "clock_rule") == [
            ("clock_rule.changed", {"from": None, "to": "4 hours 25%"}),
            ("clock_rule.changed", {"from": "24 hours 25%", "to": "12 hours 10%"}),
            ("clock_rule.changed", {"from": "12 hours 10%", "to": "24 hours 25%"}),
        ]


def test_rest_lists_sets_and_resets_limits(browser: Browsers):
    head, chief, agent = browser(Role.section_head), browser(Role.supervisor), browser(Role.agent, agent_id="1001")
    rules = chief.get("/api/clock-rules").json()
    first = {name: rules[0][name] for name in ("kind", "case_type", "urgency", "way", "own")}
    assert first == {"kind": "dispatch", "case_type": None, "urgency": None, "way": None, "own": False}
    assert agent.get("/api/clock-rules").status_code == 403
    path, body = "/api/clock-rules/handle/complaint/any/written", {"amount": 5, "unit": "working_days"}
    assert chief.send("PUT", path, json=body).status_code == 403
    made = head.send("PUT", path, json=body)
    assert (made.status_code, made.json()["own"], made.json()["limit"]["amount"]) == (200, True, 5), made.text
    assert len(chief.get("/api/clock-rules").json()) == len(rules) + 1
    wrong = head.send("PUT", path, json={"amount": 900, "unit": "working_days", "warn_percent": 0})
    assert (wrong.status_code, wrong.json()["error"]["fields"].keys()) == (422, {"amount", "warn_percent"})
    assert head.send("DELETE", path).status_code == 204
    assert head.send("DELETE", path).status_code == 404
    assert head.send("PUT", "/api/clock-rules/handle/complaint/soon/written", json=body).status_code == 422
