"""REST: the register of consents and of those who said "do not call me"."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.consents import service
from app.consents.model import LONGEST_WHY, About, How, Said
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, Body, Id, Listing, Number, PageOf

router = APIRouter(prefix="/api/contact-wishes", tags=["calling out"])


class WishIn(Body):
    """What somebody has said: the owner of a number, or whoever called in a call."""

    said: Said
    about: About
    number: Number = ""
    call_id: str = Field(default="", pattern=r"^[A-Za-z0-9.-]{0,64}$")
    how: Literal[How.told, How.written] = How.told
    why: str = Field(default="", max_length=LONGEST_WHY)


class WishEnd(Body):
    """Why it does not hold any more."""

    why: str = Field(max_length=LONGEST_WHY)


class WishOut(Answer):
    """An entry; the number is masked for those who may not see it."""

    id: int
    number: str
    said: Said
    about: About
    how: How
    why: str
    call_id: str
    open: bool
    created_at: str
    created_by_name: str | None
    ended_at: str | None
    ended_by_name: str | None
    end_why: str


class WishFilter(Listing):
    """Which entries."""

    said: Said | None = None
    open: bool | None = None


class WishSearch(WishFilter):
    """Which entries, also by number."""

    number: Number = ""


@router.get("", operation_id="list_contact_wishes")
def list_contact_wishes(actor: ActorDep, web: WebDep, filters: Annotated[WishFilter, Query()]) -> PageOf[WishOut]:
    """The register, newest first."""
    return _listed(actor, web, filters)


@router.post("/search", operation_id="search_contact_wishes")
def search_contact_wishes(body: WishSearch, actor: ActorDep, web: WebDep) -> PageOf[WishOut]:
    """The register, also by number."""
    return _listed(actor, web, body)


@router.post("", operation_id="note_contact_wish", status_code=201)
def note_contact_wish(body: WishIn, actor: ActorDep, web: WebDep) -> WishOut:
    """Note what somebody has said; it holds from now on, everywhere."""
    with web.db.session() as session:
        if body.call_id:
            row = service.note_of_call(session, actor, body.said, body.about, body.call_id, why=body.why)
        else:
            row = service.note(session, actor, body.said, body.about, body.number, how=body.how, why=body.why)
        return WishOut(**service.as_rows(session, actor, [row])[0])


@router.post("/{wish_id}/end", operation_id="end_contact_wish")
def end_contact_wish(wish_id: Id, body: WishEnd, actor: ActorDep, web: WebDep) -> WishOut:
    """They have taken it back."""
    with web.db.session() as session:
        return WishOut(**service.as_rows(session, actor, [service.end(session, actor, wish_id, body.why)])[0])


def _listed(actor: ActorDep, web: Web, filters: WishFilter) -> PageOf[WishOut]:
    with web.db.read() as session:
        page = service.list_wishes(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [WishOut(**row) for row in service.as_rows(session, actor, page.items)])
