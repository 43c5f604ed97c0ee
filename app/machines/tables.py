"""Machine accounts. Only the token's SHA-256 is stored: a stolen database opens no door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class MachineAccount(SQLModel, table=True):
    """An outside system. `hint` is the token's end, by which an administrator knows which one a system has."""

    __tablename__ = "machine_account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=40)
    token_hash: str = Field(unique=True, max_length=64)
    hint: str = Field(max_length=4)
    scopes: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    agents: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    sources: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    expires_at: datetime = Field(sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)
    created_by: int | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_address: str = Field(default="", max_length=64)
