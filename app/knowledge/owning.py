"""Whose an article is: a unit's, whose people then write it, or the centre's."""

from __future__ import annotations

from sqlmodel import Session

from app.actor import Actor
from app.auth.model import Permission
from app.errors import BadInput, Forbidden, Refused
from app.knowledge.model import VersionState
from app.knowledge.tables import KnowledgeArticle, KnowledgeVersion
from app.units.model import UnitKind
from app.units.tables import Unit


def owner_for(session: Session, actor: Actor, unit_id: int | None) -> Unit | None:
    """The unit of a new article: any for the centre's writers, their own for a unit's people (who need not name it if
    there is one only). Raises Forbidden, BadInput (field unit_id)."""
    if actor.may(Permission.knowledge_write):
        return working(session, unit_id) if unit_id is not None else None
    actor.require(Permission.knowledge_own)
    if not actor.unit_ids:
        raise Forbidden()
    if unit_id is None and len(actor.unit_ids) == 1:
        (unit_id,) = actor.unit_ids
    if unit_id not in actor.unit_ids:
        raise BadInput(fields={"unit_id": "选择自己所在的单位 (a unit that you work in)"})
    return session.get_one(Unit, unit_id)


def working(session: Session, unit_id: int | None) -> Unit:
    """The unit, if articles and questions can be given to it. Raises BadInput (field unit_id)."""
    unit = session.get(Unit, unit_id) if unit_id is not None else None
    if unit is None or not unit.active or unit.kind == UnitKind.centre.value:
        raise BadInput(fields={"unit_id": "选择一个在用的承办单位 (a working unit)"})
    return unit


def change(session: Session, actor: Actor, article: KnowledgeArticle, unit_id: int | None) -> Unit | None:
    """From now on it is that unit's, or the centre's; what is being written goes along.

    Raises Forbidden, BadInput (field unit_id), Refused while somebody has it for review.
    """
    actor.require(Permission.knowledge_write)
    unit = working(session, unit_id) if unit_id is not None else None
    current = session.get(KnowledgeVersion, article.current_id) if article.current_id else None
    draft = session.get(KnowledgeVersion, article.open_id) if article.open_id else None
    if draft is not None and draft.state != VersionState.draft.value:
        raise Refused(
            "正在审核，先撤回或退回，再改归属单位。",
            "It is under review: take it back before it goes to another unit.",
            code="wrong_state",
        )
    if unit is not None and any(one is not None and one.internal for one in (current, draft)):
        raise BadInput(fields={"unit_id": "仅供中心内部的知识不能归单位 (what is internal can't be a unit's)"})
    article.owner_unit_id = unit_id
    if draft is not None:
        draft.unit_id, draft.unit_name = unit_id, unit.short_name if unit is not None else ""
    session.flush()
    return unit
