"""The limits that an office sets itself: who may, what holds, audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.cases.model import CaseType
from app.clock import utc_now
from app.clocks.limits import Limit, Unit, limit_faults
from app.clocks.model import ClockKind
from app.clocks.rules import DEFAULTS, Key, Rule, Urgency, Way, in_force
from app.clocks.tables import ClockRule
from app.errors import BadInput, NotFound

SHIPPED = {rule.key: rule.limit for rule in DEFAULTS}


@dataclass(frozen=True)
class Shown:
    """A rule in force; `own` is its row when the office set it, `shipped` what the system came with for its key."""

    rule: Rule
    own: ClockRule | None
    shipped: Limit | None


def rules(session: Session) -> list[Rule]:
    """The rules in force, for parts of the system: one statement."""
    return list(in_force(_rule(row) for row in session.execute(select(ClockRule)).scalars()).values())


def list_rules(session: Session, actor: Actor) -> list[Shown]:
    """The rules in force, by step, the most general first. Raises Forbidden."""
    actor.require(Permission.rules_read)
    own = {_key(row): row for row in session.execute(select(ClockRule)).scalars()}
    steps, types = list(ClockKind), list(CaseType)
    hold = in_force(_rule(row) for row in own.values()).values()
    urgencies, ways = [None, *Urgency], [None, *Way]

    def place(rule: Rule) -> tuple[int, ...]:
        key = rule.key
        of_type = types.index(CaseType(key.case_type)) + 1 if key.case_type else 0
        return steps.index(key.kind), urgencies.index(key.urgency), of_type, ways.index(key.way)

    return [Shown(rule, own.get(rule.key), SHIPPED.get(rule.key)) for rule in sorted(hold, key=place)]


def set_rule(
    session: Session, actor: Actor, key: Key, amount: int, unit: Unit, warn_percent: int, *, now: datetime | None = None
) -> Shown:
    """Set a limit; clocks that begin from now on have it. Raises Forbidden, BadInput (fields amount, warn_percent)."""
    actor.require(Permission.clocks_write)
    if wrong := limit_faults(amount, unit, warn_percent):
        raise BadInput(fields=wrong)
    now = now or utc_now()
    row = _row(session, key)
    before = SHIPPED.get(key) if row is None else _rule(row).limit
    row = row or ClockRule(**_columns(key), amount=amount, unit=unit, warn_percent=warn_percent, changed_at=now)
    row.amount, row.unit, row.warn_percent = amount, unit.value, warn_percent
    row.changed_by, row.changed_at = actor.user_id, now
    session.add(row)
    rule = _rule(row)
    _audit(session, actor, key, before, rule.limit, now)
    return Shown(rule, row, SHIPPED.get(key))


def reset_rule(session: Session, actor: Actor, key: Key, *, now: datetime | None = None) -> None:
    """What the system came with holds again, or what is said more generally. Raises Forbidden, NotFound."""
    actor.require(Permission.clocks_write)
    row = _row(session, key)
    if row is None:
        raise NotFound()
    session.delete(row)
    _audit(session, actor, key, _rule(row).limit, SHIPPED.get(key), now or utc_now())


def _row(session: Session, key: Key) -> ClockRule | None:
    same = (getattr(ClockRule, name) == value for name, value in _columns(key).items())
    return session.execute(select(ClockRule).where(*same).with_for_update()).scalar_one_or_none()


def _columns(key: Key) -> dict[str, Any]:
    return {
        "kind": key.kind.value,
        "case_type": key.case_type,
        "urgency": key.urgency.value if key.urgency else "",
        "way": key.way.value if key.way else "",
    }


def _key(row: ClockRule) -> Key:
    urgency = Urgency(row.urgency) if row.urgency else None
    return Key(ClockKind(row.kind), row.case_type, urgency, Way(row.way) if row.way else None)


def _rule(row: ClockRule) -> Rule:
    return Rule(_key(row), Limit(row.amount, Unit(row.unit), row.warn_percent))


def _audit(session: Session, actor: Actor, key: Key, before: Limit | None, after: Limit | None, now: datetime) -> None:
    detail = {"from": _told(before), "to": _told(after)}
    write(session, actor, Action.clock_rule_changed, f"clock_rule:{key.told}", detail, now=now)


def _told(limit: Limit | None) -> str | None:
    return f"{limit.amount} {limit.unit} {limit.warn_percent}%" if limit else None
