"""How well the hotline answers, from stored calls (GB/T 33358-2016: 15 s; connect rate over any 24 h ≥ 95 %)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.calls.tables import Call
from app.selfservice import surveys

TARGET_S = 15
WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Rate:
    """A share with what it is made of; `value` is None when there was nothing to count."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """0 to 1."""
        return self.numerator / self.denominator if self.denominator else None

    def to_json(self) -> dict[str, Any]:
        """As the wallboard reads it."""
        return {"num": self.numerator, "den": self.denominator, "rate": self.value}


@dataclass(frozen=True)
class Figures:
    """Over incoming calls that joined a queue within the last 24 hours, across midnight and shifts.

    `answered_in_target`: answered within 15 s ÷ all whose outcome on that is known. `connected`: answered ÷ all that
    are over or answered (接通率). `rated`: said how satisfied they were ÷ all who were asked about their call.
    """

    answered_in_target: Rate
    connected: Rate
    offered: int
    abandoned: int
    rated: Rate = Rate(0, 0)

    def to_json(self) -> dict[str, Any]:
        """As the wallboard reads it."""
        return {
            "answered_in_15s": self.answered_in_target.to_json(),
            "connect_24h": self.connected.to_json(),
            "offered_24h": self.offered,
            "abandoned_24h": self.abandoned,
            "rated_24h": self.rated.to_json(),
        }


def figures(session: Session, now: datetime) -> Figures:
    """The figures at `now`; one pass over an index range."""
    joined = col(Call.joined_at)
    rows = session.execute(
        select(joined, col(Call.answered_at), col(Call.ended_at), col(Call.outcome)).where(
            joined > now - WINDOW, joined <= now, col(Call.direction) == "in"
        )
    ).all()
    in_target = judged = answered = settled = abandoned = 0
    for joined_at, answered_at, ended_at, outcome in rows:
        if answered_at is not None:
            answered += 1
            settled += 1
            judged += 1
            in_target += (answered_at - joined_at).total_seconds() <= TARGET_S
        elif ended_at is not None:
            settled += 1
            judged += 1
            abandoned += outcome in (None, "abandoned")
        elif (now - joined_at).total_seconds() > TARGET_S:
            judged += 1
    rated = Rate(*surveys.answered(session, now - WINDOW, now))
    return Figures(Rate(in_target, judged), Rate(answered, settled), len(rows), abandoned, rated)


def counts(session: Session) -> dict[str, int]:
    """Stored calls by outcome, for /metrics."""
    found = session.execute(select(col(Call.outcome), func.count()).group_by(col(Call.outcome))).all()
    return {outcome or "open": count for outcome, count in found}


def caller_keys(session: Session, since: datetime, until: datetime) -> dict[str, str]:
    """By call id, a key that is the same for calls from the same number and says nothing about it; for counting people
    beside attempts. Calls without a number are left out. Keys of two questions do not match."""
    salt = secrets.token_bytes(16)
    rows = session.execute(
        select(col(Call.call_id), col(Call.number)).where(
            col(Call.started_at) >= since, col(Call.started_at) < until, col(Call.number) != ""
        )
    ).all()
    return {call_id: sha256(salt + number.encode()).hexdigest() for call_id, number in rows}
