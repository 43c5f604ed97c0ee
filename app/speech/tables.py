"""What is to be written down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class SpeechJob(SQLModel, table=True):
    """One recording or voicemail whose words are wanted. `fault` is a code; nothing here was said by anybody.

    Whoever works on it moves `next_at` on while they do, so that a job whose worker was killed comes up again.
    """

    __tablename__ = "speech_job"
    __table_args__: Any = (
        UniqueConstraint("kind", "subject_id"),
        Index("ix_speech_job_next", "state", "next_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=12)
    subject_id: int
    language: str = Field(max_length=8)
    state: str = Field(default="waiting", max_length=12)
    tries: int = 0
    since: datetime = Field(sa_type=UTCDateTime)
    next_at: datetime = Field(sa_type=UTCDateTime)
    fault: str = Field(default="", max_length=16)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)
