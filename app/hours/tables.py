"""Days on which the hotline keeps other hours than every day's."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, SQLModel


class SpecialDay(SQLModel, table=True):
    """A holiday, a make-up workday, or a day with hours of its own. Empty times mean every day's hours."""

    __tablename__ = "special_day"

    day: date = Field(primary_key=True)
    kind: str = Field(max_length=16)
    opens: str = Field(default="", max_length=5)
    closes: str = Field(default="", max_length=5)
    note: str = Field(default="", max_length=100)
