"""REST: call-backs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.agents.service import agent_names
from app.callbacks import service
from app.callbacks.model import CallbackState
from app.callbacks.tables import Callback
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, Body, Id, Listing, PageOf

router = APIRouter(prefix="/api/callbacks", tags=["callbacks"])


class CallbackOut(Answer):
    """A promise to call back; `result` is how the latest try, or the whole promise, ended.

    `in_line`: the queue will dial it by itself when its turn comes.
    """

    id: int
    number: str
    call_id: str
    language: str
    queue: str
    state: str
    requested_at: str
    due_at: str
    attempts: int
    most_attempts: int
    agent_id: str | None
    agent_name: str | None
    taken_at: str | None
    closed_at: str | None
    result: str
    in_line: bool


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
        names = agent_names(session)
        return PageOf.of(page, [CallbackOut(**service.callback_json(session, actor, row, names)) for row in page.items])


@router.get("/{callback_id}", operation_id="get_callback")
def get_callback(callback_id: Id, actor: ActorDep, web: WebDep) -> CallbackOut:
    """One call-back."""
    with web.db.read() as session:
        return CallbackOut(**service.callback_json(session, actor, service.get(session, actor, callback_id)))


@router.post("/{callback_id}/take", operation_id="take_callback")
def take_callback(callback_id: Id, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Begin to call; 409 with the agent's name when another one has it."""
    return _out(web, actor, service.take(web.db, actor, callback_id))


@router.post("/{callback_id}/release", operation_id="release_callback")
def release_callback(callback_id: Id, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Put back what was taken and not called."""
    return _out(web, actor, service.release(web.db, actor, callback_id))


@router.post("/{callback_id}/reached", operation_id="reached_callback")
def reached_callback(callback_id: Id, actor: ActorDep, web: WebDep) -> CallbackOut:
    """The citizen was spoken with."""
    return _out(web, actor, service.reached(web.db, callback_id, by=actor))


@router.post("/{callback_id}/missed", operation_id="missed_callback")
def missed_callback(callback_id: Id, body: Why, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Nobody answered."""
    return _out(web, actor, service.missed(web.db, callback_id, body.why, by=actor))


@router.post("/{callback_id}/cancel", operation_id="cancel_callback")
def cancel_callback(callback_id: Id, body: Why, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Withdraw the promise."""
    return _out(web, actor, service.cancel(web.db, actor, callback_id, body.why))


@router.post("/{callback_id}/reopen", operation_id="reopen_callback")
def reopen_callback(callback_id: Id, actor: ActorDep, web: WebDep) -> CallbackOut:
    """Have one that was given up tried once more."""
    return _out(web, actor, service.reopen(web.db, actor, callback_id))


def _out(web: Web, actor: ActorDep, row: Callback) -> CallbackOut:
    with web.db.read() as session:
        return CallbackOut(**service.callback_json(session, actor, row))
