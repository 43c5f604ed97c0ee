"""Reading editions and making them. What held on a day that is over never changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, local_day, utc_now
from app.editions.model import SHIPPED, Change, Form, holds_on
from app.editions.tables import QualityEdition
from app.errors import BadInput, Forbidden, NotFound, VersionConflict
from app.text import clean

C = TypeVar("C")
LONGEST_NOTE = 500
LATEST_DAYS = 400  # so far ahead at most: whoever mistypes the year is told
MOST_AUDITED = 30


@dataclass(frozen=True)
class Edition(Generic[C]):
    """One edition; `changes` since the one before; `row` None for the shipped one."""

    number: int
    content: C
    changes: Sequence[Change] = ()
    row: QualityEdition | None = None


# -- what holds -------------------------------------------------------------------------------------------------------


def numbers_on(session: Session, form: Form[Any], days: Iterable[date]) -> Mapping[date, int]:
    """Which edition holds on each of these days."""
    known = _days(session, form.kind)
    return {day: holds_on(day, known) for day in days}


def content_of(session: Session, form: Form[C], number: int) -> C:
    """What that edition says. Raises NotFound."""
    if number == SHIPPED:
        return form.shipped
    row = session.get(QualityEdition, (form.kind, number))
    if row is None:
        raise NotFound()
    return form.read(row.content)


# -- reading and making -----------------------------------------------------------------------------------------------


def may_read(actor: Actor) -> None:
    """Whoever judges, or makes editions, reads them, and tries new ones. Raises Forbidden."""
    if not actor.may(Permission.quality_review) and not actor.may(Permission.quality_rules):
        raise Forbidden()


def editions(session: Session, actor: Actor, form: Form[C]) -> list[Edition[C]]:
    """Every edition, newest first; the shipped one is the last. Raises Forbidden."""
    may_read(actor)
    return _editions(session, form)


def make(
    session: Session,
    actor: Actor,
    form: Form[C],
    after: int,
    since: date,
    note: str,
    content: C,
    zone: tzinfo,
    *,
    now: datetime | None = None,
) -> list[Edition[C]]:
    """A new edition, which holds from that day; every edition as it is then. `after` is the newest that the editor saw.

    Raises Forbidden, BadInput (also when nothing is changed), VersionConflict with the newest one and how it differs
    from the one that the editor saw.
    """
    actor.require(Permission.quality_rules)
    now = now or utc_now()
    fresh = form.clean(content)
    wrong = form.faults(fresh)
    words = clean(note, LONGEST_NOTE + 1)
    if not words or len(words) > LONGEST_NOTE:
        wrong["note"] = f"写明为什么改，最长 {LONGEST_NOTE} 字 (say why, briefly)"
    if fault := _fault_of_day(form, since, local_day(now, zone)):
        wrong["since"] = fault
    known = _editions(session, form)
    newest = known[0]
    seen = next((one for one in known if one.number == after), None)
    if seen is not None and seen is newest and not wrong and not form.changes(newest.content, fresh):
        wrong["note"] = "没有改动 (nothing has changed)"
    if wrong:
        raise BadInput(fields=wrong)
    values = {
        "kind": form.kind,
        "number": after + 1,
        "since": since,
        "content": form.kept(fresh),
        "note": words,
        "made_by": actor.user_id,
        "made_by_name": (actor.display_name or actor.name or "?")[:64],
        "made_at": now,
    }
    if seen is None or seen is not newest or not _stored(session, values):
        raise _overtaken(form, _editions(session, form), after)
    made = _editions(session, form)
    detail = {"since": since.isoformat(), "changes": [_told(change) for change in made[0].changes[:MOST_AUDITED]]}
    write(session, actor, Action.quality_rules_changed, f"quality_{form.kind}:{after + 1}", detail, now=now)
    return made


def edition_json(edition: Edition[Any]) -> dict[str, Any]:
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


def _fault_of_day(form: Form[Any], since: date, today: date) -> str:
    if since <= today:
        return "最早从明天起 (from tomorrow on at the earliest)"
    if since > today + timedelta(days=LATEST_DAYS):
        return "太远了 (too far ahead)"
    if form.mondays and since.weekday() != 0:
        return "按周抽取，须从星期一起 (talks are drawn by weeks: a Monday)"
    return ""


def _overtaken(form: Form[C], known: Sequence[Edition[C]], after: int) -> VersionConflict:
    newest = known[0]
    seen = next((one for one in known if one.number == after), known[-1])
    changes = [change_json(one) for one in form.changes(seen.content, newest.content)]
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


def _days(session: Session, kind: str) -> list[tuple[int, date]]:
    wanted = select(col(QualityEdition.number), col(QualityEdition.since)).where(col(QualityEdition.kind) == kind)
    return [(number, since) for number, since in session.execute(wanted)]


def _editions(session: Session, form: Form[C]) -> list[Edition[C]]:
    before = form.shipped
    found = [Edition(SHIPPED, before)]
    wanted = select(QualityEdition).where(col(QualityEdition.kind) == form.kind).order_by(col(QualityEdition.number))
    for row in session.execute(wanted).scalars():
        content = form.read(row.content)
        found.append(Edition(row.number, content, form.changes(before, content), row))
        before = content
    return found[::-1]


def _told(change: Change) -> str:
    where = f"{change.where[0]} " if change.where[0] else ""
    return f"{where}{change.what}: {change.before[0]} → {change.after[0]}"[:300]
