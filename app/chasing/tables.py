"""Chases, and urgent matters until somebody has acknowledged them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class Chase(SQLModel, table=True):
    """One level of chasing for one clock, exactly once; or a supervision order (督办单), which has no clock.

    `unit_id` is whoever is late, None for the centre itself. `next_at` is when the next level (of an order: the look
    whether it was met) comes; None when nothing more follows by itself. `due_at` is the end that was missed, or the
    day that an order names, which moves no clock.
    """

    __tablename__ = "chase"
    __table_args__: Any = (
        UniqueConstraint("clock_id", "level"),
        Index("ix_chase_next", "next_at"),
        Index("ix_chase_case", "case_id", "id"),
        Index("ix_chase_unit", "unit_id", "at"),
        Index("ix_chase_state", "state", "level", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    assignment_id: int | None = Field(default=None, foreign_key="assignment.id")
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    clock_id: int | None = Field(default=None, foreign_key="case_clock.id")
    step: str = Field(default="", max_length=16)
    round: int = 1
    level: str = Field(max_length=12)
    state: str = Field(max_length=12)
    text: str = Field(default="", sa_type=Text)
    due_at: datetime = Field(sa_type=UTCDateTime)
    at: datetime = Field(sa_type=UTCDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    issued_by: int | None = None
    decided_by: int | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    decision_why: str = Field(default="", max_length=500)


class UrgentMatter(SQLModel, table=True):
    """Leaders are told of this case until one of them says that they know: once per case and cause.

    `tries` is how often they have been told; `next_at` when they are told again, None once that is over.
    """

    __tablename__ = "urgent_matter"
    __table_args__: Any = (UniqueConstraint("case_id", "cause"), Index("ix_urgent_matter_next", "next_at"))

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    cause: str = Field(max_length=16)
    at: datetime = Field(sa_type=UTCDateTime)
    tries: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    known_at: datetime | None = Field(default=None, sa_type=UTCDateTime)  # of the first acknowledgement


class UrgentReceipt(SQLModel, table=True):
    """Somebody acknowledged an urgent matter; each person once."""

    __tablename__ = "urgent_receipt"
    __table_args__: Any = (UniqueConstraint("matter_id", "user_id"),)

    id: int | None = Field(default=None, primary_key=True)
    matter_id: int = Field(foreign_key="urgent_matter.id")
    user_id: int = Field(foreign_key="user_account.id")
    at: datetime = Field(sa_type=UTCDateTime)
