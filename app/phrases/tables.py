"""What was found in transcripts, and by which list each was looked through."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class PhraseCheck(SQLModel, table=True):
    """A recording whose transcript was looked through, by which edition. Goes with the transcript."""

    __tablename__ = "phrase_check"

    recording: int = Field(primary_key=True, foreign_key="recording.seq", sa_column_kwargs={"autoincrement": False})
    edition: int
    at: datetime = Field(sa_type=UTCDateTime)


class PhraseFinding(SQLModel, table=True):
    """A phrase in a talk, or one that is missing there (`state`). Goes with the transcript, and is as secret.

    `side` is whose: the agent's. `variant` is the list's wording, "" for what is missing. `near`: perhaps misheard;
    `shared`: a third party was on the agent's side then.
    """

    __tablename__ = "phrase_finding"
    __table_args__: Any = (
        Index("ix_phrase_finding_recording", "recording", "at_ms"),
        Index("ix_phrase_finding_kind", "kind", "state", "recording"),
    )

    id: int | None = Field(default=None, primary_key=True)
    recording: int = Field(foreign_key="recording.seq")
    edition: int
    code: str = Field(max_length=24)
    kind: str = Field(max_length=12)
    state: str = Field(max_length=12)
    side: str = Field(max_length=8)
    at_ms: int
    variant: str = Field(default="", max_length=60)
    near: bool = False
    shared: bool = False
