"""Users, their sessions, and the sign-in attempts that rate limits count."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


class User(SQLModel, table=True):
    """A person who may sign in. `name` is stored in small letters."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    display_name: str = Field(max_length=64)
    password_hash: str
    roles: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    agent_id: str | None = Field(default=None, unique=True, max_length=16)
    must_change_password: bool = True
    active: bool = True
    created_at: datetime = Field(sa_type=UTCDateTime)
    last_login_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class UserSession(SQLModel, table=True):
    """One sign-in on one browser. Only the token's SHA-256 is stored: a stolen database opens no session."""

    __tablename__ = "user_session"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    user_id: int = Field(foreign_key="user_account.id", index=True)
    csrf: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=UTCDateTime)
    seen_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    address: str = Field(max_length=64)
    user_agent: str = Field(default="", max_length=200)


class LoginAttempt(SQLModel, table=True):
    """One try to sign in. Stored before the password is checked, so that parallel tries count too."""

    __tablename__ = "login_attempt"
    __table_args__: Any = (
        Index("ix_login_attempt_name_at", "name", "at"),
        Index("ix_login_attempt_address_at", "address", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
    name: str = Field(max_length=64)
    address: str = Field(max_length=64)
    succeeded: bool = False
