"""Alarms: what needs a person now and must survive a restart."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class Alarm(SQLModel, table=True):
    """One trouble from its first sight to its end. `open_for` is unique while it lasts."""

    __tablename__ = "alarm"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=40, index=True)
    open_for: str | None = Field(default=None, unique=True, max_length=80)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    raised_at: datetime = Field(sa_type=UTCDateTime, index=True)
    last_at: datetime = Field(sa_type=UTCDateTime)
    times: int = 1
    cleared_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
