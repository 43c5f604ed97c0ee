"""Articles, searches and gaps as pages read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, tzinfo
from typing import Any

from sqlmodel import Session

from app.actor import Actor
from app.auth.service import display_names
from app.clock import iso, local_day
from app.db import loaded
from app.knowledge import by_phone, finding, parties, reading, service
from app.knowledge.model import GapState, Party, VersionState, due_on, gap_steps, state_at, steps_for
from app.knowledge.tables import KnowledgeArticle, KnowledgeGap, KnowledgeVersion
from app.search.tokens import Part, Wanted, excerpt, parts
from app.units.tables import Unit


def hit(found: finding.Found, wanted: Sequence[Wanted], units: Mapping[int, str], today: date) -> dict[str, Any]:
    """One article that a search found, what was sought told from the rest."""
    version = found.version
    told = excerpt(version.phone_answer, wanted)
    if version.letter_answer and not any(part.found for part in told):
        told = excerpt(version.letter_answer, wanted)
    return {
        **_summary(found.article, version, units, today),
        "partly": found.partly,
        "number": version.number,
        "title": _parts(parts(version.title, wanted)),
        "question": _parts(parts(version.question, wanted)),
        "excerpt": _parts(told),
        "phone_answer": version.phone_answer,
    }


def row(
    actor: Actor,
    pair: tuple[KnowledgeArticle, KnowledgeVersion],
    names: Mapping[int, str],
    units: Mapping[int, str],
    today: date,
) -> dict[str, Any]:
    """One row of a list of work."""
    article, version = pair
    names = names if reading.sees_names(actor, article) else {}
    due = due_on(article.review_on, article.expires_on)
    return {
        **_summary(article, version, units, today),
        "late": due is not None and due < today,
        "title": version.title,
        "number": version.number,
        "due_on": due,
        "written_by_name": names.get(version.written_by or 0),
        "written_at": iso(version.written_at),
        "submitted_by_name": names.get(version.submitted_by or 0),
        "submitted_at": iso(version.submitted_at),
        "reason": version.reason,
    }


def units_of(session: Session, rows: Iterable[KnowledgeArticle | KnowledgeGap]) -> dict[int, str]:
    """What the units behind articles or gaps are called; one statement, or none."""
    wanted = [one.owner_unit_id if isinstance(one, KnowledgeArticle) else one.unit_id for one in rows]
    return {ident: unit.short_name for ident, unit in loaded(session, Unit, wanted).items()}


def names_of(session: Session, versions: Iterable[KnowledgeVersion]) -> dict[int, str]:
    """The names of the people behind versions; one statement."""
    people = {who for one in versions for who in (one.written_by, one.submitted_by, one.vetted_by, one.decided_by)}
    return display_names(session, people)


def article(session: Session, actor: Actor, one: KnowledgeArticle, zone: tzinfo, *, now: datetime) -> dict[str, Any]:
    """An article with every version that the asker may read, and what they may do with each."""
    today = local_day(now, zone)
    versions = reading.versions(session, actor, one)
    names = names_of(session, versions) if reading.sees_names(actor, one) else {}
    mine = parties.of_article(session, actor, one)
    return {
        "id": one.id,
        "owner_unit_id": one.owner_unit_id,
        "owner_unit_name": units_of(session, [one]).get(one.owner_unit_id or 0, ""),
        "current": _number(versions, one.current_id),
        "open": _number(versions, one.open_id),
        "review_on": one.review_on,
        "expires_on": one.expires_on,
        "used": one.used,
        "helped": one.helped,
        "not_helped": one.not_helped,
        "by_phone": asdict(by_phone.of_article(session, one.id or 0)),
        "versions": [_version(actor, mine, one, version, names, today) for version in versions],
    }


def gap(
    one: KnowledgeGap, mine: frozenset[Party], names: Mapping[int, str], units: Mapping[int, str]
) -> dict[str, Any]:
    """One line of what was searched in vain; who at the centre dealt with it is the centre's."""
    names = names if Party.writer in mine else {}
    return {
        "id": one.id,
        "words": one.words,
        "missed": one.missed,
        "useless": one.useless,
        "state": one.state,
        "steps": [step.value for step in gap_steps(GapState(one.state), mine)],
        "unit_id": one.unit_id,
        "unit_name": units.get(one.unit_id or 0, ""),
        "first_at": iso(one.first_at),
        "last_at": iso(one.last_at),
        "claimed_by_name": names.get(one.claimed_by or 0),
        "closed_by_name": names.get(one.closed_by or 0),
        "closed_at": iso(one.closed_at),
        "article_id": one.article_id,
        "note": one.note,
    }


def _summary(one: KnowledgeArticle, version: KnowledgeVersion, units: Mapping[int, str], today: date) -> dict[str, Any]:
    current = version.id == one.current_id
    state = VersionState(version.state)
    return {
        "id": one.id,
        "state": (state_at(state, one.expires_on, today) if current else state).value,
        "type": version.type,
        "internal": version.internal,
        "areas": list(version.areas),
        "owner_unit_id": one.owner_unit_id,
        "unit_name": units.get(one.owner_unit_id or 0, version.unit_name),
        "review_on": one.review_on if current else version.review_on,
        "expires_on": one.expires_on if current else version.expires_on,
        "used": one.used,
        "helped": one.helped,
        "not_helped": one.not_helped,
    }


def _version(
    actor: Actor,
    mine: frozenset[Party],
    one: KnowledgeArticle,
    version: KnowledgeVersion,
    names: Mapping[int, str],
    today: date,
) -> dict[str, Any]:
    state = VersionState(version.state)
    if version.id == one.current_id:
        state = state_at(state, one.expires_on, today)
    own, of_unit = reading.is_own(actor, version), one.owner_unit_id is not None
    concerned = version.id in (one.current_id, one.open_id)
    return {
        **service.content_of(version),
        "number": version.number,
        "state": state.value,
        "revision": version.revision,
        "steps": [step.value for step in steps_for(state, mine, own=own, of_unit=of_unit)] if concerned else [],
        "written_by_name": names.get(version.written_by or 0),
        "written_at": iso(version.written_at),
        "submitted_by_name": names.get(version.submitted_by or 0),
        "submitted_at": iso(version.submitted_at),
        "vetted_by_name": names.get(version.vetted_by or 0),
        "vetted_at": iso(version.vetted_at),
        "decided_by_name": names.get(version.decided_by or 0),
        "decided_at": iso(version.decided_at),
        "reason": version.reason,
    }


def _number(versions: Sequence[KnowledgeVersion], ident: int | None) -> int | None:
    return next((one.number for one in versions if one.id == ident), None)


def _parts(pieces: Iterable[Part]) -> list[dict[str, Any]]:
    return [{"text": one.text, "found": one.found} for one in pieces]
