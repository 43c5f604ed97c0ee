"""Recordings and the head of their chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


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
