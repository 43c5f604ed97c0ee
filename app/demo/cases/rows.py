"""Rows as the databases' bulk loaders take them: tuples in the tables' order, moments as text (UTC)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from pydantic_core import PydanticUndefined
from sqlmodel import SQLModel

from app.assignments.tables import Assignment, Reply
from app.cases.tables import CASE_INDEX, Case, CaseEvent, CaseItem
from app.citizens.tables import Citizen, CitizenNumber
from app.clocks.tables import CaseClock
from app.followups.tables import FollowUp, FollowUpTask

DAY_S = 86_400
EMPTY = json.dumps({})
_TIMES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440)]


class Rows:
    """The rows of one table that wait to be written; if `numbered`, the database gives their ids."""

    def __init__(self, table: sa.Table, defaults: Mapping[str, Any], *, numbered: bool = False) -> None:
        self.table = table
        self.columns = tuple(column.name for column in table.columns if not (numbered and column.name == "id"))
        self.defaults = {**dict.fromkeys(self.columns), **defaults}
        self._in_order = itemgetter(*self.columns)
        self.waiting: list[tuple[Any, ...]] = []

    def add(self, **values: Any) -> None:
        """One more row; what is not said has the table's default."""
        self.waiting.append(self._in_order({**self.defaults, **values}))


class Store:
    """Rows of every table that a case leaves traces in, in the order in which they may be written."""

    def __init__(self) -> None:
        self.citizens, self.numbers = _of(Citizen), _of(CitizenNumber)
        self.cases, self.events, self.items = _of(Case), _of(CaseEvent, numbered=True), _of(CaseItem)
        self.works, self.replies, self.clocks = _of(Assignment), _of(Reply, numbered=True), _of(CaseClock)
        self.tasks, self.tries = _of(FollowUpTask), _of(FollowUp, numbered=True)
        self.index = Rows(CASE_INDEX, {"audience": "", "weight": 0})
        self.every = (self.citizens, self.numbers, self.cases, self.items, self.events, self.works, self.replies,
                      self.clocks, self.tasks, self.tries, self.index)  # fmt: skip


def moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as both databases read a moment; None stays None."""
    if seconds is None:
        return None
    days, rest = divmod(int(seconds), DAY_S)
    return f"{_day(days)} {_TIMES[rest // 60]}:{rest % 60:02d}.000000"


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return datetime.fromtimestamp(days * DAY_S, UTC).strftime("%Y-%m-%d")


def _of(table: type[SQLModel], *, numbered: bool = False) -> Rows:
    defaults = {}
    for name, field in table.model_fields.items():
        if field.default is not PydanticUndefined and field.default is not None:
            defaults[name] = field.default
        elif field.default_factory is not None:
            defaults[name] = EMPTY
    made: sa.Table = table.__table__  # type: ignore[attr-defined]
    return Rows(made, defaults, numbered=numbered)
