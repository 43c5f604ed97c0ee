"""Faxes: complete, partial or failed, each with what was received and why not more."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class Fax(SQLModel, table=True):
    """One fax; one per call. The TIFF is kept as received, the PDF is what people read."""

    __tablename__ = "fax"

    id: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(unique=True, max_length=64)
    number: str = Field(default="", max_length=32)
    line: str = Field(default="", max_length=32)
    remote_station: str = Field(default="", max_length=64)
    received_at: datetime = Field(sa_type=UTCDateTime, index=True)
    taken_at: datetime = Field(sa_type=UTCDateTime)
    mode: str = Field(default="", max_length=8)
    status: str = Field(max_length=16, index=True)
    error: str | None = Field(default=None, max_length=200)
    pages: int = 0
    pages_sent: int | None = None
    tiff_path: str | None = Field(default=None, max_length=200)
    tiff_sha256: str | None = Field(default=None, max_length=64)
    pdf_path: str | None = Field(default=None, max_length=200)
    pdf_sha256: str | None = Field(default=None, max_length=64)
    section: str | None = Field(default=None, max_length=16)
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True)
    expired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
