"""What every call asks of the database about its caller: flags, and the agent of the last talk, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.calls.service import last_agent_of, record
from app.clock import to_ms
from app.db import Database
from app.settings import Settings
from cti_bridge.domain import AppDomain

NOW = datetime(2026, 11, 24, 10, 0, 0, 500_000, UTC)
NUMBER = "13800138000"


def talk(db: Database, call_id: str, agent_id: str | None, ago: timedelta, *, answered: bool = True) -> None:
    began = NOW - ago
    times = {"started_at": began, **({"answered_at": began} if answered else {})}
    record(db, call_id, number=NUMBER, agent_id=agent_id, **times)


def test_the_agent_of_the_newest_talk_is_the_last_agent(db: Database) -> None:
    talk(db, "n-1.1", "1001", timedelta(hours=3))
    talk(db, "n-1.2", "1002", timedelta(hours=2))
    talk(db, "n-1.3", "1003", timedelta(hours=1), answered=False)
    assert last_agent_of(db, "+86 138 0013 8000", NOW - timedelta(hours=72)) == "1002"


def test_a_talk_before_the_time_looked_back_makes_nobody_the_last_agent(db: Database) -> None:
    talk(db, "n-1.1", "1001", timedelta(hours=3))
    assert last_agent_of(db, NUMBER, NOW - timedelta(hours=3)) == "1001"
    assert last_agent_of(db, NUMBER, NOW - timedelta(hours=3) + timedelta(milliseconds=1)) is None


def test_a_withheld_number_has_no_last_agent(db: Database) -> None:
    record(db, "n-1.1", number="", agent_id="1001", started_at=NOW, answered_at=NOW)
    assert last_agent_of(db, "", NOW - timedelta(hours=72)) is None


def test_the_bridge_is_told_of_both_in_one_answer(db: Database, settings: Settings) -> None:
    talk(db, "n-1.1", "1001", timedelta(hours=3))
    known = AppDomain(settings, db).caller(NUMBER, to_ms(NOW - timedelta(hours=72)))
    assert (known.flags, known.last_agent) == (frozenset(), "1001")
