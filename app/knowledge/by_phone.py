"""Articles as callers hear them: by a short public number, by topic, and in which language (T3).

Every published article that is for everybody has a number without anybody giving it one. A translation is an article of
its own, written and reviewed like any other, that bears the number of the one that it translates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import utc_now
from app.errors import BadInput
from app.knowledge.model import VersionState
from app.knowledge.reading import seen
from app.knowledge.tables import KnowledgeArticle, KnowledgeByPhone, KnowledgeVersion

FIRST = 100
"""Numbers have three digits at least: nobody hears those of one digit as a choice of a menu."""
MOST_TITLES = 50
DEFAULT = "zh"
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class Spoken:
    """An article that callers may hear. `version` counts its wordings."""

    code: str
    language: str
    title: str
    phone: str
    letter: str
    version: int


@dataclass(frozen=True)
class ByPhone:
    """How callers come to an article; `original_id` is itself, or what it translates."""

    code: str
    language: str
    original_id: int
    spoken: bool


def code_of(article_id: int) -> str:
    """The public number of an original."""
    return str(FIRST + article_id)


def titles(session: Session, topic: str, languages: Sequence[str], today: date) -> list[Spoken]:
    """What may be heard of a topic in one of these languages (the best first): what is asked for most comes first."""
    found: dict[str, Spoken] = {}
    rows = session.execute(
        _heard(today)
        .where(col(KnowledgeVersion.type) == topic)
        .order_by(col(KnowledgeArticle.used).desc(), col(KnowledgeArticle.id))
    )
    for one in (_spoken(*row) for row in rows):
        if one.language not in languages:
            continue
        before = found.get(one.code)
        if before is None or languages.index(one.language) < languages.index(before.language):
            found[one.code] = one
    return list(found.values())[:MOST_TITLES]


def answer(session: Session, code: str, languages: Sequence[str], today: date) -> Spoken | None:
    """What may be heard under that number: in the first of these languages in which there is something, else in another
    (the original's, if it is in force)."""
    if not re.fullmatch(r"[0-9]{3,6}", code) or int(code) <= FIRST:
        return None
    original = int(code) - FIRST
    of_it = or_(
        (col(KnowledgeArticle.id) == original) & col(KnowledgeByPhone.original_id).is_(None),
        col(KnowledgeByPhone.original_id) == original,
    )
    rows = session.execute(_heard(today).where(of_it).order_by(col(KnowledgeArticle.id)))
    there = [_spoken(*row) for row in rows]
    wanted = (one for language in languages for one in there if one.language == language)
    return next(wanted, there[0] if there else None)


def of_article(session: Session, article_id: int) -> ByPhone:
    """How callers come to an article once it is published."""
    row = session.get(KnowledgeByPhone, article_id)
    if row is None:
        return ByPhone(code_of(article_id), DEFAULT, article_id, True)
    return ByPhone(code_of(row.original_id), row.language, row.original_id, row.spoken)


def set_by_phone(
    session: Session,
    actor: Actor,
    article_id: int,
    *,
    language: str,
    translates: str = "",
    spoken: bool = True,
    now: datetime | None = None,
) -> ByPhone:
    """In which language an article is, of which number it is a translation ("": of none), whether callers hear it.

    Raises Forbidden, NotFound, BadInput (language; translates: no such original, or it has this language already).
    """
    actor.require(Permission.knowledge_write)
    article = seen(session, actor, article_id, lock=True)
    if not _LANGUAGE.fullmatch(language):
        raise BadInput(fields={"language": "语言代码为 2 到 3 个小写字母 (two or three small letters)"})
    original_id = _original(session, article_id, translates) if translates else article_id
    taken = select(col(KnowledgeByPhone.article_id)).where(
        col(KnowledgeByPhone.original_id) == original_id,
        col(KnowledgeByPhone.language) == language,
        col(KnowledgeByPhone.article_id) != article_id,
    )
    same = original_id != article_id and of_article(session, original_id).language == language
    if same or session.execute(taken).first():
        raise BadInput(fields={"translates": "这个编号已有这种语言的答复 (that number has this language already)"})
    if original_id != article_id and _has_translations(session, article_id):
        raise BadInput(fields={"translates": "已有其他文章译自本文 (others are translations of this one)"})
    row = session.get(KnowledgeByPhone, article_id) or KnowledgeByPhone(article_id=article_id, original_id=original_id)
    row.original_id, row.language, row.spoken = original_id, language, spoken
    session.add(row)
    session.flush()
    detail = {"step": "phone", "language": language, "original": original_id, "spoken": spoken}
    write(session, actor, Action.knowledge_changed, f"knowledge:{article.id}", detail, now=now or utc_now())
    return of_article(session, article_id)


def _original(session: Session, article_id: int, code: str) -> int:
    fits = re.fullmatch(r"[0-9]{3,9}", code)
    original = session.get(KnowledgeArticle, int(code) - FIRST) if fits else None
    if original is None or of_article(session, original.id or 0).original_id != original.id:
        raise BadInput(fields={"translates": "没有这个编号，或它本身是译文 (no such number, or itself a translation)"})
    return original.id or 0


def _has_translations(session: Session, article_id: int) -> bool:
    of_it = (col(KnowledgeByPhone.original_id) == article_id) & (col(KnowledgeByPhone.article_id) != article_id)
    return session.execute(select(col(KnowledgeByPhone.article_id)).where(of_it)).first() is not None


def _heard(today: date) -> Any:
    """Articles in force that are for everybody, and whose day is not over."""
    article, version, phone = KnowledgeArticle, KnowledgeVersion, KnowledgeByPhone
    in_time = or_(col(article.expires_on).is_(None), col(article.expires_on) >= today)
    return (
        select(article, version, phone)
        .join(version, col(article.current_id) == col(version.id))
        .outerjoin(phone, col(phone.article_id) == col(article.id))
        .where(
            col(version.state) == VersionState.published.value,
            col(version.internal).is_(False),
            in_time,
            func.coalesce(col(phone.spoken), True).is_(True),
        )
    )


def _spoken(article: KnowledgeArticle, version: KnowledgeVersion, phone: KnowledgeByPhone | None) -> Spoken:
    return Spoken(
        code=code_of(phone.original_id if phone else article.id or 0),
        language=phone.language if phone else DEFAULT,
        title=version.title,
        phone=version.phone_answer,
        letter=version.letter_answer,
        version=version.number,
    )
