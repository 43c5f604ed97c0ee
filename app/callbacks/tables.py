"""Call-backs that citizens asked for instead of waiting."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.callbacks.model import MOST_ATTEMPTS
from app.db import UTCDateTime


class Callback(SQLModel, table=True):
    """A promise to call. `open_for` holds the number while the promise is open: unique, so one per number.

    `due_at` is None until a try has failed: a citizen who has just asked is called as soon as somebody can.
    `taken_at` is when the latest try began.
    """

    __tablename__ = "callback"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=32, index=True)
    open_for: str | None = Field(default=None, unique=True, max_length=32)
    call_id: str = Field(max_length=64)
    language: str = Field(default="zh", max_length=8)
    queue: str = Field(default="", max_length=32)
    state: str = Field(max_length=16, index=True)
    requested_at: datetime = Field(sa_type=UTCDateTime, index=True)
    attempts: int = 0
    most_attempts: int = MOST_ATTEMPTS
    due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    agent_id: str | None = Field(default=None, max_length=16)
    taken_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    result: str = Field(default="", max_length=64)
