"""Counting what callers did after they heard an announcement: at the end of each call, once.

Pages read sums by hour, of which there are few; nothing is counted over calls when a page is looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.announcements.hearing import After, Hearing, hearings, parse
from app.announcements.tables import Announcement, AnnouncementHearing, AnnouncementHour
from app.auth.model import Permission
from app.calls.tables import Call
from app.clock import from_ms, to_ms
from app.db import found

TOGETHER = 0
"""The announcement that stands for all of them: each caller once."""
MOST_HOURS = 14 * 24
COUNTS = ("callers", "whole", *(one.value for one in After))


@dataclass(frozen=True)
class Sum:
    """Callers who heard it, and what became of them; `whole`: how many heard it to its end."""

    callers: int = 0
    whole: int = 0
    satisfied: int = 0
    early: int = 0
    person: int = 0
    alone: int = 0

    def as_json(self) -> dict[str, int]:
        """As pages read it."""
        return asdict(self)


def count(session: Session, call: Call, told: str) -> int:
    """What the voice menu noted of the announcements that this call has heard, now that it is over; how many were new.

    `told` went over the caller's channel and is taken for input: announcements that there never were, and times that
    are not the call's, count nowhere. The same again changes nothing.
    """
    heard = parse(told)
    if heard is None or call.ended_at is None:
        return 0
    ended_ms = to_ms(call.ended_at)
    if not to_ms(call.started_at) - 1_000 <= heard.began_ms <= ended_ms:
        return 0
    known = set(session.execute(select(col(Announcement.id)).where(col(Announcement.id).in_(heard.ends_ms))).scalars())
    if not known:
        return 0
    if call.joined_at is not None:  # put through to people without a word of the menu's: it has died
        ended_ms = min(ended_ms, to_ms(call.joined_at))
    added = 0
    # In one order always, so that two writers never wait for each other.
    for ident, hearing in sorted(hearings(heard, ended_ms, call.outcome or "", call.cause or "").items()):
        if ident in known or ident == TOGETHER:
            added += _add(session, call.call_id, ident, from_ms(heard.began_ms), hearing)
    return added


def sums(session: Session, announcement_ids: Collection[int]) -> dict[int, Sum]:
    """What became of the callers of each of these announcements; those that nobody has heard are missing."""
    of, ids = col(AnnouncementHour.announcement_id), list(announcement_ids)
    totals = [func.sum(col(getattr(AnnouncementHour, name))) for name in COUNTS]
    rows = session.execute(select(of, *totals).where(of.in_(ids)).group_by(of)) if ids else ()
    return {row[0]: Sum(*(int(value) for value in row[1:])) for row in rows}


def together(session: Session, since: datetime, until: datetime) -> Sum:
    """Every caller who heard an announcement in the hours that begin in that time, once."""
    totals = [func.coalesce(func.sum(col(getattr(AnnouncementHour, name))), 0) for name in COUNTS]
    hour = col(AnnouncementHour.hour)
    mine = col(AnnouncementHour.announcement_id) == TOGETHER
    row = session.execute(select(*totals).where(mine, hour >= since, hour < until)).one()
    return Sum(*(int(value) for value in row))


def by_hour(session: Session, actor: Actor, announcement_id: int) -> list[tuple[datetime, Sum]]:
    """The hours of one announcement in which somebody heard it, the latest first. Raises Forbidden, NotFound."""
    actor.require(Permission.wallboard_read)
    found(session, Announcement, announcement_id)
    rows = session.execute(
        select(AnnouncementHour)
        .where(col(AnnouncementHour.announcement_id) == announcement_id)
        .order_by(col(AnnouncementHour.hour).desc())
        .limit(MOST_HOURS)
    ).scalars()
    return [(row.hour, Sum(*(getattr(row, name) for name in COUNTS))) for row in rows]


def _add(session: Session, call_id: str, ident: int, began: datetime, hearing: Hearing) -> int:
    row = {"call_id": call_id, "announcement_id": ident, "began_at": began}
    row |= {"whole": hearing.whole, "after": hearing.after.value}
    insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    keys = ["call_id", "announcement_id"]
    made = insert(AnnouncementHearing).values(**row).on_conflict_do_nothing(index_elements=keys)
    if session.execute(made.returning(col(AnnouncementHearing.call_id))).first() is None:
        return 0
    one = dict.fromkeys(COUNTS, 0) | {"callers": 1, "whole": int(hearing.whole), hearing.after.value: 1}
    hour = began.replace(minute=0, second=0, microsecond=0)
    more = {name: getattr(AnnouncementHour, name) + value for name, value in one.items() if value}
    counted = insert(AnnouncementHour).values(announcement_id=ident, hour=hour, **one)
    session.execute(counted.on_conflict_do_update(index_elements=["announcement_id", "hour"], set_=more))
    return 1
