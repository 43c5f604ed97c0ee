"""Rules about callers who misuse the hotline."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.db import UTCDateTime
from app.nuisance.model import LONGEST_WHY


class NuisanceRule(SQLModel, table=True):
    """One rule about one number (as `normal_number` spells it). It ends at `until`, or at `ended_at` if that is set.

    `call_id` is the call that it was set from, "" for none. Nothing of a rule is ever changed but its end.
    """

    __tablename__ = "nuisance_rule"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(max_length=32, index=True)
    call_id: str = Field(default="", max_length=64)
    action: str = Field(max_length=16)
    value: int = 0
    why: str = Field(max_length=LONGEST_WHY)
    until: datetime = Field(sa_type=UTCDateTime, index=True)
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    ended_by: int | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    end_why: str = Field(default="", max_length=LONGEST_WHY)
