"""Calls counted by half-hour: what came in, what became of it. Pure; the same words sort a list of calls (`results`).

A call counts in the half-hour in which it joined the queue, as in `app.measures`, whenever it ends. Half-hours are
those of the hotline's city, so a day begins at its midnight; a span may begin and end anywhere, and days without calls
are zeros and not gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

SLOT = timedelta(minutes=30)
SLOTS_A_DAY = 48
TARGET_S = 15  # GB/T 33358-2016
WEEK = timedelta(days=7)


class Result(StrEnum):
    """What became of a call that wanted a person."""

    joined = "joined"  # any
    answered = "answered"
    in_time = "in_time"  # answered within 15 s
    late = "late"  # answered later, gone without an answer, or still waiting after 15 s
    abandoned = "abandoned"  # hung up while waiting


class Times(NamedTuple):
    """What is counted of one call; times are aware."""

    joined: datetime
    answered: datetime | None = None
    ended: datetime | None = None
    outcome: str | None = None


def results(call: Times, now: datetime) -> frozenset[Result]:
    """Everything that a call counts as at `now`."""
    found = {Result.joined}
    if call.answered is not None:
        found.add(Result.answered)
        found.add(Result.in_time if (call.answered - call.joined).total_seconds() <= TARGET_S else Result.late)
    elif call.ended is not None:
        found.add(Result.late)
        if call.outcome in (None, "abandoned"):
            found.add(Result.abandoned)
    elif (now - call.joined).total_seconds() > TARGET_S:
        found.add(Result.late)
    return frozenset(found)


@dataclass(slots=True)
class Tally:
    """Calls of one half-hour, or of several added up. `judged`: of whom is known whether they were answered in time.

    `waits` and `waited_s` are of calls whose waiting is over, `talks` and `talked_s` of talks that are over.
    """

    calls: int = 0
    answered: int = 0
    in_time: int = 0
    judged: int = 0
    abandoned: int = 0
    waits: int = 0
    waited_s: float = 0.0
    talks: int = 0
    talked_s: float = 0.0

    @property
    def mean_wait_s(self) -> float | None:
        """Seconds until answered or gone; None when nobody has waited."""
        return self.waited_s / self.waits if self.waits else None

    @property
    def mean_talk_s(self) -> float | None:
        """Seconds; None when no talk is over."""
        return self.talked_s / self.talks if self.talks else None

    def count(self, call: Times, now: datetime) -> None:
        """Add one call."""
        what = results(call, now)
        self.calls += 1
        self.answered += Result.answered in what
        self.in_time += Result.in_time in what
        self.judged += Result.in_time in what or Result.late in what
        self.abandoned += Result.abandoned in what
        if (until := call.answered or call.ended) is not None:
            self.waits += 1
            self.waited_s += max(0.0, (until - call.joined).total_seconds())
        if call.answered is not None and call.ended is not None:
            self.talks += 1
            self.talked_s += max(0.0, (call.ended - call.answered).total_seconds())


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally()
    for tally in tallies:
        for field in fields(Tally):
            setattr(whole, field.name, getattr(whole, field.name) + getattr(tally, field.name))
    return whole


@dataclass(frozen=True, slots=True)
class Span:
    """`count` half-hours from `start` on."""

    start: datetime
    count: int

    @property
    def end(self) -> datetime:
        """The moment after the last of them."""
        return self.start + self.count * SLOT

    def at(self, number: int) -> datetime:
        """When half-hour `number`, counted from 0, begins."""
        return self.start + number * SLOT

    def number(self, moment: datetime) -> int | None:
        """In which half-hour a moment lies; None outside of the span."""
        found = (moment - self.start) // SLOT
        return found if 0 <= found < self.count else None


def day_span(day: date, zone: ZoneInfo) -> Span:
    """A day from midnight to midnight."""
    start = datetime.combine(day, time.min, zone)
    # Subtracted as moments: where clocks are changed a day has 46 or 50 half-hours.
    length = datetime.combine(day + timedelta(days=1), time.min, zone).timestamp() - start.timestamp()
    return Span(_utc(start), round(length / SLOT.total_seconds()))


def rolling_span(now: datetime, zone: ZoneInfo, count: int = SLOTS_A_DAY) -> Span:
    """The half-hours that end with the one of `now`: across midnight and shifts nothing is emptied."""
    local = now.astimezone(zone)
    begun = local.replace(minute=local.minute // 30 * 30, second=0, microsecond=0)
    return Span(_utc(begun) - (count - 1) * SLOT, count)


def week_before(span: Span, zone: ZoneInfo) -> Span:
    """The same hours of the same weekday a week earlier, by the clock on the wall."""
    return Span(_utc(span.start.astimezone(zone) - WEEK), span.count)


def tallied(calls: Iterable[Times], span: Span, now: datetime) -> list[Tally]:
    """The calls of a span by half-hour; those outside of it are left out."""
    found = [Tally() for _ in range(span.count)]
    for call in calls:
        if (number := span.number(call.joined)) is not None:
            found[number].count(call, now)
    return found


def so_far(before: Sequence[Tally], span: Span, now: datetime) -> list[Tally]:
    """Of an earlier span's half-hours those whose turn has come in `span`, so that a day that goes on is compared with
    as much of the earlier one. The half-hour that goes on counts as a whole from its beginning."""
    return [tally for number, tally in enumerate(before) if span.at(number) <= now]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
