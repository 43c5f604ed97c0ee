"""Articles: written, reviewed by somebody else, published, kept true, withdrawn. Every step is audited (K1).

What belongs to a unit is written by its people, passed by its leader and published by the centre.
"""

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
from app.errors import BadInput, Forbidden, Refused, VersionConflict
from app.knowledge import answers, asking, finding, owning, parties
from app.knowledge.model import (
    LONGEST_REASON,
    OF_OPEN,
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
from app.knowledge.reading import is_own, seen
from app.knowledge.tables import KnowledgeArticle, KnowledgeVersion
from app.text import clean
from app.units.tables import Unit


def create(
    session: Session,
    actor: Actor,
    content: Content,
    zone: tzinfo,
    *,
    gap_id: int | None = None,
    now: datetime | None = None,
) -> KnowledgeArticle:
    """A new article, as a draft, of the unit that it names; it answers that search in vain once it is published.

    Raises Forbidden, NotFound, Refused (the search is not the asker's to answer), BadInput.
    """
    unit = owning.owner_for(session, actor, content.unit_id)
    now = now or utc_now()
    values = _checked(actor, content, unit, local_day(now, zone), complete=False)
    article = KnowledgeArticle(
        created_by=actor.user_id, created_at=now, owner_unit_id=unit.id if unit is not None else None
    )
    session.add(article)
    session.flush()
    _draft(session, actor, article, 1, values, now)
    if gap_id is not None:
        answers.begin(session, actor, gap_id, article)
    _audit(session, actor, article, "create", 1, now, _of_unit(article))
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
    rule = rule_for(VersionState(version.state), Step.edit, of_unit=article.owner_unit_id is not None)
    permitted(rule, parties.of_article(session, actor, article), own=False)
    if version.revision != revision:
        raise VersionConflict(
            "这篇稿件刚被他人修改，请核对最新内容后再保存。",
            "Somebody else has just changed this draft. Compare with what is stored and save again.",
            current=_told(version),
        )
    if content.unit_id is None and not actor.may(Permission.knowledge_write):
        content = replace(content, unit_id=article.owner_unit_id)  # only the centre takes it from a unit
    if content.unit_id != article.owner_unit_id:
        _change_owner(session, actor, article, content.unit_id, version.number, now)
    values = _checked(actor, content, _owner(session, article), local_day(now, zone), complete=False)
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
    rule = rule_for(state, step, of_unit=article.owner_unit_id is not None)
    permitted(rule, parties.of_article(session, actor, article), own=is_own(actor, version))
    if version.revision != revision:
        raise VersionConflict(
            "这个版本刚被他人修改，刷新后再看。", "Somebody else has just changed this version. Reload and look again."
        )
    why = clean(reason, LONGEST_REASON)
    if rule.reason and not why:
        raise BadInput(fields={"reason": "写明原因 (say why)"})
    match step:
        case Step.submit:
            _checked(actor, Content(**content_of(version)), _owner(session, article), today, complete=True)
            version.submitted_by, version.submitted_at, version.reason = actor.user_id, now, ""
            version.vetted_by = version.vetted_at = None
            if rule.to is VersionState.in_unit:
                asking.tell_leaders(session, article, version, now, but=actor.user_id)
        case Step.vet:
            version.vetted_by, version.vetted_at = actor.user_id, now
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


def give(
    session: Session, actor: Actor, article_id: int, unit_id: int | None, *, now: datetime | None = None
) -> KnowledgeArticle:
    """The article is that unit's from now on, or the centre's (None).

    Raises Forbidden, NotFound, Refused (under review), BadInput (field unit_id).
    """
    actor.require(Permission.knowledge_write)
    article = seen(session, actor, article_id, lock=True)
    if article.owner_unit_id != unit_id:
        _change_owner(session, actor, article, unit_id, None, now or utc_now())
    return article


def content_of(version: KnowledgeVersion) -> dict[str, Any]:
    """What a version says, by the names of `Content`."""
    return {one.name: getattr(version, one.name) for one in fields(Content)} | {"type": KnowledgeType(version.type)}


def _open(session: Session, article: KnowledgeArticle) -> KnowledgeVersion:
    version = session.get(KnowledgeVersion, article.open_id) if article.open_id else None
    if version is None:
        raise Refused(
            "没有正在编写的版本，先点“修订”。", "No version is being written: begin a new one.", code="wrong_state"
        )
    return version


def _concerned(session: Session, article: KnowledgeArticle, step: Step) -> KnowledgeVersion:
    """The version that a step is about: the one being worked on for its steps, else the one in force."""
    if step in OF_OPEN or article.current_id is None:
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
    answers.published(session, actor, article, now)


def _revise(
    session: Session, actor: Actor, article: KnowledgeArticle, version: KnowledgeVersion, now: datetime
) -> None:
    if article.open_id is not None:
        raise Refused("已有正在编写的版本。", "A new version is being written already.", code="wrong_state")
    latest = session.execute(
        select(func.max(KnowledgeVersion.number)).where(col(KnowledgeVersion.article_id) == article.id)
    ).scalar_one()
    # The days of the old version are most likely the reason for revising it.
    fresh: dict[str, Any] = {
        "review_on": now.date() + REVIEW_EVERY,
        "expires_on": None,
        "unit_id": article.owner_unit_id,
    }
    if (unit := _owner(session, article)) is not None:
        fresh["unit_name"] = unit.short_name
    _draft(session, actor, article, latest + 1, _values(version) | fresh, now)


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


def _owner(session: Session, article: KnowledgeArticle) -> Unit | None:
    return session.get(Unit, article.owner_unit_id) if article.owner_unit_id is not None else None


def _of_unit(article: KnowledgeArticle) -> dict[str, Any]:
    return {"unit": article.owner_unit_id} if article.owner_unit_id is not None else {}


def _change_owner(
    session: Session, actor: Actor, article: KnowledgeArticle, unit_id: int | None, number: int | None, now: datetime
) -> None:
    before = article.owner_unit_id
    owning.change(session, actor, article, unit_id)
    detail = {"step": "owner", "before": before, "unit": unit_id, **({"version": number} if number else {})}
    write(session, actor, Action.knowledge_changed, f"knowledge:{article.id}", detail, now=now)


def _checked(actor: Actor, content: Content, unit: Unit | None, today: date, *, complete: bool) -> dict[str, Any]:
    """The columns that are written; what is a unit's bears its name. Raises BadInput, Forbidden."""
    kept = replace(cleaned(content), unit_id=unit.id if unit is not None else None)
    if unit is not None:
        kept = replace(kept, unit_name=unit.short_name)
    kept = replace(kept, review_on=kept.review_on or today + REVIEW_EVERY)
    if kept.internal and not actor.may(Permission.knowledge_internal):
        raise Forbidden()
    wrong = faults(kept, today, complete=complete)
    if unit is not None and kept.internal:
        wrong["internal"] = "归单位的知识不能仅供中心内部 (what is a unit's can't be internal to the centre)"
    if wrong:
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
