"""When published numbers are called: at allowed hours of working days, twice on different days at different times.
Pure.

A citizen calls when the office says that it is open, so a call is made only where the round's hours and those that were
published for the number are both open. Days and minutes are drawn by a seed: nobody can tell a unit when to expect it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from app.workdays.model import WorkCalendar, parse_office_hours

DAY = timedelta(days=1)
LONGEST_ROUND = 200  # days
CUSHION = 5  # minutes before the end of a span in which no call is begun
APART = 60  # minutes between the times of day of two attempts, where they cannot be in different spans


@dataclass(frozen=True)
class Hours:
    """Spans of minutes after midnight in which a number may be called; in order, none touching."""

    spans: tuple[tuple[int, int], ...]

    @classmethod
    def both(cls, of_round: str, of_number: str) -> Hours:
        """Where both are open; a number without hours is open whenever the round is. Raises ValueError."""
        ours = parse_office_hours(of_round).spans
        if not of_number:
            return cls(ours)
        theirs = parse_office_hours(of_number).spans
        cuts = [(max(a, c), min(b, d)) for a, b in ours for c, d in theirs]
        return cls(tuple((start, end) for start, end in sorted(cuts) if end - start > CUSHION))

    def open_at(self, minute: int) -> bool:
        """Whether a call may be begun at that minute of the day."""
        return any(start <= minute < end - CUSHION for start, end in self.spans)


def working_days(calendar: WorkCalendar, first: date, last: date) -> list[date]:
    """The working days from `first` to `last`, both included."""
    return [day for day in (first + n * DAY for n in range((last - first).days + 1)) if calendar.is_working(day)]


def planned(seed: str, ident: int, hours: Hours, days: Sequence[date], attempts: int, zone: tzinfo) -> list[datetime]:
    """When a number is called, in order: each attempt on a day of its own and, where it can be, in another span of the
    day (else an hour away). Aware UTC. Raises ValueError where there are fewer days than attempts, or no hours.
    """
    if len(days) < attempts or not hours.spans:
        raise ValueError("too few working days, or no hour at which it may be called")
    draw = random.Random(f"{seed}:{ident}")
    chosen = sorted(draw.sample(list(days), attempts))
    spans = draw.sample(list(hours.spans), len(hours.spans))
    moments, before = [], -1
    for n, day in enumerate(chosen):
        start, end = spans[n % len(spans)]
        minute = draw.randrange(start, end - CUSHION)
        if len(spans) == 1 and before >= 0 and abs(minute - before) < APART:
            away = [m for m in range(start, end - CUSHION) if abs(m - before) >= APART]
            minute = draw.choice(away) if away else minute
        before = minute
        local = datetime.combine(day, time(minute // 60, minute % 60), zone)
        moments.append(local.astimezone(UTC))
    return moments


def may_call(calendar: WorkCalendar, hours: Hours, now: datetime, zone: tzinfo, last_called: date | None) -> bool:
    """Whether a number may be called now: a working day, an open hour, and not on the day of the attempt before."""
    local = now.astimezone(zone)
    return (
        local.date() != last_called
        and calendar.is_working(local.date())
        and hours.open_at(local.hour * 60 + local.minute)
    )
