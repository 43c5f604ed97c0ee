"""The texts that a new hotline begins with, until its units have written their own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.reply_templates import service
from app.reply_templates.model import Content, Outcome, Use
from app.reply_templates.tables import ReplyTemplateVersion

FILE = Path(__file__).with_name("starter.yaml")


def contents() -> list[Content]:
    """The texts of the file that comes with the hotline."""
    return [_content(row) for row in yaml.safe_load(FILE.read_text(encoding="utf-8"))]


def load(session: Session, *, now: datetime | None = None) -> int:
    """Add every template of the centre whose name none has had yet; how many that were."""
    known = set(session.execute(select(col(ReplyTemplateVersion.title))).scalars())
    fresh = [one for one in contents() if one.title not in known]
    for content in fresh:
        service.create(session, SYSTEM, content, now=now)
    return len(fresh)


def _content(row: dict[str, Any]) -> Content:
    return Content(
        title=row["title"],
        use=Use(row["use"]),
        outcome=Outcome(row["outcome"]),
        parts=row["parts"],
        types=row.get("types", ()),
        keywords=row.get("keywords", ()),
    )
