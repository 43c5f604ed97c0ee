"""Messages that callers hear before the menu while something large is happening."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class Announcement(SQLModel, table=True):
    """A surge announcement; `texts` by language, `prompt` the name of its spoken files."""

    __tablename__ = "announcement"

    id: int | None = Field(default=None, primary_key=True)
    texts: dict[str, str] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    prompt: str = Field(default="", max_length=64)
    area: str = Field(default="", max_length=64)
    priority: int = 0
    active_from: datetime = Field(sa_type=UTCDateTime)
    active_until: datetime = Field(sa_type=UTCDateTime, index=True)
    version: int = 1
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_by: int | None = None
    updated_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
