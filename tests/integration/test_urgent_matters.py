"""Urgent matters: leaders are told again, and others too, until somebody says that they know."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import col, select

from app.assignments import giving
from app.assignments.giving import Gift
from app.cases import loop
from app.cases.model import HandlingWay
from app.chasing import urgent
from app.chasing.tables import UrgentMatter
from app.clocks.rules import Urgency
from app.errors import Forbidden
from tests.case_kit.world import World


def test_an_urgent_matter_is_told_again_and_to_more_until_somebody_says_that_they_know(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.life)
    assert (world.told("leader"), world.told("head")) == (["urgent"], [])
    time_passes(minutes=4)
    assert world.told("leader") == ["urgent"]
    time_passes(minutes=1)
    assert (world.told("leader"), world.told("head"), world.told("dispatcher")) == (["urgent"] * 2, ["urgent"], [])
    with world.db.read() as session:
        matter = session.exec(select(UrgentMatter)).one()
    with pytest.raises(Forbidden), world.db.session() as session:
        urgent.acknowledge(session, world.people["dispatcher"], matter.id or 0, now=world.now)
    for who in ("head", "leader", "leader"):
        with world.db.session() as session:
            urgent.acknowledge(session, world.people[who], matter.id or 0, now=world.now)
    with world.db.read() as session:
        receipts = urgent.receipts_of(session, [matter.id or 0])[matter.id or 0]
        assert [one.user_id for one in receipts] == [world.people[who].user_id for who in ("head", "leader")]
        assert urgent.open_matters(session, world.people["leader"]).total == 0
    time_passes(minutes=30)
    assert world.told("leader") == ["urgent"] * 2
    assert [event for event in world.history(case_id) if event.startswith("chase.")] == [
        "chase.urgent", "chase.urgent_again", "chase.acknowledged", "chase.acknowledged",
    ]  # fmt: skip


def test_an_urgent_matter_that_nobody_dispatches_is_told_once_more_and_general_ones_are_not(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.utilities)
    with world.db.session() as session:
        urgent.acknowledge(session, world.people["leader"], 1, now=world.now)
    time_passes(hours=2)
    assert world.told("leader") == ["urgent", "urgent"]
    with world.db.read() as session:
        causes = [one.cause for one in session.exec(select(UrgentMatter).order_by(col(UrgentMatter.id))).all()]
    assert causes == ["submitted", "dispatch_late"]
    world.act("taker", loop.submit, world.case())
    assert len(world.told("leader")) == 2


def test_a_dispatcher_who_finds_a_matter_urgent_calls_the_leaders(world: World):
    case_id = world.case()
    world.act("taker", loop.submit, case_id)
    way, gifts = HandlingWay.written, [Gift(world.units["WATER"])]
    world.act("dispatcher", giving.dispatch, case_id, way, gifts, urgency=Urgency.life)
    assert world.told("leader") == ["urgent"]
