"""What a unit's people find in the boxes of their inbox."""

from __future__ import annotations

from app.assignments import giving, working
from app.assignments.giving import Gift
from app.assignments.inbox import Box, inbox
from app.db import Database
from tests.case_kit.world import World


def boxed(world: World, who: str, box: Box) -> list[int]:
    with world.db.read() as session:
        page = inbox(session, world.people[who], box)
        assert page.total == len(page.items)
        return [work.id or 0 for work in page.items]


def test_what_a_unit_below_hands_in_is_found_by_whoever_gave_it_and_by_nobody_else(db: Database):
    world = World(db)
    case_id, (work_id,) = world.dispatched("WATER")
    world.dispatched("CITY", case_id=world.case())
    assert boxed(world, "WATER.handler", Box.to_sign) == [work_id]
    world.work("WATER.handler", working.sign, work_id)
    world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["WATER-S"])])
    assert boxed(world, "WATER.handler", Box.from_below) == []
    below = world.handed_in(case_id, "WATER-S")
    assert boxed(world, "WATER.handler", Box.from_below) == [below]
    assert boxed(world, "WATER-S.handler", Box.handed_in) == [below]
    assert boxed(world, "WATER-S.handler", Box.from_below) == []
    assert boxed(world, "CITY.handler", Box.from_below) == []
