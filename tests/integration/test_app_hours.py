"""Opening hours as the voice scripts use them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.db import Database
from app.errors import BadInput, Forbidden
from app.hours import service as hours
from app.settings import Settings

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
People = Callable[..., Actor]


def test_special_days_override_every_days_hours(db: Database, settings: Settings, person: People):
    leader = person(Role.duty_leader)
    noon = datetime(2026, 10, 1, 12, 0, tzinfo=ZONE)
    assert hours.is_open(db, noon, settings).open
    with db.session() as session:
        hours.set_special_day(session, leader, date(2026, 10, 1), closed=True)
    state = hours.is_open(db, noon, settings)
    assert (state.open, state.reason) == (False, "closed")
    assert state.next_open == datetime(2026, 10, 2, 8, 0, tzinfo=ZONE)
    with db.session() as session:
        hours.set_special_day(session, leader, date(2026, 10, 1), opens="11:00", closes="13:00")
    assert hours.is_open(db, noon, settings).reason == "holiday"
    with db.session() as session:
        hours.remove_special_day(session, leader, date(2026, 10, 1))
    assert hours.is_open(db, noon, settings).reason == "holiday", "the calendar still knows it"


def test_half_written_hours_and_strangers_are_refused(db: Database, person: People):
    with pytest.raises(BadInput), db.session() as session:
        hours.set_special_day(session, SYSTEM, date(2026, 10, 1), opens="09:00")
    agent = person(agent_id="1001")
    with pytest.raises(Forbidden), db.session() as session:
        hours.set_special_day(session, agent, date(2026, 10, 1), closed=True)
