"""Invented cases: the same every time, whole in every table, found by their words, and worked on like any other."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from app.actor import SYSTEM, Actor
from app.assignments.inbox import Box, inbox
from app.assignments.model import Opinion
from app.assignments.tables import Assignment, Reply
from app.auth.model import Role
from app.cases import service
from app.cases.boards import Board, board
from app.cases.finding import keep
from app.cases.history import events_of
from app.cases.states import CASE_TABLE, CaseAct, CaseState
from app.cases.tables import CASE_INDEX, Case, CaseCounter, CaseEvent
from app.citizens.service import match
from app.clocks.service import due
from app.clocks.tables import CaseClock
from app.db import Database
from app.demo.cases.fill import _City, fill, real_cases
from app.followups.model import Heard, Reached
from app.followups.tables import FollowUp, FollowUpTask
from app.settings import REPO, Settings
from tests.case_kit.world import World

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MANY = 3_000
MATTER = {"type": "help", "title": "独一无二的事", "content": "只有一件"}
LEADER = Actor(user_id=None, roles=frozenset({Role.duty_leader, Role.section_head}), name="leader")


@pytest.fixture
def filled(db: Database, settings: Settings) -> Database:
    """A database with three thousand invented cases."""
    fill(db, settings, MANY, seed=3, now=NOW)
    return db


def counted(db: Database, table: Any, *conditions: Any) -> int:
    with db.read() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(table).where(*conditions)).scalar_one())


def test_every_case_is_whole_in_every_table(filled: Database):
    with filled.read() as session:
        cases = session.exec(select(Case)).all()
        assert len(cases) == MANY
        assert len({case.number for case in cases}) == MANY
        assert min(case.created_at for case in cases) < NOW - timedelta(days=1000)
        assert max(case.created_at for case in cases) <= NOW
        states = {case.state for case in cases}
        assert {"archived", "closed", "answered", "guided", "discarded", "merged", "in_progress"} <= states
        registered = [case for case in cases if case.registered_at]
        assert counted(filled, CASE_INDEX) == len(registered) < MANY
        works = {work.case_id: work for work in session.exec(select(Assignment)).all()}
        for case in cases:
            if case.state in ("dispatched", "signed", "in_progress", "replied", "to_follow_up"):
                assert works[case.id or 0].unit_id
                assert case.due_at is not None
            if case.state in ("closed", "archived", "answered"):
                assert case.ended_at is not None
        assert any(case.repeats for case in cases)
    for table in (Reply, CaseClock, FollowUp, FollowUpTask):
        assert counted(filled, table) > MANY / 10, table
    missed = counted(filled, CaseClock, CaseClock.state == "missed")
    assert 0 < missed < counted(filled, CaseClock) / 2


def test_every_line_of_a_history_follows_the_table_of_states(filled: Database):
    with filled.read() as session:
        events = session.exec(select(CaseEvent).order_by(CaseEvent.case_id, CaseEvent.id)).all()  # type: ignore[arg-type]
    assert len(events) > 3 * MANY
    where: dict[int, str] = {}
    for event in events:
        before = where.get(event.case_id)
        assert event.from_state == before, (event.event, before)
        if before is not None and not event.event.startswith("unit."):
            step = CASE_TABLE[CaseState(before), CaseAct(event.event)]
            assert event.to_state == (step.target or CaseState(before)).value
        where[event.case_id] = event.to_state
    with filled.read() as session:
        assert where == {case.id: case.state for case in session.exec(select(Case)).all()}


def test_invented_cases_are_found_and_worked_on_like_any_other(filled: Database, settings: Settings):
    with filled.read() as session:
        assert service.list_cases(session, LEADER, settings.zone, q="停水").total > 0
        assert board(session, LEADER, Board.under_way).total > 0
        unit = session.exec(select(Assignment.unit_id).where(Assignment.state == "in_progress")).first() or 0
        handler = Actor(user_id=None, roles=frozenset({Role.unit_handler}), unit_ids=frozenset({unit}))
        assert inbox(session, handler, Box.at_work).total > 0
        case = session.exec(select(Case).where(Case.citizen_id != None)).first()  # noqa: E711
        assert case is not None
        citizen = match(session, case.caller_number)
        assert citizen is not None
        assert citizen.id == case.citizen_id
    with filled.session() as session:
        made = service.create_manual(session, SYSTEM, {"type": "help", "title": "停水", "content": "停水两天"}, now=NOW)
        assert made.id == MANY + 1
        service.register(session, SYSTEM, made.id, {}, 1, now=NOW)
        assert [event.event for event in events_of(session, made.id)] == ["opened", "registered"]
        assert due(session, NOW + timedelta(days=30))
        stored = session.execute(sa.select(CASE_INDEX.c.words).where(CASE_INDEX.c.subject_id == 5)).scalar_one()
        keep(session, session.get_one(Case, 5))
        again = session.execute(sa.select(CASE_INDEX.c.words).where(CASE_INDEX.c.subject_id == 5)).scalar_one()
    assert sorted(stored.split()) == sorted(again.split()), "as it would be kept one by one"


def test_the_same_seed_gives_the_same_cases_and_more_come_behind(filled: Database, settings: Settings):
    with filled.read() as session:
        first = [(case.title, case.content, case.state) for case in session.exec(select(Case).order_by(Case.id)).all()]  # type: ignore[arg-type]
    fill(filled, settings, MANY, seed=3, now=NOW)
    with filled.read() as session:
        rows = session.exec(select(Case).where(Case.id > MANY).order_by(Case.id)).all()  # type: ignore[arg-type,operator]
        again = [(case.title, case.content, case.state) for case in rows]
        counter = session.get(CaseCounter, rows[-1].number[:8])
    assert again == first
    assert counter is not None
    assert counter.last == int(rows[-1].number[9:])


def test_replies_and_call_backs_that_are_there_already_keep_their_ids(world: World, settings: Settings):
    case_id = world.to_follow_up("WATER")
    work_id = world.work_of(case_id, "WATER")
    with world.db.session() as session:
        for n in range(2, 40):  # more of them than cases and assignments
            session.add(FollowUp(case_id=case_id, round=n, at=NOW, reached="no_answer"))
            session.add(Reply(assignment_id=work_id, round=n, state="draft", updated_at=NOW))
    before = counted(world.db, FollowUp), counted(world.db, Reply)
    fill(world.db, settings, 300, seed=3, now=NOW)
    assert (counted(world.db, FollowUp), counted(world.db, Reply)) > before
    world.asked(case_id, Heard(Reached.spoken, Opinion.satisfied, True, True, True))


def test_after_an_interrupted_filling_what_is_there_is_whole_and_work_goes_on(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.demo.cases.fill.BATCH", 100)

    def interrupted(done: int, _count: int) -> None:
        if done == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(db, settings, 300, seed=3, now=NOW, progress=interrupted)
    assert counted(db, Case) == 200
    with db.read() as session:
        last = session.exec(select(Case).order_by(col(Case.id).desc())).first()
        assert last is not None
        if db.dialect == "postgresql":
            indexes = session.execute(sa.text("SELECT indexname FROM pg_indexes")).scalars().all()
            assert "case_index_fts" in indexes
    with db.session() as session:  # on a day whose numbers have been given in part
        made = service.create_manual(session, SYSTEM, MATTER, now=last.created_at)
        service.register(session, SYSTEM, made.id or 0, {}, 1, now=last.created_at)
        assert made.id == 201
        assert int(made.number[9:]) == int(last.number[9:]) + 1
        keep(session, session.get_one(Case, last.id))
    with db.read() as session:
        assert service.list_cases(session, LEADER, settings.zone, q="独一无二").total == 1
        assert service.list_cases(session, LEADER, settings.zone, q=last.title).total >= 1


def test_a_batch_that_fails_leaves_nothing_of_itself(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.demo.cases.fill.BATCH", 100)
    told = _City.case

    def wrong_in_the_end(city: _City, at: float) -> None:
        told(city, at)
        if city.next_case == 150:
            city.next_case = 10  # in use

    monkeypatch.setattr(_City, "case", wrong_in_the_end)
    with pytest.raises((sa.exc.DBAPIError, sqlite3.Error, psycopg.Error)):
        fill(db, settings, 300, seed=3, now=NOW)
    assert counted(db, Case) == 100
    with db.session() as session:
        assert service.create_manual(session, SYSTEM, MATTER, now=NOW).id == 101


def test_real_cases_are_told_from_invented_ones(filled: Database):
    with filled.read() as session:
        assert real_cases(session) == 0
    with filled.session() as session:
        service.create_manual(session, SYSTEM, {"content": "x"}, now=NOW)
    with filled.read() as session:
        assert real_cases(session) == 1


def test_the_command_refuses_a_database_with_real_cases_unless_it_is_told_to(db: Database, db_url: str, tmp_path: Path):
    with db.session() as session:
        service.create_manual(session, SYSTEM, {"content": "x"}, now=NOW)
    db.dispose()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "app.cli.main", "demo", "data", "--cases", "50", *arguments]
        env = {"PATH": "/usr/bin:/bin", "HOTLINE_HOME": str(tmp_path / "home"), "HOTLINE_DATABASE_URL": db_url}
        return subprocess.run(argv, cwd=REPO, env=env, capture_output=True, text=True, timeout=100)

    refused = run()
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert counted(db, Case) == 1
    done = run("--force")
    assert done.returncode == 0, done.stderr
    assert "50 cases" in done.stdout
    assert counted(db, Case) == 51
