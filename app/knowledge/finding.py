"""Finding articles: what is kept in the index, what a search gives, and lists of those that need work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.db import loaded
from app.knowledge.model import FOUND as IN_FORCE
from app.knowledge.model import OPEN, WARNED, VersionState
from app.knowledge.parties import works
from app.knowledge.tables import KNOWLEDGE_INDEX, KnowledgeArticle, KnowledgeVersion
from app.paging import Leaf, Page, page_of
from app.search.index import Entry, Scope, index_of

SHOWN = 20
FOUND = [state.value for state in IN_FORCE]
INTERNAL = "internal"


class View(StrEnum):
    """Lists of articles for those who write and review."""

    own = "own"  # those of units, whatever their state: to a unit's people their own
    drafts = "drafts"
    vet = "vet"  # the leader of their unit has to look at them
    review = "review"  # somebody at the centre has to approve them, or send them back
    due = "due"  # to be looked at within WARNED, or over
    published = "published"
    withdrawn = "withdrawn"


@dataclass(frozen=True)
class Found:
    """An article that a search gave, with the version in force; `partly`: it has some of the words only."""

    article: KnowledgeArticle
    version: KnowledgeVersion
    partly: bool = False


def keep(session: Session, article: KnowledgeArticle, zone: tzinfo) -> None:
    """Bring the index in step with the article, in the transaction that changed it."""
    index, ident = index_of(KNOWLEDGE_INDEX, session), article.id or 0
    version = session.get(KnowledgeVersion, article.current_id) if article.current_id else None
    if version is None or version.state not in FOUND:
        index.remove(session, ident)
    else:
        index.put(session, entry_of(article, version, zone))


def entry_of(article: KnowledgeArticle, version: KnowledgeVersion, zone: tzinfo) -> Entry:
    """How an article is found: by its title, then what people ask and say, then the answers."""
    return Entry(
        subject_id=article.id or 0,
        texts=(
            version.title,
            "\n".join([version.question, *version.keywords]),
            "\n".join([version.phone_answer, version.letter_answer, version.unit_name, *version.areas]),
        ),
        audience=INTERNAL if version.internal else "",
        until=end_of(article.expires_on, zone),
        weight=article.used,
        moment=version.decided_at or version.written_at,
    )


def weigh(session: Session, article: KnowledgeArticle) -> None:
    """What is read to callers more often comes first among what fits equally well."""
    index_of(KNOWLEDGE_INDEX, session).weigh(session, article.id or 0, article.used)


def search(
    session: Session, actor: Actor, text: str, *, limit: int = SHOWN, now: datetime | None = None
) -> list[Found]:
    """Articles in force for what somebody types, the best first, expired ones last. Raises Forbidden."""
    actor.require(Permission.knowledge_read)
    audiences = ("", INTERNAL) if actor.may(Permission.knowledge_internal) else ("",)
    hits = index_of(KNOWLEDGE_INDEX, session).find(session, text, Scope(now or utc_now(), audiences), limit)
    rows = session.execute(_current().where(col(KnowledgeArticle.id).in_([hit.subject_id for hit in hits])))
    known = {article.id: (article, version) for article, version in rows}
    return [Found(*known[hit.subject_id], partly=hit.partly) for hit in hits if hit.subject_id in known]


def listed(
    session: Session,
    actor: Actor,
    view: View,
    zone: tzinfo,
    *,
    unit: int | None = None,
    leaf: Leaf | None = None,
    now: datetime | None = None,
) -> Page[Any]:
    """Pairs of articles (of that unit, if one is named) and the versions that a view is about: what waits longest, or
    is due first, comes first.

    Raises Forbidden: the lists of work are for those who write or review; a unit's people see their own.
    """
    actor.require(Permission.knowledge_read)
    statement = _view(view, local_day(now or utc_now(), zone))
    if view is not View.published and not works(actor):
        actor.require(Permission.knowledge_own)
        statement = statement.where(_of_own_units(actor))
    if unit is not None:
        statement = statement.where(col(KnowledgeArticle.owner_unit_id) == unit)
    if not actor.may(Permission.knowledge_internal):
        statement = statement.where(col(KnowledgeVersion.internal).is_(False))
    page = page_of(session, statement.with_only_columns(col(KnowledgeVersion.id)), leaf)
    versions = loaded(session, KnowledgeVersion, page.items)
    articles = loaded(session, KnowledgeArticle, [one.article_id for one in versions.values()])
    pairs = [(articles[versions[ident].article_id], versions[ident]) for ident in page.items]
    return Page(pairs, page.total, page.page, page.page_size)


def _of_own_units(actor: Actor) -> Any:
    """What may be listed to a unit's people: theirs, and nothing that was written for another."""
    owner, version = col(KnowledgeArticle.owner_unit_id), KnowledgeVersion
    written_here = or_(col(version.unit_id) == owner, col(version.state).not_in([state.value for state in OPEN]))
    return owner.in_(actor.unit_ids) & written_here


def _view(view: View, today: date) -> Select[Any]:
    version, article = KnowledgeVersion, KnowledgeArticle
    state, ident = col(version.state), col(version.id)
    match view:
        case View.own:
            return (
                _latest().where(col(article.owner_unit_id).is_not(None)).order_by(col(version.written_at).desc(), ident)
            )
        case View.vet:
            return _opened().where(state == VersionState.in_unit.value).order_by(col(version.submitted_at), ident)
        case View.drafts:
            return (
                _opened()
                .where(state == VersionState.draft.value)
                .order_by(col(version.written_at).desc(), ident.desc())
            )
        case View.review:
            return _opened().where(state == VersionState.in_review.value).order_by(col(version.submitted_at), ident)
        case View.withdrawn:
            return (
                _current().where(state == VersionState.withdrawn.value).order_by(col(version.decided_at).desc(), ident)
            )
        case View.published:
            return _current().where(state.in_(FOUND)).order_by(col(version.decided_at).desc(), ident)
        case View.due:
            review, expiry = col(article.review_on), col(article.expires_on)
            first = case((expiry < review, expiry), else_=func.coalesce(review, expiry))
            return _current().where(state.in_(FOUND), due_by(today + WARNED)).order_by(first, ident)


def due_by(day: date) -> Any:
    """Articles whose day comes until then."""
    return or_(col(KnowledgeArticle.review_on) <= day, col(KnowledgeArticle.expires_on) <= day)


def _current() -> Select[Any]:
    both: Any = select(KnowledgeArticle, KnowledgeVersion)
    joined: Select[Any] = both.join(KnowledgeVersion, col(KnowledgeArticle.current_id) == col(KnowledgeVersion.id))
    return joined


def _opened() -> Select[Any]:
    both: Any = select(KnowledgeArticle, KnowledgeVersion)
    joined: Select[Any] = both.join(KnowledgeVersion, col(KnowledgeArticle.open_id) == col(KnowledgeVersion.id))
    return joined


def _latest() -> Select[Any]:
    both: Any = select(KnowledgeArticle, KnowledgeVersion)
    newest = func.coalesce(col(KnowledgeArticle.open_id), col(KnowledgeArticle.current_id))
    joined: Select[Any] = both.join(KnowledgeVersion, newest == col(KnowledgeVersion.id))
    return joined


def end_of(day: date | None, zone: tzinfo) -> datetime | None:
    """The first moment after `day` where the hotline is."""
    if day is None:
        return None
    return datetime.combine(min(day, date(2199, 12, 31)) + timedelta(days=1), time.min, zone).astimezone(UTC)
