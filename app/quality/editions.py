"""Editions of the criteria and of the rules of drawing: each holds from a day to come, and none is ever changed.

On a day that edition holds which is the newest among those whose day has come; edition 0 is the shipped one. So what
held on a day that is over never changes: a talk is judged by the criteria of its day, whenever somebody judges it, and
a week is drawn by the rules of its Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, local_day, utc_now
from app.errors import BadInput, Forbidden, NotFound, VersionConflict
from app.quality import editing
from app.quality.criteria import CRITERIA, Criterion
from app.quality.editing import Change
from app.quality.sampling import Rules
from app.quality.tables import QualityEdition
from app.text import clean

SHIPPED = 0
LONGEST_NOTE = 500
LATEST_DAYS = 400  # so far ahead at most: whoever mistypes the year is told
MOST_AUDITED = 30


class Kind(StrEnum):
    """Of what there are editions."""

    criteria = "criteria"
    sampling = "sampling"


@dataclass(frozen=True)
class Edition:
    """One edition. `content` are criteria, or rules; `changes` since the one before; `row` None for the shipped one."""

    kind: Kind
    number: int
    content: Sequence[Criterion] | Rules
    changes: Sequence[Change] = ()
    row: QualityEdition | None = None


def holds_on(day: date, known: Iterable[tuple[int, date]]) -> int:
    """Which edition holds on that day, of these (number, from which day)."""
    return max((number for number, since in known if since <= day), default=SHIPPED)


# -- what holds -------------------------------------------------------------------------------------------------------


def criteria_numbers(session: Session, days: Iterable[date]) -> Mapping[date, int]:
    """By which edition the talks of these days are judged."""
    known = _days(session, Kind.criteria)
    return {day: holds_on(day, known) for day in days}


def criteria_by(session: Session, number: int) -> Sequence[Criterion]:
    """The criteria of that edition. Raises NotFound."""
    if number == SHIPPED:
        return CRITERIA
    row = session.get(QualityEdition, (Kind.criteria.value, number))
    if row is None:
        raise NotFound()
    return editing.criteria_of(row.content)


def rules_on(session: Session, monday: date) -> Rules:
    """The rules by which the week of that Monday is drawn."""
    number = holds_on(monday, _days(session, Kind.sampling))
    row = session.get(QualityEdition, (Kind.sampling.value, number)) if number else None
    return Rules() if row is None else editing.rules_of(row.content)


# -- reading and making -----------------------------------------------------------------------------------------------


def may_read(actor: Actor) -> None:
    """Whoever judges, or makes editions, reads them, and tries rules. Raises Forbidden."""
    if not actor.may(Permission.quality_review) and not actor.may(Permission.quality_rules):
        raise Forbidden()


def editions(session: Session, actor: Actor, kind: Kind) -> list[Edition]:
    """Every edition, newest first; the shipped one is the last. Raises Forbidden."""
    may_read(actor)
    return _editions(session, kind)


def make(
    session: Session,
    actor: Actor,
    kind: Kind,
    after: int,
    since: date,
    note: str,
    content: Sequence[Criterion] | Rules,
    zone: tzinfo,
    *,
    now: datetime | None = None,
) -> list[Edition]:
    """A new edition, which holds from that day; every edition as it is then. `after` is the newest that the editor saw.

    Raises Forbidden, BadInput (also when nothing is changed), VersionConflict with the newest one and how it differs
    from the one that the editor saw.
    """
    actor.require(Permission.quality_rules)
    now = now or utc_now()
    fresh = _cleaned(content)
    wrong = editing.faults_of_rules(fresh) if isinstance(fresh, Rules) else editing.faults_of_criteria(fresh)
    words = clean(note, LONGEST_NOTE + 1)
    if not words or len(words) > LONGEST_NOTE:
        wrong["note"] = f"写明为什么改，最长 {LONGEST_NOTE} 字 (say why, briefly)"
    if fault := _fault_of_day(kind, since, local_day(now, zone)):
        wrong["since"] = fault
    known = _editions(session, kind)
    newest = known[0]
    seen = next((one for one in known if one.number == after), None)
    if seen is not None and seen is newest and not wrong and not _changes(newest.content, fresh):
        wrong["note"] = "没有改动 (nothing has changed)"
    if wrong:
        raise BadInput(fields=wrong)
    values = {
        "kind": kind.value,
        "number": after + 1,
        "since": since,
        "content": _json(fresh),
        "note": words,
        "made_by": actor.user_id,
        "made_by_name": (actor.display_name or actor.name or "?")[:64],
        "made_at": now,
    }
    if seen is None or seen is not newest or not _stored(session, values):
        raise _overtaken(_editions(session, kind), after)
    made = _editions(session, kind)
    detail = {"since": since.isoformat(), "changes": [_told(change) for change in made[0].changes[:MOST_AUDITED]]}
    write(session, actor, Action.quality_rules_changed, f"quality_{kind.value}:{after + 1}", detail, now=now)
    return made


def edition_json(edition: Edition) -> dict[str, Any]:
    """As a conflict tells it."""
    row = edition.row
    return {
        "number": edition.number,
        "since": None if row is None else row.since.isoformat(),
        "made_by_name": "" if row is None else row.made_by_name,
        "made_at": None if row is None else iso(row.made_at),
        "note": "" if row is None else row.note,
    }


def change_json(change: Change) -> dict[str, Any]:
    """One difference, as pages and conflicts tell it."""
    return {
        "where": list(change.where),
        "what": change.what,
        "before": list(change.before),
        "after": list(change.after),
    }


def _fault_of_day(kind: Kind, since: date, today: date) -> str:
    if since <= today:
        return "最早从明天起 (from tomorrow on at the earliest)"
    if since > today + timedelta(days=LATEST_DAYS):
        return "太远了 (too far ahead)"
    if kind is Kind.sampling and since.weekday() != 0:
        return "按周抽取，须从星期一起 (talks are drawn by weeks: a Monday)"
    return ""


def _cleaned(content: Sequence[Criterion] | Rules) -> Sequence[Criterion] | Rules:
    return content if isinstance(content, Rules) else editing.with_codes(content)


def _overtaken(known: Sequence[Edition], after: int) -> VersionConflict:
    newest = known[0]
    seen = next((one for one in known if one.number == after), known[-1])
    changes = [change_json(one) for one in _changes(seen.content, newest.content)]
    return VersionConflict(
        "有人刚存了新的一版，核对改动后再存。",
        "Somebody else has just made an edition. Compare, and save again.",
        current={**edition_json(newest), "changes": changes},
        extra={"changed_by": edition_json(newest)["made_by_name"]},
    )


def _stored(session: Session, values: Mapping[str, Any]) -> bool:
    """Of two who make an edition at once one does."""
    insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    made = insert(QualityEdition).values(**values).on_conflict_do_nothing(index_elements=["kind", "number"])
    return session.execute(made.returning(col(QualityEdition.number))).first() is not None


def _days(session: Session, kind: Kind) -> list[tuple[int, date]]:
    wanted = select(col(QualityEdition.number), col(QualityEdition.since)).where(col(QualityEdition.kind) == kind.value)
    return [(number, since) for number, since in session.execute(wanted)]


def _editions(session: Session, kind: Kind) -> list[Edition]:
    before: Sequence[Criterion] | Rules = CRITERIA if kind is Kind.criteria else Rules()
    found = [Edition(kind, SHIPPED, before)]
    wanted = select(QualityEdition).where(col(QualityEdition.kind) == kind.value).order_by(col(QualityEdition.number))
    for row in session.execute(wanted).scalars():
        content: Sequence[Criterion] | Rules = (
            editing.criteria_of(row.content) if kind is Kind.criteria else editing.rules_of(row.content)
        )
        found.append(Edition(kind, row.number, content, _changes(before, content), row))
        before = content
    return found[::-1]


def _json(content: Sequence[Criterion] | Rules) -> dict[str, Any]:
    return editing.rules_json(content) if isinstance(content, Rules) else editing.criteria_json(content)


def _changes(before: Sequence[Criterion] | Rules, after: Sequence[Criterion] | Rules) -> list[Change]:
    if isinstance(before, Rules) and isinstance(after, Rules):
        return editing.changes_of_rules(before, after)
    if isinstance(before, Rules) or isinstance(after, Rules):
        raise TypeError("editions of two kinds")
    return editing.changes_of_criteria(before, after)


def _told(change: Change) -> str:
    where = f"{change.where[0]} " if change.where[0] else ""
    return f"{where}{change.what}: {change.before[0]} → {change.after[0]}"[:300]
