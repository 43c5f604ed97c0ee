"""The audit: append-only, guarded by triggers in the database itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class AuditEntry(SQLModel, table=True):
    """Who did what to which thing, when and from where."""

    __tablename__ = "audit_entry"
    __table_args__: Any = (Index("ix_audit_entry_user_object_at", "user_id", "action", "object", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
    user_id: int | None = None
    actor: str = Field(max_length=64)
    actor_name: str = Field(max_length=64)
    address: str = Field(default="", max_length=64)
    action: str = Field(max_length=40, index=True)
    object: str = Field(default="", max_length=120)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
