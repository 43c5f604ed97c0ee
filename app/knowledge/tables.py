"""Articles, their versions, how they served, and what was searched in vain."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db import UTCDateTime, json_type
from app.knowledge.model import (
    LONGEST_LETTER,
    LONGEST_NOTE,
    LONGEST_PHONE,
    LONGEST_QUESTION,
    LONGEST_REASON,
    LONGEST_TITLE,
    LONGEST_UNIT,
)
from app.search.tables import search_table
from app.search.tokens import LONGEST_QUERY

KNOWLEDGE_INDEX = search_table("knowledge_index")


class KnowledgeArticle(SQLModel, table=True):
    """One answer, of the unit `owner_unit_id` or of the centre (None). `current_id` is the version that is, or was
    last, in force; `open_id` the one that is worked on."""

    __tablename__ = "knowledge_article"

    id: int | None = Field(default=None, primary_key=True)
    current_id: int | None = None
    open_id: int | None = None
    owner_unit_id: int | None = Field(default=None, index=True)
    review_on: date | None = Field(default=None, index=True)
    expires_on: date | None = Field(default=None, index=True)
    used: int = 0
    helped: int = 0
    not_helped: int = 0
    created_by: int | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)


class KnowledgeVersion(SQLModel, table=True):
    """One wording. The database refuses changes of its texts once it has left the draft, and deletion always.

    `revision` counts the edits of the draft.
    """

    __tablename__ = "knowledge_version"
    __table_args__ = (UniqueConstraint("article_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="knowledge_article.id")
    number: int
    state: str = Field(max_length=16, index=True)
    revision: int = 1
    title: str = Field(max_length=LONGEST_TITLE)
    question: str = Field(default="", max_length=LONGEST_QUESTION)
    phone_answer: str = Field(default="", max_length=LONGEST_PHONE)
    letter_answer: str = Field(default="", max_length=LONGEST_LETTER)
    keywords: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    areas: list[str] = Field(default_factory=list, sa_column=Column(json_type(), nullable=False))
    type: str = Field(max_length=16)
    internal: bool = False
    unit_id: int | None = None
    unit_name: str = Field(default="", max_length=LONGEST_UNIT)
    review_on: date | None = None
    expires_on: date | None = None
    written_by: int | None = None
    written_at: datetime = Field(sa_type=UTCDateTime)
    submitted_by: int | None = None
    submitted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    vetted_by: int | None = None  # the leader of its unit who passed it
    vetted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    decided_by: int | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str = Field(default="", max_length=LONGEST_REASON)


class KnowledgeByPhone(SQLModel, table=True):
    """How callers come to an article that is not simply in Mandarin: its language, the article that it translates (or
    itself), and whether it is read out at all. An article without a row is an original in Mandarin, and is."""

    __tablename__ = "knowledge_by_phone"
    __table_args__ = (UniqueConstraint("original_id", "language"),)

    article_id: int = Field(primary_key=True, foreign_key="knowledge_article.id")
    original_id: int = Field(foreign_key="knowledge_article.id")
    language: str = Field(default="zh", max_length=3)
    spoken: bool = True


class KnowledgeUse(SQLModel, table=True):
    """An agent has read it to a caller; `helped` is what they say of it, None while they say nothing."""

    __tablename__ = "knowledge_use"

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="knowledge_article.id", index=True)
    version_id: int
    call_id: str = Field(default="", max_length=64)
    user_id: int | None = None
    at: datetime = Field(sa_type=UTCDateTime)
    helped: bool | None = None


class KnowledgeGap(SQLModel, table=True):
    """What was searched in vain, however often: `missed` found nothing, `useless` found nothing that helped.

    `words` never hold long numbers; `key` is their normalised form, by which searches are counted together. `unit_id`
    is the unit that has to answer it; `article_id` what answers it, or will as soon as it is published.
    """

    __tablename__ = "knowledge_gap"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=LONGEST_QUERY, unique=True)
    words: str = Field(max_length=LONGEST_QUERY)
    missed: int = 0
    useless: int = 0
    state: str = Field(max_length=16, index=True)
    first_at: datetime = Field(sa_type=UTCDateTime)
    last_at: datetime = Field(sa_type=UTCDateTime)
    claimed_by: int | None = None
    unit_id: int | None = Field(default=None, index=True)
    closed_by: int | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    article_id: int | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)
