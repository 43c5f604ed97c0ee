"""Reading the network: the tree, one unit, what stands above and below it, search, and who may hand work to whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import case, func, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.db import found
from app.paging import like
from app.text import clean
from app.units.fields import Phone
from app.units.model import PhoneKind, Place, UnitKind, hands_down
from app.units.tables import Unit, UnitPhone

MOST_FOUND = 50


def tree(session: Session, actor: Actor, *, closed: bool = False) -> list[Unit]:
    """Every working unit (closed ones too, if wanted), parents before children, neighbours last. Raises Forbidden."""
    actor.require(Permission.units_read)
    statement = select(Unit) if closed else select(Unit).where(col(Unit.active).is_(True))
    outside = case((col(Unit.level).is_(None), 1), else_=0)
    return list(session.execute(statement.order_by(outside, col(Unit.level), col(Unit.code))).scalars())


def search(session: Session, actor: Actor, words: str, *, closed: bool = False) -> list[Unit]:
    """Units by name, short name, code or the first letters of their sounds, the closest first. Raises Forbidden."""
    actor.require(Permission.units_read)
    words = clean(words, 60)
    if not words:
        return []
    part, letters = like(words), like(words.lower())
    name, short, code = col(Unit.name), col(Unit.short_name), col(Unit.code)
    matches = or_(
        name.like(part, escape="\\"),
        short.like(part, escape="\\"),
        code.like(like(words.upper()), escape="\\"),
        col(Unit.initials).like(letters, escape="\\"),
    )
    exact = or_(name == words, short == words, code == words.upper())
    begins = or_(name.startswith(words, autoescape=True), short.startswith(words, autoescape=True))
    rank = case((exact, 0), (begins, 1), else_=2)
    statement = select(Unit).where(matches)
    if not closed:
        statement = statement.where(col(Unit.active).is_(True))
    order = (rank, func.coalesce(col(Unit.level), 9), code)
    return list(session.execute(statement.order_by(*order).limit(MOST_FOUND)).scalars())


def get(session: Session, actor: Actor, unit_id: int) -> Unit:
    """One unit. Raises Forbidden, NotFound."""
    actor.require(Permission.units_read)
    return found(session, Unit, unit_id)


def place_of(unit: Unit) -> Place:
    """Where the unit stands, as the network's rules see it."""
    return Place(UnitKind(unit.kind), unit.level, unit.parent_id, unit.active)


def ancestors(session: Session, unit_id: int) -> list[Unit]:
    """The units above this one, the highest first, without itself. For parts of the system."""
    above = select(col(Unit.id), col(Unit.parent_id)).where(col(Unit.id) == unit_id).cte("above", recursive=True)
    # A plain UNION ends even where a table was changed by hand into a circle.
    above = above.union(select(col(Unit.id), col(Unit.parent_id)).join(above, col(Unit.id) == above.c.parent_id))
    statement = select(Unit).join(above, col(Unit.id) == above.c.id).where(col(Unit.id) != unit_id)
    return list(session.execute(statement.order_by(col(Unit.level))).scalars())


def descendants(session: Session, unit_id: int) -> list[Unit]:
    """Every unit below this one, closed ones too, the highest first, without itself. For parts of the system."""
    below = select(col(Unit.id)).where(col(Unit.id) == unit_id).cte("below", recursive=True)
    below = below.union(select(col(Unit.id)).join(below, col(Unit.parent_id) == below.c.id))
    statement = select(Unit).join(below, col(Unit.id) == below.c.id).where(col(Unit.id) != unit_id)
    return list(session.execute(statement.order_by(col(Unit.level), col(Unit.code))).scalars())


def working_children(session: Session, unit_id: int) -> int:
    """How many units stand directly below this one and work."""
    below = (col(Unit.parent_id) == unit_id) & col(Unit.active).is_(True)
    return int(session.execute(select(func.count()).select_from(Unit).where(below)).scalar_one())


def may_hand_down(session: Session, from_id: int, to_id: int) -> bool:
    """Whether work may be handed from one unit to another: both work, and it is the giver's own direct child."""
    giver, taker = session.get(Unit, from_id), session.get(Unit, to_id)
    return giver is not None and taker is not None and hands_down(from_id, place_of(giver), place_of(taker))


def phones_of(session: Session, units: Collection[int]) -> dict[int, list[Phone]]:
    """The telephones of these units, in their order."""
    held: dict[int, list[Phone]] = {}
    statement = select(UnitPhone).where(col(UnitPhone.unit_id).in_(units))
    for row in session.execute(statement.order_by(col(UnitPhone.unit_id), col(UnitPhone.position))).scalars():
        held.setdefault(row.unit_id, []).append(Phone(PhoneKind(row.kind), row.number, row.note))
    return held


def by_code(session: Session, codes: Collection[str]) -> dict[str, Unit]:
    """The units of these codes."""
    rows: Sequence[Unit] = session.execute(select(Unit).where(col(Unit.code).in_(codes))).scalars().all()
    return {row.code: row for row in rows}
