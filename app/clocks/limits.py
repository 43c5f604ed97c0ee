"""How long something may take, and when that is over. Pure: the calendar is an argument.

A limit in working days ends with its last day, at 24:00 where the hotline is. A limit in hours ends by the wall clock;
one in working hours counts office hours only. Every end is a moment at which it is too late.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from app.workdays.model import OfficeHours, WorkCalendar, add_working_days, first_of_last, shift_office_time

INSTANT = timedelta(microseconds=1)


class Unit(StrEnum):
    """What a limit is counted in."""

    working_days = "working_days"  # 工作日
    hours = "hours"  # 自然小时
    working_hours = "working_hours"  # 工作小时


MOST: Mapping[Unit, int] = {Unit.working_days: 250, Unit.hours: 8760, Unit.working_hours: 2000}  # about a year of each
WARN = range(1, 91)  # per cent of a limit


@dataclass(frozen=True)
class Limit:
    """`amount` of `unit`; a warning is given when the last `warn_percent` of it begin (临期).

    Raises ValueError for what `limit_faults` names.
    """

    amount: int
    unit: Unit
    warn_percent: int = 25

    def __post_init__(self) -> None:
        if wrong := limit_faults(self.amount, self.unit, self.warn_percent):
            raise ValueError(f"not a limit: {', '.join(wrong)}")


@dataclass(frozen=True)
class Reckoning:
    """What days and hours are counted by."""

    calendar: WorkCalendar
    zone: tzinfo
    office: OfficeHours


@dataclass(frozen=True)
class End:
    """When it is too late, and whether that used days which are not published yet."""

    at: datetime
    provisional: bool = False


def limit_faults(amount: int, unit: Unit, warn_percent: int) -> dict[str, str]:
    """What keeps this from being a limit, by field; {} if nothing does."""
    wrong = {}
    if not 1 <= amount <= MOST[unit]:
        wrong["amount"] = f"须为 1 到 {MOST[unit]} (1 to {MOST[unit]})"
    if warn_percent not in WARN:
        wrong["warn_percent"] = f"须为 {WARN[0]} 到 {WARN[-1]} ({WARN[0]} to {WARN[-1]})"
    return wrong


def end_of(start: datetime, amount: int, unit: Unit, by: Reckoning) -> End:
    """When `amount` of `unit` after `start` is over. Day 1 is the next working day. Raises ValueError."""
    match unit:
        case Unit.hours:
            return End((start + timedelta(hours=amount)).astimezone(UTC))
        case Unit.working_hours:
            return End(*shift_office_time(by.calendar, by.office, by.zone, start, timedelta(hours=amount)))
        case Unit.working_days:
            reached = add_working_days(by.calendar, start.astimezone(by.zone).date(), amount)
            return End(midnight(reached.day + timedelta(days=1), by.zone), reached.provisional)


def lengthened(due_at: datetime, amount: int, unit: Unit, by: Reckoning) -> End:
    """When `amount` more is over after something that is due at `due_at`. Raises ValueError."""
    return end_of(due_at - INSTANT if unit is Unit.working_days else due_at, amount, unit, by)


def amount_until(due_at: datetime, end: datetime, unit: Unit, by: Reckoning) -> int:
    """How much more something needs that is due at `due_at`, to end at `end` or later; at least 1, at most MOST."""
    some = range(1, MOST[unit])
    return 1 + bisect_left(some, end, key=lambda amount: lengthened(due_at, amount, unit, by).at)


def warning_of(started_at: datetime, due_at: datetime, limit: Limit, by: Reckoning) -> datetime:
    """When the last part of a limit begins that ends at `due_at`; never before it started.

    Of working days whole ones are warned of, at least one, from 00:00 on.
    """
    share = limit.amount * limit.warn_percent / 100
    match limit.unit:
        case Unit.hours:
            warn_at = due_at - timedelta(hours=share)
        case Unit.working_hours:
            warn_at, _ = shift_office_time(by.calendar, by.office, by.zone, due_at, -timedelta(hours=share))
        case Unit.working_days:
            whole = -(-limit.amount * limit.warn_percent // 100)
            warn_at = midnight(first_of_last(by.calendar, due_day(due_at, by.zone), whole), by.zone)
    return max(warn_at, started_at)


def due_day(due_at: datetime, zone: tzinfo) -> date:
    """The last day on which it is not too late, as people say a date."""
    return (due_at - INSTANT).astimezone(zone).date()


def midnight(day: date, zone: tzinfo) -> datetime:
    """When `day` begins."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
