"""Reviews of talks, their append-only history, results of quarters, and trainings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class QualityDraw(SQLModel, table=True):
    """The seed by which the talks of a week (its Monday) are drawn: one for everybody who draws of it."""

    __tablename__ = "quality_draw"

    week: date = Field(primary_key=True)
    seed: str = Field(max_length=32)
    at: datetime = Field(sa_type=UTCDateTime)


class QualityReview(SQLModel, table=True):
    """One talk of one agent, judged by one reviewer. `day` is the talk's, where the hotline is: the quarter it counts
    for. `edition` are the criteria of that day, `scores` is level by criterion; after an appeal `total`, `passed` and
    `scores` are what was decided. `marks` are [recording, at_ms, text]."""

    __tablename__ = "quality_review"
    __table_args__: Any = (
        UniqueConstraint("call_id", "agent_id"),
        Index("ix_quality_review_agent", "agent_id", "day"),
        Index("ix_quality_review_reviewer", "reviewer_id", "state"),
        Index("ix_quality_review_day", "day", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(foreign_key="call.call_id", max_length=64)
    agent_id: str = Field(foreign_key="agent.agent_id", max_length=16)
    day: date
    week: date
    reviewer_id: int = Field(foreign_key="user_account.id")
    reason: str = Field(max_length=16)
    state: str = Field(max_length=16)
    version: int = 1
    edition: int = 0
    drawn_at: datetime = Field(sa_type=UTCDateTime)
    scores: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    marks: list[Any] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    note: str = Field(default="", sa_type=Text)
    coaching: str = Field(default="", sa_type=Text)
    total: int | None = None
    passed: bool | None = None
    published_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    appeal_until: datetime | None = Field(default=None, sa_type=UTCDateTime)


class QualityEvent(SQLModel, table=True):
    """One line of a review's history. The database refuses to change or delete it."""

    __tablename__ = "quality_event"
    __table_args__: Any = (Index("ix_quality_event_review", "review_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="quality_review.id")
    at: datetime = Field(sa_type=UTCDateTime)
    user_id: int | None = None
    actor_name: str = Field(max_length=64)
    step: str = Field(max_length=16)
    from_state: str = Field(max_length=16)
    to_state: str = Field(max_length=16)
    text: str = Field(default="", sa_type=Text)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))


class QualityResult(SQLModel, table=True):
    """What an agent's quarter came to, as the section head confirmed it. Never changed: a mistake is a new agreement
    between people, not another figure. `mean` is in tenths, `passed` None for too few reviews."""

    __tablename__ = "quality_result"

    quarter: str = Field(primary_key=True, max_length=6)
    agent_id: str = Field(primary_key=True, foreign_key="agent.agent_id", max_length=16)
    reviews: int
    mean: int | None = None
    passed: bool | None = None
    place: int | None = None
    of: list[Any] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    confirmed_by: int | None = None
    confirmed_at: datetime = Field(sa_type=UTCDateTime)


class QualityTraining(SQLModel, table=True):
    """An agent was trained: who was off duty may sign in again."""

    __tablename__ = "quality_training"
    __table_args__: Any = (Index("ix_quality_training_agent", "agent_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    agent_id: str = Field(foreign_key="agent.agent_id", max_length=16)
    at: datetime = Field(sa_type=UTCDateTime)
    by: int | None = None
    by_name: str = Field(max_length=64)
    note: str = Field(sa_type=Text)
