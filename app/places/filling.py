"""Places of cases that are there already: after an upgrade, and after a demonstration has invented some.

Plain statements by name, because a migration runs them on the tables as they were then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.db import UTCDateTime
from app.places.model import area_of, road_of
from app.places.tables import PLACE_INDEX
from app.search.index import Entry, index_of

BATCH = 2_000
MOMENT = UTCDateTime()
_CASES = sa.text(
    "SELECT id, address, area, created_at FROM case_file WHERE registered_at IS NOT NULL AND place_id IS NULL "
    "AND address <> '' AND NOT confidential AND id > :after AND NOT EXISTS "
    "(SELECT 1 FROM citizen WHERE citizen.id = case_file.citizen_id AND citizen.confidential) ORDER BY id LIMIT :batch"
).columns(created_at=MOMENT)
_KNOWN = sa.text("SELECT id, name, area FROM place")
_MAKE = sa.text("INSERT INTO place (name, area, uses, first_at) VALUES (:name, :area, 0, :at) RETURNING id").bindparams(
    sa.bindparam("at", type_=MOMENT)
)
_NAMES = sa.text("UPDATE case_file SET place_id = :place WHERE id = :case")
_USED = sa.text("UPDATE place SET uses = (SELECT count(*) FROM case_file WHERE place_id = place.id)")
_WEIGHTS = sa.text("SELECT id, uses FROM place")


def fill(session: Session) -> int:
    """Every registered case that is not in secret names its place, as if it were registered now; how many do."""
    connection, index = session.connection(), index_of(PLACE_INDEX, session)
    known = {(row.name, row.area): int(row.id) for row in connection.execute(_KNOWN)}
    after = named = 0
    while cases := connection.execute(_CASES, {"after": after, "batch": BATCH}).all():
        names: list[dict[str, Any]] = []
        for case in cases:
            key = road_of(case.address), area_of(case.area)
            if not key[0]:
                continue
            if key not in known:
                moment: datetime = case.created_at
                known[key] = int(connection.execute(_MAKE, {"name": key[0], "area": key[1], "at": moment}).scalar_one())
                index.add(session, Entry(known[key], key, moment=moment))
            names.append({"case": case.id, "place": known[key]})
        if names:
            connection.execute(_NAMES, names)
        named, after = named + len(names), cases[-1].id
    connection.execute(_USED)
    for row in connection.execute(_WEIGHTS).all():
        index.weigh(session, row.id, row.uses)
    return named
