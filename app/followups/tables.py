"""The desk on which cases wait to be asked about, and what was heard."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class FollowUpTask(SQLModel, table=True):
    """A case whose citizen is to be asked: once per case, opened again after a redo.

    Nobody is called before `after`. Who has `claimed` it calls now; a claim that is too old binds nobody.
    """

    __tablename__ = "follow_up_task"
    __table_args__: Any = (Index("ix_follow_up_task_open", "open", "after", "case_id"),)

    case_id: int = Field(primary_key=True, foreign_key="case_file.id")
    open: bool = True
    after: datetime = Field(sa_type=UTCDateTime)
    tries: int = 0
    claimed_by: int | None = None
    claimed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class FollowUp(SQLModel, table=True):
    """One try to ask, and what was said. Never changed."""

    __tablename__ = "follow_up"
    __table_args__: Any = (Index("ix_follow_up_case", "case_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    round: int
    at: datetime = Field(sa_type=UTCDateTime)
    by: int | None = None
    call_id: str | None = Field(default=None, max_length=64)
    reached: str = Field(max_length=16)
    satisfaction: str = Field(default="", max_length=24)
    solved: bool | None = None
    contacted_in_time: bool | None = None
    true_to_reality: bool | None = None
    note: str = Field(default="", sa_type=Text)
    propose_redo: bool = False
