"""Days on which the hotline keeps other hours than every day's."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, SQLModel


class SpecialDay(SQLModel, table=True):
    """A day with hours of its own, or closed. That a day is a holiday stands in the working-day calendar alone."""

    __tablename__ = "special_day"

    day: date = Field(primary_key=True)
    closed: bool = False
    opens: str = Field(default="", max_length=5)
    closes: str = Field(default="", max_length=5)
    note: str = Field(default="", max_length=100)
