"""When a campaign may call: windows of the day, on every day or on working days. Pure: the calendar is an argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from app.hours.model import minutes
from app.workdays.model import WorkCalendar

AHEAD_DAYS = 30
MOST_WINDOWS = 4


@dataclass(frozen=True, order=True)
class Window:
    """Minutes after midnight, `opens` before `closes`, within one day."""

    opens: int
    closes: int


@dataclass(frozen=True)
class Hours:
    """A campaign's hours; `limits` are those in which anybody may be called at all, whatever a campaign says."""

    windows: tuple[Window, ...]
    workdays: bool
    limits: Window = Window(0, 1440)


def parse(told: Sequence[Sequence[str]]) -> tuple[Window, ...]:
    """[["09:00", "12:00"], …] → windows in order. Raises ValueError for nonsense, and for windows that overlap."""
    windows = sorted(Window(minutes(opens), minutes(closes)) for opens, closes in told)
    if not 1 <= len(windows) <= MOST_WINDOWS:
        raise ValueError("one to four windows")
    if any(one.opens >= one.closes for one in windows):
        raise ValueError("a window ends after it begins, on the same day")
    if any(one.closes > two.opens for one, two in pairwise(windows)):
        raise ValueError("windows overlap")
    return tuple(windows)


def next_moment(hours: Hours, calendar: WorkCalendar, zone: tzinfo, now: datetime) -> datetime | None:
    """The first moment from `now` on (itself, if it is one) at which calls may begin; None within AHEAD_DAYS.

    Clocks that are put forward or back change nothing of what the wall shows. Raises ValueError for a naive time.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone")
    for opens, closes in _spans(hours, calendar, zone, now.astimezone(zone).date()):
        if now < closes:
            return max(now, opens)
    return None


def may_call(hours: Hours, calendar: WorkCalendar, zone: tzinfo, now: datetime) -> bool:
    """Whether calls may begin now."""
    return next_moment(hours, calendar, zone, now) == now


def _spans(hours: Hours, calendar: WorkCalendar, zone: tzinfo, first: date) -> Iterator[tuple[datetime, datetime]]:
    for ahead in range(AHEAD_DAYS + 1):
        day = first + timedelta(days=ahead)
        if hours.workdays and not calendar.is_working(day):
            continue
        for window in hours.windows:
            opens, closes = max(window.opens, hours.limits.opens), min(window.closes, hours.limits.closes)
            if opens < closes:
                yield _at(day, opens, zone), _at(day, closes, zone)


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    midnight = datetime.combine(day, time.min)
    return (midnight + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC)
