"""The database: SQLite or PostgreSQL behind one small door.

`Database.session()` is one write transaction, `Database.read()` one read-only view. Neither ever hangs: after
`WAIT_S` seconds a writer that can't get in raises `Busy` and nothing was stored. Synchronous on purpose; the event
loop calls it through a thread (docs/adr/0005-synchronous-database.md).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import JSON, DateTime, Select, event, select
from sqlalchemy import exc as sa_exc
from sqlalchemy import inspect as sa_inspect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, create_engine

from app.errors import Busy, HotlineError, NotFound, StorageFull
from app.looks import Looks
from app.settings import Settings

WAIT_S = 3.0
Row = TypeVar("Row")
POOL = {"pool_size": 8, "max_overflow": 24, "pool_timeout": WAIT_S}
LOOK_WAIT_S = 0.5
"""How long a look waits for a locked file; a reader of a file in WAL hardly ever meets a lock."""
NO_POOL = {"poolclass": NullPool}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment: refused when naive, stored as UTC, read back aware on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def json_type() -> Any:
    """JSON on SQLite, JSONB on PostgreSQL."""
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def engine_url(url: str) -> URL:
    """The URL with the driver that we use."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(f"database_url: {parsed.get_backend_name()} is not supported; use sqlite or postgresql")
    return parsed


class Database:
    """One database of one instance; safe to use from every thread.

    Raises, from either context manager: Busy (locked, away, or no free connection within 3 s), StorageFull.
    """

    def __init__(self, url: str, *, wait_s: float = WAIT_S) -> None:
        self.url = engine_url(url)
        self.dialect = self.url.get_backend_name()
        self._wait_s = wait_s
        # SQLite has one writer. Queueing here instead of in its busy handler wakes the next thread at once, not
        # after a back-off of up to 100 ms; other processes still meet the busy handler.
        self._writer = threading.Lock()
        if self.dialect == "sqlite":
            if not self.url.database or self.url.database == ":memory:":
                raise ValueError("database_url: SQLite must be a file, several threads and processes use it")
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._write_engine = _sqlite_engine(self.url, wait_s, begin="BEGIN IMMEDIATE", read_only=False)
            self._read_engine = _sqlite_engine(self.url, wait_s, begin="BEGIN", read_only=True)
            looking = _sqlite_engine(self.url, min(wait_s, LOOK_WAIT_S), begin="", read_only=True, **NO_POOL)
        else:
            self._write_engine = _postgresql_engine(self.url, wait_s)
            self._read_engine = self._write_engine.execution_options(postgresql_readonly=True)
            looking = _postgresql_engine(self.url, wait_s, **NO_POOL)
        self._looks = Looks(looking)
        self._stored: list[Callable[[Session], None]] = []

    @contextmanager
    def session(self, *, wait_s: float | None = None) -> Iterator[Session]:
        """One write transaction: committed on leaving, rolled back on any exception. Do no slow work inside."""
        if self.dialect == "sqlite" and not self._writer.acquire(timeout=self._wait_s if wait_s is None else wait_s):
            raise Busy()
        try:
            with translated(), Session(self._write_engine, expire_on_commit=False) as session:
                # The transaction (and SQLite's write lock) begins now, so that what is read in it stays true.
                session.connection()
                yield session
                session.commit()
                for hear in self._stored:
                    hear(session)
        finally:
            if self.dialect == "sqlite":
                self._writer.release()

    def after_commit(self, hear: Callable[[Session], None]) -> None:
        """From now on `hear` is called with every session whose transaction was stored. It must not wait, nor raise."""
        self._stored.append(hear)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One read-only transaction that sees one state of the data; writing in it fails."""
        with translated(), Session(self._read_engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    def look(self, statement: Select[Any], **texts: str) -> tuple[Any, ...] | None:
        """The first row of `statement` with these text parameters, as the driver gives it; None if there is none.

        For the few questions that every single call asks, see `app.looks`. Raises as `read`.
        """
        with translated():
            return self._looks.first(statement, texts)

    @property
    def looks_end_in_time(self) -> bool:
        """Whether a look ends within about LOOK_WAIT_S whatever happens: a file's does, a server may be silent."""
        return self.dialect == "sqlite"

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and tests."""
        return self._write_engine

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that sessions are made of, for tests that watch statements."""
        # PostgreSQL's reading engine is the writing one with an option, and tells the same listeners.
        return (self._write_engine,) if self.dialect == "postgresql" else (self._write_engine, self._read_engine)

    def check(self) -> None:
        """Raises Busy unless the database answers."""
        with self.read() as session:
            session.connection().exec_driver_sql("SELECT 1")

    def dispose(self) -> None:
        """Close every connection."""
        self._write_engine.dispose()
        self._read_engine.dispose()
        self._looks.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turns the drivers' "locked", "gone" and "full" into the hotline's errors; everything else passes."""
    try:
        yield
    except sa_exc.TimeoutError as error:
        raise Busy() from error
    except sa_exc.DBAPIError as error:
        if (known := _known(error.orig, isinstance(error, sa_exc.OperationalError))) is not None:
            raise known from error
        raise
    except (sqlite3.Error, psycopg.Error) as error:  # what SQLAlchemy does not wrap: set-up of connections, looks
        if (known := _known(error, isinstance(error, sqlite3.Error | psycopg.OperationalError))) is not None:
            raise known from error
        raise


_PG_BUSY = ("55P03", "40001", "40P01", "57014", "57P01", "57P02", "57P03", "53300", "08")
_PG_FULL = ("53100",)


def _known(origin: BaseException | None, operational: bool) -> HotlineError | None:
    if isinstance(origin, sqlite3.Error):
        name = getattr(origin, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Busy()
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")):
            return StorageFull()
        if name.startswith("SQLITE_CANTOPEN"):
            return Busy(code="database_away")
        return None
    state = getattr(origin, "sqlstate", None)
    if state is None:
        # No SQLSTATE: the server refused the connection or the connection broke.
        return Busy(code="database_away") if operational else None
    if state.startswith(_PG_FULL):
        return StorageFull()
    if state.startswith(_PG_BUSY):
        return Busy()
    return None


def _sqlite_engine(url: URL, wait_s: float, *, begin: str, read_only: bool, **pool: Any) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": wait_s}, **(pool or POOL)
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transaction handling begins too late and too little; `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={round(wait_s * 1000)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: a caller who was told a case number must find it after a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA cache_size=-16000")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(url: URL, wait_s: float, **pool: Any) -> Engine:
    wait_ms = round(wait_s * 1000)
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=not pool,
        connect_args={
            "connect_timeout": max(2, round(wait_s)),
            "options": f"-c lock_timeout={wait_ms} -c statement_timeout={wait_ms * 4} -c timezone=UTC"
            f" -c idle_in_transaction_session_timeout={wait_ms * 10}",
            "application_name": "hotline",
        },
        **(pool or POOL),
    )


def migrate(settings: Settings) -> None:
    """Bring the instance's database to the newest schema; safe to call from several processes at once."""
    from app.migrations.newest import is_newest

    if not is_newest(settings.url):
        from app.migrations.run import upgrade

        upgrade(settings.url)


def found(session: Session, table: type[Row], key: Any, *, lock: bool = False) -> Row:
    """The row of that key; with `lock` nobody else changes it in this transaction's time. Raises NotFound."""
    row = session.get(table, key, with_for_update=lock or None)
    if row is None:
        raise NotFound()
    return row


def loaded(session: Session, table: type[Row], keys: Iterable[Any]) -> dict[Any, Row]:
    """The rows of these keys, in one statement; as long as somebody holds them, `session.get` asks for none of them."""
    wanted = {key for key in keys if key is not None}
    (key,) = sa_inspect(table).primary_key
    rows = session.execute(select(table).where(key.in_(wanted))).scalars() if wanted else ()
    return {getattr(row, key.name): row for row in rows}
