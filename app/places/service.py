"""Places are learned from the addresses of registered cases, and offered to whoever fills in another one.

A confidential case names none, and its own address is never offered: who asks is told a place only while at least two
callers with different numbers have named it, neither in secret. That is looked up for each place that would be shown,
so that secrecy asked for later counts from that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, not_, select, update
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
    place = _place(session, name, area_of(case.area), now) if name else None
    if place == before:
        return
    case.place_id = place
    for ident, by in ((before, -1), (place, 1)):
        if ident is not None:
            _counts(session, ident, by)


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


def _place(session: Session, name: str, area: str, now: datetime) -> int:
    """The place of this name; made if there is none, by one of those who name it at the same time."""
    same = select(col(Place.id)).where(col(Place.name) == name, col(Place.area) == area)
    ident = session.execute(same).scalar()
    if ident is not None:
        return int(ident)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"name": name, "area": area, "uses": 0, "first_at": now}
    made = insert(Place).values(**values).on_conflict_do_nothing(index_elements=["name", "area"])
    ours = session.execute(made.returning(col(Place.id))).scalar()
    if ours is None:
        return int(session.execute(same).scalar_one())
    index_of(PLACE_INDEX, session).add(session, Entry(ours, (name, area), moment=now))
    return int(ours)


def _counts(session: Session, ident: int, by: int) -> None:
    """One case more or less names it: what is named more often is offered first."""
    more = update(Place).where(col(Place.id) == ident).values(uses=col(Place.uses) + by)
    uses = session.execute(more.returning(col(Place.uses)).execution_options(synchronize_session=False)).scalar_one()
    index_of(PLACE_INDEX, session).weigh(session, ident, uses)
