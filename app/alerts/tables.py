"""Alerts that were raised, and the rules that an office has set itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class AlertRow(SQLModel, table=True):
    """One alert from its raising to its end, with who acknowledged it. `key` is the core's own: told twice it is one.

    `acked_by_name` is kept beside the account, for it is what the other supervisors were shown.
    """

    __tablename__ = "floor_alert"
    __table_args__ = (
        Index("ix_floor_alert_raised", "raised_at"),
        Index("ix_floor_alert_cleared", "cleared_at", "raised_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64, unique=True)
    kind: str = Field(max_length=16)
    subject: str = Field(default="", max_length=16)
    value: float
    raise_at: float
    raised_at: datetime = Field(sa_type=UTCDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_value: float | None = None
    acked_by: int | None = Field(default=None, foreign_key="user_account.id")
    acked_by_name: str = Field(default="", max_length=64)
    acked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class AlertRuleRow(SQLModel, table=True):
    """A rule that differs from the shipped one."""

    __tablename__ = "floor_alert_rule"

    kind: str = Field(primary_key=True, max_length=16)
    enabled: bool
    raise_at: float
    clear_at: float
    for_s: int
    clear_s: int
    least: int
    version: int
    changed_by: int | None = Field(default=None, foreign_key="user_account.id")
    changed_at: datetime = Field(sa_type=UTCDateTime)
