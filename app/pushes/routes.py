"""REST: where outside systems are told of calls, and what could not be told, for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session

from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf
from app.pushes import service
from app.pushes.model import LONGEST_URL, PushEvent
from app.pushes.tables import PushAddress

router = APIRouter(prefix="/api/pushes", tags=["outside systems"])

Url = Annotated[str, Field(max_length=LONGEST_URL)]
Events = Annotated[list[PushEvent], Field(max_length=8)]


class PushAddressIn(Body):
    """Where calls are told, of which system, which events, and whether they are signed."""

    machine_id: int = Field(ge=1, le=MOST)
    url: Url
    events: Events = Field(default_factory=lambda: list(PushEvent))
    signed: bool = False


class PushAddressPatch(Body):
    """What is to change."""

    url: Url | None = None
    events: Events | None = None
    active: bool | None = None


class PushAddressOut(Answer):
    """An address; its path is not shown, since it may hold a token. `dead`: how many jobs nobody tries any more."""

    id: int
    machine_id: int
    url: str
    events: list[str]
    signed: bool
    active: bool
    created_at: str
    waiting: int
    dead: int


class NewPushAddressOut(PushAddressOut):
    """An address with the key that signs its pushes, which is told this once; null where they are not signed."""

    key: str | None


class PushJobOut(Answer):
    """One event on its way; `fault` is a code."""

    id: int
    address_id: int
    call_id: str
    event: str
    agent_id: str | None
    state: str
    tries: int
    fault: str
    at: str
    next_at: str | None
    done_at: str | None


class PushFilter(Listing):
    """Which jobs; "dead" are those that nobody tries any more."""

    state: Literal["", "dead", "waiting", "sent", "refused", "given_up", "off"] = ""
    address_id: int | None = Field(default=None, ge=1, le=MOST)


class AgainOut(Answer):
    """How many are sent again."""

    count: int


@router.get("", operation_id="list_pushes")
def list_pushes(actor: ActorDep, web: WebDep, filters: Annotated[PushFilter, Query()]) -> PageOf[PushJobOut]:
    """What is or was on its way to outside systems."""
    with web.db.read() as session:
        page = service.jobs(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [PushJobOut(**service.job_json(row)) for row in page.items])


@router.post("/{push_id}/again", operation_id="send_push_again")
def send_push_again(push_id: Id, actor: ActorDep, web: WebDep) -> AgainOut:
    """Try one that could not be delivered again."""
    with web.db.session() as session:
        return AgainOut(count=service.send_again(session, actor, job_id=push_id))


@router.get("/addresses", operation_id="list_push_addresses")
def list_push_addresses(actor: ActorDep, web: WebDep) -> list[PushAddressOut]:
    """Where outside systems are told of calls."""
    with web.db.read() as session:
        rows = service.addresses(session, actor)
        counted = service.counts(session)
        return [PushAddressOut(**service.address_json(row, counted)) for row in rows]


@router.post("/addresses", operation_id="add_push_address", status_code=201)
def add_push_address(body: PushAddressIn, actor: ActorDep, web: WebDep) -> NewPushAddressOut:
    """Tell an outside system of calls."""
    with web.db.session() as session:
        row, key = service.add(session, actor, web.settings, body.machine_id, body.url, body.events, signed=body.signed)
        return NewPushAddressOut(**service.address_json(row, {}), key=key)


@router.patch("/addresses/{address_id}", operation_id="change_push_address")
def change_push_address(address_id: Id, body: PushAddressPatch, actor: ActorDep, web: WebDep) -> PushAddressOut:
    """Change where or what it is told, or that it is told at all."""
    with web.db.session() as session:
        return _out(session, service.change(session, actor, web.settings, address_id, **body.model_dump()))


@router.post("/addresses/{address_id}/key", operation_id="renew_push_key")
def renew_push_key(address_id: Id, actor: ActorDep, web: WebDep) -> NewPushAddressOut:
    """Sign with another key."""
    with web.db.session() as session:
        row, key = service.new_key(session, actor, web.settings, address_id)
        return NewPushAddressOut(**_out(session, row).model_dump(), key=key)


@router.post("/addresses/{address_id}/again", operation_id="send_pushes_again")
def send_pushes_again(address_id: Id, actor: ActorDep, web: WebDep) -> AgainOut:
    """Try everything of an address again that could not be delivered."""
    with web.db.session() as session:
        return AgainOut(count=service.send_again(session, actor, address_id=address_id))


def _out(session: Session, row: PushAddress) -> PushAddressOut:
    return PushAddressOut(**service.address_json(row, service.counts(session)))
