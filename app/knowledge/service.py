"""Articles: written, reviewed by somebody else, published, kept true, withdrawn. Every step is audited (K1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.db import found
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.knowledge import finding
from app.knowledge.model import (
    LONGEST_REASON,
    OPEN,
    REVIEW_EVERY,
    Content,
    KnowledgeType,
    Step,
    VersionState,
    cleaned,
    date_faults,
    faults,
    permitted,
    rule_for,
    state_at,
)
from app.knowledge.tables import KnowledgeArticle, KnowledgeVersion
from app.text import clean


def create(
    session: Session, actor: Actor, content: Content, zone: tzinfo, *, now: datetime | None = None
) -> KnowledgeArticle:
    """A new article, as a draft. Raises Forbidden, BadInput."""
    actor.require(Permission.knowledge_write)
    now = now or utc_now()
    values = _checked(actor, content, local_day(now, zone), complete=False)
    article = KnowledgeArticle(created_by=actor.user_id, created_at=now)
    session.add(article)
    session.flush()
    _draft(session, actor, article, 1, values, now)
    _audit(session, actor, article, "create", 1, now)
    return article


def edit(
    session: Session,
    actor: Actor,
    article_id: int,
    revision: int,
    content: Content,
    zone: tzinfo,
    *,
    now: datetime | None = None,
) -> KnowledgeArticle:
    """Other words for the draft that the writer saw.

    Raises Forbidden, NotFound, Refused (nothing is being written), VersionConflict with what is stored, BadInput.
    """
    now = now or utc_now()
    article = seen(session, actor, article_id, lock=True)
    version = _open(session, article)
    permitted(rule_for(VersionState(version.state), Step.edit), actor.permissions, own=False)
    if version.revision != revision:
        raise VersionConflict(
            "这篇稿件刚被他人修改，请核对最新内容后再保存。",
            "Somebody else has just changed this draft. Compare with what is stored and save again.",
            current=_told(version),
        )
    values = _checked(actor, content, local_day(now, zone), complete=False)
    if values == _values(version):
        return article
    for name, value in values.items():
        setattr(version, name, value)
    version.revision += 1
    version.written_by, version.written_at = actor.user_id, now
    _audit(session, actor, article, Step.edit, version.number, now)
    return article


def take(
    session: Session,
    actor: Actor,
    article_id: int,
    step: Step,
    revision: int,
    zone: tzinfo,
    *,
    reason: str = "",
    review_on: date | None = None,
    expires_on: date | None = None,
    now: datetime | None = None,
) -> KnowledgeArticle:
    """One step in the life of the version that it concerns; the days count for `confirm` only.

    Raises Forbidden, NotFound, Refused, VersionConflict for a version that the asker did not see, BadInput.
    """
    now = now or utc_now()
    today = local_day(now, zone)
    if step is Step.edit:  # changes words, and only by them
        raise BadInput(fields={"step": "用编辑保存 (save other words instead)"})
    article = seen(session, actor, article_id, lock=True)
    version = _concerned(session, article, step)
    state = state_at(VersionState(version.state), article.expires_on, today)
    rule = rule_for(state, step)
    permitted(rule, actor.permissions, own=is_own(actor, version))
    if version.revision != revision:
        raise VersionConflict(
            "这个版本刚被他人修改，刷新后再看。", "Somebody else has just changed this version. Reload and look again."
        )
    why = clean(reason, LONGEST_REASON)
    if rule.reason and not why:
        raise BadInput(fields={"reason": "写明原因 (say why)"})
    match step:
        case Step.submit:
            _checked(actor, Content(**content_of(version)), today, complete=True)
            version.submitted_by, version.submitted_at, version.reason = actor.user_id, now, ""
        case Step.send_back | Step.withdraw:
            version.decided_by, version.decided_at, version.reason = actor.user_id, now, why
        case Step.approve:
            if wrong := date_faults(version.review_on, version.expires_on, today):
                raise BadInput(fields=wrong)
            _publish(session, actor, article, version, now)
        case Step.confirm:
            if wrong := date_faults(review_on, expires_on, today):
                raise BadInput(fields=wrong)
            article.review_on, article.expires_on = review_on, expires_on
        case Step.revise:
            _revise(session, actor, article, version, now)
    if step is not Step.revise:
        version.state = rule.to.value
        if version.id == article.open_id and rule.to not in OPEN:
            article.open_id = None
    session.flush()
    finding.keep(session, article, zone)
    _audit(session, actor, article, step, version.number, now, {"why": why} if why else {})
    return article


def seen(session: Session, actor: Actor, article_id: int, *, lock: bool = False) -> KnowledgeArticle:
    """The article, if the asker may know of it. Raises Forbidden, NotFound."""
    actor.require(Permission.knowledge_read)
    article = found(session, KnowledgeArticle, article_id, lock=lock)
    shown = session.get(KnowledgeVersion, article.current_id or article.open_id or 0)
    if shown is None:
        shown = (
            session.execute(select(KnowledgeVersion).where(col(KnowledgeVersion.article_id) == article.id))
            .scalars()
            .first()
        )
    if shown is None or not _may_read(actor, shown):
        raise NotFound()
    return article


def versions(session: Session, actor: Actor, article: KnowledgeArticle) -> list[KnowledgeVersion]:
    """The versions that the asker may read, the newest first: drafts are for those who write or review."""
    of_it = col(KnowledgeVersion.article_id) == article.id
    rows = session.execute(
        select(KnowledgeVersion).where(of_it).order_by(col(KnowledgeVersion.number).desc())
    ).scalars()
    return [row for row in rows if _may_read(actor, row)]


def in_force(session: Session, article: KnowledgeArticle) -> KnowledgeVersion | None:
    """The version that may be read to callers (an expired one is, as expired); None if there is none."""
    version = session.get(KnowledgeVersion, article.current_id) if article.current_id else None
    return version if version is not None and version.state in finding.FOUND else None


def content_of(version: KnowledgeVersion) -> dict[str, Any]:
    """What a version says, by the names of `Content`."""
    return {one.name: getattr(version, one.name) for one in fields(Content)} | {"type": KnowledgeType(version.type)}


def is_own(actor: Actor, version: KnowledgeVersion) -> bool:
    """Whether the asker wrote or submitted it."""
    return not actor.is_system and actor.user_id in (version.written_by, version.submitted_by)


def _may_read(actor: Actor, version: KnowledgeVersion) -> bool:
    if version.internal and not actor.may(Permission.knowledge_internal):
        return False
    return finding.works(actor) or VersionState(version.state) not in (*OPEN, VersionState.discarded)


def _open(session: Session, article: KnowledgeArticle) -> KnowledgeVersion:
    version = session.get(KnowledgeVersion, article.open_id) if article.open_id else None
    if version is None:
        raise Refused(
            "没有正在编写的版本，先点“修订”。", "No version is being written: begin a new one.", code="wrong_state"
        )
    return version


def _concerned(session: Session, article: KnowledgeArticle, step: Step) -> KnowledgeVersion:
    """The version that a step is about: the one being worked on for its steps, else the one in force."""
    of_open = (Step.edit, Step.submit, Step.recall, Step.send_back, Step.approve, Step.discard)
    if step in of_open or article.current_id is None:
        return _open(session, article)
    return found(session, KnowledgeVersion, article.current_id)


def _publish(
    session: Session, actor: Actor, article: KnowledgeArticle, version: KnowledgeVersion, now: datetime
) -> None:
    old = session.get(KnowledgeVersion, article.current_id) if article.current_id else None
    if old is not None:
        old.state = rule_for(VersionState(old.state), Step.supersede).to.value
    version.decided_by, version.decided_at, version.reason = actor.user_id, now, ""
    article.current_id = version.id
    article.review_on, article.expires_on = version.review_on, version.expires_on


def _revise(
    session: Session, actor: Actor, article: KnowledgeArticle, version: KnowledgeVersion, now: datetime
) -> None:
    if article.open_id is not None:
        raise Refused("已有正在编写的版本。", "A new version is being written already.", code="wrong_state")
    latest = session.execute(
        select(func.max(KnowledgeVersion.number)).where(col(KnowledgeVersion.article_id) == article.id)
    ).scalar_one()
    # The days of the old version are most likely the reason for revising it.
    days = {"review_on": now.date() + REVIEW_EVERY, "expires_on": None}
    _draft(session, actor, article, latest + 1, _values(version) | days, now)


def _draft(
    session: Session, actor: Actor, article: KnowledgeArticle, number: int, values: Mapping[str, Any], now: datetime
) -> None:
    version = KnowledgeVersion(
        **values,
        article_id=article.id or 0,
        number=number,
        state=VersionState.draft.value,
        written_by=actor.user_id,
        written_at=now,
    )
    session.add(version)
    session.flush()
    article.open_id = version.id


def _checked(actor: Actor, content: Content, today: date, *, complete: bool) -> dict[str, Any]:
    """The columns that are written. Raises BadInput, Forbidden."""
    kept = cleaned(content)
    kept = replace(kept, review_on=kept.review_on or today + REVIEW_EVERY)
    if kept.internal and not actor.may(Permission.knowledge_internal):
        raise Forbidden()
    if wrong := faults(kept, today, complete=complete):
        raise BadInput(fields=wrong)
    values = asdict(kept)
    return values | {"keywords": list(kept.keywords), "areas": list(kept.areas), "type": kept.type.value}


def _told(version: KnowledgeVersion) -> dict[str, Any]:
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in _values(version).items()}
    return told | {"revision": version.revision}


def _values(version: KnowledgeVersion) -> dict[str, Any]:
    return {one.name: getattr(version, one.name) for one in fields(Content)}


def _audit(
    session: Session,
    actor: Actor,
    article: KnowledgeArticle,
    step: str,
    number: int,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> None:
    detail = {"step": str(step), "version": number, **(more or {})}
    write(session, actor, Action.knowledge_changed, f"knowledge:{article.id}", detail, now=now)
