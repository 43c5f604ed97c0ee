"""Notices, what came of them by each channel, and where people can be reached."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class Notice(SQLModel, table=True):
    """One thing that one person is told. `key` is unique per person: nobody is told the same thing twice.

    `title` has no personal words in it. `due_at` is the end that was told of; without it the end that holds now.
    """

    __tablename__ = "notice"
    __table_args__: Any = (
        UniqueConstraint("user_id", "key"),
        Index("ix_notice_user", "user_id", "id"),
        Index("ix_notice_unread", "user_id", "read_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64)
    user_id: int = Field(foreign_key="user_account.id")
    kind: str = Field(max_length=24)
    step: str = Field(default="", max_length=16)  # of what is timed, where that matters
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True)  # None: it is of no case
    number: str = Field(max_length=20)
    title: str = Field(default="", max_length=200)
    assignment_id: int | None = None
    article_id: int | None = None
    review_id: int | None = None
    unit_id: int | None = None
    due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    at: datetime = Field(sa_type=UTCDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class NoticeDelivery(SQLModel, table=True):
    """A notice on its way by one channel; the row stays and says what came of it. `fault` is a code, never a text."""

    __tablename__ = "notice_delivery"
    __table_args__: Any = (
        UniqueConstraint("notice_id", "channel"),
        Index("ix_notice_delivery_next", "state", "next_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    notice_id: int = Field(foreign_key="notice.id")
    channel: str = Field(max_length=8)
    state: str = Field(max_length=12)
    tries: int = 0
    next_at: datetime = Field(sa_type=UTCDateTime)
    fault: str = Field(default="", max_length=40)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class NoticeContact(SQLModel, table=True):
    """Where a person who works here is reached; "" for a channel that they are not told by."""

    __tablename__ = "notice_contact"

    user_id: int = Field(primary_key=True, foreign_key="user_account.id")
    email: str = Field(default="", max_length=120)
    mobile: str = Field(default="", max_length=32)
    updated_by: int | None = None
    updated_at: datetime = Field(sa_type=UTCDateTime)
