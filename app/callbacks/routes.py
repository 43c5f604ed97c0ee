"""REST: call-backs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.callbacks import service
from app.callbacks.model import CallbackState
from app.callbacks.tables import Callback
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, Body, Id, Listing, PageOf

router = APIRouter(prefix="/api/callbacks", tags=["callbacks"])


class CallbackOut(Answer):
    """A promise to call back."""

    id: int
    number: str
    call_id: str
    language: str
    queue: str
    state: str
    requested_at: str
    attempts: int
    agent_id: str | None
    taken_at: str | None
    closed_at: str | None
    result: str


class Why(Body):
    """Why it is withdrawn, or why nobody was reached."""

    why: str = Field(default="", max_length=64)


class CallbackFilter(Listing):
    """Which call-backs."""

    state: CallbackState | None = None


@router.get("", operation_id="list_callbacks")
def list_callbacks(actor: ActorDep, web: WebDep, filters: Annotated[CallbackFilter, Query()]) -> PageOf[CallbackOut]:
    """Call-backs, open ones first."""
    with web.db.read() as session:
        page = service.list_callbacks(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [CallbackOut(**service.callback_json(session, actor, row)) for row in page.items])


@router.post("/{callback_id}/take", operation_id="take_callback")
def take_callback(callback_id: Id, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Begin to call."""
    return _out(web, actor, service.take(web.db, actor, callback_id))


@router.post("/{callback_id}/missed", operation_id="missed_callback")
def missed_callback(callback_id: Id, body: Why, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Nobody answered."""
    with web.db.read() as session:
        service.get(session, actor, callback_id)
    return _out(web, actor, service.missed(web.db, callback_id, body.why))


@router.post("/{callback_id}/cancel", operation_id="cancel_callback")
def cancel_callback(callback_id: Id, body: Why, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Withdraw the promise."""
    return _out(web, actor, service.cancel(web.db, actor, callback_id, body.why))


def _out(web: Web, actor: ActorDep, row: Callback) -> CallbackOut:
    with web.db.read() as session:
        return CallbackOut(**service.callback_json(session, actor, row))
