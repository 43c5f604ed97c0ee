"""Recordings and the head of their chain, what was said in them, and what people say of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.search.tables import search_table

TRANSCRIPT_INDEX = search_table("transcript_index")


class Recording(SQLModel, table=True):
    """One stored stretch of talk. What the chain covers can't be changed; the triggers of the database see to it."""

    __tablename__ = "recording"
    __table_args__: Any = (UniqueConstraint("call_id", "segment"),)

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    call_id: str = Field(max_length=64)
    segment: int
    agent_id: str | None = Field(default=None, max_length=16)
    started_at: datetime = Field(sa_type=UTCDateTime, index=True)
    adopted_at: datetime = Field(sa_type=UTCDateTime)
    duration_ms: int
    path: str = Field(max_length=200)
    bytes: int
    sha256: str = Field(max_length=64)
    partial: str = Field(default="", max_length=64)
    previous: str = Field(max_length=64)
    chain: str = Field(unique=True, max_length=64)
    hold: bool = False
    expired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ChainHead(SQLModel, table=True):
    """The newest link; one row. A chain cut short at its end is seen by comparing with it."""

    __tablename__ = "recording_chain"

    id: int = Field(primary_key=True)
    seq: int
    chain: str = Field(max_length=64)


class TranscriptLine(SQLModel, table=True):
    """What one side said between two moments of a recording. Goes when the sound goes.

    `words` holds a list [word, start_ms, end_ms] for each word, if whoever wrote it down knows; `confidence` is from 0
    to 1, None for what a person wrote.
    """

    __tablename__ = "transcript_line"
    __table_args__: Any = (Index("ix_transcript_line_recording", "recording", "start_ms"),)

    id: int | None = Field(default=None, primary_key=True)
    recording: int = Field(foreign_key="recording.seq")
    channel: str = Field(max_length=8)
    speaker: str = Field(default="", max_length=32)
    start_ms: int
    end_ms: int
    text: str = Field(sa_type=Text)
    words: list[Any] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    source: str = Field(max_length=32)
    confidence: float | None = None


class RecordingComment(SQLModel, table=True):
    """What somebody says of a moment. Taken back it stays as a line without its text."""

    __tablename__ = "recording_comment"
    __table_args__: Any = (Index("ix_recording_comment_recording", "recording", "at_ms"),)

    id: int | None = Field(default=None, primary_key=True)
    recording: int = Field(foreign_key="recording.seq")
    at_ms: int
    text: str = Field(sa_type=Text)
    by: int = Field(foreign_key="user_account.id")
    by_name: str = Field(max_length=64)
    at: datetime = Field(sa_type=UTCDateTime)
    changed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
