"""Versions of the voice menu."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class FlowVersion(SQLModel, table=True):
    """A menu that was published: it holds from `since` until the next one. The database refuses to change or delete it.

    `changes` (see `model.Changes`) are those since the one before. `restores`: it is that older one again; 0 is what
    is below all versions, whose file holds then, so that `text` is only what it was on that day.
    """

    __tablename__ = "flow_version"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str = Field(sa_type=Text)
    nodes: int
    note: str = Field(sa_type=Text)
    restores: int | None = None
    changes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    made_by: int | None = None
    made_by_name: str = Field(max_length=64)
    since: datetime = Field(sa_type=UTCDateTime)
