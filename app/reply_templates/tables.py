"""Reply templates and their versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.reply_templates.model import LONGEST_NOTE, LONGEST_TITLE


class ReplyTemplate(SQLModel, table=True):
    """A template of the unit `owner_unit_id`, or of the centre (None); `version` is the number of the wording that is
    offered. `reason`, `changed_by`, `changed_at`: why, by whom and when it was retired, or taken up again."""

    __tablename__ = "reply_template"

    id: int | None = Field(default=None, primary_key=True)
    owner_unit_id: int | None = Field(default=None, foreign_key="unit.id", index=True)
    use: str = Field(max_length=16)
    state: str = Field(max_length=16)
    version: int = 1
    reason: str = Field(default="", max_length=LONGEST_NOTE)
    changed_by: int | None = None
    changed_at: datetime = Field(sa_type=UTCDateTime)


class ReplyTemplateVersion(SQLModel, table=True):
    """One wording. The database refuses to change or delete it: replies name the version that they were made of."""

    __tablename__ = "reply_template_version"
    __table_args__ = (UniqueConstraint("template_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    template_id: int = Field(foreign_key="reply_template.id")
    number: int
    title: str = Field(max_length=LONGEST_TITLE)
    outcome: str = Field(max_length=16)
    types: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    keywords: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    parts: dict[str, str] = Field(default_factory=dict, sa_column=Column(json_type(), nullable=False))
    note: str = Field(default="", max_length=LONGEST_NOTE)
    written_by: int | None = None
    written_at: datetime = Field(sa_type=UTCDateTime)
