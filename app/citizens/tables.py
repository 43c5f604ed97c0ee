"""Citizens and the numbers they call from."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class Citizen(SQLModel, table=True):
    """Whoever calls. Everything but the id may be empty: nobody has to say who they are."""

    __tablename__ = "citizen"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(default="", max_length=64)
    area: str = Field(default="", max_length=64)
    address: str = Field(default="", max_length=200)
    language: str = Field(default="zh", max_length=8)
    elderly: bool = False
    harassment: bool = False
    confidential: bool = False
    note: str = Field(default="", max_length=2000)
    version: int = 1
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)


class CitizenNumber(SQLModel, table=True):
    """A number belongs to one citizen; a citizen may have several numbers."""

    __tablename__ = "citizen_number"

    number: str = Field(primary_key=True, max_length=32)
    citizen_id: int = Field(foreign_key="citizen.id", index=True)
