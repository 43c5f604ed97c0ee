"""The sweeps: what time brings about, done by the worker every few seconds.

Each finds what is to be done along an index without locking anything, then does it in small transactions. Two
processes may sweep at once: what one has locked the other leaves alone, and every result has a unique key. A worker
that is killed half-way loses its open transaction and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, select
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.alarms.service import clear_alarm, open_subjects, raise_alarm
from app.assignments import judging
from app.cases import clocks as case_clocks
from app.cases.states import CaseState
from app.cases.tables import Case
from app.chasing import ladder, urgent
from app.chasing.locking import cases_of, take
from app.chasing.tables import Chase, UrgentMatter
from app.clocks import service as clocks
from app.clocks.tables import CaseClock
from app.db import Database
from app.errors import Busy, StorageFull
from app.settings import Settings

log = structlog.get_logger(__name__)

UNHEARD = "urgent_unacknowledged"
LOOKED_AT = 200  # rows of one look
AT_ONCE = 10  # of these in one transaction: on SQLite nobody else writes meanwhile
TURN_S = 5.0  # what is left then is done at the next turn, so that other jobs get theirs


def chase_missed(db: Database, settings: Settings, now: datetime) -> int:
    """Clocks whose end has come are missed from now on, and whoever is late is chased (催办)."""

    def do(session: Session, cases: dict[int, Case], ids: list[int]) -> int:
        rows = clocks.due(session, now, among=ids)
        of = cases_of(session, rows)
        for row in rows:
            ladder.missed(session, cases[of[row.id or 0]], row, now, settings)
        return len(rows)

    return _sweep_clocks(db, clocks.due_statement(now), do)


def warn_near(db: Database, now: datetime) -> int:
    """Clocks that are nearly late (临期): whoever has the step is told, once for each end."""

    def do(session: Session, cases: dict[int, Case], ids: list[int]) -> int:
        rows = clocks.to_warn(session, now, among=ids)
        of = cases_of(session, rows)
        for row in rows:
            ladder.warn(session, cases[of[row.id or 0]], row, now)
        return len(rows)

    return _sweep_clocks(db, clocks.warn_statement(now), do)


def settle_ends(db: Database, settings: Settings, now: datetime) -> int:
    """Provisional ends are counted again after their year was published, and lists see the new ones."""

    def do(session: Session, cases: dict[int, Case], ids: list[int]) -> int:
        rows = clocks.settle(session, now, among=ids, settings=settings)
        for row in rows:
            case_clocks.moved(session, row)
        return len(rows)

    with db.read() as session:
        statement = clocks.settle_statement(session, now, settings)
    return _sweep_clocks(db, statement, do)


def climb(db: Database, settings: Settings, now: datetime) -> int:
    """Levels whose time is over are met, or the next follows (二次催办, 通报稿, 曝光建议); and orders at their end."""
    waiting = select(col(Chase.id), col(Chase.case_id)).where(col(Chase.next_at) <= now).order_by(col(Chase.next_at))

    def do(session: Session, cases: dict[int, Case], ids: list[int]) -> int:
        again = select(Chase).where(col(Chase.id).in_(ids), col(Chase.next_at) <= now).order_by(col(Chase.id))
        rows = list(session.execute(again.with_for_update()).scalars())
        for row in rows:
            ladder.climb(session, cases[row.case_id], row, now, settings)
        return len(rows)

    return _sweep(db, waiting, do)


def call_again(db: Database, now: datetime) -> int:
    """Urgent matters that nobody has acknowledged: told again, and to more people; in the end an alarm says so.

    The calling ends only when the alarm is stored: whoever is killed in between raises it once more.
    """
    raised = _raise_unheard(db, now)
    waiting = select(col(UrgentMatter.id), col(UrgentMatter.case_id)).where(col(UrgentMatter.next_at) <= now)

    def do(session: Session, cases: dict[int, Case], ids: list[int]) -> int:
        again = select(UrgentMatter).where(col(UrgentMatter.id).in_(ids), col(UrgentMatter.next_at) <= now)
        rows = list(session.execute(again.with_for_update()).scalars())
        done = 0
        for row in rows:
            case = cases[row.case_id]
            if urgent.is_unheard(case, row) and row.id not in raised:
                continue
            urgent.tell_again(session, case, row, now)
            done += 1
        return done

    done = _sweep(db, waiting.order_by(col(UrgentMatter.next_at)), do)
    _clear_heard(db, now)
    return done


def _raise_unheard(db: Database, now: datetime) -> set[int]:
    due = select(UrgentMatter, Case).join(Case, col(Case.id) == col(UrgentMatter.case_id))
    with db.read() as session:
        rows = session.execute(due.where(col(UrgentMatter.next_at) <= now)).all()
        unheard = [matter.id or 0 for matter, case in rows if urgent.is_unheard(case, matter)]
    return {one for one in unheard if raise_alarm(db, UNHEARD, {"matter": one}, subject=str(one), now=now)}


def _clear_heard(db: Database, now: datetime) -> None:
    """Somebody has acknowledged it after all, or the case is over."""
    with db.read() as session:
        raised = [int(subject) for subject in open_subjects(session, UNHEARD)]
        pairs = select(UrgentMatter, Case).join(Case, col(Case.id) == col(UrgentMatter.case_id))
        rows = session.execute(pairs.where(col(UrgentMatter.id).in_(raised))).all() if raised else []
        over = [matter.id for matter, case in rows if not urgent.is_unheard(case, matter)]
    for matter in over:
        clear_alarm(db, UNHEARD, subject=str(matter), now=now)


def take_up(db: Database, now: datetime) -> int:
    """Cases on account (挂账) whose day has come are resumed, and their units told."""
    over = (col(Case.state) == CaseState.deferred.value) & (col(Case.due_at) <= now)
    waiting: Any = select(col(Case.id), col(Case.id).label("case_id")).where(over).order_by(col(Case.due_at))

    def do(session: Session, cases: dict[int, Case], ids: list[int]) -> int:
        done = 0
        for case in cases.values():
            until = case.deferred_until
            if case.state != CaseState.deferred.value or until is None or until > now:
                continue
            judging.resume(session, SYSTEM, case.id or 0, case.version, now=now)
            done += 1
        return done

    return _sweep(db, waiting, do)


Doing = Callable[[Session, dict[int, Case], list[int]], int]


def _sweep_clocks(db: Database, statement: Select[Any], do: Doing) -> int:
    def look(session: Session) -> dict[int, int]:
        rows: Iterable[CaseClock] = session.execute(statement.limit(LOOKED_AT)).scalars()
        return cases_of(session, rows)

    return _rounds(db, look, do)


def _sweep(db: Database, statement: Any, do: Doing) -> int:
    def look(session: Session) -> dict[int, int]:
        return dict(session.execute(statement.limit(LOOKED_AT)).all())

    return _rounds(db, look, do)


def _rounds(db: Database, look: Callable[[Session], dict[int, int]], do: Doing) -> int:
    total, until = 0, time.monotonic() + TURN_S
    while time.monotonic() < until:
        with db.read() as session:
            waiting = list(look(session).items())  # the id of what is to be done, and its case
        done = 0
        for first in range(0, len(waiting), AT_ONCE):
            done += _do(db, dict(waiting[first : first + AT_ONCE]), do)
            if time.monotonic() >= until:
                break
        total += done
        if not done:  # nothing there, or somebody else has it at the moment
            break
    return total


def _do(db: Database, waiting: dict[int, int], do: Doing) -> int:
    """All of them in one transaction; where one of them can't be done, each in its own, so that it stops no other."""
    try:
        with db.session() as session:
            cases = take(session, set(waiting.values()))
            return do(session, cases, [ident for ident, case in waiting.items() if case in cases])
    except (Busy, StorageFull):  # the next turn
        raise
    except Exception:
        if len(waiting) > 1:
            return sum(_do(db, {ident: case}, do) for ident, case in waiting.items())
        log.exception("a sweep can't do one thing; it is left out", case=next(iter(waiting.values())))
        return 0
