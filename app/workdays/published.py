"""The arrangements that the State Council has published and that come with the system, as data files beside this one.

A later year is imported by an office when it is published; nothing here has to be changed for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.workdays.sheet import SheetDay, read_sheet

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Notice:
    """Who published a year's arrangement, in which document, when."""

    by: str
    on: date


NOTICES: Mapping[int, Notice] = {
    2025: Notice("国务院办公厅 国办发明电〔2024〕12号", date(2024, 11, 12)),
    2026: Notice("国务院办公厅 国办发明电〔2025〕7号", date(2025, 11, 4)),
}


def published_days(year: int) -> tuple[SheetDay, ...]:
    """The days of `year` that differ. Raises KeyError for a year that does not come with the system."""
    NOTICES[year]
    sheet = read_sheet((DATA / f"{year}.csv").read_text(encoding="utf-8"), year)
    assert not sheet.faults, sheet.faults
    return sheet.days
