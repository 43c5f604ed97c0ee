"""The suggestion of a unit on the stored network, learned again when what units say of themselves has changed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from sqlalchemy import or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.db import found
from app.text import clean
from app.units.model import LONGEST_TEXT, UnitKind
from app.units.suggest import Example, Guess, Suggester, UnitWords
from app.units.tables import Unit

DATA = Path(__file__).parent / "data"
NETWORK = DATA / "network.csv"  # a small invented city's network, for demonstrations and tests


def suggest(session: Session, actor: Actor, text: str, *, below: int | None = None) -> list[tuple[Unit, Sequence[str]]]:
    """The units that a matter may be for, the likeliest first, with the words that decided; see `guesses`.

    Raises Forbidden, NotFound.
    """
    return [(unit, guess.words) for unit, guess in guesses(session, actor, text, below=below)]


def guesses(session: Session, actor: Actor, text: str, *, below: int | None = None) -> list[tuple[Unit, Guess]]:
    """The same with how much speaks for each: among the units that the unit `below` may hand work to; without it among
    those of level 1 and the neighbours.

    Raises Forbidden, NotFound.
    """
    actor.require(Permission.units_read)
    if below is not None:
        found(session, Unit, below)
        there = col(Unit.parent_id) == below
    else:
        there = or_(col(Unit.level) == 1, col(Unit.kind) == UnitKind.neighbour.value)
    statement = select(Unit).where(there, col(Unit.active).is_(True)).order_by(col(Unit.id))
    units = {unit.id or 0: unit for unit in session.execute(statement).scalars()}
    likely = learned(tuple(words_of(unit) for unit in units.values())).suggest(clean(text, LONGEST_TEXT))
    return [(units[guess.unit_id], guess) for guess in likely]


def words_of(unit: Unit) -> UnitWords:
    """What a stored unit says of itself."""
    return UnitWords(unit.id or 0, unit.duties, tuple(unit.keywords), tuple(unit.topics), tuple(unit.areas))


@lru_cache(maxsize=16)
def learned(units: tuple[UnitWords, ...]) -> Suggester:
    """What is known of these units; learned once for as long as none of them changes."""
    return Suggester(units, examples())


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """The labelled matters that come with the hotline: invented, in the words of citizens."""
    with (DATA / "matters.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Example(row["topic"], row["text"]) for row in csv.DictReader(file))
