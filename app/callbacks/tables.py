"""Call-backs that citizens asked for instead of waiting."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from app.callbacks.model import MOST_ATTEMPTS
from app.db import UTCDateTime, json_type


class Callback(SQLModel, table=True):
    """A promise to call. `open_for` holds the number while the promise is open: unique, so one per number.

    `due_at` is None until a try has failed: a citizen who has just asked is called as soon as somebody can.
    `taken_at` is when the latest try began.

    `placed_at`, `skills`, `priority` are the caller's place in the queue and whom they need. `in_line` says whether the
    queue calls: None until the core has looked, False once the promise has left the line.
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
    placed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    skills: dict[str, Any] | None = Field(default=None, sa_column=Column(json_type(), nullable=True))
    priority: int = 0
    in_line: bool | None = None
