"""Writing many rows fast: prepared statements on SQLite, COPY on PostgreSQL; look-ups are built at the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from app.cases.tables import CASE_INDEX
from app.db import Database
from app.demo.cases.rows import Rows
from app.search.tables import BESIDE

FTS = CASE_INDEX.name + BESIDE
COUNTED = (
    "INSERT INTO case_counter (day, last) VALUES ({}) "
    "ON CONFLICT (day) DO UPDATE SET last = excluded.last WHERE case_counter.last < excluded.last"
)


class Bulk:
    """One connection of its own that writes until it is finished; nobody else should be writing meanwhile."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.whole = db.dialect == "postgresql"
        self._sqlite = None if self.whole else _opened(str(db.url.database))

    def write(self, several: Iterable[Rows], numbers: Mapping[str, int]) -> None:
        """Write what waits, and the last case number of each day, in one transaction."""
        given = list(numbers.items())
        if self._sqlite is not None:
            with _transaction(self._sqlite):
                for rows in several:
                    marks = ", ".join("?" * len(rows.columns))
                    self._sqlite.executemany(f"INSERT INTO {_into(rows)} VALUES ({marks})", rows.waiting)
                    rows.waiting.clear()
                self._sqlite.executemany(COUNTED.format("?, ?"), given)
            return
        with self.db.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            for rows in several:
                _copy(connection, rows)
                rows.waiting.clear()
            connection.exec_driver_sql(COUNTED.format("%s, %s"), given)

    def begin(self) -> None:
        """Put the look-up of the words aside while rows are written, where that is quicker than to keep it in step."""
        if self.whole:
            self._run(f"DROP INDEX IF EXISTS {FTS}")

    def finish(self, tables: Sequence[sa.Table]) -> None:
        """Build the look-up of the words, let ids go on behind what was written, and let the planner know of it.

        Also after a failure: without this nobody could work in the database any more.
        """
        if self._sqlite is not None:
            with _transaction(self._sqlite):
                self._sqlite.execute(f"INSERT INTO {FTS}({FTS}) VALUES ('rebuild')")
            self._sqlite.execute("ANALYZE")
            self._sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._sqlite.close()
            return
        self._run(f"CREATE INDEX IF NOT EXISTS {FTS} ON {CASE_INDEX.name} USING gin (words) WITH (fastupdate = off)")
        for table in tables:
            if "id" in table.columns:
                top = f"(SELECT max(id) FROM {table.name})"
                self._run(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {top}) WHERE {top} IS NOT NULL")
        with self.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            with suppress(
                sa.exc.DBAPIError
            ):  # somebody who may not analyse somebody else's tables has data all the same
                connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("RESET statement_timeout")

    def _run(self, statement: str) -> None:
        with self.db.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
            connection.exec_driver_sql(statement)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    # Whoever loses power while inventing data invents it again; foreign keys are right by construction.
    for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-500000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _into(rows: Rows) -> str:
    names = ", ".join(f'"{name}"' for name in rows.columns)  # follow_up.by is a word of SQL
    return f"{rows.table.name} ({names})"


def _copy(connection: sa.Connection, rows: Rows) -> None:
    if not rows.waiting:
        return
    kept: Any = connection.connection.driver_connection
    if rows.table is not CASE_INDEX:
        with kept.cursor().copy(f"COPY {_into(rows)} FROM STDIN") as copying:
            copying.write(_lines(rows.waiting))
        return
    names = ", ".join(rows.columns)
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE fresh ON COMMIT DROP AS SELECT {names} FROM {rows.table.name} LIMIT 0"
    )
    connection.exec_driver_sql("ALTER TABLE fresh ALTER COLUMN words TYPE text")
    with kept.cursor().copy(f"COPY fresh ({names}) FROM STDIN") as copying:
        copying.write(_lines(rows.waiting))
    made = names.replace("words", "array_to_tsvector(string_to_array(words, ' '))")
    connection.exec_driver_sql(f"INSERT INTO {rows.table.name} ({names}) SELECT {made} FROM fresh")


def _lines(rows: Iterable[tuple[Any, ...]]) -> str:
    return "".join(["\t".join([_field(value) for value in row]) + "\n" for row in rows])


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\\" in value or "\n" in value or "\t" in value:
            return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
        return value
    return str(value)
