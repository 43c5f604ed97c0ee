"""REST: citizens."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.auth.model import Permission
from app.citizens import service
from app.citizens.model import Flag
from app.errors import NotFound
from app.http.context import ActorDep, WebDep
from app.http.schema import Body, Id, Number, Version
from app.http.shapes import CitizenOut

router = APIRouter(prefix="/api/citizens", tags=["citizens"])


class CitizenPatch(Body):
    """What is to change; `version` when the editor wants to be told of others' edits."""

    version: Version | None = None
    name: str | None = Field(default=None, max_length=64)
    area: str | None = Field(default=None, max_length=64)
    address: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2000)
    language: Literal["zh", "yue", "en"] | None = None
    flags: list[Flag] | None = Field(default=None, max_length=4)
    numbers: list[str] | None = Field(default=None, max_length=20)


class NumberIn(Body):
    """A telephone number; in the body, so that it enters no address line and no log."""

    number: Number


@router.post("/lookup", operation_id="find_citizen")
def find_citizen(body: NumberIn, actor: ActorDep, web: WebDep) -> CitizenOut:
    """The citizen with this number. Confidential citizens are not found by those who may not see them."""
    actor.require(Permission.citizens_read)
    with web.db.read() as session:
        citizen = service.match(session, body.number)
        if citizen is None or not actor.sees_personal(confidential=citizen.confidential, owner=None):
            raise NotFound()
        return CitizenOut(**service.as_json(session, actor, citizen))


@router.get("/{citizen_id}", operation_id="get_citizen")
def get_citizen(citizen_id: Id, actor: ActorDep, web: WebDep) -> CitizenOut:
    """One citizen."""
    with web.db.read() as session:
        return CitizenOut(**service.as_json(session, actor, service.get(session, actor, citizen_id)))


@router.patch("/{citizen_id}", operation_id="change_citizen")
def change_citizen(citizen_id: Id, body: CitizenPatch, actor: ActorDep, web: WebDep) -> CitizenOut:
    """Change a citizen."""
    fields = {
        key: value
        for key, value in body.model_dump(exclude_unset=True, mode="json").items()
        if key != "version" and value is not None
    }
    with web.db.session() as session:
        citizen = service.change(session, actor, citizen_id, fields, body.version)
        return CitizenOut(**service.as_json(session, actor, citizen))
