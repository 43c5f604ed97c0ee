"""When people answer: every day's hours, and days that differ (T1). Pure: the calendar is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LOOK_AHEAD_DAYS = 30


class DayKind(StrEnum):
    """Why a day differs. Only `closed` shuts the hotline; the others say why the hours are as they are."""

    workday = "workday"
    holiday = "holiday"
    makeup = "makeup"  # 调休上班
    closed = "closed"


@dataclass(frozen=True)
class DayHours:
    """One day's hours: minutes after midnight; `closes` beyond 1440 runs into the next day; equal means never."""

    opens: int
    closes: int
    kind: DayKind | None = None
    note: str = ""


@dataclass(frozen=True)
class DifferentDay:
    """A day that is not like every day, as people read it: "HH:MM", or empty times for every day's hours."""

    day: date
    kind: DayKind
    opens: str = ""
    closes: str = ""
    note: str = ""


@dataclass(frozen=True)
class OpenState:
    """Whether people answer at a moment, why, and when they next do (None if open, or not within 30 days)."""

    open: bool
    reason: str
    next_open: datetime | None = None


def minutes(text: str) -> int:
    """ "08:30" → 510; "24:00" → 1440. Raises ValueError."""
    hour, _, minute = text.partition(":")
    value = int(hour) * 60 + int(minute)
    if not (hour.isdigit() and minute.isdigit() and len(minute) == 2 and int(minute) < 60 and value <= 1440):
        raise ValueError("a time of day is written HH:MM, 00:00 to 24:00")
    return value


def hours(opens: str, closes: str, kind: DayKind | None = None, note: str = "") -> DayHours:
    """Hours from "HH:MM" to "HH:MM"; closing before opening runs over midnight, equal times are the whole day."""
    start, end = minutes(opens), minutes(closes)
    if end <= start:
        end += 1440
    return DayHours(start, end, kind, note)


CLOSED_ALL_DAY = DayHours(0, 0, DayKind.closed)


def open_state(at: datetime, zone: ZoneInfo, usual: DayHours, special: Mapping[date, DayHours]) -> OpenState:
    """Whether people answer at `at`. Yesterday's night shift counts too. Raises ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        rule = special.get(day, usual)
        start, end = _moments(day, rule, zone)
        if start <= at < end:
            return OpenState(True, rule.kind.value if rule.kind else "hours")
    rule = special.get(today, usual)
    reason = rule.kind.value if rule.kind in (DayKind.closed, DayKind.holiday) else "after_hours"
    for ahead in range(LOOK_AHEAD_DAYS + 1):
        start, end = _moments(today + timedelta(days=ahead), special.get(today + timedelta(days=ahead), usual), zone)
        if end > start and start > at:
            return OpenState(False, reason, start.astimezone(UTC))
    return OpenState(False, reason, None)


def _moments(day: date, rule: DayHours, zone: ZoneInfo) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, time.min)
    start = (midnight + timedelta(minutes=rule.opens)).replace(tzinfo=zone)
    end = (midnight + timedelta(minutes=rule.closes)).replace(tzinfo=zone)
    return start, end
