"""Editions as they are kept."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class QualityEdition(SQLModel, table=True):
    """What talks are judged by ("criteria"), drawn by ("sampling") or listened to for ("phrases") from a day on, see
    `app.editions.service`. The database refuses to change or delete it."""

    __tablename__ = "quality_edition"

    kind: str = Field(primary_key=True, max_length=12)
    number: int = Field(primary_key=True)
    since: date
    content: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    note: str = Field(sa_type=Text)
    made_by: int | None = None
    made_by_name: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=UTCDateTime)
