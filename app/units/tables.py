"""Units, their telephones, and who works in them since when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.units.model import LONGEST_NAME


class Unit(SQLModel, table=True):
    """A unit of the network. `level` is None for neighbours; `initials` are those of both names, for searching.

    `office_hours` are workdays' spans ("09:00-12:00,13:30-17:30"), `topics` the public kinds of matters that it
    handles, `keywords` words that speak for it, `areas` what it serves (none: the whole city).
    """

    __tablename__ = "unit"
    __table_args__: Any = (
        Index(
            "ux_unit_centre",
            "kind",
            unique=True,
            sqlite_where=text("kind = 'centre'"),
            postgresql_where=text("kind = 'centre'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=32)
    name: str = Field(max_length=LONGEST_NAME)
    short_name: str = Field(max_length=LONGEST_NAME)
    initials: str = Field(default="", max_length=130)
    kind: str = Field(max_length=16)
    level: int | None = None
    parent_id: int | None = Field(default=None, foreign_key="unit.id", index=True)
    duties: str = ""
    topics: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    keywords: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    areas: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    address: str = Field(default="", max_length=200)
    office_hours: str = Field(default="", max_length=120)
    hours_note: str = Field(default="", max_length=100)
    active: bool = True
    version: int = 1
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_by: int | None = None
    updated_at: datetime = Field(sa_type=UTCDateTime)


class UnitPhone(SQLModel, table=True):
    """One telephone number of a unit, in the order of `position`."""

    __tablename__ = "unit_phone"

    id: int | None = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    kind: str = Field(max_length=8)
    number: str = Field(max_length=32)
    note: str = Field(default="", max_length=60)
    position: int = 0


class UnitMember(SQLModel, table=True):
    """A person works in a unit as handler or leader from `since` on, until `until` if that is set."""

    __tablename__ = "unit_member"
    __table_args__: Any = (
        Index(
            "ux_unit_member_now",
            "user_id",
            "unit_id",
            "role",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    user_id: int = Field(foreign_key="user_account.id")
    role: str = Field(max_length=16)
    since: datetime = Field(sa_type=UTCDateTime)
    until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    added_by: int | None = None
    ended_by: int | None = None
