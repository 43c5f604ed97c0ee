"""Lateness in the small city: what the sweeps do as time passes, and what came of it."""

from __future__ import annotations

from sqlmodel import col, select

from app.chasing import orders, sweep
from app.chasing.tables import Chase
from app.settings import Settings
from tests.case_kit.world import World


def swept(world: World, settings: Settings) -> int:
    """Everything that the worker does about lateness, at the city's time; how much that was."""
    db, now = world.db, world.now
    return (
        sweep.chase_missed(db, settings, now)
        + sweep.warn_near(db, now)
        + sweep.climb(db, settings, now)
        + sweep.call_again(db, now)
        + sweep.take_up(db, now)
    )


def chases(world: World, case_id: int) -> list[tuple[str, str, str]]:
    """Step, level and state of every chase of the case, oldest first."""
    with world.db.read() as session:
        rows = session.exec(select(Chase).where(Chase.case_id == case_id).order_by(col(Chase.id))).all()
        return [(row.step, row.level, row.state) for row in rows]


def chase_of(world: World, level: str) -> Chase:
    """The one chase of that level."""
    with world.db.read() as session:
        return session.exec(select(Chase).where(Chase.level == level)).one()


def decided(world: World, who: str, level: str, confirmed: bool, *, why: str = "", text: str | None = None) -> Chase:
    """Somebody decides on the draft of that level."""
    with world.db.session() as session:
        draft = chase_of(world, level).id or 0
        return orders.decide(session, world.people[who], draft, confirmed, why=why, text=text, now=world.now)
