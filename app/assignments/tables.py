"""Assignments, what units replied to them, and who must not have to do with a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.reply_templates.model import LONGEST_SOURCES

_LEADS = text("lead AND parent_id IS NULL AND state <> 'withdrawn'")


class Assignment(SQLModel, table=True):
    """A unit's share of a case. `parent_id` is the assignment it was handed down from; `lead` answers for the case.

    `round` counts from 1 and rises with every redo, `version` with every change. `due_at` is the end of the clock that
    runs for it now. `returns` is how often the unit gave it back.
    """

    __tablename__ = "assignment"
    __table_args__: Any = (
        Index("ix_assignment_inbox", "unit_id", "state", "due_at", "id"),
        Index("ix_assignment_newest", "unit_id", "state", "id"),
        Index("ix_assignment_case", "case_id", "id"),
        Index("ix_assignment_parent", "parent_id"),
        Index("ix_assignment_state", "state", "given_at"),
        Index("ix_assignment_given", "given_at"),
        Index("ux_assignment_lead", "case_id", unique=True, sqlite_where=_LEADS, postgresql_where=_LEADS),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    unit_id: int = Field(foreign_key="unit.id")
    parent_id: int | None = Field(default=None, foreign_key="assignment.id")
    lead: bool
    way: str = Field(max_length=16)
    state: str = Field(max_length=16)
    round: int = 1
    version: int = 1
    returns: int = 0
    instructions: str = Field(default="", sa_type=Text)
    due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    given_by: int | None = None
    given_at: datetime = Field(sa_type=UTCDateTime)
    signed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    replied_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Reply(SQLModel, table=True):
    """What came of one round of an assignment (办理结果); a later round never touches an earlier one.

    `answers` are by item id, `papers` by attachment ("voicemail:3"): what the unit says to each. `template_source`
    names the templates that its words began with ("template:12@3", see `app.reply_templates.model`).
    """

    __tablename__ = "assignment_reply"
    __table_args__: Any = (UniqueConstraint("assignment_id", "round"),)

    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id")
    round: int
    version: int = 1
    state: str = Field(max_length=16)
    result: str = Field(default="", sa_type=Text)
    measures: str = Field(default="", sa_type=Text)
    next_step: str = Field(default="", sa_type=Text)
    answers: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    papers: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    letter: str = Field(default="", sa_type=Text)
    contact: str = Field(default="", max_length=16)
    contacted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    opinion: str = Field(default="", max_length=24)
    opinion_why: str = Field(default="", max_length=500)
    signed_name: str = Field(default="", max_length=64)
    template_source: str = Field(default="", max_length=LONGEST_SOURCES)
    signed_by: int | None = None
    signed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    sealed: bool = False
    leader_opinion: str = Field(default="", max_length=500)
    leader_name: str = Field(default="", max_length=64)
    leader_by: int | None = None
    leader_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    updated_by: int | None = None


class Recusal(SQLModel, table=True):
    """A person or a unit that has an interest in a case neither handles nor sees it (篇6 第十八条)."""

    __tablename__ = "case_recusal"
    __table_args__: Any = (
        Index("ix_case_recusal_user", "user_id", "case_id"),
        Index("ix_case_recusal_unit", "unit_id", "case_id"),
        Index("ix_case_recusal_case", "case_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    user_id: int | None = Field(default=None, foreign_key="user_account.id")
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    why: str = Field(max_length=500)
    by: int | None = None
    at: datetime = Field(sa_type=UTCDateTime)
    lifted_by: int | None = None
    lifted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
