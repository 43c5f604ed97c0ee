"""A unit is asked: to look at an answer that is due, to pass a draft, to answer what was searched in vain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, tzinfo

from sqlalchemy import select
from sqlmodel import Session, col

from app.clock import local_day
from app.db import Database
from app.knowledge import finding
from app.knowledge.model import WARNED, due_on
from app.knowledge.tables import KnowledgeArticle, KnowledgeGap, KnowledgeVersion
from app.notices.model import NoticeKind
from app.notices.units import LEADERS, Word, tell_unit, untold

AT_ONCE = 20  # in one transaction: on SQLite nobody else writes meanwhile


def ask_units(db: Database, zone: tzinfo, now: datetime) -> int:
    """Whoever works in the unit of an article that is due for a look, or late, is told so once for each such day."""
    with db.read() as session:
        words = [word for word in _due(session, local_day(now, zone), zone) if untold(session, word)]
    told = 0
    for start in range(0, len(words), AT_ONCE):
        with db.session() as session:
            told += sum(len(tell_unit(session, word, now)) for word in words[start : start + AT_ONCE])
    return told


def tell_leaders(
    session: Session, article: KnowledgeArticle, version: KnowledgeVersion, now: datetime, *, but: int | None
) -> None:
    """A draft waits for the leader of its unit."""
    key = f"vet:{version.id}:{version.revision}:{now:%Y%m%d%H%M%S}"
    kind = NoticeKind.article_to_vet
    word = Word(article.owner_unit_id or 0, kind, key, title=version.title, article_id=article.id, roles=LEADERS)
    tell_unit(session, word, now, but=but)


def tell_of_gap(session: Session, gap: KnowledgeGap, now: datetime) -> None:
    """A unit has to answer it. What was searched for stands in its list only: it may hold a name."""
    tell_unit(session, Word(gap.unit_id or 0, NoticeKind.gap_given, f"gap:{gap.id}:{now:%Y%m%d%H%M%S}"), now)


def _due(session: Session, today: date, zone: tzinfo) -> Iterator[Word]:
    statement = (
        select(KnowledgeArticle, KnowledgeVersion)
        .join(KnowledgeVersion, col(KnowledgeArticle.current_id) == col(KnowledgeVersion.id))
        .where(
            col(KnowledgeVersion.state).in_(finding.FOUND),
            col(KnowledgeArticle.owner_unit_id).is_not(None),
            finding.due_by(today + WARNED),
        )
        .order_by(col(KnowledgeArticle.id))
    )
    for article, version in session.execute(statement):
        day = due_on(article.review_on, article.expires_on)
        late = day is not None and day < today
        kind = NoticeKind.article_late if late else NoticeKind.article_due
        key = f"know:{article.id}:{day}:{'late' if late else 'due'}"
        yield Word(
            article.owner_unit_id,
            kind,
            key,
            title=version.title,
            article_id=article.id,
            due_at=finding.end_of(day, zone),
        )
