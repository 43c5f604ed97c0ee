"""The floor by half-hour: figures beside those of a week ago, and people who are needed beside those who were there.

Everything is read by ranges of an index: a day of calls, the same day of some weeks, 48 half-hours of presence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.calls.counting import times_between
from app.calls.halfhours import Span, Tally, day_span, rolling_span, so_far, tallied, total, week_before
from app.clock import from_ms, local_day
from app.settings import Settings
from app.staffing.forecast import Need, Target, expected, handling, kept, needs
from app.staffing.presence import STATES
from app.staffing.tables import StaffedSlot
from app.workdays.service import calendar

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Compared:
    """A span of half-hours beside the same one a week earlier. `before_so_far`: as much of that as has come here."""

    span: Span
    before: Span
    now: list[Tally]
    then: list[Tally]
    whole: Tally
    before_so_far: Tally


@dataclass(frozen=True)
class Present:
    """Who was there in a half-hour: mean people on shift, and of them those who took calls. `seen`: the share of the
    half-hour that was watched."""

    on_shift: float
    at_work: float
    seen: float


@dataclass(frozen=True)
class Staffing:
    """A day by half-hour. `days` are those from which it was foretold; `kept`: the share that theory lets the people
    who were there answer in time."""

    span: Span
    target: Target
    days: list[date]
    handling_s: float | None
    needs: list[Need]
    present: list[Present | None]
    came: list[Tally]
    kept: list[float | None] = field(default_factory=list)


def compared(
    session: Session, actor: Actor, settings: Settings, now: datetime, *, day: date | None = None, rolling: bool = False
) -> Compared:
    """A day (today without one), or the 24 hours that end now, by half-hour, beside a week ago. Raises Forbidden."""
    actor.require(Permission.agents_control)
    zone = settings.zone
    span = rolling_span(now, zone) if rolling else day_span(day or local_day(now, zone), zone)
    before = week_before(span, zone)
    here, there = (tallied(times_between(session, one.start, one.end), one, now) for one in (span, before))
    return Compared(span, before, here, there, total(here), total(so_far(there, span, now)))


def staffing(
    session: Session,
    actor: Actor,
    settings: Settings,
    now: datetime,
    *,
    day: date | None = None,
    weeks: int = 4,
    target: Target | None = None,
) -> Staffing:
    """What a day needs, who was there, and what came. Raises Forbidden."""
    actor.require(Permission.agents_control)
    zone, target = settings.zone, target or Target()
    wanted = day or local_day(now, zone)
    span = day_span(wanted, zone)
    days = comparable(session, wanted, weeks, local_day(now, zone))
    earlier: list[list[Tally]] = []
    wrapped_s = 0.0
    wrapped = 0
    for one in days:
        past = day_span(one, zone)
        tallies = tallied(times_between(session, past.start, past.end), past, now)
        earlier.append(_fitted(tallies, span.count))
        for number, seen in _slots(session, past).items():
            wrapped_s += seen["wrap_up_s"]
            wrapped += tallies[number].answered
    whole = total(tally for one in earlier for tally in one)
    handling_s = handling(whole.talked_s, whole.talks, wrapped_s, wrapped, settings.wrapup_s)
    calls = expected([[tally.calls for tally in one] for one in earlier], span.count)
    here = tallied(times_between(session, span.start, span.end), span, now)
    seen_here = _slots(session, span)
    present = [_present(seen_here[number]) if number in seen_here else None for number in range(span.count)]
    theory = [
        kept(tally.calls, handling_s, one.at_work, target.within_s) if one and handling_s else None
        for tally, one in zip(here, present, strict=True)
    ]
    return Staffing(span, target, days, handling_s, needs(calls, handling_s, target), present, here, theory)


def comparable(session: Session, day: date, weeks: int, today: date) -> list[date]:
    """The same weekday of the last weeks, without today, of which a part is still to come, and without those on which
    offices worked when they do not on `day`, or the other way round; all of them if none is left."""
    days = [day - number * WEEK for number in range(1, weeks + 1)]
    known = calendar(session, days[-1])
    over = [one for one in days if one < today]
    return [one for one in over if known.is_working(one) == known.is_working(day)] or over or days


def note_presence(session: Session, told: Mapping[str, Any]) -> None:
    """The core tells of a half-hour; the newest of one beginning and life is the one that counts."""
    insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    key = {"began_at": from_ms(int(told["began_ms"])), "life": str(told["life"])}
    values = {name: float(told[name]) for name in ("watched_s", *(f"{state}_s" for state in STATES))}
    made = insert(StaffedSlot).values(**key, **values)
    session.execute(made.on_conflict_do_update(index_elements=["began_at", "life"], set_=values))


def _slots(session: Session, span: Span) -> dict[int, dict[str, float]]:
    """Seconds by state of every half-hour of a span that somebody has watched, over all lives of the core."""
    began = col(StaffedSlot.began_at)
    found: dict[int, dict[str, float]] = {}
    for row in session.execute(select(StaffedSlot).where(began >= span.start, began < span.end)).scalars():
        if (number := span.number(row.began_at)) is None:
            continue
        slot = found.setdefault(number, {})
        for name in ("watched_s", *(f"{state}_s" for state in STATES)):
            slot[name] = slot.get(name, 0.0) + getattr(row, name)
    return {number: slot for number, slot in found.items() if slot["watched_s"] > 0}


def _present(slot: Mapping[str, float]) -> Present:
    watched = slot["watched_s"]
    on_shift = sum(slot[f"{state}_s"] for state in STATES) / watched
    return Present(on_shift, on_shift - slot["not_ready_s"] / watched, min(1.0, watched / 1_800))


def _fitted(tallies: list[Tally], count: int) -> list[Tally]:
    """As many half-hours as the day that is foretold has."""
    return [*tallies, *(Tally() for _ in range(count - len(tallies)))][:count]
