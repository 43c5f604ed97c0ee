"""Cases, their append-only history, the counter behind case numbers, and the rotation of the handling sections."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.search.tables import search_table

CASE_INDEX = search_table("case_index")


class Case(SQLModel, table=True):
    """A citizen's matter. `opened_for` is unique: the same call, voicemail or form never opens a second case.

    `about_unit_id` is the unit complained about, `to_unit_id` the one that it was passed to at once (转阅, 电话交办),
    `with_call_id` the call in which. `due_at` is the end of the case's clock that runs now.
    `answer_source` names the articles and templates that the answer was taken from, `proposed_unit` is the code of the
    unit that whoever took the matter in thinks it is for; both are suggestions that somebody accepted. `place_id` is
    the road or estate that the address names (`app.places`).
    `repeat_of_id` is the earlier case of the same number's same matter that had been ended, `repeats` how often that
    had happened before.
    """

    __tablename__ = "case_file"
    __table_args__: Any = (
        Index("ix_case_caller_created", "caller_number", "created_at"),
        Index("ix_case_citizen_created", "citizen_id", "created_at"),
        Index("ix_case_state_created", "state", "created_at"),
        Index("ix_case_agent_created", "agent_id", "created_at"),
        Index("ix_case_state_due", "state", "due_at", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True, max_length=20)
    opened_for: str | None = Field(default=None, unique=True, max_length=120)
    call_id: str | None = Field(default=None, index=True, max_length=64)
    source: str = Field(max_length=16)
    state: str = Field(max_length=16)
    version: int = 1

    type: str | None = Field(default=None, max_length=16)
    title: str = Field(default="", max_length=200)
    content: str = Field(default="", sa_type=Text)
    answer: str = Field(default="", sa_type=Text)
    answer_source: str = Field(default="", max_length=120)
    proposed_unit: str = Field(default="", max_length=32)
    caller_name: str = Field(default="", max_length=64)
    caller_number: str = Field(default="", max_length=32)
    area: str = Field(default="", max_length=64)
    address: str = Field(default="", max_length=200)
    confidential: bool = False
    place_id: int | None = Field(default=None, index=True)

    way: str | None = Field(default=None, max_length=16)
    urgency: str = Field(default="general", max_length=16)
    ground: str | None = Field(default=None, max_length=16)
    about_unit_id: int | None = None
    to_unit_id: int | None = None
    with_call_id: str | None = Field(default=None, max_length=64)
    due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    deferred_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    merged_into_id: int | None = Field(default=None, index=True)
    repeat_of_id: int | None = None
    repeats: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    language: str = Field(default="zh", max_length=8)
    menu_path: str = Field(default="", max_length=500)
    citizen_id: int | None = Field(default=None, foreign_key="citizen.id")
    agent_id: str | None = Field(default=None, max_length=16)
    section: str | None = Field(default=None, max_length=16)
    edited_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime, index=True)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    registered_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    registered_by: int | None = None
    registered_from_version: int | None = None


class CaseEvent(SQLModel, table=True):
    """One line of a case's history (C16). The database refuses to change or delete it."""

    __tablename__ = "case_event"
    __table_args__: Any = (Index("ix_case_event_case", "case_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    at: datetime = Field(sa_type=UTCDateTime)
    user_id: int | None = None
    actor: str = Field(max_length=64)
    actor_name: str = Field(max_length=64)
    event: str = Field(max_length=32)
    from_state: str | None = Field(default=None, max_length=16)
    to_state: str = Field(max_length=16)
    reason: str = Field(default="", max_length=500)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))


class CaseItem(SQLModel, table=True):
    """One of the things that a citizen asks for in a case; every reply answers each of them (C6)."""

    __tablename__ = "case_item"
    __table_args__: Any = (Index("ix_case_item_case", "case_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case_file.id")
    position: int
    text: str = Field(max_length=500)


class CaseCounter(SQLModel, table=True):
    """The last sequence number given on a day; one row a day."""

    __tablename__ = "case_counter"

    day: str = Field(primary_key=True, max_length=8)
    last: int


class HandlingSection(SQLModel, table=True):
    """A section that takes voicemail and fax cases in rotation (办件督查处)."""

    __tablename__ = "handling_section"

    code: str = Field(primary_key=True, max_length=16)
    name_zh: str = Field(max_length=64)
    name_en: str = Field(max_length=64)
    position: int
    active: bool = True


class Rotation(SQLModel, table=True):
    """How many turns have been given; the next one goes to turn modulo sections."""

    __tablename__ = "rotation"

    name: str = Field(primary_key=True, max_length=32)
    turns: int
