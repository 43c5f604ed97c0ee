"""The card at the offer: who calls, what is open, and a draft that is already stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from app.actor import SYSTEM
from app.agents.service import create_agent
from app.calls.model import CallFacts
from app.calls.service import record
from app.cases import service as cases
from app.citizens import service as citizens
from app.db import Database
from app.errors import Busy
from app.pop import build_card, card_without_draft

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
FACTS = CallFacts(
    "h-9.9",
    number="+8613800138000",
    name="WANG",
    line="12345",
    language="yue",
    path="greeting>language>person",
    started_at=NOW - timedelta(seconds=40),
    joined_at=NOW - timedelta(seconds=25),
)


def earlier_case(db: Database, call_id: str, age: timedelta, *, register: bool) -> str:
    with db.session() as session:
        case = cases.open_draft(session, CallFacts(call_id, number="13800138000"), now=NOW - age, zone=ZONE)
        if register:
            fields = {"type": "complaint", "title": f"case {call_id}", "content": "x"}
            cases.register(session, SYSTEM, case.id or 0, fields, 1, now=NOW - age)
    return case.number


def test_an_unknown_caller_gets_a_card_and_a_stored_draft(db: Database):
    card = build_card(db, FACTS, "1001", now=NOW, zone=ZONE).to_json()
    assert (card["number"], card["name"], card["language"]) == ("13800138000", "WANG", "yue")
    assert card["menu_path"] == ["greeting", "language", "person"]
    assert (card["waited_s"], card["citizen"], card["flags"]) == (25, None, [])
    with db.read() as session:
        case = cases.get_case(session, SYSTEM, card["draft"]["case_id"])
    assert (case.number, case.call_id, case.agent_id) == (card["draft"]["case_number"], "h-9.9", "1001")


def test_a_known_caller_is_introduced(db: Database):
    with db.session() as session:
        citizens.create(
            session, SYSTEM, numbers=["13800138000"], name="王芳", area="城南", flags=["elderly", "confidential"]
        )
    card = build_card(db, FACTS, "1001", now=NOW, zone=ZONE)
    assert (card.name, card.area, card.flags) == ("王芳", "城南", ["elderly", "confidential"])
    assert card.citizen is not None
    assert card.citizen["numbers"] == ["13800138000"]
    assert card.draft is not None
    assert card.draft["fields"]["confidential"] is True


def test_open_and_last_cases_and_calls_are_on_the_card_but_never_the_draft_itself(db: Database):
    open_number = earlier_case(db, "h-1", timedelta(days=2), register=True)
    draft_number = earlier_case(db, "h-2", timedelta(days=1), register=False)
    record(db, "h-1", number="13800138000", started_at=NOW - timedelta(days=2))
    record(db, "h-9.9", number="13800138000", started_at=NOW)
    card = build_card(db, FACTS, "1001", now=NOW, zone=ZONE)
    assert [case["number"] for case in card.open_cases] == [open_number]
    assert [case["number"] for case in card.last_cases] == [draft_number, open_number]
    assert [call["call_id"] for call in card.last_calls] == ["h-1"]
    assert card.flags == ["repeat"]


def test_a_former_call_names_the_agent_who_took_it(db: Database):
    create_agent(db, name="王小丽", agent_id="1001", password="A-good-password-1")
    answered = NOW - timedelta(days=2)
    record(db, "h-1", number="13800138000", started_at=answered, agent_id="1001", answered_at=answered)
    record(db, "h-2", number="13800138000", started_at=NOW - timedelta(days=1))
    card = build_card(db, FACTS, "1001", now=NOW, zone=ZONE)
    assert [call["agent_name"] for call in card.last_calls] == [None, "王小丽"]


def test_an_old_open_case_is_no_repeat(db: Database):
    earlier_case(db, "h-1", timedelta(days=40), register=True)
    assert build_card(db, FACTS, "1001", now=NOW, zone=ZONE).flags == []


def test_offered_to_the_next_agent_the_call_brings_the_same_draft_with_what_was_typed(db: Database):
    first = build_card(db, FACTS, "1001", now=NOW, zone=ZONE)
    assert first.draft is not None
    with db.session() as session:
        cases.autosave(session, SYSTEM, first.draft["case_id"], {"content": "typed"}, 1)
    second = build_card(db, FACTS, "1002", now=NOW, zone=ZONE)
    assert second.draft is not None
    assert second.draft["case_id"] == first.draft["case_id"]
    assert (second.draft["version"], second.draft["fields"]["content"]) == (2, "typed")


def test_a_withheld_number_matches_nobody(db: Database):
    with db.session() as session:
        cases.open_draft(session, CallFacts("h-1", number=""), now=NOW, zone=ZONE)
    card = build_card(db, CallFacts("h-2", number=""), "1001", now=NOW, zone=ZONE)
    assert (card.last_cases, card.last_calls, card.citizen) == ([], [], None)


def test_while_the_database_is_locked_the_telephone_alone_still_makes_a_card(db: Database):
    impatient = Database(db.url.render_as_string(hide_password=False), wait_s=0.3)
    build_card(db, CallFacts("h-0"), "1001", now=NOW, zone=ZONE)
    with db.session() as session:
        cases.open_draft(session, CallFacts("h-00"), now=NOW, zone=ZONE)
        with pytest.raises(Busy):
            build_card(impatient, FACTS, "1001", now=NOW, zone=ZONE)
    impatient.dispose()
    assert card_without_draft(FACTS, now=NOW).to_json()["waited_s"] == 25


def test_every_look_up_of_the_card_uses_an_index(db: Database):
    """A query that reads a whole table would make the pop slower with every citizen."""
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["13800138000"], name="王芳")
        connection = session.connection()
        if db.dialect == "postgresql":  # with tables this small the planner would rather read them whole
            connection.exec_driver_sql("SET enable_seqscan = off")
    seen: list[tuple[str, object]] = []

    def watch(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append((statement, parameters))

    for engine in db.engines:
        event.listen(engine, "before_cursor_execute", watch)
    build_card(db, FACTS, "1001", now=NOW, zone=ZONE)
    for engine in db.engines:
        event.remove(engine, "before_cursor_execute", watch)
    assert len(seen) >= 6
    with db.engine.connect() as connection:
        if db.dialect == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
        for statement, parameters in seen:
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))
            assert "SCAN call" not in plan
            assert "SCAN case_file" not in plan
            assert "SCAN citizen" not in plan
            assert "Seq Scan" not in plan
