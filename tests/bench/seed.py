"""Fills a database with citizens, their calls and cases, fast: for benches that ask whether size matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert

from app.calls.tables import Call
from app.cases.tables import Case
from app.citizens.tables import Citizen, CitizenNumber
from app.db import Database

BATCH = 5_000
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
AREAS = ("城南", "城北", "城东", "城西", "高新区")
Progress = Callable[[int, int], None]


def number_of(n: int) -> str:
    """The telephone of citizen `n`, counted from 0."""
    return f"13{n:09d}"


def seed(
    db: Database, citizens: int, *, case_every: int = 3, call_every: int = 2, progress: Progress | None = None
) -> None:
    """Add `citizens` citizens with a number each, a call for every second and a registered case for every third.

    A million take about two minutes on SQLite. The database must be migrated and hold none of these yet.
    """
    done = 0
    numbers = iter(range(citizens))
    while batch := list(islice(numbers, BATCH)):
        with db.session() as session:
            connection = session.connection()
            connection.execute(insert(Citizen), [_citizen(n) for n in batch])
            connection.execute(insert(CitizenNumber), [{"number": number_of(n), "citizen_id": n + 1} for n in batch])
            calls = [_call(n) for n in batch if n % call_every == 0]
            cases = [_case(n) for n in batch if n % case_every == 0]
            for table, rows in ((Call, calls), (Case, cases)):
                if rows:
                    connection.execute(insert(table), rows)
        done += len(batch)
        if progress:
            progress(done, citizens)
    if db.dialect == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def some_numbers(citizens: int, count: int) -> Iterator[str]:
    """`count` numbers spread over all citizens, in no order."""
    step = 7_919 * 104_729
    for n in range(count):
        yield number_of(n * step % citizens)


def _citizen(n: int) -> dict[str, Any]:
    return {
        "id": n + 1,
        "name": f"市民{n}",
        "area": AREAS[n % len(AREAS)],
        "address": "",
        "language": "yue" if n % 10 == 0 else "zh",
        "elderly": n % 20 == 0,
        "harassment": False,
        "confidential": n % 50 == 0,
        "note": "",
        "version": 1,
        "created_at": EPOCH,
        "updated_at": EPOCH,
    }


def _call(n: int) -> dict[str, Any]:
    at = EPOCH + timedelta(seconds=n % 25_000_000)
    return {
        "call_id": f"seed-{n}.1",
        "number": number_of(n),
        "name": "",
        "line": "12345",
        "language": "zh",
        "path": "greeting>person",
        "queue": "general",
        "skills": {},
        "priority": 0,
        "started_at": at,
        "joined_at": at + timedelta(seconds=20),
        "answered_at": at + timedelta(seconds=30),
        "ended_at": at + timedelta(seconds=200),
        "agent_id": f"{1001 + n % 200}",
        "outcome": "answered",
        "direction": "in",
        "citizen_id": n + 1,
    }


def _case(n: int) -> dict[str, Any]:
    at = EPOCH + timedelta(seconds=n % 25_000_000)
    return {
        "number": f"2025{n:010d}",
        "opened_for": f"call:seed-{n}.1",
        "call_id": f"seed-{n}.1",
        "source": "call",
        "state": "registered",
        "version": 2,
        "type": "complaint",
        "title": "路灯不亮",
        "content": "人民路路灯三天不亮",
        "answer": "",
        "caller_name": f"市民{n}",
        "caller_number": number_of(n),
        "area": AREAS[n % len(AREAS)],
        "address": "",
        "confidential": False,
        "language": "zh",
        "menu_path": "greeting>person",
        "citizen_id": n + 1,
        "agent_id": f"{1001 + n % 200}",
        "created_at": at,
        "updated_at": at,
        "registered_at": at,
    }
