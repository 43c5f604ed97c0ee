"""Reading what is counted by half-hour: ranges of the index on when calls joined, so it costs what the span has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from app.calls.halfhours import Result, Times, results
from app.calls.tables import Call


def times_between(session: Session, start: datetime, end: datetime) -> list[Times]:
    """The calls that joined a queue from `start` until before `end`, of citizens who called themselves."""
    columns = (col(Call.joined_at), col(Call.answered_at), col(Call.ended_at), col(Call.outcome))
    return [Times(*row) for row in session.execute(_within(select(*columns), start, end)).all()]


def ids_of(
    session: Session, calls: Select[Any], start: datetime, end: datetime, result: Result, now: datetime
) -> list[str]:
    """Of these calls those of that span with that result, in their order: by the same words with which they are
    counted."""
    columns = (col(Call.call_id), col(Call.joined_at), col(Call.answered_at), col(Call.ended_at), col(Call.outcome))
    rows = session.execute(_within(calls.with_only_columns(*columns), start, end)).all()
    return [str(call_id) for call_id, *times in rows if result in results(Times(*times), now)]


def _within(statement: Any, start: datetime, end: datetime) -> Any:
    joined = col(Call.joined_at)
    return statement.where(joined >= start, joined < end, col(Call.direction) == "in")
