"""Agents: staff who take calls, and the phone account each has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class Agent(SQLModel, table=True):
    """One agent. `agent_id` is the staff number (工号) that callers hear and the phone registers with.

    `off_duty_since`: no shift begins until a training is recorded (篇6, `app.quality.quarters`).
    """

    __tablename__ = "agent"

    agent_id: str = Field(primary_key=True, max_length=16)
    user_id: int | None = Field(default=None, foreign_key="user_account.id", unique=True)
    name: str = Field(max_length=64)
    skills: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    queues: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    phone_secret: str = Field(max_length=64)
    may_dial_out: bool = False
    endpoint: str = Field(max_length=24)
    active: bool = True
    off_duty_since: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)
