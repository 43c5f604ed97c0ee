"""Surge announcements: who may make them, which are heard now (T14, 篇9 主动服务)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.announcements.tables import Announcement
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.citizens.model import LANGUAGES
from app.clock import utc_now
from app.errors import BadInput, NotFound
from app.text import clean

LONGEST_TEXT = 300  # about a minute of speech: callers wait behind it


def active(session: Session, at: datetime) -> list[Announcement]:
    """What callers hear at `at`, most urgent first."""
    now_on = (col(Announcement.active_from) <= at) & (col(Announcement.active_until) > at)
    order = (col(Announcement.priority).desc(), col(Announcement.id).desc())
    return list(session.execute(select(Announcement).where(now_on).order_by(*order)).scalars())


def text_for(announcement: Announcement, language: str) -> str:
    """The text in `language`, else in Mandarin; Cantonese speakers read the same characters."""
    texts = announcement.texts
    return texts.get(language) or texts.get("zh") or next(iter(texts.values()), "")


def list_all(session: Session, actor: Actor) -> list[Announcement]:
    """The latest hundred, newest first."""
    actor.require(Permission.wallboard_read)
    statement = select(Announcement).order_by(col(Announcement.id).desc()).limit(100)
    return list(session.execute(statement).scalars())


def create(
    session: Session,
    actor: Actor,
    texts: Mapping[str, str],
    active_from: datetime,
    active_until: datetime,
    *,
    area: str = "",
    priority: int = 0,
    now: datetime | None = None,
) -> Announcement:
    """A new announcement. Raises Forbidden, BadInput (fields texts, active_until)."""
    actor.require(Permission.announcements_write)
    now = now or utc_now()
    known = {lang: clean(text, LONGEST_TEXT + 1) for lang, text in texts.items() if lang in LANGUAGES and text.strip()}
    if "zh" not in known or any(len(text) > LONGEST_TEXT for text in known.values()) or texts.keys() - set(LANGUAGES):
        raise BadInput(fields={"texts": f"须有普通话内容,每种语言不超过 {LONGEST_TEXT} 字 (zh is required)"})
    if active_until <= active_from or active_until <= now:
        raise BadInput(fields={"active_until": "结束时间须晚于开始时间和现在 (must be later)"})
    row = Announcement(
        texts=known,
        area=clean(area, 64),
        priority=max(-100, min(priority, 100)),
        active_from=active_from,
        active_until=active_until,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    row.prompt = f"announcement_{row.id}"
    write(session, actor, Action.announcement_changed, f"announcement:{row.id}", {"created": True}, now=now)
    return row


def end(session: Session, actor: Actor, announcement_id: int, *, now: datetime | None = None) -> Announcement:
    """Stop playing it now; ending it again changes nothing. Raises Forbidden, NotFound."""
    actor.require(Permission.announcements_write)
    now = now or utc_now()
    row = session.get(Announcement, announcement_id)
    if row is None:
        raise NotFound()
    if row.active_until > now:
        row.active_until = now
        write(session, actor, Action.announcement_changed, f"announcement:{row.id}", {"ended": True}, now=now)
    return row
