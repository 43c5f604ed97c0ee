"""Campaigns, the numbers on their lists, and every attempt to reach one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class Campaign(SQLModel, table=True):
    """A campaign. `texts`: language → {purpose, message, question}; `recordings`: language → file of a recording that
    takes the place of the message; `sounds`: language → part → file, made when it starts, below the home.

    `answers`: key → what it means; `gathers`: whoever is to be asked about a call comes onto its list by itself
    (`app.campaigns.gathering`), and its keys are the five levels; `spacing`: outcome → minutes;
    `windows`: [["09:00", "12:00"], …].
    """

    __tablename__ = "campaign"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=60)
    kind: str = Field(max_length=16)
    state: str = Field(max_length=16, index=True)
    mode: str = Field(max_length=8)
    queue: str = Field(default="general", max_length=32)
    priority: int = 0
    texts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    recordings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    sounds: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    answers: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    on_machine: str = Field(max_length=8)
    channel: str = Field(max_length=8)
    at_night: str = Field(max_length=8)
    windows: list[Any] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    workdays: bool = False
    most_attempts: int = 3
    spacing: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    ring_s: int = 25
    most_lines: int = 5
    gathers: bool = False
    version: int = 1
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class CampaignTarget(SQLModel, table=True):
    """A number on a campaign's list, once. `channel` is the person's own wish, "" for the campaign's."""

    __tablename__ = "campaign_target"
    __table_args__: Any = (
        UniqueConstraint("campaign_id", "number"),
        Index("ix_campaign_target_due", "campaign_id", "state", "next_at", "id"),
        Index("ix_campaign_target_number", "number", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    number: str = Field(max_length=32)
    email: str = Field(default="", max_length=120)
    language: str = Field(default="zh", max_length=8)
    channel: str = Field(default="", max_length=8)
    case_id: int | None = Field(default=None, foreign_key="case_file.id")
    state: str = Field(max_length=12)
    attempts: int = 0
    next_at: datetime = Field(sa_type=UTCDateTime)
    outcome: str = Field(default="", max_length=16)
    answer: str = Field(default="", max_length=1)
    person: bool = False
    why: str = Field(default="", max_length=24)
    added_by: int | None = None
    added_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class CampaignAttempt(SQLModel, table=True):
    """One attempt, written before anything is dialled or sent; `settled_at` is None until its end is known.

    `no` counts the target's attempts: no two have the same, so nobody is called twice for one.
    """

    __tablename__ = "campaign_attempt"
    __table_args__: Any = (
        UniqueConstraint("target_id", "no"),
        Index("ix_campaign_attempt_open", "settled_at", "id"),
        Index("ix_campaign_attempt_campaign", "campaign_id", "outcome"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    target_id: int = Field(foreign_key="campaign_target.id")
    no: int
    channel: str = Field(max_length=8)
    call_id: str = Field(default="", max_length=64, index=True)
    agent_id: str = Field(default="", max_length=16)
    at: datetime = Field(sa_type=UTCDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    outcome: str = Field(default="", max_length=16)
    cause: int = 0
    said: bool = False
    answer: str = Field(default="", max_length=1)
    wish: str = Field(default="", max_length=8)
