"""Articles as a table: out as far as the asker may read them, in as drafts that somebody else reviews (K1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.bringing_in import bring_in
from app.clock import local_day, utc_now
from app.db import Database
from app.knowledge import finding, service
from app.knowledge.model import (
    LONGEST_LETTER,
    LONGEST_PHONE,
    LONGEST_QUESTION,
    LONGEST_TITLE,
    LONGEST_UNIT,
    Content,
    KnowledgeType,
    cleaned,
    date_faults,
    faults,
)
from app.knowledge.tables import KnowledgeArticle, KnowledgeVersion
from app.sheets import Column, Outcome

MOST_IN, MOST_OUT, MOST_CELL = 1_000, 10_000, 800
TYPES = {
    KnowledgeType.policy: "政策解答",
    KnowledgeType.guide: "办事指南",
    KnowledgeType.service: "公共服务",
    KnowledgeType.notice: "通知公告",
}


def _type(text: str) -> KnowledgeType:
    for kind, name in TYPES.items():
        if text in (kind.value, name):
            return kind
    raise ValueError("须为：" + "、".join(TYPES.values()) + " (one of these)")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace("，", "、").replace(",", "、").replace("；", "、").replace("\n", "、").split("、"))


COLUMNS = (
    Column("标题", "title", required=True, needed=True, most=LONGEST_TITLE),
    Column("市民怎么问", "question", most=LONGEST_QUESTION),
    Column("电话答复", "phone_answer", required=True, needed=True, most=LONGEST_PHONE),
    Column("书面答复", "letter_answer", most=LONGEST_LETTER),
    Column("关键词", "keywords", most=MOST_CELL, read=_words, empty=()),
    Column("适用区域", "areas", most=MOST_CELL, read=_words, empty=()),
    Column("类型", "type", required=True, needed=True, read=_type),
    Column("内部", "internal", read=sheets.yes, empty=False),
    Column("负责单位", "unit_name", most=LONGEST_UNIT),
    Column("复核日期", "review_on", read=sheets.day, empty=None),
    Column("有效期至", "expires_on", read=sheets.day, empty=None),
)


def export_articles(db: Database, actor: Actor) -> bytes:
    """What is in force, as the import reads it; what is internal only for those who may read that. Raises Forbidden.

    Read without a hand on the database, and written down once the audit knows of it.
    """
    actor.require(Permission.knowledge_read)
    article, version = KnowledgeArticle, KnowledgeVersion
    wanted = (
        select(version, col(article.review_on), col(article.expires_on))
        .join(article, col(article.current_id) == col(version.id))
        .where(col(version.state).in_(finding.FOUND))
        .order_by(col(article.id))
        .limit(MOST_OUT)
    )
    if not actor.may(Permission.knowledge_internal):
        wanted = wanted.where(col(version.internal).is_(False))
    with db.read() as session:
        rows = [_row(*found) for found in session.execute(wanted).all()]
    with db.session() as session:
        write(session, actor, Action.knowledge_exported, "knowledge", {"rows": len(rows)})
    return sheets.write([column.head for column in COLUMNS], rows)


def import_articles(
    db: Database, actor: Actor, data: bytes, zone: tzinfo, *, dry_run: bool, now: datetime | None = None
) -> Outcome:
    """A draft of every row whose title no article has had yet; what is known stays as it is.

    Written a few at a time, so that calls get their drafts meanwhile; the same table again takes up what is not in.
    Raises Forbidden, and Busy or StorageFull with how many are in.
    """
    actor.require(Permission.knowledge_write)
    now = now or utc_now()
    today = local_day(now, zone)
    sheet, outcome, new = sheets.read(data, COLUMNS, most_rows=MOST_IN), Outcome(), []
    with db.read() as session:
        known, seen = set(session.execute(select(col(KnowledgeVersion.title))).scalars()), set()
    for line in sheet.lines:
        title = line.values.get("title")
        if title in seen:
            sheet.fault(line.row, "title", "前面已有这个标题 (an earlier row has this title)")
        seen.add(title)
        if line.values.get("internal") and not actor.may(Permission.knowledge_internal):
            sheet.fault(line.row, "internal", "您不能写内部知识 (you may not write internal articles)")
        if len(line.values) < len(COLUMNS):
            continue
        content = cleaned(Content(**line.values))
        if content.title in known:
            outcome.unchanged += 1
            continue
        wrong = faults(content, today, complete=False)
        days = date_faults(content.review_on, content.expires_on, today)
        wrong |= {name: told for name, told in days.items() if line.values[name] is not None}
        for name, told in wrong.items():
            sheet.fault(line.row, name, told)
        new.append(content)
    outcome.faults = sheet.told
    if outcome.faults or dry_run:
        outcome.created = [content.title for content in new]
        return outcome
    outcome.created = bring_in(db, new, lambda session, some: _brought_in(session, actor, some, zone, now))
    outcome.unchanged += len(new) - len(outcome.created)
    outcome.written = True
    return outcome


def _brought_in(session: Session, actor: Actor, contents: Sequence[Content], zone: tzinfo, now: datetime) -> list[str]:
    """The titles of those that somebody else has not brought in meanwhile."""
    title = col(KnowledgeVersion.title)
    known = set(session.execute(select(title).where(title.in_([one.title for one in contents]))).scalars())
    new = [one for one in contents if one.title not in known]
    for content in new:
        service.create(session, actor, content, zone, now=now)
    if new:
        write(session, actor, Action.knowledge_imported, "knowledge", {"rows": len(new)}, now=now)
    return [one.title for one in new]


def _row(version: KnowledgeVersion, review_on: Any, expires_on: Any) -> list[str]:
    cells = service.content_of(version) | {"review_on": review_on, "expires_on": expires_on}
    return [_shown(cells[column.name]) for column in COLUMNS]


def _shown(value: Any) -> str:
    if isinstance(value, KnowledgeType):
        return TYPES[value]
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(value)
    return "" if value is None else str(value)
