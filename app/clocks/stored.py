"""Clocks between their rows and the values that the rules work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.clocks.limits import Limit, Unit
from app.clocks.model import Clock, ClockKind, ClockState, Extension, ExtensionState
from app.clocks.tables import CaseClock, ClockExtension


@dataclass(frozen=True)
class Held:
    """One clock's row with the requests that belong to it, in their order."""

    row: CaseClock
    asked: list[ClockExtension]

    @property
    def clock(self) -> Clock:
        """The value."""
        row = self.row
        return Clock(
            kind=ClockKind(row.kind),
            limit=Limit(row.amount, Unit(row.unit), row.warn_percent),
            started_at=row.started_at,
            due_at=row.due_at,
            warn_at=row.warn_at,
            provisional=row.provisional,
            state=ClockState(row.state),
            ended_at=row.ended_at,
            round=row.round,
            extensions=tuple(_extension(one) for one in self.asked),
        )

    def keep(self, clock: Clock) -> CaseClock:
        """Write what has become of it; a warning that was given for an earlier end is given again."""
        row = self.row
        if clock.due_at > row.due_at and clock.warn_at > (row.warned_at or clock.warn_at):
            row.warned_at = None
        row.due_at, row.warn_at, row.provisional = clock.due_at, clock.warn_at, clock.provisional
        row.state, row.ended_at = clock.state.value, clock.ended_at
        for told, one in zip(self.asked, clock.extensions, strict=True):
            told.state, told.decided_at = one.state.value, one.decided_at
        return row


def held(session: Session, rows: Iterable[CaseClock]) -> list[Held]:
    """These clocks with what was asked for as it is stored now, in one statement."""
    rows = list(rows)
    ids = [row.id for row in rows]
    asked: dict[int, list[ClockExtension]] = {}
    statement = select(ClockExtension).where(col(ClockExtension.clock_id).in_(ids)).order_by(col(ClockExtension.id))
    fresh = statement.execution_options(populate_existing=True)  # whoever waited for a lock has read the past
    for one in session.execute(fresh).scalars() if ids else ():
        asked.setdefault(one.clock_id, []).append(one)
    return [Held(row, asked.get(row.id or 0, [])) for row in rows]


def columns_of(clock: Clock) -> dict[str, Any]:
    """The columns of a new row for `clock`, but those that say whose it is."""
    return {
        "kind": clock.kind.value,
        "round": clock.round,
        "amount": clock.limit.amount,
        "unit": clock.limit.unit.value,
        "warn_percent": clock.limit.warn_percent,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "warn_at": clock.warn_at,
        "provisional": clock.provisional,
        "state": clock.state.value,
    }


def _extension(row: ClockExtension) -> Extension:
    return Extension(row.amount, row.why, row.asked_at, ExtensionState(row.state), row.decided_at)
