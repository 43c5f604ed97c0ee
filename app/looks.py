"""The few questions that every single call asks of the database, at the price of the driver alone.

A statement is compiled once; connections are kept from question to question, in autocommit and read-only. A question
costs a tenth of what it costs through a session, which shows at a hundred calls a second.
"""

from __future__ import annotations

from collections import deque
from typing import Any, cast

from sqlalchemy import Select
from sqlalchemy.engine import Engine

Row = tuple[Any, ...]
MOST_IDLE = 8
"""Connections that are kept; a question takes a millisecond, so that hardly two are asked at the same moment."""


class Looks:
    """Asks `engine`'s database, for any number of threads. `engine` has no pool: connections are kept here, as many as
    ever asked at the same moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[tuple[int, Any, Any]] = deque()
        """(life, pooled connection, driver's connection), the last used one last."""
        self._compiled: dict[int, tuple[Select[Any], str, list[str] | None]] = {}
        self._life = 0

    def first(self, statement: Select[Any], texts: dict[str, str]) -> Row | None:
        """The first row as the driver gives it, None if there is none. Raises the driver's errors.

        A connection that broke while nobody used it is made anew once.
        """
        sql, names = self._sql(statement)
        values = texts if names is None else [texts[name] for name in names]
        while True:
            fresh = not (kept := self._take())
            life, pooled, driver = kept or self._connect()
            try:
                cursor = driver.cursor()
                try:
                    cursor.execute(sql, values)
                    row = cursor.fetchone()
                finally:
                    cursor.close()
            except Exception as error:
                broken = self._engine.dialect.is_disconnect(cast(Any, error), driver, None)
                pooled.invalidate()
                if fresh or not broken:
                    raise
                continue
            self._keep(life, pooled, driver)
            return None if row is None else tuple(row)

    def close(self) -> None:
        """Closes the idle connections; those in use are closed when they come back."""
        self._life += 1
        while kept := self._pop():
            kept[1].invalidate()

    def _sql(self, statement: Select[Any]) -> tuple[str, list[str] | None]:
        known = self._compiled.get(id(statement))
        if known is None:
            compiled = statement.compile(dialect=self._engine.dialect)
            # The statement is kept with it, so that its id is never another's.
            known = (statement, str(compiled), getattr(compiled, "positiontup", None))
            self._compiled[id(statement)] = known
        return known[1], known[2]

    def _pop(self) -> tuple[int, Any, Any] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _take(self) -> tuple[int, Any, Any] | None:
        """An idle connection: the one that was used last, so that a rush's others are not kept awake."""
        while kept := self._pop():
            if kept[0] == self._life:
                return kept
            kept[1].invalidate()
        return None

    def _keep(self, life: int, pooled: Any, driver: Any) -> None:
        if life == self._life and len(self._idle) < MOST_IDLE:
            self._idle.append((life, pooled, driver))
        else:
            pooled.invalidate()

    def _connect(self) -> tuple[int, Any, Any]:
        life, pooled = self._life, self._engine.raw_connection()
        driver: Any = pooled.driver_connection
        if self._engine.dialect.name == "postgresql":
            driver.autocommit = True
        return life, pooled, driver
