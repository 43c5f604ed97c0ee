"""What somebody is to an article, a search in vain, a reply template: the right side of the tables in
`app.knowledge.model` and `app.reply_templates.model`."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.knowledge.model import Party
from app.knowledge.tables import KnowledgeArticle, KnowledgeGap
from app.units.model import MemberRole
from app.units.tables import UnitMember


def of_article(session: Session, actor: Actor, article: KnowledgeArticle) -> frozenset[Party]:
    """What the asker is to this article."""
    found = of_owner(actor, article.owner_unit_id)
    leads = Party.member in found and actor.may(Permission.knowledge_lead)
    return found | {Party.leader} if leads and _leads(session, actor, article.owner_unit_id or 0) else found


def of_gap(actor: Actor, gap: KnowledgeGap) -> frozenset[Party]:
    """What the asker is to this search in vain, which nobody's leader has to pass."""
    return of_owner(actor, gap.unit_id)


def works(actor: Actor) -> bool:
    """Whether somebody writes or reviews for the centre, and sees what nobody else sees yet."""
    return actor.may(Permission.knowledge_write) or actor.may(Permission.knowledge_review)


def writes(actor: Actor) -> bool:
    """Whether somebody writes articles at all, for the centre or for a unit."""
    return actor.may(Permission.knowledge_write) or actor.may(Permission.knowledge_own)


def belongs(actor: Actor, unit_id: int | None) -> bool:
    """Whether the asker works in the unit that this belongs to, and writes for it."""
    return unit_id is not None and unit_id in actor.unit_ids and actor.may(Permission.knowledge_own)


def of_owner(actor: Actor, unit_id: int | None) -> frozenset[Party]:
    """What the asker is to whatever belongs to that unit, or to the centre (None), as far as no leader is asked for."""
    if actor.is_system:
        return frozenset(Party)
    found = set()
    if actor.may(Permission.knowledge_write):
        found.add(Party.writer)
    if actor.may(Permission.knowledge_review):
        found.add(Party.editor)
    if belongs(actor, unit_id):
        found.add(Party.member)
    return frozenset(found)


def sees_names(actor: Actor, unit_id: int | None) -> bool:
    """Whether the asker learns who wrote what belongs there: the centre's people, and those of its unit."""
    return actor.may(Permission.knowledge_internal) or belongs(actor, unit_id)


def _leads(session: Session, actor: Actor, unit_id: int) -> bool:
    now = select(col(UnitMember.id)).where(
        col(UnitMember.user_id) == actor.user_id,
        col(UnitMember.unit_id) == unit_id,
        col(UnitMember.role) == MemberRole.leader.value,
        col(UnitMember.until).is_(None),
    )
    return session.execute(now).first() is not None
