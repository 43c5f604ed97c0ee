"""REST: surge announcements."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from app.announcements import service
from app.announcements.tables import Announcement
from app.clock import iso, utc_now
from app.errors import BadInput
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, Id

router = APIRouter(prefix="/api/announcements", tags=["announcements"])


class AnnouncementIn(Body):
    """What callers are to hear, and when."""

    texts: dict[str, str] = Field(max_length=3)
    active_from: AwareDatetime
    active_until: AwareDatetime
    area: str = Field(default="", max_length=64)
    priority: int = Field(default=0, ge=-100, le=100)


class AnnouncementOut(Answer):
    """A surge announcement."""

    id: int
    texts: dict[str, str]
    prompt: str
    area: str
    priority: int
    active_from: str
    active_until: str
    active: bool


@router.get("", operation_id="list_announcements")
def list_announcements(actor: ActorDep, web: WebDep) -> list[AnnouncementOut]:
    """The latest announcements."""
    now = utc_now()
    with web.db.read() as session:
        return [_out(row, now) for row in service.list_all(session, actor)]


@router.post("", operation_id="create_announcement", status_code=201)
def create_announcement(body: AnnouncementIn, actor: ActorDep, web: WebDep) -> AnnouncementOut:
    """Announce something."""
    for name, moment in (("active_from", body.active_from), ("active_until", body.active_until)):
        if not 2000 <= moment.year <= 2200:
            raise BadInput(fields={name: "日期超出范围 (out of range)"})
    with web.db.session() as session:
        row = service.create(
            session,
            actor,
            body.texts,
            body.active_from,
            body.active_until,
            area=body.area,
            priority=body.priority,
        )
        return _out(row, utc_now())


@router.post("/{announcement_id}/end", operation_id="end_announcement")
def end_announcement(announcement_id: Id, actor: ActorDep, web: WebDep) -> AnnouncementOut:
    """Stop playing it now."""
    with web.db.session() as session:
        return _out(service.end(session, actor, announcement_id), utc_now())


def _out(row: Announcement, now: datetime) -> AnnouncementOut:
    return AnnouncementOut(
        id=row.id or 0,
        texts=dict(row.texts),
        prompt=row.prompt,
        area=row.area,
        priority=row.priority,
        active_from=iso(row.active_from) or "",
        active_until=iso(row.active_until) or "",
        active=row.active_from <= now < row.active_until,
    )
