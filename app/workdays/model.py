"""Counting in working days (C4): day 1 is the next working day. Pure: the calendar is an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from app.hours.model import minutes

DAY = timedelta(days=1)
SATURDAY = 5
MOST_DAYS = 1000  # nobody counts further: about four years
FURTHEST = 10_000  # days that are looked through for office hours, however few an office has


class WorkDayKind(StrEnum):
    """How a day differs from Monday to Friday at work, Saturday and Sunday off."""

    holiday = "holiday"  # 放假
    makeup = "makeup"  # 调休上班


@dataclass(frozen=True)
class WorkCalendar:
    """The days that differ, and the years whose arrangement has been published.

    In a year that is not among `published` the days are counted all the same, by what is known, but provisionally: its
    holidays may still come.
    """

    days: Mapping[date, WorkDayKind] = field(default_factory=dict)
    published: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether offices work on `day`."""
        kind = self.days.get(day)
        return day.weekday() < SATURDAY if kind is None else kind is WorkDayKind.makeup

    def is_published(self, day: date) -> bool:
        """Whether the arrangement of the year of `day` is final."""
        return day.year in self.published

    def all_published(self, first: date, last: date) -> bool:
        """Whether no day from `first` to `last`, both included, can still change."""
        return all(year in self.published for year in range(first.year, last.year + 1))


@dataclass(frozen=True)
class Reached:
    """The day that counting came to; `provisional` when it used a day that is not published yet."""

    day: date
    provisional: bool


@dataclass(frozen=True)
class Count:
    """How many working days; `provisional` as in `Reached`."""

    days: int
    provisional: bool


def add_working_days(calendar: WorkCalendar, start: date, count: int) -> Reached:
    """The `count`-th working day after `start`, whether `start` is a working day itself or not.

    Raises ValueError for a count outside of 1 to MOST_DAYS.
    """
    if not 1 <= count <= MOST_DAYS:
        raise ValueError(f"working days are counted from 1 to {MOST_DAYS}")
    day = start
    for _ in range(count):
        day += DAY
        while not calendar.is_working(day):
            day += DAY
    return Reached(day, not calendar.all_published(start + DAY, day))


def working_days_between(calendar: WorkCalendar, start: date, end: date) -> Count:
    """The working days after `start` up to and including `end`; none if `end` is not after `start`.

    It undoes `add_working_days`: from `start` to the n-th working day after it are n.
    """
    if end <= start:
        return Count(0, False)
    days = sum(calendar.is_working(start + n * DAY) for n in range(1, (end - start).days + 1))
    return Count(days, not calendar.all_published(start + DAY, end))


def first_of_last(calendar: WorkCalendar, end: date, count: int) -> date:
    """The first of the last `count` working days up to and including `end`. Raises ValueError as `add_working_days`."""
    if not 1 <= count <= MOST_DAYS:
        raise ValueError(f"working days are counted from 1 to {MOST_DAYS}")
    day = end + DAY
    for _ in range(count):
        day -= DAY
        while not calendar.is_working(day):
            day -= DAY
    return day


@dataclass(frozen=True)
class OfficeHours:
    """When offices work on a working day: spans of minutes after midnight, in order, none beyond 24:00."""

    spans: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        edges = [edge for span in self.spans for edge in span]
        if not edges or edges != sorted(set(edges)) or edges[0] < 0 or edges[-1] > 1440:
            raise ValueError("office hours are spans in order that do not touch, between 00:00 and 24:00")


def parse_office_hours(text: str) -> OfficeHours:
    """ "09:00-12:00,13:00-17:00" → two spans. Raises ValueError."""
    spans = []
    for part in text.split(","):
        opens, dash, closes = part.strip().partition("-")
        if not dash:
            raise ValueError("office hours are written HH:MM-HH:MM, several with commas between")
        spans.append((minutes(opens), minutes(closes)))
    return OfficeHours(tuple(spans))


def shift_office_time(
    calendar: WorkCalendar, office: OfficeHours, zone: tzinfo, start: datetime, by: timedelta
) -> tuple[datetime, bool]:
    """The moment that lies `by` of office time after `start` (before it if negative), and whether it is provisional.

    Aware in, aware UTC out. Counting forward ends with the span in which the time is used up, backward with its
    beginning. Raises ValueError for a naive time and for what is not over within FURTHEST days.
    """
    if start.tzinfo is None:
        raise ValueError("a time without a zone")
    left, forward = abs(by), by >= timedelta(0)
    first = start.astimezone(zone).date()
    for opens, closes in _spans(calendar, office, zone, first, 1 if forward else -1):
        begins, ends = (max(opens, start), closes) if forward else (opens, min(closes, start))
        if ends - begins >= left and ends > begins:
            moment = begins + left if forward else ends - left
            low, high = sorted((first, moment.astimezone(zone).date()))
            return moment.astimezone(UTC), not calendar.all_published(low, high)
        left -= max(ends - begins, timedelta(0))
    raise ValueError(f"not over within {FURTHEST} days")


def _spans(
    calendar: WorkCalendar, office: OfficeHours, zone: tzinfo, first: date, step: int
) -> Iterator[tuple[datetime, datetime]]:
    """The office's spans from the day `first` on, or back from it."""
    for n in range(FURTHEST):
        day = first + n * step * DAY
        if not calendar.is_working(day):
            continue
        midnight = datetime.combine(day, time.min)
        for opens, closes in office.spans[::step]:
            yield (
                (midnight + timedelta(minutes=opens)).replace(tzinfo=zone).astimezone(UTC),
                (midnight + timedelta(minutes=closes)).replace(tzinfo=zone).astimezone(UTC),
            )
