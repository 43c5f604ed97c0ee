"""Who reads which template, and how templates are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, or_, select, true, tuple_
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.auth.service import display_names
from app.clock import iso
from app.db import found, loaded
from app.errors import NotFound
from app.knowledge import parties
from app.paging import Leaf, Page, like, page_of
from app.reply_templates.model import Content, Outcome, TemplateState, Use, acts_for, sources_in
from app.reply_templates.tables import ReplyTemplate, ReplyTemplateVersion
from app.text import clean
from app.units.queries import ancestors
from app.units.tables import Unit


def seen(session: Session, actor: Actor, template_id: int, *, lock: bool = False) -> ReplyTemplate:
    """The template, if the asker may know of it. Raises Forbidden, NotFound."""
    actor.require(Permission.knowledge_read)
    one = found(session, ReplyTemplate, template_id, lock=lock)
    known = select(col(ReplyTemplate.id)).where(col(ReplyTemplate.id) == one.id, visible(session, actor))
    if session.execute(known).first() is None:
        raise NotFound()
    return one


def visible(session: Session, actor: Actor) -> Any:
    """The condition for templates that the asker may use: the centre's people all, a unit's those of the centre, their
    own, and those of the units above."""
    if actor.may(Permission.knowledge_internal):
        return true()
    above = {unit.id for own in actor.unit_ids for unit in ancestors(session, own)}
    owner = col(ReplyTemplate.owner_unit_id)
    return or_(owner.is_(None), owner.in_(above | actor.unit_ids))


def listed(
    session: Session,
    actor: Actor,
    *,
    q: str = "",
    use: Use | None = None,
    outcome: Outcome | None = None,
    unit: int | None = None,
    state: TemplateState = TemplateState.active,
    leaf: Leaf | None = None,
) -> Page[ReplyTemplate]:
    """A page of the templates in that state (of that unit, with these letters in the name), what was changed last
    first. Raises Forbidden."""
    actor.require(Permission.knowledge_read)
    statement = _with_wording().where(visible(session, actor), col(ReplyTemplate.state) == state.value)
    if words := clean(q, 60):
        statement = statement.where(col(ReplyTemplateVersion.title).like(like(words), escape="\\"))
    if use is not None:
        statement = statement.where(col(ReplyTemplate.use) == use.value)
    if outcome is not None:
        statement = statement.where(col(ReplyTemplateVersion.outcome) == outcome.value)
    if unit is not None:
        statement = statement.where(col(ReplyTemplate.owner_unit_id) == unit)
    order = (col(ReplyTemplateVersion.written_at).desc(), col(ReplyTemplate.id).desc())
    return page_of(session, statement.order_by(*order), leaf)


def wordings(session: Session, templates: Iterable[ReplyTemplate]) -> dict[int, ReplyTemplateVersion]:
    """The wording that each of these offers, by the template's id; one statement."""
    idents = [one.id for one in templates]
    statement = select(ReplyTemplateVersion).join(ReplyTemplate, _current())
    rows = session.execute(statement.where(col(ReplyTemplate.id).in_(idents))).scalars() if idents else ()
    return {row.template_id: row for row in rows}


def active_for(session: Session, actor: Actor, use: Use) -> list[ReplyTemplate]:
    """Every template of that use that is offered to the asker. Raises Forbidden."""
    actor.require(Permission.knowledge_read)
    offered = (col(ReplyTemplate.use) == use.value) & (col(ReplyTemplate.state) == TemplateState.active.value)
    statement = select(ReplyTemplate).where(offered, visible(session, actor)).order_by(col(ReplyTemplate.id))
    return list(session.execute(statement).scalars())


def versions_of(session: Session, template_id: int) -> list[ReplyTemplateVersion]:
    """Every wording of a template, the newest first."""
    mine = select(ReplyTemplateVersion).where(col(ReplyTemplateVersion.template_id) == template_id)
    return list(session.execute(mine.order_by(col(ReplyTemplateVersion.number).desc())).scalars())


def content_of(template: ReplyTemplate, version: ReplyTemplateVersion) -> Content:
    """What a version says."""
    return Content(
        title=version.title,
        use=Use(template.use),
        outcome=Outcome(version.outcome),
        parts=version.parts,
        types=tuple(version.types),
        keywords=tuple(version.keywords),
        note=version.note,
    )


def template_json(session: Session, actor: Actor, template: ReplyTemplate) -> dict[str, Any]:
    """A template with every version, and what the asker may do with it."""
    versions = versions_of(session, template.id or 0)
    people = {template.changed_by, *(one.written_by for one in versions)}
    names = display_names(session, people) if parties.sees_names(actor, template.owner_unit_id) else {}
    return {
        **_head(template, versions[0], unit_names(session, [template]), names),
        "acts": acts_for(TemplateState(template.state), parties.of_owner(actor, template.owner_unit_id)),
        "reason": template.reason,
        "changed_by_name": names.get(template.changed_by or 0),
        "changed_at": iso(template.changed_at),
        "versions": [_version(one, names) for one in versions],
    }


def rows_json(session: Session, actor: Actor, templates: list[ReplyTemplate]) -> list[dict[str, Any]]:
    """Templates in a list."""
    current, units = wordings(session, templates), unit_names(session, templates)
    names = display_names(session, {one.written_by for one in current.values()})
    rows = []
    for one in templates:
        shown = names if parties.sees_names(actor, one.owner_unit_id) else {}
        rows.append(_head(one, current[one.id or 0], units, shown))
    return rows


def unit_names(session: Session, templates: Iterable[ReplyTemplate]) -> dict[int, str]:
    """What the units are called to which these belong."""
    found_ = loaded(session, Unit, (one.owner_unit_id for one in templates))
    return {ident: unit.short_name or unit.name for ident, unit in found_.items()}


def named_sources(session: Session, sources: str) -> list[dict[str, Any]]:
    """What the templates are called that some words began with, in the version that was taken; unknown ones are left
    out. Whoever may read the words may know that."""
    wanted = sources_in(sources)
    if not wanted:
        return []
    ident, number = col(ReplyTemplateVersion.template_id), col(ReplyTemplateVersion.number)
    statement = select(ReplyTemplate, ReplyTemplateVersion).join(ReplyTemplateVersion, ident == col(ReplyTemplate.id))
    rows = session.execute(statement.where(tuple_(ident, number).in_(wanted))).all()
    known = {(template.id, version.number): (template, version) for template, version in rows}
    units = unit_names(session, (template for template, _ in known.values()))
    return [
        {"id": of[0], "version": of[1], "title": version.title, "unit_name": units.get(template.owner_unit_id or 0, "")}
        for of, (template, version) in ((of, known[of]) for of in wanted if of in known)
    ]


def _head(
    template: ReplyTemplate, version: ReplyTemplateVersion, units: Mapping[int, str], names: Mapping[int, str]
) -> dict[str, Any]:
    return {
        "id": template.id,
        "owner_unit_id": template.owner_unit_id,
        "unit_name": units.get(template.owner_unit_id or 0, ""),
        "use": template.use,
        "state": template.state,
        "version": template.version,
        "title": version.title,
        "outcome": version.outcome,
        "types": list(version.types),
        "keywords": list(version.keywords),
        "written_by_name": names.get(version.written_by or 0),
        "written_at": iso(version.written_at),
    }


def _version(one: ReplyTemplateVersion, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "number": one.number,
        "title": one.title,
        "outcome": one.outcome,
        "types": list(one.types),
        "keywords": list(one.keywords),
        "parts": dict(one.parts),
        "note": one.note,
        "written_by_name": names.get(one.written_by or 0),
        "written_at": iso(one.written_at),
    }


def _current() -> Any:
    of_it = col(ReplyTemplateVersion.template_id) == col(ReplyTemplate.id)
    return of_it & (col(ReplyTemplateVersion.number) == col(ReplyTemplate.version))


def _with_wording() -> Select[Any]:
    statement: Select[Any] = select(ReplyTemplate).join(ReplyTemplateVersion, _current())
    return statement
