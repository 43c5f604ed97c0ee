"""A look asks what a session would be told, by a connection that its thread keeps, on both databases."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from sqlalchemy import bindparam, select, text
from sqlmodel import col

from app.cases.tables import Rotation
from app.db import LOOK_WAIT_S, Database
from app.errors import Busy

TURNS = select(col(Rotation.turns)).where(col(Rotation.name) == bindparam("wanted"))


def keep(db: Database, name: str, turns: int) -> None:
    with db.session() as session:
        session.add(Rotation(name=name, turns=turns))


def connections(db: Database) -> int:
    """How many connections of other sessions the PostgreSQL server has to this database."""
    with db.read() as session:
        asked = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        return int(session.execute(text(asked)).scalar_one())


def test_a_look_sees_what_was_stored_a_moment_ago(db: Database) -> None:
    assert db.look(TURNS, wanted="x") is None
    keep(db, "x", 7)
    assert db.look(TURNS, wanted="x") == (7,)
    with db.session() as session:
        session.get_one(Rotation, "x").turns = 8
    assert db.look(TURNS, wanted="x") == (8,)


def test_what_a_caller_controls_stays_a_value(db: Database) -> None:
    keep(db, "x", 7)
    assert db.look(TURNS, wanted="' or 1=1 --") is None


def test_threads_look_side_by_side(db: Database) -> None:
    keep(db, "x", 7)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.extend(db.look(TURNS, wanted="x") for _ in range(20))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(7,)] * 160


def test_a_look_does_not_wait_for_a_writer(db: Database) -> None:
    keep(db, "x", 7)
    with db.session() as session:
        session.get_one(Rotation, "x").turns = 8
        session.flush()
        began = time.monotonic()
        assert db.look(TURNS, wanted="x") == (7,)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_while_nobody_asked_is_made_anew(db: Database) -> None:
    keep(db, "x", 7)
    assert db.look(TURNS, wanted="x") == (7,)
    with db.read() as session:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
        session.execute(text(f"{others} and pid <> pg_backend_pid()"))
    assert db.look(TURNS, wanted="x") == (7,)


@pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
def test_threads_that_ask_one_after_the_other_share_a_connection(db: Database) -> None:
    before = connections(db)
    for _ in range(5):
        thread = threading.Thread(target=lambda: db.look(TURNS, wanted="x"))
        thread.start()
        thread.join()
    assert connections(db) - before <= 1


@pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
def test_a_closed_database_keeps_no_connection_of_its_looks(db: Database, db_url: str) -> None:
    before = connections(db)
    other = Database(db_url)
    assert other.look(TURNS, wanted="x") is None
    assert connections(db) == before + 1
    other.dispose()
    end = time.monotonic() + 5
    while connections(db) > before:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_look_at_a_locked_file_ends_within_its_time(db: Database, db_url: str) -> None:
    assert db.looks_end_in_time
    keep(db, "x", 7)
    file = db.engine.url.database
    assert file
    other = Database(db_url)
    with sqlite3.connect(file, isolation_level=None) as alone:
        db.dispose()
        alone.execute("PRAGMA locking_mode=EXCLUSIVE")
        alone.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(Busy):
            other.look(TURNS, wanted="x")
        assert time.monotonic() - began < LOOK_WAIT_S + 1
        alone.execute("ROLLBACK")


def test_a_database_that_is_not_there_is_busy() -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/none", wait_s=0.5)
    with pytest.raises(Busy):
        away.look(TURNS, wanted="x")
