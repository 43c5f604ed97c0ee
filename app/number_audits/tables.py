"""Published numbers, rounds of calls to them, what became of each number, and every attempt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.number_audits.model import LONGEST_AREA, LONGEST_PLACE, LONGEST_TITLE


class PublishedNumber(SQLModel, table=True):
    """A telephone number that a unit has published. `place` is where (a web page, a notice board), `office_hours` when
    it says that it is answered ("09:00-12:00,13:30-17:30"; "": whenever offices work)."""

    __tablename__ = "published_number"
    __table_args__: Any = (UniqueConstraint("number", "unit_id"),)

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=32)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    area: str = Field(default="", max_length=LONGEST_AREA)
    place: str = Field(default="", max_length=LONGEST_PLACE)
    office_hours: str = Field(default="", max_length=120)
    active: bool = True
    version: int = 1
    updated_by: int | None = None
    updated_at: datetime = Field(sa_type=UTCDateTime)


class NumberAuditRound(SQLModel, table=True):
    """A round: which days and hours, how many calls at once, and who speaks. `seed` is by what its times are drawn."""

    __tablename__ = "number_audit_round"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=LONGEST_TITLE)
    state: str = Field(max_length=16)
    mode: str = Field(max_length=16)
    first_day: date
    last_day: date
    hours: str = Field(max_length=120)
    at_once: int
    attempts: int
    seed: str = Field(max_length=32)
    version: int = 1
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    published_by: int | None = None
    published_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class NumberAuditTarget(SQLModel, table=True):
    """One published number in a round, as it was published then. `heard` is what its attempts came to, `result` what
    counts: the same, unless a reviewer heard something else. `note` is the reviewer's. `case_id` is the case in which
    its unit corrects it."""

    __tablename__ = "number_audit_target"
    __table_args__: Any = (
        UniqueConstraint("round_id", "published_id"),
        Index("ix_number_audit_target_unit", "unit_id", "round_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="number_audit_round.id")
    published_id: int = Field(foreign_key="published_number.id")
    unit_id: int = Field(foreign_key="unit.id")
    number: str = Field(max_length=32)
    area: str = Field(max_length=LONGEST_AREA)
    place: str = Field(default="", max_length=LONGEST_PLACE)
    office_hours: str = Field(default="", max_length=120)
    state: str = Field(max_length=16)
    heard: str | None = Field(default=None, max_length=16)
    result: str | None = Field(default=None, max_length=16)
    waited_ms: int | None = None
    scores: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    note: str = Field(default="", sa_type=Text)
    total: int | None = None
    grade: str | None = Field(default=None, max_length=1)
    reviewer_id: int | None = Field(default=None, foreign_key="user_account.id")
    graded_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    version: int = 1
    case_id: int | None = Field(default=None, foreign_key="case_file.id")


class NumberAuditAttempt(SQLModel, table=True):
    """One call, or the plan of one. `call_id` is the id under which it was dialled last, "" before; `tries` counts
    those that Asterisk took or refused. `signs` are [sign, start_ms, end_ms] of what was heard, from the answer on
    where there was one. `recording` is its recording's number."""

    __tablename__ = "number_audit_attempt"
    __table_args__: Any = (
        UniqueConstraint("target_id", "ordinal"),
        Index("ix_number_audit_attempt_due", "state", "planned_at"),
        Index("ix_number_audit_attempt_call", "call_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    target_id: int = Field(foreign_key="number_audit_target.id")
    ordinal: int
    planned_at: datetime = Field(sa_type=UTCDateTime)
    state: str = Field(max_length=16)
    tries: int = 0
    call_id: str = Field(default="", max_length=64)
    asked_by: int | None = None
    agent_id: str | None = Field(default=None, max_length=16)
    dialled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    cause: int | None = None
    outcome: str | None = Field(default=None, max_length=16)
    signs: list[Any] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    recording: int | None = Field(default=None, foreign_key="recording.seq")
