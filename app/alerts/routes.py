"""REST: alerts as they were, and the rules that raise them. What is open now is on the board (docs/websocket.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session

from app.agents.service import agent_names
from app.alerts import service
from app.alerts.model import SHAPES, AlertKind, AlertRule, Sort
from app.auth.service import display_names
from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, DatedListing, PageOf

router = APIRouter(prefix="/api/alerts", tags=["alerts"])

Threshold = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Spell = Annotated[int, Field(ge=0, le=86_400)]


class AlertFilter(DatedListing):
    """Which alerts."""

    kind: AlertKind | Literal[""] = ""
    state: Literal["", "open", "unacknowledged"] = ""


class AlertOut(Answer):
    """An alert; `value` is what raised it, `last_value` what it was at the end."""

    id: int
    kind: str
    sort: Sort
    subject: str
    name: str | None
    value: float
    last_value: float | None
    raise_at: float
    raised_at: str
    cleared_at: str | None
    acked_by_name: str
    acked_at: str | None


class RuleIn(Body):
    """A rule as it is to be, and the version that the editor saw (0: the shipped one)."""

    enabled: bool
    raise_at: Threshold
    clear_at: Threshold
    for_s: Spell = 0
    clear_s: Spell = 0
    least: int = Field(default=0, ge=0, le=1_000_000)
    version: int = Field(ge=0, le=1_000_000)


class Thresholds(Answer):
    """What a rule says."""

    enabled: bool
    raise_at: float
    clear_at: float
    for_s: int
    clear_s: int
    least: int


class RuleOut(Thresholds):
    """A rule in force. `falls`: too little is bad; `grows`: it has one threshold."""

    kind: AlertKind
    sort: Sort
    falls: bool
    grows: bool
    low: float
    high: float
    shipped: Thresholds
    version: int
    changed_at: str | None
    changed_by_name: str | None


@router.get("", operation_id="list_alerts")
def list_alerts(actor: ActorDep, web: WebDep, filters: Annotated[AlertFilter, Query()]) -> PageOf[AlertOut]:
    """Alerts, newest first."""
    with web.db.read() as session:
        page = service.list_alerts(session, actor, web.settings.zone, **filters.wanted(), leaf=filters.leaf)
        names = agent_names(session)
        return PageOf.of(
            page,
            [
                AlertOut(
                    id=row.id or 0,
                    kind=row.kind,
                    sort=SHAPES[AlertKind(row.kind)].sort,
                    subject=row.subject,
                    name=names.get(row.subject),
                    value=row.value,
                    last_value=row.last_value,
                    raise_at=row.raise_at,
                    raised_at=iso(row.raised_at) or "",
                    cleared_at=iso(row.cleared_at),
                    acked_by_name=row.acked_by_name,
                    acked_at=iso(row.acked_at),
                )
                for row in page.items
            ],
        )


@router.get("/rules", operation_id="list_alert_rules")
def list_alert_rules(actor: ActorDep, web: WebDep) -> list[RuleOut]:
    """The rules in force, in the order of the kinds."""
    with web.db.read() as session:
        return _rules(session, service.list_rules(session, actor))


@router.put("/rules/{alert}", operation_id="set_alert_rule")
def set_alert_rule(alert: AlertKind, body: RuleIn, actor: ActorDep, web: WebDep) -> RuleOut:
    """Put a rule in force; the queue's core goes by it at once where it runs in this process, else within 30 s.

    409 with what is stored when somebody else has changed it since.
    """
    said = body.model_dump(exclude={"version"})
    with web.db.session() as session:
        out = _rules(session, [service.set_rule(session, actor, AlertRule(alert, **said), body.version)])[0]
    if (changed := getattr(web.realtime, "alert_rules_changed", None)) is not None:
        changed()
    return out


def _rules(session: Session, shown: list[service.Shown]) -> list[RuleOut]:
    names = display_names(session, {one.row.changed_by for one in shown if one.row and one.row.changed_by})
    return [
        RuleOut(
            kind=one.rule.kind,
            sort=SHAPES[one.rule.kind].sort,
            falls=SHAPES[one.rule.kind].falls,
            grows=SHAPES[one.rule.kind].grows,
            low=SHAPES[one.rule.kind].low,
            high=SHAPES[one.rule.kind].high,
            **_said(one.rule),
            shipped=Thresholds(**_said(one.shipped)),
            version=one.version,
            changed_at=iso(one.row.changed_at) if one.row else None,
            changed_by_name=names.get(one.row.changed_by or 0) if one.row else None,
        )
        for one in shown
    ]


def _said(rule: AlertRule) -> dict[str, float | bool]:
    return {name: getattr(rule, name) for name in ("enabled", "raise_at", "clear_at", "for_s", "clear_s", "least")}
