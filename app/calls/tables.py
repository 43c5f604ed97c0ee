"""Calls: what is known of each citizen's connection, keyed by the call id that Asterisk gave it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class Call(SQLModel, table=True):
    """One call. Facts arrive from several parts in any order; `app.calls.service.record` merges them."""

    __tablename__ = "call"
    __table_args__: Any = (
        Index("ix_call_number_started", "number", "started_at"),
        Index("ix_call_agent_started", "agent_id", "started_at"),
        Index("ix_call_citizen_started", "citizen_id", "started_at"),
    )

    call_id: str = Field(primary_key=True, max_length=64)
    number: str = Field(default="", max_length=32)
    name: str = Field(default="", max_length=64)
    line: str = Field(default="", max_length=32)
    language: str = Field(default="zh", max_length=8)
    path: str = Field(default="", max_length=500)
    queue: str = Field(default="", max_length=32)
    skills: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    priority: int = 0
    started_at: datetime = Field(sa_type=UTCDateTime, index=True)
    joined_at: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)
    offered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    agent_id: str | None = Field(default=None, max_length=16)
    outcome: str | None = Field(default=None, max_length=16, index=True)
    cause: str | None = Field(default=None, max_length=64)
    failsafe_cause: str | None = Field(default=None, max_length=64)
    rating: int | None = None
    direction: str = Field(default="in", max_length=3)
    foretold_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    foretold_low_s: int | None = None
    foretold_middle_s: int | None = None
    foretold_high_s: int | None = None
    citizen_id: int | None = Field(default=None, foreign_key="citizen.id")


class CallThird(SQLModel, table=True):
    """Somebody who was rung for a talk: a colleague (`agent_id`), a unit's telephone, an emergency line, anybody.

    `leg` is their channel. `unit_name` is the name that the unit had then. `joined_at` is when they were first
    connected with the agent, `segment` the recording in which the citizen meets them, None if they never met.
    """

    __tablename__ = "call_third"
    __table_args__: Any = (UniqueConstraint("call_id", "leg"),)

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(max_length=64)
    leg: str = Field(max_length=100)
    number: str = Field(default="", max_length=32)
    agent_id: str | None = Field(default=None, max_length=16)
    unit_id: int | None = Field(default=None, foreign_key="unit.id", index=True)
    unit_name: str = Field(default="", max_length=60)
    kind: str = Field(max_length=16)
    by_agent: str = Field(default="", max_length=16)
    dialled_at: datetime = Field(sa_type=UTCDateTime)
    joined_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    outcome: str | None = Field(default=None, max_length=16)
    segment: int | None = None


class CallPause(SQLModel, table=True):
    """A confidential part of a talk: its recording is silent from `since` to `until`, which had to be by `due_at`."""

    __tablename__ = "call_pause"
    __table_args__: Any = (UniqueConstraint("call_id", "since"),)

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(max_length=64)
    since: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    by_agent: str = Field(default="", max_length=16)
    ended_by: str | None = Field(default=None, max_length=16)
