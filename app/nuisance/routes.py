"""REST: nuisance rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field, field_validator
from sqlmodel import Session

from app.actor import Actor
from app.clock import utc_now
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, Body, Id, Listing, Number, PageOf, countable
from app.nuisance import service
from app.nuisance.model import LONGEST_WHY, NuisanceAction, NuisanceState
from app.nuisance.tables import NuisanceRule

router = APIRouter(prefix="/api/nuisance-rules", tags=["nuisance rules"])


class NuisanceIn(Body):
    """About whom (a number, or whoever called in a call), what is done, until when, and why."""

    number: Number = ""
    call_id: str = Field(default="", pattern=r"^[A-Za-z0-9.-]{0,64}$")
    action: NuisanceAction
    value: int = Field(default=0, ge=0, le=100)
    until: AwareDatetime
    why: str = Field(max_length=LONGEST_WHY)

    @field_validator("until")
    @classmethod
    def _countable(cls, moment: datetime) -> datetime:
        return countable(moment)


class NuisanceEnd(Body):
    """Why it ends before its time."""

    why: str = Field(max_length=LONGEST_WHY)


class NuisanceOut(Answer):
    """A rule; `value`: points that are taken away, or calls at a time. The number is masked for those who may not see
    it."""

    id: int
    number: str
    call_id: str
    action: NuisanceAction
    value: int
    why: str
    state: NuisanceState
    until: str
    created_at: str
    created_by_name: str | None
    ended_at: str | None
    ended_by_name: str | None
    end_why: str


class NuisanceFilter(Listing):
    """Which rules."""

    state: NuisanceState | None = None


class NuisanceSearch(NuisanceFilter):
    """Which rules, also by the caller's number."""

    number: Number = ""


@router.get("", operation_id="list_nuisance_rules")
def list_nuisance_rules(
    actor: ActorDep, web: WebDep, filters: Annotated[NuisanceFilter, Query()]
) -> PageOf[NuisanceOut]:
    """Rules about callers, those in force first."""
    return _listed(actor, web, filters)


@router.post("/search", operation_id="search_nuisance_rules")
def search_nuisance_rules(body: NuisanceSearch, actor: ActorDep, web: WebDep) -> PageOf[NuisanceOut]:
    """Rules about callers, also by number."""
    return _listed(actor, web, body)


@router.post("", operation_id="set_nuisance_rule", status_code=201)
def set_nuisance_rule(body: NuisanceIn, actor: ActorDep, web: WebDep) -> NuisanceOut:
    """Set a rule; it holds within seconds, for calls that come from then on."""
    with web.db.session() as session:
        return _out(session, actor, service.set_rule(session, actor, **body.model_dump()))


@router.post("/{rule_id}/end", operation_id="end_nuisance_rule")
def end_nuisance_rule(rule_id: Id, body: NuisanceEnd, actor: ActorDep, web: WebDep) -> NuisanceOut:
    """End a rule before its time."""
    with web.db.session() as session:
        return _out(session, actor, service.end_rule(session, actor, rule_id, body.why))


def _listed(actor: Actor, web: Web, filters: NuisanceFilter) -> PageOf[NuisanceOut]:
    now = utc_now()
    with web.db.read() as session:
        page = service.list_rules(session, actor, **filters.wanted(), leaf=filters.leaf, now=now)
        known = service.known_of(session, page.items)
        return PageOf.of(page, [NuisanceOut(**service.as_json(actor, row, known, now)) for row in page.items])


def _out(session: Session, actor: Actor, row: NuisanceRule) -> NuisanceOut:
    return NuisanceOut(**service.as_json(actor, row, service.known_of(session, [row]), utc_now()))
