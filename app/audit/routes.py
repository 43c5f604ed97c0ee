"""REST: the audit and the open alarms."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.alarms.service import open_alarms
from app.audit import service
from app.audit.model import Action
from app.auth.model import Permission
from app.clock import iso
from app.http.context import ActorDep, LeafDep, WebDep
from app.http.schema import Answer, PageOf, Word
from app.paging import day_range

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


@router.get("/audit", operation_id="list_audit")
def list_audit(
    who: ActorDep,
    web: WebDep,
    leaf: LeafDep,
    actor: Word = "",
    action: Action | None = None,
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: date | None = None,
) -> PageOf[AuditOut]:
    """The audit, newest first."""
    since, until = day_range(from_, to, web.settings.zone)
    with web.db.read() as session:
        page = service.entries(session, who, who=actor, action=action or "", since=since, until=until, leaf=leaf)
    items = [
        AuditOut(
            id=row.id or 0,
            at=iso(row.at) or "",
            actor=row.actor,
            actor_name=row.actor_name,
            ip=row.address,
            action=row.action,
            object=row.object,
            detail=dict(row.detail),
        )
        for row in page.items
    ]
    return PageOf(items=items, total=page.total, page=page.page, page_size=page.page_size)


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
