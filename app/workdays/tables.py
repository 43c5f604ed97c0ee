"""The days that differ from Monday to Friday, and which years' arrangements are known."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from app.db import UTCDateTime
from app.workdays.model import WorkDayKind
from app.workdays.sheet import LONGEST_NOTE


class WorkDay(SQLModel, table=True):
    """A public holiday, or a day on which offices work although it is a weekend.

    `source` says where it is from: "published" (came with the system), "import", "edit" (by a person) or "hours" (was
    entered as a day of other opening hours before there was a calendar). `changed_by` is None for the system.
    """

    __tablename__ = "work_day"

    day: date = Field(primary_key=True)
    kind: str = Field(max_length=16)
    note: str = Field(default="", max_length=LONGEST_NOTE)
    source: str = Field(max_length=16)
    changed_by: int | None = None
    changed_at: datetime = Field(sa_type=UTCDateTime)

    @property
    def day_kind(self) -> WorkDayKind:
        """What kind of day it is."""
        return WorkDayKind(self.kind)


class CalendarYear(SQLModel, table=True):
    """A year whose arrangement is known; `provisional` until it has been published officially.

    `published_by` is the authority and its document, `published_on` the day on which it was published.
    """

    __tablename__ = "calendar_year"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    published_by: str = Field(default="", max_length=LONGEST_NOTE)
    published_on: date | None = None
    provisional: bool = False
    changed_by: int | None = None
    changed_at: datetime = Field(sa_type=UTCDateTime)
