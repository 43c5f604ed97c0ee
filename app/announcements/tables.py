"""Messages that callers hear before the menu while something large is happening."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class Announcement(SQLModel, table=True):
    """A surge announcement; `texts` by language, `prompt` the name of its spoken files."""

    __tablename__ = "announcement"

    id: int | None = Field(default=None, primary_key=True)
    texts: dict[str, str] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    prompt: str = Field(default="", max_length=64)
    area: str = Field(default="", max_length=64)
    priority: int = 0
    active_from: datetime = Field(sa_type=UTCDateTime)
    active_until: datetime = Field(sa_type=UTCDateTime, index=True)
    version: int = 1
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_by: int | None = None
    updated_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class AnnouncementHearing(SQLModel, table=True):
    """What one call made of one announcement (`app.announcements.hearing`); under announcement 0, of all together.

    Written once, however often the end of the call is told: whoever adds a row counts it in `AnnouncementHour`.
    """

    __tablename__ = "announcement_hearing"

    call_id: str = Field(primary_key=True, max_length=64)
    announcement_id: int = Field(primary_key=True)
    began_at: datetime = Field(sa_type=UTCDateTime)
    whole: bool
    after: str = Field(max_length=12)


class AnnouncementHour(SQLModel, table=True):
    """How many callers heard an announcement in an hour (by when it began for them), and what they did then.

    `whole` of the `callers` heard it to its end. Announcement 0 is every caller who heard any, once.
    """

    __tablename__ = "announcement_hour"
    __table_args__: Any = (Index("ix_announcement_hour_hour", "hour"),)

    announcement_id: int = Field(primary_key=True)
    hour: datetime = Field(sa_type=UTCDateTime, primary_key=True)
    callers: int = 0
    whole: int = 0
    satisfied: int = 0
    early: int = 0
    person: int = 0
    alone: int = 0
