"""Keeping alerts and their rules: told by the core, acknowledged and set by supervisors, every act audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.alerts.model import DEFAULTS, AlertKind, AlertRule, faults
from app.alerts.tables import AlertRow, AlertRuleRow
from app.alerts.watching import Alert
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import from_ms, to_ms, utc_now
from app.errors import BadInput, VersionConflict
from app.paging import Leaf, Page, equal, page_of, within


@dataclass(frozen=True)
class Shown:
    """A rule in force and what came with the system; `row` is None while the shipped one holds."""

    rule: AlertRule
    shipped: AlertRule
    row: AlertRuleRow | None

    @property
    def version(self) -> int:
        """0 while nobody has changed it."""
        return self.row.version if self.row else 0


# -- rules ------------------------------------------------------------------------------------------------------------


def rules(session: Session) -> dict[AlertKind, AlertRule]:
    """The rules in force; for the core. A row that no longer makes sense gives way to the shipped rule."""
    return {one.rule.kind: one.rule for one in _shown(session)}


def list_rules(session: Session, actor: Actor) -> list[Shown]:
    """Every rule. Raises Forbidden."""
    actor.require(Permission.agents_control)
    return _shown(session)


def set_rule(session: Session, actor: Actor, rule: AlertRule, version: int, *, now: datetime | None = None) -> Shown:
    """Put a rule in force. `version` is the one that the editor saw.

    Raises Forbidden, BadInput, VersionConflict with what is stored.
    """
    actor.require(Permission.agents_control)
    if found := faults(rule):
        raise BadInput(fields=found)
    now = now or utc_now()
    fresh = {**_columns(rule), "version": version + 1, "changed_by": actor.user_id, "changed_at": now}
    row = session.get(AlertRuleRow, rule.kind.value, with_for_update=True, populate_existing=True)
    if row is None and version == 0:
        made = _insert(session)(AlertRuleRow).values(kind=rule.kind.value, **fresh)
        # Of two who are first at once one is.
        done = session.execute(made.on_conflict_do_nothing(index_elements=["kind"]).returning(col(AlertRuleRow.kind)))
        stored = done.first() is not None
        row = session.get(AlertRuleRow, rule.kind.value, populate_existing=True)
    else:
        stored = row is not None and row.version == version
    if row is None or not stored:
        current = Shown(_rule(row) if row else DEFAULTS[rule.kind], DEFAULTS[rule.kind], row)
        raise VersionConflict(current={**_columns(current.rule), "version": current.version})
    was = _columns(_rule(row) if version else DEFAULTS[rule.kind])
    for name, value in fresh.items():
        setattr(row, name, value)
    detail = {name: [was[name], value] for name, value in _columns(rule).items() if was[name] != value}
    write(session, actor, Action.alert_rule_changed, f"alert_rule:{rule.kind.value}", detail, now=now)
    return Shown(rule, DEFAULTS[rule.kind], row)


def _shown(session: Session) -> list[Shown]:
    rows = {row.kind: row for row in session.execute(select(AlertRuleRow)).scalars()}
    return [Shown(_rule(rows[kind]) if kind in rows else rule, rule, rows.get(kind)) for kind, rule in DEFAULTS.items()]


def _rule(row: AlertRuleRow) -> AlertRule:
    kind = AlertKind(row.kind)
    rule = AlertRule(kind, row.enabled, row.raise_at, row.clear_at, row.for_s, row.clear_s, row.least)
    return rule if not faults(rule) else DEFAULTS[kind]


def _columns(rule: AlertRule) -> dict[str, Any]:
    return {name: value for name, value in asdict(rule).items() if name != "kind"}


# -- alerts -----------------------------------------------------------------------------------------------------------


def note(session: Session, told: Mapping[str, Any]) -> None:
    """The core has raised or cleared an alert; told twice it changes nothing. `told` is an alert as the board tells it,
    with `cleared_ms` once it is over."""
    _keep(session, told)
    if (cleared_ms := told.get("cleared_ms")) is None:
        return
    row = _row(session, str(told["alert_id"]))
    if row.cleared_at is None:
        row.cleared_at, row.last_value = from_ms(int(cleared_ms)), float(told["value"])


def acknowledge(session: Session, actor: Actor, told: Mapping[str, Any], at_ms: int) -> tuple[str, int]:
    """Say that this person knows; (name, epoch ms) of who was first, which need not be them. Audited once.

    `told` is the alert as the board tells it: it may be so young that it is not stored yet. Raises Forbidden.
    """
    actor.require(Permission.agents_control)
    _keep(session, told)
    row = _row(session, str(told["alert_id"]))
    if row.acked_at is None:
        row.acked_by, row.acked_at = actor.user_id, from_ms(at_ms)
        row.acked_by_name = (actor.display_name or actor.name)[:64]
        detail = {"kind": row.kind, **({"agent": row.subject} if row.subject else {})}
        write(session, actor, Action.alert_acknowledged, f"alert:{row.id}", detail)
    return row.acked_by_name, to_ms(row.acked_at)


def open_alerts(session: Session) -> list[Alert]:
    """The alerts that have no end, oldest first: what a core that starts finds; for the core."""
    wanted = select(AlertRow).where(col(AlertRow.cleared_at).is_(None)).order_by(col(AlertRow.raised_at))
    known = {kind.value for kind in AlertKind}
    return [_alert(row) for row in session.execute(wanted).scalars() if row.kind in known]


def list_alerts(
    session: Session,
    actor: Actor,
    zone: ZoneInfo,
    *,
    kind: str = "",
    state: str = "",
    from_: date | None = None,
    to: date | None = None,
    leaf: Leaf | None = None,
) -> Page[AlertRow]:
    """Alerts, newest first. `state`: "open", "unacknowledged" (open or over), or "" for all. Raises Forbidden."""
    actor.require(Permission.agents_control)
    statement = select(AlertRow).order_by(col(AlertRow.raised_at).desc(), col(AlertRow.id).desc())
    statement = equal(statement, {AlertRow.kind: kind})
    if state == "open":
        statement = statement.where(col(AlertRow.cleared_at).is_(None))
    elif state == "unacknowledged":
        statement = statement.where(col(AlertRow.acked_at).is_(None))
    return page_of(session, within(statement, AlertRow.raised_at, from_, to, zone), leaf)


def _insert(session: Session) -> Any:
    return insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite


def _keep(session: Session, told: Mapping[str, Any]) -> None:
    values = {
        "key": str(told["alert_id"]),
        "kind": AlertKind(told["kind"]).value,
        "subject": str(told["subject"]),
        "value": float(told["value"]),
        "raise_at": float(told["raise_at"]),
        "raised_at": from_ms(int(told["raised_ms"])),
        "acked_by_name": "",
    }
    session.execute(_insert(session)(AlertRow).values(values).on_conflict_do_nothing(index_elements=["key"]))


def _row(session: Session, key: str) -> AlertRow:
    wanted = select(AlertRow).where(col(AlertRow.key) == key).with_for_update()
    row: AlertRow = session.execute(wanted.execution_options(populate_existing=True)).scalar_one()
    return row


def _alert(row: AlertRow) -> Alert:
    return Alert(
        row.key,
        AlertKind(row.kind),
        row.subject,
        "",
        row.value,
        row.raise_at,
        to_ms(row.raised_at),
        row.acked_by_name,
        to_ms(row.acked_at) if row.acked_at else None,
    )
