"""Giving case numbers and turns: counters that two transactions can't both read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.cases.model import format_number
from app.cases.tables import CaseCounter, HandlingSection, Rotation


def next_number(session: Session, day: date) -> str:
    """A case number that has never been given (C14). Call it late: PostgreSQL locks the day's row till commit.

    A transaction that fails gives its number back, because the counter rolls back with it.
    """
    row = _counted(session, CaseCounter, "day", f"{day:%Y%m%d}", "last")
    return format_number(day, row)


def next_section(session: Session, on_duty: Collection[str] = (), now_in: str = "messages") -> str | None:
    """The code of the section whose turn it is (T10, 篇6 内部制度); None when no section is active.

    Where the roster says who is `on_duty`, the turn is among these: on days off the general office takes what comes.
    """
    active = select(col(HandlingSection.code)).where(col(HandlingSection.active).is_(True))
    codes: list[str] = list(session.execute(active.order_by(col(HandlingSection.position))).scalars())
    codes = [code for code in codes if code in on_duty] or sorted(on_duty) or codes
    if not codes:
        return None
    turn = _counted(session, Rotation, "name", now_in, "turns")
    return codes[(turn - 1) % len(codes)]


def _counted(session: Session, table: Any, key: str, value: str, counter: str) -> int:
    """Adds one to the counter and returns it, in one statement."""
    statement = _count(session.get_bind().dialect.name, table, key, counter)
    return int(session.execute(statement, {"counted": value}).scalar_one())


@cache
def _count(dialect: str, table: Any, key: str, counter: str) -> Any:
    insert: Any = insert_postgresql if dialect == "postgresql" else insert_sqlite
    columns = table.__table__.c
    statement = insert(table.__table__).values({key: bindparam("counted"), counter: 1})
    more = statement.on_conflict_do_update(index_elements=[key], set_={counter: columns[counter] + 1})
    return more.returning(columns[counter])
