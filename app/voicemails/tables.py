"""Voicemails, kept or dropped, each with the reason."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


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
