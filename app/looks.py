"""The few questions that every single call asks of the database, at the price of the driver alone.

A statement is compiled once; each thread keeps a connection of its own, in autocommit and read-only. A question costs
a tenth of what it costs through a session, which shows at a hundred calls a second.
"""

from __future__ import annotations

import threading
from typing import Any, cast

from sqlalchemy import Select
from sqlalchemy.engine import Engine

Row = tuple[Any, ...]


class Looks:
    """Asks `engine`'s database, for any number of threads. `engine` has no pool: connections stay with the threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = threading.local()
        self._compiled: dict[int, tuple[Select[Any], str, list[str] | None]] = {}
        self._life = 0

    def first(self, statement: Select[Any], texts: dict[str, str]) -> Row | None:
        """The first row as the driver gives it, None if there is none. Raises the driver's errors.

        A connection that broke while nobody used it is made anew once.
        """
        sql, names = self._sql(statement)
        values = texts if names is None else [texts[name] for name in names]
        while True:
            fresh = self._connection() is None
            connection = self._connect() if fresh else self._connection()
            cursor = connection.cursor()
            try:
                cursor.execute(sql, values)
                row = cursor.fetchone()
                return None if row is None else tuple(row)
            except Exception as error:
                broken = self._engine.dialect.is_disconnect(cast(Any, error), connection, cursor)
                self._drop()
                if fresh or not broken:
                    raise
            finally:
                cursor.close()

    def close(self) -> None:
        """Connections of before are not used again; each is closed when its thread asks next, or ends."""
        self._life += 1
        self._drop()

    def _sql(self, statement: Select[Any]) -> tuple[str, list[str] | None]:
        known = self._compiled.get(id(statement))
        if known is None:
            compiled = statement.compile(dialect=self._engine.dialect)
            # The statement is kept with it, so that its id is never another's.
            known = (statement, str(compiled), getattr(compiled, "positiontup", None))
            self._compiled[id(statement)] = known
        return known[1], known[2]

    def _connection(self) -> Any:
        own = getattr(self._own, "connection", None)
        if own is not None and self._own.life != self._life:
            self._drop()
            return None
        return None if own is None else own.driver_connection

    def _connect(self) -> Any:
        own = self._engine.raw_connection()
        driver: Any = own.driver_connection
        if self._engine.dialect.name == "postgresql":
            driver.autocommit = True
        self._own.connection, self._own.life = own, self._life
        return driver

    def _drop(self) -> None:
        own = getattr(self._own, "connection", None)
        self._own.connection = None
        if own is not None:
            own.invalidate()
