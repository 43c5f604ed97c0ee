"""Seats that should be staffed and are not (空机): who is at the telephones against the roster, alarms with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.alarms.service import clear_alarm, open_subjects, raise_alarm
from app.db import Database
from app.roster.model import empty_seats
from app.roster.service import seats_now
from app.settings import Settings

EMPTY_SEAT = "empty_seat"


class SeatWatch:
    """Asked now and then by whoever knows the agents' states."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self._since: dict[str, datetime] = {}
        self._empty: set[str] = set()

    def look(self, at_work: Mapping[str, bool], now: datetime) -> list[str]:
        """The posts that have become empty since the last look; alarms are raised and cleared. Raises Busy.

        What is stored is compared, not what this process remembers: it may be new, and a write may have failed.
        """
        with self._db.read() as session:
            seats = seats_now(session, self._settings, now)
            stored = open_subjects(session, EMPTY_SEAT)
        empty = {seat.post: seat for seat in empty_seats(seats, at_work, self._since, now)}
        new = sorted(set(empty) - self._empty)
        for post in sorted(set(empty) - stored):
            raise_alarm(self._db, EMPTY_SEAT, {"agent": empty[post].agent_id or ""}, subject=post, now=now)
        for post in (stored | self._empty) - set(empty):
            clear_alarm(self._db, EMPTY_SEAT, subject=post, now=now)
        self._empty = set(empty)
        return new
