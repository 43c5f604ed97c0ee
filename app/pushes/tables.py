"""Where outside systems are told of calls, and what is on its way to them.

A job names a call and holds nothing of it: numbers are read when it is sent, by the rules that hold then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class PushAddress(SQLModel, table=True):
    """An address of an outside system. The key with which pushes are signed is a file in the secrets, not here."""

    __tablename__ = "push_address"

    id: int | None = Field(default=None, primary_key=True)
    machine_id: int = Field(foreign_key="machine_account.id", index=True)
    url: str = Field(max_length=500)
    events: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    signed: bool = False
    active: bool = True
    created_at: datetime = Field(sa_type=UTCDateTime)
    created_by: int | None = None


class PushJob(SQLModel, table=True):
    """One event on its way to one address; the row stays for a while and says what came of it. `fault` is a code."""

    __tablename__ = "push_job"
    __table_args__: Any = (
        UniqueConstraint("address_id", "call_id", "event", "agent_id"),
        Index("ix_push_job_next", "state", "next_at"),
        Index("ix_push_job_address", "address_id", "state", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    address_id: int = Field(foreign_key="push_address.id")
    call_id: str = Field(max_length=64)
    event: str = Field(max_length=8)
    agent_id: str = Field(default="", max_length=16)
    at: datetime = Field(sa_type=UTCDateTime)
    since: datetime = Field(sa_type=UTCDateTime)  # tried since then
    state: str = Field(max_length=12)
    tries: int = 0
    next_at: datetime = Field(sa_type=UTCDateTime)
    fault: str = Field(default="", max_length=40)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime, index=True)  # while it waits: None
