"""Voicemails, kept or dropped, each with the reason; and what was said in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.search.tables import search_table

VOICEMAIL_INDEX = search_table("voicemail_index")


class Voicemail(SQLModel, table=True):
    """One message; one per call."""

    __tablename__ = "voicemail"

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(unique=True, max_length=64)
    number: str = Field(default="", max_length=32)
    language: str = Field(default="zh", max_length=8)
    started_at: datetime = Field(sa_type=UTCDateTime, index=True)
    taken_at: datetime = Field(sa_type=UTCDateTime)
    status: str = Field(max_length=16, index=True)
    reason: str | None = Field(default=None, max_length=64)
    duration_s: float = 0.0
    voiced_s: float = 0.0
    path: str | None = Field(default=None, max_length=200)
    sha256: str | None = Field(default=None, max_length=64)
    bytes: int = 0
    section: str | None = Field(default=None, max_length=16)
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True)
    done_by: int | None = None
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    expired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class VoicemailText(SQLModel, table=True):
    """What was said in one message, as a machine heard it and as a person put it right; goes when the sound goes.

    `heard` holds a list [text, start_ms, end_ms, confidence, [[word, start_ms, end_ms], …]] for each sentence of the
    machine, whatever a person made of it. `text` is what counts; `source` is who wrote it ("hand": a person).
    """

    __tablename__ = "voicemail_text"

    voicemail_id: int = Field(primary_key=True, foreign_key="voicemail.id", sa_column_kwargs={"autoincrement": False})
    text: str = Field(default="", sa_type=Text)
    source: str = Field(max_length=32)
    heard: list[Any] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    confidence: float | None = None
    version: int = 1
    at: datetime = Field(sa_type=UTCDateTime)
    by: int | None = Field(default=None, foreign_key="user_account.id")
    by_name: str = Field(default="", max_length=64)
