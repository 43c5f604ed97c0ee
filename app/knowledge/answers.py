"""An article that is written for a search in vain: it closes it on the day on which it is published."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.db import found
from app.errors import Forbidden, NotFound, Refused
from app.knowledge import parties
from app.knowledge.model import GapRule, GapState, GapStep, Party, gap_rule
from app.knowledge.tables import KnowledgeArticle, KnowledgeGap


def locked(
    session: Session, actor: Actor, gap_id: int, step: GapStep
) -> tuple[KnowledgeGap, GapRule, frozenset[Party]]:
    """The search in vain, the rule of that step, and what the asker is to it.

    Raises Forbidden, NotFound (a unit's people know of no other's), Refused (somebody else's, or not in this state).
    """
    row = found(session, KnowledgeGap, gap_id, lock=True)
    mine = parties.of_gap(actor, row)
    if not mine & {Party.writer, Party.member}:
        raise NotFound() if parties.writes(actor) else Forbidden()
    rule = gap_rule(GapState(row.state), step)
    if not rule.by & mine:
        raise Forbidden()
    claimed_by_other = row.state == GapState.claimed and row.claimed_by != actor.user_id
    if claimed_by_other and Party.editor not in mine:
        raise Refused("已由别人认领。", "Somebody else has claimed it.", code="taken")
    return row, rule, mine


def begin(session: Session, actor: Actor, gap_id: int, article: KnowledgeArticle) -> None:
    """This draft is going to answer it. Raises Forbidden, NotFound, Refused."""
    row, _, _ = locked(session, actor, gap_id, GapStep.close)
    row.article_id = article.id
    session.flush()


def published(session: Session, actor: Actor, article: KnowledgeArticle, now: datetime) -> None:
    """Whatever was waiting for this article is answered."""
    waits = (col(KnowledgeGap.article_id) == article.id) & (col(KnowledgeGap.state) != GapState.closed.value)
    rows = session.execute(select(KnowledgeGap).where(waits).order_by(col(KnowledgeGap.id)).with_for_update()).scalars()
    for row in rows:
        row.state = gap_rule(GapState(row.state), GapStep.close).to.value
        row.closed_by, row.closed_at = actor.user_id, now
        detail = {"step": GapStep.close.value, "article": article.id}
        write(session, actor, Action.knowledge_gap, f"gap:{row.id}", detail, now=now)
