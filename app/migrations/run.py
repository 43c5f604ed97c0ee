"""Runs Alembic from code: no ini file, no command line, safe when several processes start together."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event
from sqlmodel import create_engine

from app.db import engine_url, translated

HERE = Path(__file__).parent
LOCK = 12345_0001  # PostgreSQL advisory lock: one migration at a time
WAIT_S = 60.0

log = logging.getLogger(__name__)


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to `revision`; a second process waits for the first and then finds nothing to do.

    All steps are one transaction: a kill in the middle leaves the old schema. Raises Busy, StorageFull.
    """
    engine = _engine(url)
    try:
        with translated(), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            config = _config(connection)
            if revision == "head" and _current(connection) == ScriptDirectory.from_config(config).get_current_head():
                return
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Back to `revision` ("base" = an empty database). For tests and for an operator who knows."""
    engine = _engine(url)
    try:
        with translated(), engine.begin() as connection:
            command.downgrade(_config(connection), revision)
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """The revision that the database is at, None before the first."""
    engine = _engine(url)
    try:
        with translated(), engine.connect() as connection:
            return _current(connection)
    finally:
        engine.dispose()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _engine(url: str) -> Engine:
    """An engine of its own: SQLite's foreign keys stay off, else rebuilding a table would delete its children."""
    parsed = engine_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, hide_parameters=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": WAIT_S})

    @event.listens_for(engine, "connect")
    def configure(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute(f"PRAGMA busy_timeout={round(WAIT_S * 1000)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
