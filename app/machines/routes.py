"""REST: accounts of outside systems, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, field_validator

from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, Id, countable
from app.machines import service
from app.machines.model import MOST_AGENTS, MOST_SOURCES, Scope

router = APIRouter(prefix="/api/machines", tags=["outside systems"])

Scopes = Annotated[list[Scope], Field(max_length=8)]
Staff = Annotated[list[Annotated[str, Field(pattern=r"^(\*|[0-9]{2,8})$")]], Field(max_length=MOST_AGENTS)]
Sources = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=MOST_SOURCES)]


class MachineIn(Body):
    """An outside system: what it may do, for which agents ("*" for all), from where (empty: anywhere), how long."""

    name: str = Field(max_length=64)
    scopes: Scopes
    agents: Staff = Field(default_factory=list)
    sources: Sources = Field(default_factory=list)
    expires_at: AwareDatetime

    @field_validator("expires_at")
    @classmethod
    def _countable(cls, moment: datetime) -> datetime:
        return countable(moment)


class MachinePatch(Body):
    """What is to change."""

    scopes: Scopes | None = None
    agents: Staff | None = None
    sources: Sources | None = None
    expires_at: AwareDatetime | None = None

    @field_validator("expires_at")
    @classmethod
    def _countable(cls, moment: datetime | None) -> datetime | None:
        return None if moment is None else countable(moment)


class MachineOut(Answer):
    """An account; `hint` is the end of its token."""

    id: int
    name: str
    hint: str
    scopes: list[str]
    agents: list[str]
    sources: list[str]
    expires_at: str
    created_at: str
    revoked_at: str | None
    last_used_at: str | None
    last_address: str


class NewMachineOut(MachineOut):
    """An account with the token, which is told this once."""

    token: str


@router.get("", operation_id="list_machines")
def list_machines(actor: ActorDep, web: WebDep) -> list[MachineOut]:
    """Every account."""
    with web.db.read() as session:
        return [MachineOut(**service.as_json(row)) for row in service.accounts(session, actor)]


@router.post("", operation_id="create_machine", status_code=201)
def create_machine(body: MachineIn, actor: ActorDep, web: WebDep) -> NewMachineOut:
    """Let an outside system in."""
    with web.db.session() as session:
        row, token = service.create(
            session,
            actor,
            body.name,
            body.scopes,
            agents=body.agents,
            sources=body.sources,
            expires_at=body.expires_at,
        )
        return NewMachineOut(**service.as_json(row), token=token)


@router.patch("/{machine_id}", operation_id="change_machine")
def change_machine(machine_id: Id, body: MachinePatch, actor: ActorDep, web: WebDep) -> MachineOut:
    """Change what it may do."""
    with web.db.session() as session:
        return MachineOut(**service.as_json(service.change(session, actor, machine_id, **body.model_dump())))


@router.post("/{machine_id}/token", operation_id="renew_machine_token")
def renew_machine_token(machine_id: Id, actor: ActorDep, web: WebDep) -> NewMachineOut:
    """Another token in place of the old one."""
    with web.db.session() as session:
        row, token = service.renew(session, actor, machine_id)
        return NewMachineOut(**service.as_json(row), token=token)


@router.post("/{machine_id}/revoke", operation_id="revoke_machine")
def revoke_machine(machine_id: Id, actor: ActorDep, web: WebDep) -> MachineOut:
    """Shut it out for ever."""
    with web.db.session() as session:
        return MachineOut(**service.as_json(service.revoke(session, actor, machine_id)))
