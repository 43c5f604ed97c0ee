"""What was searched in vain (没找到), a list of work: by words, never by person; claimed or given to a unit, closed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import utc_now
from app.errors import BadInput, Forbidden, NotFound
from app.knowledge import answers, asking, owning, parties
from app.knowledge.model import LONGEST_NOTE, GapState, GapStep, Party, gap_rule
from app.knowledge.reading import seen
from app.knowledge.tables import KnowledgeGap
from app.paging import Leaf, Page, equal, page_of
from app.search.tokens import LONGEST_QUERY, impersonal, key_of
from app.text import clean

SHORTEST = 2  # one character is somebody who has not typed yet


def note(
    session: Session, actor: Actor, text: str, *, useless: bool = False, now: datetime | None = None
) -> KnowledgeGap | None:
    """A search that found nothing, or with `useless` nothing that helped; None if no words are left to be kept.

    Long numbers and addresses are dropped before anything is stored, and who searched is not stored at all. What was
    closed is opened again. Raises Forbidden.
    """
    actor.require(Permission.knowledge_use)
    now = now or utc_now()
    words = clean(impersonal(text), LONGEST_QUERY)
    key = key_of(words)
    if len(key) < SHORTEST:
        return None
    same = select(KnowledgeGap).where(col(KnowledgeGap.key) == key).with_for_update()
    if session.execute(same).first() is None:
        _add(session, key, words, now)
    row: KnowledgeGap = session.execute(same).scalars().one()
    if row.state == GapState.closed:  # it is the centre's again, whoever was to answer it
        row.article_id = row.unit_id = row.claimed_by = None
    row.state = gap_rule(GapState(row.state), GapStep.miss).to.value
    row.last_at = now
    if useless:
        row.useless += 1
    else:
        row.missed += 1
    session.flush()
    return row


def _add(session: Session, key: str, words: str, now: datetime) -> None:
    """A new line, unless another search for the same has just made it."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"key": key, "words": words, "state": GapState.open.value, "first_at": now, "last_at": now}
    none = {"missed": 0, "useless": 0, "note": ""}
    session.execute(insert(KnowledgeGap).values(**values, **none).on_conflict_do_nothing(index_elements=["key"]))


def listed(
    session: Session, actor: Actor, *, state: str = "", unit: int | None = None, leaf: Leaf | None = None
) -> Page[KnowledgeGap]:
    """What was searched in vain (and given to that unit, if one is named), the most often first; a unit's people see
    what their unit was given. Raises Forbidden."""
    if not parties.writes(actor):
        raise Forbidden()
    often = (col(KnowledgeGap.missed) + col(KnowledgeGap.useless)).desc()
    statement = equal(select(KnowledgeGap), {KnowledgeGap.state: state})
    if not actor.may(Permission.knowledge_write):
        statement = statement.where(col(KnowledgeGap.unit_id).in_(actor.unit_ids))
    if unit is not None:
        statement = statement.where(col(KnowledgeGap.unit_id) == unit)
    return page_of(session, statement.order_by(often, col(KnowledgeGap.last_at).desc(), col(KnowledgeGap.id)), leaf)


def take(
    session: Session,
    actor: Actor,
    gap_id: int,
    step: GapStep,
    *,
    article_id: int | None = None,
    unit_id: int | None = None,
    note: str = "",
    now: datetime | None = None,
) -> KnowledgeGap:
    """Claim it, put it back, give it to a unit, hand it back with a word why, or close it with the article that
    answers it (the centre also with a word why there will be none).

    Raises Forbidden, NotFound, Refused (somebody else's, or not in this state), BadInput (fields article_id, unit_id,
    note).
    """
    now, word = now or utc_now(), clean(note, LONGEST_NOTE)
    row, rule, mine = answers.locked(session, actor, gap_id, step)
    match step:
        case GapStep.claim:
            row.claimed_by = actor.user_id
        case GapStep.release:
            row.claimed_by = row.unit_id = None
        case GapStep.give:
            row.claimed_by, row.unit_id, row.note = None, owning.working(session, unit_id).id, word
            asking.tell_of_gap(session, row, now)
        case GapStep.hand_back:
            if not word:
                raise BadInput(fields={"note": "说明为什么不归本单位 (why it is not your unit's)"})
            row.unit_id, row.note = None, word
        case GapStep.close:
            _answered(session, actor, article_id, word if Party.writer in mine else "")
            row.article_id, row.note = article_id, word
            row.closed_by, row.closed_at = actor.user_id, now
    row.state = rule.to.value
    more = {"article": article_id, "unit": unit_id if step is GapStep.give else None}
    detail = {"step": step.value, **{name: value for name, value in more.items() if value}}
    write(session, actor, Action.knowledge_gap, f"gap:{row.id}", detail, now=now)
    session.flush()
    return row


def _answered(session: Session, actor: Actor, article_id: int | None, word: str) -> None:
    if article_id is None and not word:
        raise BadInput(fields={"article_id": "填写回答它的知识编号，或说明为什么不写 (which article, or why none)"})
    if article_id is not None:
        try:
            seen(session, actor, article_id)
        except NotFound as error:
            raise BadInput(fields={"article_id": "没有这篇知识 (no such article)"}) from error
