"""What is read to callers, and whether it helped."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.clock import utc_now
from app.errors import Refused
from app.knowledge import finding
from app.knowledge.reading import in_force, seen
from app.knowledge.tables import KnowledgeArticle, KnowledgeUse
from app.text import clean


def read_out(
    session: Session,
    actor: Actor,
    article_id: int,
    *,
    call_id: str = "",
    helped: bool | None = None,
    now: datetime | None = None,
) -> KnowledgeArticle:
    """Somebody has read the article to the caller of `call_id` ("" for none), and may say whether it helped.

    Within a call it counts once; a later word on whether it helped replaces the earlier one. Raises Forbidden,
    NotFound, Refused for what is not in force.
    """
    actor.require(Permission.knowledge_use)
    article = seen(session, actor, article_id, lock=True)
    version = in_force(session, article)
    if version is None:
        raise Refused("这篇知识没有在用的版本。", "This article has no version in force.", code="wrong_state")
    call_id = clean(call_id, 64)
    use = _earlier(session, actor, article, call_id) if call_id else None
    if use is None:
        use = KnowledgeUse(
            article_id=article_id,
            version_id=version.id or 0,
            call_id=call_id,
            user_id=actor.user_id,
            at=now or utc_now(),
        )
        session.add(use)
        article.used += 1
    if helped is not None and helped != use.helped:
        _count(article, use.helped, -1)
        _count(article, helped, 1)
        use.helped = helped
    session.flush()
    finding.weigh(session, article)
    return article


def _earlier(session: Session, actor: Actor, article: KnowledgeArticle, call_id: str) -> KnowledgeUse | None:
    same = select(KnowledgeUse).where(
        col(KnowledgeUse.article_id) == article.id,
        col(KnowledgeUse.call_id) == call_id,
        col(KnowledgeUse.user_id) == actor.user_id,
    )
    return session.execute(same).scalars().first()


def _count(article: KnowledgeArticle, helped: bool | None, by: int) -> None:
    if helped is True:
        article.helped += by
    elif helped is False:
        article.not_helped += by
