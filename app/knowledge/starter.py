"""The set of answers that a new hotline begins with, until its units have written their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.clock import local_day, utc_now
from app.knowledge import service
from app.knowledge.model import REVIEW_EVERY, Content, KnowledgeType, Step
from app.knowledge.tables import KnowledgeVersion

FILE = Path(__file__).with_name("starter.yaml")
NOTICE_LASTS = timedelta(days=365)


def contents(text: str) -> list[Content]:
    """The answers of such a file, without their days."""
    return [_content(row) for row in yaml.safe_load(text)]


def load(session: Session, zone: tzinfo, *, now: datetime | None = None) -> int:
    """Publish every answer whose title no article has had yet; how many that were.

    Each comes up for review after half a year: the figures in them are invented.
    """
    now = now or utc_now()
    today = local_day(now, zone)
    known = set(session.execute(select(col(KnowledgeVersion.title))).scalars())
    fresh = [one for one in contents(FILE.read_text(encoding="utf-8")) if one.title not in known]
    for content in fresh:
        article = service.create(session, SYSTEM, _dated(content, today), zone, now=now)
        for step in (Step.submit, Step.approve):
            service.take(session, SYSTEM, article.id or 0, step, 1, zone, now=now)
    return len(fresh)


def _content(row: dict[str, Any]) -> Content:
    return Content(
        title=row["title"],
        question=row["asked"],
        phone_answer=row["phone"],
        letter_answer=row["letter"],
        keywords=tuple(row["keywords"]),
        type=KnowledgeType(row["type"]),
        internal=row.get("internal", False),
        unit_name=row["unit"],
    )


def _dated(content: Content, today: date) -> Content:
    lasts = today + NOTICE_LASTS if content.type is KnowledgeType.notice else None
    return replace(content, review_on=today + REVIEW_EVERY, expires_on=lasts)
