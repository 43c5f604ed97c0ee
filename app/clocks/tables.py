"""Clocks, requests for more time, and the limits that an office has set itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.clocks.model import LONGEST_WHY
from app.db import UTCDateTime

_OPEN = text("ended_at IS NULL")


class CaseClock(SQLModel, table=True):
    """One clock of one subject: a case or an assignment, by kind and id.

    A subject has one open clock of a kind at most. `after_id` is the clock that this one redoes or replaces,
    `parent_id` the one that it must not outlive. `warned_at` is when somebody was told that it is nearly too late.
    """

    __tablename__ = "case_clock"
    __table_args__ = (
        # "What is due now", "what is to be warned of now": one range of one index each, however many have ended.
        Index("ix_case_clock_due", "state", "due_at"),
        Index("ix_case_clock_warn", "state", "warned_at", "warn_at"),
        Index("ix_case_clock_provisional", "provisional", "state"),
        Index("ix_case_clock_subject", "subject_kind", "subject_id", "kind"),
        Index(
            "ux_case_clock_open",
            "subject_kind",
            "subject_id",
            "kind",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    subject_kind: str = Field(max_length=16)
    subject_id: int
    kind: str = Field(max_length=16)
    round: int = 1
    parent_id: int | None = Field(default=None, foreign_key="case_clock.id")
    after_id: int | None = Field(default=None, foreign_key="case_clock.id")
    amount: int
    unit: str = Field(max_length=16)
    warn_percent: int
    started_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    warn_at: datetime = Field(sa_type=UTCDateTime)
    provisional: bool = False
    state: str = Field(max_length=16)
    warned_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ClockExtension(SQLModel, table=True):
    """A request for more time: `amount` of the clock's unit. Nothing of it changes but the decision.

    A case's were approved together with a unit's: as much as the case needs to wait for that unit.
    """

    __tablename__ = "clock_extension"

    id: int | None = Field(default=None, primary_key=True)
    clock_id: int = Field(foreign_key="case_clock.id", index=True)
    amount: int
    why: str = Field(max_length=LONGEST_WHY)
    asked_by: int | None = None
    asked_at: datetime = Field(sa_type=UTCDateTime)
    state: str = Field(max_length=16, index=True)
    decided_by: int | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    decision_why: str = Field(default="", max_length=LONGEST_WHY)


class ClockRule(SQLModel, table=True):
    """A limit of the office's own, for what `app.clocks.rules.Key` says; "" where anything will do."""

    __tablename__ = "clock_rule"
    __table_args__ = (UniqueConstraint("kind", "case_type", "urgency", "way"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=16)
    case_type: str = Field(default="", max_length=16)
    urgency: str = Field(default="", max_length=16)
    way: str = Field(default="", max_length=16)
    amount: int
    unit: str = Field(max_length=16)
    warn_percent: int
    changed_by: int | None = None
    changed_at: datetime = Field(sa_type=UTCDateTime)
