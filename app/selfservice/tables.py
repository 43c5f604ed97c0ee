"""What was asked in vain, what citizens were asked and said, what is sent to them, and what they had done again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class WrongTry(SQLModel, table=True):
    """A case that was asked for in vain from `number` ("": withheld); `case_id` where its code was wrong."""

    __tablename__ = "wrong_try"
    __table_args__: Any = (Index("ix_wrong_try_number", "number", "at"), Index("ix_wrong_try_case", "case_id", "at"))

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(default="", max_length=32)
    case_id: int | None = None
    at: datetime = Field(sa_type=UTCDateTime)


class Survey(SQLModel, table=True):
    """A citizen was asked about `subject` ("call:<id>", "case:<id>:<round>"): unique, so nobody is asked twice.

    The rating of a call by keys at its end stands with the call; every other one is `level`, 1 (very satisfied) to 5.
    """

    __tablename__ = "survey"
    __table_args__: Any = (Index("ix_survey_asked", "asked_at"), Index("ix_survey_number", "number", "asked_at"))

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(unique=True, max_length=80)
    call_id: str | None = Field(default=None, max_length=64)
    channel: str = Field(max_length=8)
    number: str = Field(default="", max_length=32)
    asked_at: datetime = Field(sa_type=UTCDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    level: int | None = None


class CitizenMessage(SQLModel, table=True):
    """An SMS to a citizen who has agreed to it. `key` is unique: "answer:<call>" is one a call, "survey:<call>" too.

    Number and text are emptied once it is settled and old. `fault` is a code, never a text.
    """

    __tablename__ = "citizen_message"
    __table_args__: Any = (
        Index("ix_citizen_message_next", "state", "next_at"),
        Index("ix_citizen_message_number", "number", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=80)
    number: str = Field(max_length=32)
    text: str = Field(max_length=500)
    at: datetime = Field(sa_type=UTCDateTime)
    state: str = Field(max_length=12)
    tries: int = 0
    next_at: datetime = Field(sa_type=UTCDateTime)
    fault: str = Field(default="", max_length=40)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class CitizenReopening(SQLModel, table=True):
    """A case that its citizen had done again by a key: once."""

    __tablename__ = "citizen_reopening"

    case_id: int = Field(primary_key=True, foreign_key="case_file.id")
    at: datetime = Field(sa_type=UTCDateTime)
    call_id: str | None = Field(default=None, max_length=64)
