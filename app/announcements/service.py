"""Surge announcements: who may make and change them, which are heard now (T14, 篇9 主动服务)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.announcements import counting
from app.announcements.counting import Sum
from app.announcements.model import (
    MOST_HEARD,
    SHIPPED_VOICES,
    AnnouncementState,
    Voice,
    cleaned,
    faults,
    said_in,
    state_of,
)
from app.announcements.tables import Announcement
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.service import display_names
from app.clock import iso, utc_now
from app.db import found
from app.errors import BadInput, Refused, VersionConflict
from app.text import clean

SHOWN_PAST = 100


def active(session: Session, at: datetime) -> list[Announcement]:
    """What callers hear at `at`, most urgent first."""
    now_on = (col(Announcement.active_from) <= at) & (col(Announcement.active_until) > at)
    order = (col(Announcement.priority).desc(), col(Announcement.id).desc())
    return list(session.execute(select(Announcement).where(now_on).order_by(*order)).scalars())


def text_for(announcement: Announcement, language: str, voices: Sequence[Voice] = SHIPPED_VOICES) -> str:
    """The text for callers of `language`; "" if there is none that they would understand."""
    voice = next((one for one in voices if one.language == language), Voice(language))
    return said_in(announcement.texts, voice)


def note_listened(session: Session, actor: Actor, language: str, text: str, *, now: datetime | None = None) -> None:
    """Somebody has a text spoken before anybody else hears it. Raises Forbidden."""
    actor.require(Permission.announcements_write)
    detail = {"language": language, "characters": len(text)}
    write(session, actor, Action.announcement_tried, "announcement", detail, now=now or utc_now())


def list_all(session: Session, actor: Actor, *, state: str = "", now: datetime | None = None) -> list[Announcement]:
    """What is on (most urgent first), what is coming (soonest first), the latest of what is past. Raises Forbidden."""
    actor.require(Permission.wallboard_read)
    now = now or utc_now()
    begins, ends = col(Announcement.active_from), col(Announcement.active_until)
    coming = select(Announcement).where(begins > now, ends > now).order_by(begins, col(Announcement.id))
    past = select(Announcement).where(ends <= now).order_by(ends.desc(), col(Announcement.id).desc()).limit(SHOWN_PAST)
    rows: list[Announcement] = []
    if state in ("", AnnouncementState.active):
        rows += active(session, now)
    if state in ("", AnnouncementState.coming):
        rows += session.execute(coming).scalars()
    if state in ("", AnnouncementState.past):
        rows += session.execute(past).scalars()
    return rows


def create(
    session: Session,
    actor: Actor,
    texts: Mapping[str, str],
    active_from: datetime,
    active_until: datetime,
    *,
    area: str = "",
    priority: int = 0,
    voices: Sequence[Voice] = SHIPPED_VOICES,
    now: datetime | None = None,
) -> Announcement:
    """A new announcement. Raises Forbidden, BadInput (fields texts, active_until)."""
    actor.require(Permission.announcements_write)
    now = now or utc_now()
    wanted = _checked(texts, active_from, active_until, area, priority, voices, now)
    row = Announcement(**wanted, created_by=actor.user_id, created_at=now)
    session.add(row)
    session.flush()
    row.prompt = f"announcement_{row.id}"
    write(session, actor, Action.announcement_changed, f"announcement:{row.id}", {"created": True}, now=now)
    return row


def change(
    session: Session,
    actor: Actor,
    announcement_id: int,
    version: int,
    texts: Mapping[str, str],
    active_from: datetime,
    active_until: datetime,
    *,
    area: str = "",
    priority: int = 0,
    voices: Sequence[Voice] = SHIPPED_VOICES,
    now: datetime | None = None,
) -> Announcement:
    """Change the version that the editor saw; what was changed from what to what is audited.

    Raises Forbidden, NotFound, VersionConflict (with what is stored and by whom), Refused for one that is past,
    BadInput.
    """
    actor.require(Permission.announcements_write)
    now = now or utc_now()
    row = found(session, Announcement, announcement_id, lock=True)
    if version != row.version:
        current = as_json(session, row, now=now)
        raise VersionConflict(
            "这条播报刚被他人修改,请核对最新内容后再保存。",
            "Somebody else has just changed this announcement. Compare with what is stored and save again.",
            current=current,
            extra={"changed_by": current["updated_by_name"]},
        )
    if state_of(row.active_from, row.active_until, now) is AnnouncementState.past:
        raise Refused("这条播报已结束,可复制为新的播报。", "This announcement is over: copy it.", code="wrong_state")
    wanted = _checked(texts, active_from, active_until, area, priority, voices, now)
    changed = {name: {"from": _told(getattr(row, name)), "to": _told(value)} for name, value in wanted.items()}
    changed = {name: pair for name, pair in changed.items() if pair["from"] != pair["to"]}
    if not changed:
        return row
    for name, value in wanted.items():
        setattr(row, name, value)
    _touch(session, actor, row, {"fields": changed}, now)
    return row


def end(session: Session, actor: Actor, announcement_id: int, *, now: datetime | None = None) -> Announcement:
    """Stop playing it now; ending it again changes nothing. Raises Forbidden, NotFound."""
    actor.require(Permission.announcements_write)
    now = now or utc_now()
    row = found(session, Announcement, announcement_id, lock=True)
    if row.active_until > now:
        row.active_until = now
        _touch(session, actor, row, {"ended": True}, now)
    return row


def as_json(
    session: Session,
    row: Announcement,
    *,
    now: datetime,
    heard: Collection[int] | None = None,
    sums: Mapping[int, Sum] | None = None,
) -> dict[str, Any]:
    """One announcement as pages read it; `heard` are the ids of those that callers hear, `sums` what became of the
    callers (both asked for when not given)."""
    if sums is None:
        sums = counting.sums(session, [row.id or 0])
    names = display_names(session, {row.created_by, row.updated_by})
    state = state_of(row.active_from, row.active_until, now)
    return {
        "id": row.id,
        "texts": dict(row.texts),
        "prompt": row.prompt,
        "area": row.area,
        "priority": row.priority,
        "active_from": iso(row.active_from),
        "active_until": iso(row.active_until),
        "state": state.value,
        "active": state is AnnouncementState.active,
        "heard": (row.id or 0) in (heard_now(session, now) if heard is None else heard),
        "callers": sums.get(row.id or 0, Sum()).as_json(),
        "version": row.version,
        "created_at": iso(row.created_at),
        "created_by_name": names.get(row.created_by or 0),
        "updated_at": iso(row.updated_at),
        "updated_by_name": names.get(row.updated_by or 0),
    }


def heard_now(session: Session, now: datetime) -> list[int]:
    """The ids of the announcements that callers who speak Mandarin hear."""
    return [row.id or 0 for row in active(session, now)[:MOST_HEARD]]


def _checked(
    texts: Mapping[str, str],
    active_from: datetime,
    active_until: datetime,
    area: str,
    priority: int,
    voices: Sequence[Voice],
    now: datetime,
) -> dict[str, Any]:
    """The columns that are written. Raises BadInput."""
    kept = cleaned(texts)
    if wrong := faults(kept, active_from, active_until, now, voices):
        raise BadInput(fields=wrong)
    return {
        "texts": kept,
        "area": clean(area, 64),
        "priority": max(-100, min(priority, 100)),
        "active_from": active_from,
        "active_until": active_until,
    }


def _touch(session: Session, actor: Actor, row: Announcement, detail: Mapping[str, Any], now: datetime) -> None:
    row.version += 1
    row.updated_by, row.updated_at = actor.user_id, now
    write(session, actor, Action.announcement_changed, f"announcement:{row.id}", detail, now=now)


def _told(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value
