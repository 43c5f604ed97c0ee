"""Who may read which article, and which of its versions."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.db import found
from app.errors import NotFound
from app.knowledge import parties
from app.knowledge.model import FOUND, OPEN, VersionState
from app.knowledge.parties import belongs, works
from app.knowledge.tables import KnowledgeArticle, KnowledgeVersion


def seen(session: Session, actor: Actor, article_id: int, *, lock: bool = False) -> KnowledgeArticle:
    """The article, if the asker may know of it. Raises Forbidden, NotFound."""
    actor.require(Permission.knowledge_read)
    article = found(session, KnowledgeArticle, article_id, lock=lock)
    shown = session.get(KnowledgeVersion, article.current_id or article.open_id or 0)
    if shown is None:
        of_it = col(KnowledgeVersion.article_id) == article.id
        newest = select(KnowledgeVersion).where(of_it).order_by(col(KnowledgeVersion.number).desc())
        shown = session.execute(newest).scalars().first()
    if shown is None or not may_read(actor, article, shown):
        raise NotFound()
    return article


def versions(session: Session, actor: Actor, article: KnowledgeArticle) -> list[KnowledgeVersion]:
    """The versions that the asker may read, the newest first."""
    of_it = col(KnowledgeVersion.article_id) == article.id
    rows = session.execute(
        select(KnowledgeVersion).where(of_it).order_by(col(KnowledgeVersion.number).desc())
    ).scalars()
    return [row for row in rows if may_read(actor, article, row)]


def in_force(session: Session, article: KnowledgeArticle) -> KnowledgeVersion | None:
    """The version that may be read to callers (an expired one is, as expired); None if there is none."""
    version = session.get(KnowledgeVersion, article.current_id) if article.current_id else None
    return version if version is not None and VersionState(version.state) in FOUND else None


def may_read(actor: Actor, article: KnowledgeArticle, version: KnowledgeVersion) -> bool:
    """Drafts are for those who write or review, at the centre or in the unit that they were written for; whoever is
    not of the centre reads nothing internal, and of what is not their unit's only what is in force."""
    if version.internal and not actor.may(Permission.knowledge_internal):
        return False
    if works(actor):
        return True
    own, state = belongs(actor, article.owner_unit_id), VersionState(version.state)
    if state in (*OPEN, VersionState.discarded):
        return own and version.unit_id == article.owner_unit_id
    return own or actor.may(Permission.knowledge_internal) or (version.id == article.current_id and state in FOUND)


def sees_names(actor: Actor, article: KnowledgeArticle) -> bool:
    """Whether the asker learns who wrote and approved it: the centre's people, and those of its unit."""
    return parties.sees_names(actor, article.owner_unit_id)


def is_own(actor: Actor, version: KnowledgeVersion) -> bool:
    """Whether the asker wrote or submitted it, or passed it as the leader of its unit."""
    return not actor.is_system and actor.user_id in (version.written_by, version.submitted_by, version.vetted_by)
