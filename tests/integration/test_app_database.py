"""The database door: the same promises on SQLite and PostgreSQL."""

# ruff: noqa: PT012  # a transaction that fails needs more than one statement

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import select

from app.actor import SYSTEM
from app.audit.model import Action
from app.audit.service import write
from app.audit.tables import AuditEntry
from app.cases.tables import HandlingSection, Rotation
from app.db import Database, migrate
from app.errors import Busy
from app.migrations import newest, run
from app.search.tables import beside
from app.settings import Settings
from app.tables import metadata


def declared(name: str | None, _kind: str, _parents: object) -> bool:
    return not beside(name)


def test_the_migrations_make_exactly_the_tables_that_the_code_declares(db: Database):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": declared})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing_and_going_back_leaves_nothing(db_url: str):
    run.upgrade(db_url)
    head = run.current(db_url)
    assert head is not None
    run.downgrade(db_url, "base")
    assert run.current(db_url) is None
    run.upgrade(db_url)
    assert run.current(db_url) == head


def test_processes_that_migrate_at_once_do_not_disturb_each_other(db_url: str):
    run.downgrade(db_url, "base")
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            run.upgrade(db_url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Database(db_url).read() as session:
        assert len(session.exec(select(HandlingSection)).all()) == 3


def test_a_start_sees_without_alembic_whether_anything_is_to_be_done(db_url: str):
    assert newest.newest() == ScriptDirectory(str(run.HERE)).get_current_head()
    assert newest.is_newest(db_url)
    run.downgrade(db_url, "0001")
    assert not newest.is_newest(db_url)
    run.downgrade(db_url, "base")
    assert not newest.is_newest(db_url)


def test_a_start_does_not_wait_for_somebody_who_is_writing(db: Database, settings: Settings):
    with db.session() as session:
        session.add(Rotation(name="x", turns=1))
        session.flush()
        began = time.monotonic()
        migrate(settings)
        assert time.monotonic() - began < run.WAIT_S / 20


def test_what_fails_in_a_session_leaves_no_trace(db: Database):
    with pytest.raises(RuntimeError), db.session() as session:
        session.add(Rotation(name="x", turns=1))
        session.flush()
        raise RuntimeError("boom")
    with db.read() as session:
        assert session.get(Rotation, "x") is None


def test_a_read_session_cannot_write(db: Database):
    with pytest.raises((sa.exc.DBAPIError, Busy)), db.read() as session:
        session.add(Rotation(name="x", turns=1))
        session.flush()


def test_a_moment_comes_back_aware_and_equal_and_a_naive_one_is_refused(db: Database):
    moment = datetime(2026, 11, 24, 8, 30, 15, 123456, tzinfo=UTC)
    with db.session() as session:
        write(session, SYSTEM, Action.login, now=moment)
    with db.read() as session:
        assert session.exec(select(AuditEntry)).one().at == moment
    with pytest.raises((ValueError, sa.exc.StatementError)), db.session() as session:
        write(session, SYSTEM, Action.login, now=datetime(2026, 1, 1))  # noqa: DTZ001
        session.flush()


def test_a_locked_database_says_busy_after_its_time_and_never_hangs(db: Database):
    impatient = Database(db.url.render_as_string(hide_password=False), wait_s=0.3)
    with db.session() as session:
        session.add(Rotation(name="held", turns=1))
        session.flush()
        began = time.monotonic()
        with pytest.raises(Busy) as caught, impatient.session() as other:
            other.add(Rotation(name="held", turns=2))
            other.flush()
        assert time.monotonic() - began < 3
    assert caught.value.status == 503
    assert caught.value.retry_after == 2
    with impatient.session() as other:
        other.add(Rotation(name="later", turns=1))
    impatient.dispose()


def test_threads_of_one_process_wait_in_line_for_the_one_writer(db: Database):
    def add(name: str) -> None:
        with db.session() as session:
            session.add(Rotation(name=name, turns=1))

    threads = [threading.Thread(target=add, args=(f"t{n}",)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert len(session.exec(select(Rotation)).all()) == 40


def test_readers_are_not_kept_waiting_by_a_writer(db: Database):
    with db.session() as session:
        session.add(Rotation(name="unfinished", turns=1))
        session.flush()
        with db.read() as other:
            assert other.get(Rotation, "unfinished") is None


def test_a_database_that_is_away_is_busy_not_a_crash(tmp_path: Path):
    gone = Database(f"postgresql://hotline@/x?host={tmp_path}", wait_s=0.3)
    with pytest.raises(Busy), gone.read() as session:
        session.connection()


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
def test_the_audit_cannot_be_rewritten_even_with_plain_sql(db: Database, statement: str):
    with db.session() as session:
        write(session, SYSTEM, Action.login)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
        session.connection().exec_driver_sql(statement)
    with db.read() as session:
        assert session.exec(select(AuditEntry)).one().actor == "system"


def test_errors_never_carry_the_values_of_a_statement(db: Database):
    with pytest.raises(sa.exc.DBAPIError) as caught, db.session() as session:
        session.execute(sa.text("INSERT INTO rotation (name, nothing) VALUES (:n, 1)"), {"n": "13800138000"})
    assert "13800138000" not in str(caught.value)
