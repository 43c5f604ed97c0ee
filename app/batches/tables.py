"""Batches and what became of each of their cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type


def _detail() -> Any:
    return Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))


class Batch(SQLModel, table=True):
    """One act on several cases. `key` is the page's own: the same batch sent twice is one batch."""

    __tablename__ = "case_batch"
    __table_args__: Any = (UniqueConstraint("user_id", "key"), Index("ix_case_batch_user", "user_id", "at"))

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user_account.id")
    key: str = Field(max_length=36)
    act: str = Field(max_length=16)
    told: dict[str, Any] = _detail()
    at: datetime = Field(sa_type=UTCDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class BatchRow(SQLModel, table=True):
    """One case of a batch: the version that was seen, the one that the act left, and what became of it.

    `undo_with` is what only the case knew before the act and taking back needs. `undone` is empty until somebody tries.
    """

    __tablename__ = "case_batch_row"
    __table_args__: Any = (UniqueConstraint("batch_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="case_batch.id")
    case_id: int = Field(foreign_key="case_file.id")
    seen_version: int
    outcome: str = Field(max_length=8)
    after_version: int | None = None
    undo_with: dict[str, Any] = _detail()
    why: dict[str, Any] = _detail()
    undone: str = Field(default="", max_length=8)
    undone_why: dict[str, Any] = _detail()
