"""What people do about lateness: a leader's order, and the decision on what was drafted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest

from app.chasing import orders
from app.chasing.tables import Chase
from app.clocks.service import Subject, of_subject
from app.errors import BadInput, Forbidden, NotFound
from tests.case_kit.chasing import chases, decided
from tests.case_kit.world import World


def test_a_leader_s_order_names_a_day_and_moves_no_clock(world: World, time_passes: Callable[..., int]):
    case_id, work_id = world.signed()
    with world.db.read() as session:
        before = [row.due_at for row in of_subject(session, Subject.assignment(work_id))]
    day = world.now + timedelta(days=2)

    def ordered(who: str, text: str = "请两日内修复并报告", units: Collection[int] = ()) -> list[Chase]:
        with world.db.session() as session:
            return orders.order(session, world.people[who], case_id, text, day, units=units, now=world.now)

    with pytest.raises(Forbidden):
        ordered("dispatcher")
    with pytest.raises(BadInput):
        ordered("head", " ")
    with pytest.raises(BadInput):
        ordered("head", units=[world.units["CITY"]])
    (row,) = ordered("head")
    assert ordered("head")[0].id == row.id  # a double click
    assert world.told("WATER.leader") == ["ordered"]
    with world.db.read() as session:
        assert [row.due_at for row in of_subject(session, Subject.assignment(work_id))] == before
    time_passes(days=2)
    assert chases(world, case_id) == [("", "order", "unmet")]
    assert world.told("head")[-1] == "order_unmet"
    assert [event for event in world.history(case_id) if event.startswith("chase.")] == [
        "chase.order", "chase.order_unmet",
    ]  # fmt: skip


def test_an_order_that_was_followed_is_met_in_silence(world: World, time_passes: Callable[..., int]):
    case_id, _ = world.signed()
    with world.db.session() as session:
        orders.order(session, world.people["leader"], case_id, "请速办", world.now + timedelta(days=2), now=world.now)
    world.handed_in(case_id, "WATER")
    time_passes(days=2)
    assert ("", "order", "met") in chases(world, case_id)
    assert "order_unmet" not in world.told("head")


def test_strangers_decide_nothing(world: World, time_passes: Callable[..., int]):
    world.signed()
    for days in (10, 5, 4):
        time_passes(days=days)
    for who in ("WATER.leader", "WATER.handler", "taker", "auditor"):
        with pytest.raises(Forbidden):
            decided(world, who, "reprimand", True)
    with pytest.raises(NotFound), world.db.session() as session:
        orders.decide(session, world.people["head"], 999, True, now=world.now)
