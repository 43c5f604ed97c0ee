"""Who may stand at which post, who does on which day, and what was handed over."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class RosterMember(SQLModel, table=True):
    """A person takes turns at a post: a handling section's code, "office" or "leader"."""

    __tablename__ = "roster_member"
    __table_args__ = (UniqueConstraint("post", "user_id"),)

    id: int | None = Field(default=None, primary_key=True)
    post: str = Field(max_length=16)
    user_id: int = Field(foreign_key="user_account.id")
    position: int


class DutyTurn(SQLModel, table=True):
    """One person's duty on one day at one post."""

    __tablename__ = "duty_turn"
    __table_args__ = (UniqueConstraint("day", "post"), UniqueConstraint("user_id", "day"))

    id: int | None = Field(default=None, primary_key=True)
    day: date
    post: str = Field(max_length=16)
    user_id: int = Field(foreign_key="user_account.id")
    note: str = Field(default="", max_length=200)
    version: int = 1
    changed_by: int | None = None
    changed_at: datetime = Field(sa_type=UTCDateTime)


class HandOver(SQLModel, table=True):
    """What whoever is on duty leaves to the next (交接班). Never changed."""

    __tablename__ = "hand_over"
    __table_args__ = (Index("ix_hand_over_day", "day", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    day: date
    post: str = Field(max_length=16)
    by: int | None = None
    at: datetime = Field(sa_type=UTCDateTime)
    text: str = Field(sa_type=Text)
