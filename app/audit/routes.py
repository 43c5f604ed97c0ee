"""REST: the audit and the open alarms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.actor import Actor
from app.alarms.service import open_alarms
from app.audit import service
from app.audit.model import Action
from app.audit.tables import AuditEntry
from app.auth.model import Permission
from app.clock import iso
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, DatedListing, PageOf, Word

router = APIRouter(prefix="/api", tags=["audit"])


class AuditOut(Answer):
    """Who did what."""

    id: int
    at: str
    actor: str
    actor_name: str
    ip: str
    action: str
    object: str
    detail: dict[str, Any]


class AlarmOut(Answer):
    """What needs a person now."""

    id: int
    code: str
    detail: dict[str, Any]
    raised_at: str
    last_at: str
    times: int


class AuditFilter(DatedListing):
    """Which entries."""

    action: Action | None = None


class AuditSearch(AuditFilter):
    """Which entries, also by the account of whoever acted."""

    who: Word = ""


@router.get("/audit", operation_id="list_audit")
def list_audit(actor: ActorDep, web: WebDep, filters: Annotated[AuditFilter, Query()]) -> PageOf[AuditOut]:
    """The audit, newest first."""
    return _listed(actor, web, filters)


@router.post("/audit/search", operation_id="search_audit")
def search_audit(body: AuditSearch, actor: ActorDep, web: WebDep) -> PageOf[AuditOut]:
    """The audit, newest first, also by who acted."""
    return _listed(actor, web, body)


def _listed(actor: Actor, web: Web, filters: AuditFilter) -> PageOf[AuditOut]:
    with web.db.read() as session:
        page = service.entries(session, actor, web.settings.zone, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [_entry(row) for row in page.items])


def _entry(row: AuditEntry) -> AuditOut:
    return AuditOut(
        id=row.id or 0,
        at=iso(row.at) or "",
        actor=row.actor,
        actor_name=row.actor_name,
        ip=row.address,
        action=row.action,
        object=row.object,
        detail=dict(row.detail),
    )


@router.get("/alarms", operation_id="list_alarms")
def list_alarms(who: ActorDep, web: WebDep) -> list[AlarmOut]:
    """What needs a person now, oldest first."""
    who.require(Permission.system_read)
    with web.db.read() as session:
        return [
            AlarmOut(
                id=row.id or 0,
                code=row.code,
                detail=dict(row.detail),
                raised_at=iso(row.raised_at) or "",
                last_at=iso(row.last_at) or "",
                times=row.times,
            )
            for row in open_alarms(session)
        ]
