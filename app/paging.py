"""Lists that people leaf through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, inspect, select
from sqlmodel import Session, col

T = TypeVar("T")
Wider = Callable[[int, int], "Select[Any] | None"]
"""How many rows were selected, how many there should be → a statement that selects more; None when nothing does."""
MAX_SIZE = 100
MOST_COUNTED = 500
"""So many rows behind the beginning of a page are counted: to count a million takes longer than to show any page."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `total` counts the list, up to MOST_COUNTED behind where the page begins."""

    items: list[T]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True)
class Leaf:
    """Which page is wanted, counted from 1."""

    page: int = 1
    page_size: int = 25

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return (max(1, self.page) - 1) * self.size

    @property
    def size(self) -> int:
        """Rows on a page, 1 to 100."""
        return max(1, min(self.page_size, MAX_SIZE))


def page_of(session: Session, statement: Select[Any], leaf: Leaf | None, wider: Wider | None = None) -> Page[Any]:
    """One page of what `statement` selects, the first when no leaf is named; two queries.

    Where `statement` selects the beginning of a list only, `wider` makes one that selects more of it, as long as what
    there is does not fill page and count.
    """
    leaf = leaf or Leaf()
    most = leaf.offset + max(MOST_COUNTED, leaf.size)
    if wider is not None:
        return _page_of_keys(session, statement, leaf, wider, most)
    total = counted(session, statement, most)
    rows = list(session.execute(statement.offset(leaf.offset).limit(leaf.size)).scalars())
    return Page(rows, total, leaf.page, leaf.size)


def _page_of_keys(session: Session, statement: Select[Any], leaf: Leaf, wider: Wider, most: int) -> Page[Any]:
    """The same where it is dear to select twice: the keys of all that is counted, then the rows of the page by these.

    `statement` must select one table.
    """
    keys = _keys(session, statement, most)
    while len(keys) < most and (more := wider(len(keys), most)) is not None:
        keys = _keys(session, more, most)
    return page_among(session, _rows_of(statement)[0], keys, leaf)


def page_among(session: Session, table: Any, keys: Sequence[Any], leaf: Leaf | None) -> Page[Any]:
    """One page of the rows of `table` that have these keys, in their order; one query."""
    leaf = leaf or Leaf()
    here, key = keys[leaf.offset : leaf.offset + leaf.size], inspect(table).primary_key[0]
    found = session.execute(select(table).where(key.in_(here))).scalars() if here else ()
    rows = {getattr(row, key.key): row for row in found}
    return Page([rows[one] for one in here if one in rows], len(keys), leaf.page, leaf.size)


def counted(session: Session, statement: Select[Any], most: int = MOST_COUNTED) -> int:
    """How many rows `statement` selects, counted no further than `most`."""
    keys = statement.with_only_columns(_rows_of(statement)[1]).order_by(None).limit(most).subquery()
    return int(session.execute(select(func.count()).select_from(keys)).scalar_one())


def _rows_of(statement: Select[Any]) -> tuple[Any, Any]:
    """What `statement` selects (a table, or a column), and its key: of the rows that are counted no more is read."""
    first = statement.column_descriptions[0]["expr"]
    return first, inspect(first).primary_key[0] if isinstance(first, type) else first


def _keys(session: Session, statement: Select[Any], most: int) -> list[Any]:
    return list(session.execute(statement.with_only_columns(_rows_of(statement)[1]).limit(most)).scalars())


def equal(statement: Select[Any], wanted: Mapping[Any, str]) -> Select[Any]:
    """Only rows whose columns have these values; an empty value asks for nothing."""
    for column, value in wanted.items():
        if value:
            statement = statement.where(col(column) == value)
    return statement


def within(statement: Select[Any], moment: Any, start: date | None, end: date | None, zone: tzinfo) -> Select[Any]:
    """Only rows whose `moment` lies on the days from `start` to `end`, both included; None leaves that side open."""
    lower, upper = day_range(start, end, zone)
    if lower:
        statement = statement.where(col(moment) >= lower)
    if upper:
        statement = statement.where(col(moment) < upper)
    return statement


def day_range(start: date | None, end: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """The moments from the beginning of `start` to the end of `end` where the hotline is."""
    first, last = date(1970, 1, 2), date(2200, 1, 1)  # outside of these, moments leave what a computer can count
    lower = datetime.combine(min(max(start, first), last), time.min, zone) if start else None
    upper = datetime.combine(min(max(end, first), last) + timedelta(days=1), time.min, zone) if end else None
    return lower, upper


def like(text: str) -> str:
    """A LIKE pattern (escape character backslash) that finds `text` anywhere."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
