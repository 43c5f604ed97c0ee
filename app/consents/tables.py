"""The register of what people have said about being contacted."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.consents.model import LONGEST_WHY
from app.db import UTCDateTime


class ContactWish(SQLModel, table=True):
    """One thing that one number's person said, until they take it back. Nothing of it is ever changed but its end.

    `open_for` is unique while it holds: the same said twice is one row. `call_id` is the call in which, or "".
    """

    __tablename__ = "contact_wish"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=32, index=True)
    said: str = Field(max_length=16)
    about: str = Field(max_length=16)
    how: str = Field(max_length=8)
    why: str = Field(default="", max_length=LONGEST_WHY)
    call_id: str = Field(default="", max_length=64)
    open_for: str | None = Field(default=None, unique=True, max_length=72)
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    ended_by: int | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    end_why: str = Field(default="", max_length=LONGEST_WHY)
