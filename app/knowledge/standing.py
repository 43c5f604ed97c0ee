"""How each unit stands with what it vouches for: how much it has, what waits, what is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.db import loaded
from app.knowledge import finding
from app.knowledge.model import WARNED, GapState, VersionState
from app.knowledge.parties import works
from app.knowledge.tables import KnowledgeArticle, KnowledgeGap, KnowledgeVersion
from app.units.tables import Unit

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """A unit's articles in force, those due or late, drafts for its leader, and questions that it was given."""

    unit_id: int
    name: str
    articles: int = 0
    due: int = 0
    late: int = 0
    vet: int = 0
    gaps: int = 0


def of_units(session: Session, actor: Actor, zone: tzinfo, *, now: datetime | None = None) -> list[Standing]:
    """To the centre every unit that has articles or questions, the latest first; to a unit's people their own.

    Raises Forbidden.
    """
    if not works(actor):
        actor.require(Permission.knowledge_own)
    today = local_day(now or utc_now(), zone)
    owner = col(KnowledgeArticle.owner_unit_id)
    of_unit: Any = select(owner, func.count(), *(_count(finding.due_by(day)) for day in (today + WARNED, today - DAY)))
    in_force = _grouped(
        of_unit.join(KnowledgeVersion, col(KnowledgeArticle.current_id) == col(KnowledgeVersion.id)).where(
            col(KnowledgeVersion.state).in_(finding.FOUND)
        ),
        owner,
    )
    waits: Any = select(owner, func.count())
    to_vet = _grouped(
        waits.join(KnowledgeVersion, col(KnowledgeArticle.open_id) == col(KnowledgeVersion.id)).where(
            col(KnowledgeVersion.state) == VersionState.in_unit.value
        ),
        owner,
    )
    unit = col(KnowledgeGap.unit_id)
    given = _grouped(select(unit, func.count()).where(col(KnowledgeGap.state) == GapState.given.value), unit)
    rows: dict[int, dict[str, int]] = {}
    for names, statement in ((("articles", "due", "late"), in_force), (("vet",), to_vet), (("gaps",), given)):
        for unit_id, *counts in session.execute(statement):
            rows.setdefault(unit_id, {}).update(zip(names, map(int, counts), strict=True))
    wanted = rows.keys() if works(actor) else actor.unit_ids
    units = loaded(session, Unit, wanted)
    found = [Standing(ident, one.short_name, **rows.get(ident, {})) for ident, one in units.items()]
    return sorted(found, key=lambda one: (-one.late, -one.due, one.name))


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _grouped(statement: Any, by: Any) -> Select[Any]:
    grouped: Select[Any] = statement.where(by.is_not(None)).group_by(by)
    return grouped
