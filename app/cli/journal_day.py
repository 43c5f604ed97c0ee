"""A day of the instance's queue journal, named as people name days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.cli.output import Failure
from app.settings import Settings

PREFIX = "acd"


@dataclass(frozen=True)
class JournalDay:
    """From midnight to midnight where the hotline is. Times are epoch milliseconds, the end excluded."""

    day: date
    since_ms: int
    until_ms: int
    folder: Path

    def files(self, before_ms: int = 0) -> list[Path]:
        """The journal's files that may hold lines of this day, and of as much time before it; oldest first."""
        from cti_bridge.journal_file import between

        return between(self.folder, PREFIX, self.since_ms - before_ms, self.until_ms)


def parse(text: str, zone: ZoneInfo, today: date) -> date:
    """`2026-11-25`, `today` or `yesterday`. Raises Failure."""
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Failure(f"{text} is no day", "write it as 2026-11-25, today or yesterday", 2) from None


def journal_day(text: str, settings: Settings) -> JournalDay:
    """The day that was asked for. Raises Failure when the text names none or the journal has nothing of it."""
    zone = settings.zone
    day = parse(text, zone, datetime.now(zone).date())
    since_ms, until_ms = (
        round(datetime.combine(day + timedelta(days=after), time.min, zone).timestamp() * 1000) for after in (0, 1)
    )
    found = JournalDay(day, since_ms, until_ms, settings.paths.journal)
    if not found.files():
        raise Failure(
            f"there is no journal of {day} in {found.folder}", "see HOTLINE_HOME, and retention_days for older days"
        )
    return found
