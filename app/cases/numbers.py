"""Giving case numbers and turns: counters that two transactions can't both read."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
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


def next_section(session: Session, now_in: str = "messages") -> str | None:
    """The code of the section whose turn it is (T10, 篇6 内部制度); None when no section is active."""
    active = select(col(HandlingSection.code)).where(col(HandlingSection.active).is_(True))
    codes: list[str] = list(session.execute(active.order_by(col(HandlingSection.position))).scalars())
    if not codes:
        return None
    turn = _counted(session, Rotation, "name", now_in, "turns")
    return codes[(turn - 1) % len(codes)]


def _counted(session: Session, table: Any, key: str, value: str, counter: str) -> int:
    """Adds one to the counter and returns it, in one statement."""
    insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    statement = insert(table).values({key: value, counter: 1})
    statement = statement.on_conflict_do_update(
        index_elements=[key], set_={counter: getattr(table, counter) + 1}
    ).returning(getattr(table, counter))
    return int(session.execute(statement).scalar_one())
