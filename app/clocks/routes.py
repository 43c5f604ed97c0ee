"""REST: the time limits of cases, as an office sets them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session

from app.auth.service import display_names
from app.cases.model import CaseType
from app.clock import iso
from app.clocks import office
from app.clocks.limits import Limit, Unit
from app.clocks.model import ClockKind
from app.clocks.rules import Key, Urgency, Way
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body

router = APIRouter(prefix="/api/clock-rules", tags=["clock rules"])

KEY = "/{kind}/{case_type}/{urgency}/{way}"
Anything = Literal["any"]


class LimitIn(Body):
    """How long a step may take; a warning is given when the last `warn_percent` of it begin."""

    amount: int = Field(ge=0, le=100_000)
    unit: Unit
    warn_percent: int = Field(default=25, ge=0, le=100)


class LimitOut(Answer):
    """A limit."""

    amount: int
    unit: Unit
    warn_percent: int


class ClockRuleOut(Answer):
    """A rule in force; null where anything will do. `own`: the office set it; `shipped`: what came with the system."""

    kind: ClockKind
    case_type: CaseType | None
    urgency: Urgency | None
    way: Way | None
    limit: LimitOut
    own: bool
    shipped: LimitOut | None
    changed_at: str | None
    changed_by_name: str | None


@router.get("", operation_id="list_clock_rules")
def list_clock_rules(actor: ActorDep, web: WebDep) -> list[ClockRuleOut]:
    """The rules in force, step by step, the most general first."""
    with web.db.read() as session:
        return _out(session, office.list_rules(session, actor))


@router.put(KEY, operation_id="set_clock_rule")
def set_clock_rule(
    kind: ClockKind,
    case_type: CaseType | Anything,
    urgency: Urgency | Anything,
    way: Way | Anything,
    body: LimitIn,
    actor: ActorDep,
    web: WebDep,
) -> ClockRuleOut:
    """Set a limit; what is timed from now on has it."""
    with web.db.session() as session:
        shown = office.set_rule(session, actor, _key(kind, case_type, urgency, way), **body.model_dump())
        return _out(session, [shown])[0]


@router.delete(KEY, operation_id="reset_clock_rule", status_code=204)
def reset_clock_rule(
    kind: ClockKind,
    case_type: CaseType | Anything,
    urgency: Urgency | Anything,
    way: Way | Anything,
    actor: ActorDep,
    web: WebDep,
) -> None:
    """Take back a limit that the office set."""
    with web.db.session() as session:
        office.reset_rule(session, actor, _key(kind, case_type, urgency, way))


def _key(kind: ClockKind, case_type: CaseType | Anything, urgency: Urgency | Anything, way: Way | Anything) -> Key:
    return Key(
        kind,
        case_type.value if isinstance(case_type, CaseType) else "",
        urgency if isinstance(urgency, Urgency) else None,
        way if isinstance(way, Way) else None,
    )


def _out(session: Session, shown: list[office.Shown]) -> list[ClockRuleOut]:
    names = display_names(session, {one.own.changed_by for one in shown if one.own and one.own.changed_by})
    return [
        ClockRuleOut(
            kind=one.rule.key.kind,
            case_type=CaseType(one.rule.key.case_type) if one.rule.key.case_type else None,
            urgency=one.rule.key.urgency,
            way=one.rule.key.way,
            limit=_limit(one.rule.limit),
            own=one.own is not None,
            shipped=_limit(one.shipped) if one.shipped else None,
            changed_at=iso(one.own.changed_at) if one.own else None,
            changed_by_name=names.get(one.own.changed_by or 0) if one.own else None,
        )
        for one in shown
    ]


def _limit(limit: Limit) -> LimitOut:
    return LimitOut(amount=limit.amount, unit=limit.unit, warn_percent=limit.warn_percent)
