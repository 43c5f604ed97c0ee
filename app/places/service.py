"""Places are learned from the addresses of registered cases, and offered to whoever fills in another one.

A confidential case names none, and its own address is never offered: who asks is told a place only while at least two
callers with different numbers have named it, neither in secret. That is looked up for each place that would be shown,
so that secrecy asked for later counts from that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, exists, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.cases import access
from app.cases.tables import Case
from app.clock import utc_now
from app.places.model import LONGEST_PLACE, SHORTEST_PLACE, area_of, road_of, split
from app.places.tables import PLACE_INDEX, Place
from app.search.index import Entry, Scope, index_of
from app.text import clean
from app.units.model import UnitKind
from app.units.tables import Unit

SHOWN, CONSIDERED = 6, 24
MOST_AREAS, AREAS_FROM = 100, 400  # places, the most named first, whose areas are told


@dataclass(frozen=True)
class Offer:
    """A place that may be taken over into an address."""

    address: str
    area: str


def learn(session: Session, case: Case, now: datetime) -> None:
    """The place that a registered case names now; none for a confidential one. The case's transaction is this one's."""
    before = case.place_id
    name = "" if access.is_confidential(session, case) else road_of(case.address)
    where = {"called": name, "within": area_of(case.area)}
    if before is not None:
        if name and session.execute(_SAME, where).scalar() == before:
            return
        _weigh(session, session.execute(_LESS, {"ident": before}).one())
    case.place_id = _named(session, where, now) if name else None


def offers(session: Session, actor: Actor, text: str, area: str = "", *, now: datetime | None = None) -> list[Offer]:
    """Places for what is typed of an address, those of `area` first; at most SHOWN. Raises Forbidden."""
    actor.require(Permission.cases_write)
    words, _ = split(clean(text, 200))
    found = index_of(PLACE_INDEX, session).find(session, words, Scope(now or utc_now()), CONSIDERED)
    ids = [hit.subject_id for hit in found]
    rows = session.execute(select(Place).where(col(Place.id).in_(ids), _openly_named())).scalars()
    known = {place.id: place for place in rows}
    ranked = [known[ident] for ident in ids if ident in known]
    here = clean(area, 64)
    ranked.sort(key=lambda place: bool(here) and place.area != here)
    return [Offer(place.name, place.area) for place in ranked[:SHOWN]]


def named(session: Session, actor: Actor, names: Iterable[str]) -> dict[str, str]:
    """Which of these names are places that may be told, with their area ("" where it is none or not one alone). Raises
    Forbidden."""
    actor.require(Permission.cases_write)
    wanted = [name for name in names if SHORTEST_PLACE <= len(name) <= LONGEST_PLACE]
    if not wanted:
        return {}
    statement = select(col(Place.name), col(Place.area)).where(col(Place.name).in_(wanted), _openly_named())
    found: dict[str, set[str]] = {}
    for name, area in session.execute(statement).all():
        found.setdefault(name, set()).add(area)
    return {name: next(iter(areas)) if len(areas) == 1 else "" for name, areas in found.items()}


def areas(session: Session, actor: Actor) -> list[str]:
    """The city's areas: those that units serve, districts and zones, and what goes with places that may be offered.

    Raises Forbidden.
    """
    actor.require(Permission.cases_write)
    units = session.execute(select(Unit).where(col(Unit.active).is_(True)).order_by(col(Unit.code))).scalars().all()
    named = [area for unit in units for area in unit.areas]
    districts = [unit.short_name for unit in units if unit.kind in (UnitKind.district, UnitKind.zone)]
    often = select(col(Place.id)).order_by(col(Place.uses).desc(), col(Place.id)).limit(AREAS_FROM)
    told = select(col(Place.area)).where(col(Place.id).in_(often), col(Place.area) != "", _openly_named()).distinct()
    found: Sequence[str] = session.execute(told.order_by(col(Place.area))).scalars().all()
    return list(dict.fromkeys([*named, *districts, *found]))[:MOST_AREAS]


def _openly_named() -> Any:
    """The condition for places that two callers with different numbers have named, neither in secret."""
    one: Any = aliased(Case)
    other: Any = aliased(Case)
    first = (
        select(one.caller_number)
        .where(one.place_id == Place.id, one.caller_number != "", not_(access.confidential(one)))
        .limit(1)
        .correlate(Place)
        .scalar_subquery()
    )
    return exists().where(
        other.place_id == Place.id,
        other.caller_number != "",
        other.caller_number != first,
        not_(access.confidential(other)),
    )


def _named(session: Session, where: dict[str, str], now: datetime) -> int:
    """The place that one case more names: what is named more often is offered first. Made if there is none, by one of
    those who name it at the same time."""
    again = session.execute(_MORE, where).one_or_none()
    if again is None:
        made = _made(session.get_bind().dialect.name)
        ident = session.execute(made, {**where, "at": now}).scalar()
        if ident is not None:
            index_of(PLACE_INDEX, session).add(session, Entry(ident, tuple(where.values()), weight=1, moment=now))
            return int(ident)
        again = session.execute(_MORE, where).one()
    _weigh(session, again)
    return int(again.id)


def _weigh(session: Session, place: Any) -> None:
    index_of(PLACE_INDEX, session).weigh(session, place.id, place.uses)


@cache
def _made(dialect: str) -> Any:
    """A place of that name and area, named once; nothing where there is one."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new = {"name": bindparam("called"), "area": bindparam("within"), "uses": 1, "first_at": bindparam("at")}
    made = insert(Place).values(new).on_conflict_do_nothing(index_elements=["name", "area"])
    return made.returning(col(Place.id))


def _uses(by: int) -> Any:
    more = update(Place).values(uses=col(Place.uses) + by).returning(col(Place.id), col(Place.uses))
    return more.execution_options(synchronize_session=False)


_ITS_NAME = (col(Place.name) == bindparam("called"), col(Place.area) == bindparam("within"))
_SAME = select(col(Place.id)).where(*_ITS_NAME)
_MORE = _uses(1).where(*_ITS_NAME)
_LESS = _uses(-1).where(col(Place.id) == bindparam("ident"))
