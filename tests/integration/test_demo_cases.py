"""Invented cases: the same every time, whole in every table, found by their words, and worked on like any other."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.assignments.inbox import Box, inbox
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
from app.demo.cases.fill import fill, real_cases
from app.followups.tables import FollowUp, FollowUpTask
from app.settings import REPO, Settings

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MANY = 3_000
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
