"""REST: chases and what is decided about them, supervision orders, and urgent matters until they are acknowledged."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field, field_validator
from sqlmodel import Session

from app.actor import Actor
from app.assignments.views import unit_names
from app.auth.service import display_names
from app.cases import access
from app.cases.tables import Case
from app.chasing import orders as use
from app.chasing import queries
from app.chasing.model import LONGEST_TEXT, ChaseState, Level, UrgentCause
from app.chasing.tables import Chase, UrgentMatter
from app.chasing.urgent import acknowledge, acknowledgeable, open_matters, receipts_of
from app.clock import iso
from app.db import loaded
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, DatedListing, Days, Id, Listing, PageOf, countable
from app.notices.telling import title_of

router = APIRouter(prefix="/api/chases", tags=["chases"])
orders = APIRouter(prefix="/api/cases", tags=["chases"])
urgent = APIRouter(prefix="/api/urgent", tags=["chases"])


class ChasesAsked(DatedListing):
    """Which chases are wanted."""

    case_id: int | None = Field(default=None, ge=1, le=MOST)
    unit_id: int | None = Field(default=None, ge=1, le=MOST)
    level: Level | None = None
    state: ChaseState | None = None


class ChaseOut(Answer):
    """One level of chasing, or a supervision order, and whether the asker can decide on it. `unit_id` null: the centre
    itself is late."""

    id: int
    case_id: int
    number: str
    title: str
    assignment_id: int | None
    unit_id: int | None
    unit: str
    step: str
    round: int
    level: Level
    state: ChaseState
    text: str
    due_at: str
    at: str
    next_at: str | None
    issued_by_name: str
    decided_by_name: str
    decided_at: str | None
    reason: str
    may_decide: bool


class UnitCount(Answer):
    """How many of each level; `unit_id` null: the centre itself."""

    unit_id: int | None
    unit: str
    levels: dict[Level, int]


class Confirmed(Body):
    """Perhaps in other words than the draft."""

    text: str | None = Field(default=None, max_length=LONGEST_TEXT)


class Dropped(Body):
    """Why not."""

    reason: str = Field(max_length=500)


class OrderIn(Body):
    """What is to be done by when, and by which of the case's units (all that are at work, if none are named)."""

    text: str = Field(max_length=LONGEST_TEXT)
    due_at: AwareDatetime
    units: list[Annotated[int, Field(ge=1, le=MOST)]] = Field(default=[], max_length=20)

    @field_validator("due_at")
    @classmethod
    def _countable(cls, value: datetime) -> datetime:
        return countable(value)


class ReceiptOut(Answer):
    """Somebody knows of it since then."""

    by_name: str
    at: str


class UrgentOut(Answer):
    """An urgent matter: why, how often leaders were told, who has said that they know, whether the asker can."""

    id: int
    case_id: int
    number: str
    title: str
    state: str
    urgency: str
    cause: UrgentCause
    at: str
    tries: int
    next_at: str | None
    known_at: str | None
    may_acknowledge: bool
    receipts: list[ReceiptOut]


@router.get("", operation_id="list_chases")
def list_chases(actor: ActorDep, web: WebDep, asked: Annotated[ChasesAsked, Query()]) -> PageOf[ChaseOut]:
    """Chases, newest first: of all cases for the centre, about their own unit for a unit's people."""
    with web.db.read() as session:
        page = queries.chases(session, actor, web.settings.zone, **asked.wanted(), leaf=asked.leaf)
        return PageOf.of(page, _out(session, actor, page.items))


@router.get("/by-unit", operation_id="chases_by_unit")
def chases_by_unit(actor: ActorDep, web: WebDep, days: Annotated[Days, Query()]) -> list[UnitCount]:
    """How many of each level for each unit, for assessments."""
    with web.db.read() as session:
        found = queries.counts_by_unit(session, actor, web.settings.zone, from_=days.from_, to=days.to)
        units = unit_names(session, list(found))
        return [
            UnitCount(unit_id=unit, unit=units.get(unit or 0, ""), levels={Level(k): n for k, n in levels.items()})
            for unit, levels in sorted(found.items(), key=lambda one: one[0] or 0)
        ]


@router.post("/{chase_id}/confirm", operation_id="confirm_chase")
def confirm(chase_id: Id, body: Confirmed, actor: ActorDep, web: WebDep) -> ChaseOut:
    """审定通报或曝光: the unit is told."""
    with web.db.session() as session:
        chase = use.decide(session, actor, chase_id, True, text=body.text, settings=web.settings)
        return _out(session, actor, [chase])[0]


@router.post("/{chase_id}/drop", operation_id="drop_chase")
def drop(chase_id: Id, body: Dropped, actor: ActorDep, web: WebDep) -> ChaseOut:
    """不予通报或曝光."""
    with web.db.session() as session:
        chase = use.decide(session, actor, chase_id, False, why=body.reason, settings=web.settings)
        return _out(session, actor, [chase])[0]


@orders.post("/{case_id}/orders", operation_id="order_case")
def order(case_id: Id, body: OrderIn, actor: ActorDep, web: WebDep) -> list[ChaseOut]:
    """签发督办单."""
    with web.db.session() as session:
        made = use.order(session, actor, case_id, body.text, body.due_at, units=body.units)
        return _out(session, actor, made)


@urgent.get("", operation_id="open_urgent_matters")
def open_urgent(actor: ActorDep, web: WebDep, listing: Annotated[Listing, Query()]) -> PageOf[UrgentOut]:
    """Urgent matters that nobody has acknowledged yet."""
    with web.db.read() as session:
        page = open_matters(session, actor, listing.leaf)
        return PageOf.of(page, _urgent(session, actor, page.items))


@urgent.post("/{matter_id}/acknowledge", operation_id="acknowledge_urgent_matter")
def acknowledge_matter(matter_id: Id, actor: ActorDep, web: WebDep) -> UrgentOut:
    """确认收到."""
    with web.db.session() as session:
        matter = acknowledge(session, actor, matter_id)
        session.flush()
        return _urgent(session, actor, [matter])[0]


def _out(session: Session, actor: Actor, rows: list[Chase]) -> list[ChaseOut]:
    units = unit_names(session, [row.unit_id for row in rows])
    names = display_names(session, {user for row in rows for user in (row.issued_by, row.decided_by)})
    cases = loaded(session, Case, (row.case_id for row in rows))
    _citizens = access.citizens_of(session, cases.values())
    shown = []
    for row in rows:
        case = cases[row.case_id]
        clear = access.sees_citizen(session, actor, case)
        named = {"id", "case_id", "assignment_id", "unit_id", "step", "round"}
        shown.append(
            ChaseOut(
                **row.model_dump(include=named),
                number=case.number,
                title=access.plain(case.title, case, clear=clear),
                unit=units.get(row.unit_id or 0, ""),
                level=Level(row.level),
                state=ChaseState(row.state),
                text=access.plain(row.text, case, clear=clear),
                due_at=iso(row.due_at) or "",
                at=iso(row.at) or "",
                next_at=iso(row.next_at),
                issued_by_name=names.get(row.issued_by or 0, ""),
                decided_by_name=names.get(row.decided_by or 0, ""),
                decided_at=iso(row.decided_at),
                reason=access.plain(row.decision_why, case, clear=clear),
                may_decide=use.decidable(actor, row),
            )
        )
    return shown


def _urgent(session: Session, actor: Actor, matters: list[UrgentMatter]) -> list[UrgentOut]:
    cases = loaded(session, Case, (matter.case_id for matter in matters))
    ids = [matter.id or 0 for matter in matters]
    receipts, theirs = receipts_of(session, ids), acknowledgeable(session, actor, ids)
    names = display_names(session, {one.user_id for some in receipts.values() for one in some})
    return [
        UrgentOut(
            **matter.model_dump(include={"id", "case_id", "tries"}),
            **cases[matter.case_id].model_dump(include={"number", "state", "urgency"}),
            title=title_of(session, cases[matter.case_id]),
            cause=UrgentCause(matter.cause),
            at=iso(matter.at) or "",
            next_at=iso(matter.next_at),
            known_at=iso(matter.known_at),
            may_acknowledge=matter.id in theirs,
            receipts=[
                ReceiptOut(by_name=names.get(one.user_id, ""), at=iso(one.at) or "")
                for one in receipts.get(matter.id or 0, [])
            ],
        )
        for matter in matters
    ]
