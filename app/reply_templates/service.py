"""Templates: written, changed into a new version, retired, taken up again. Every step is audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.clock import utc_now
from app.errors import BadInput, Forbidden, VersionConflict
from app.knowledge import owning, parties
from app.reply_templates import model, reading
from app.reply_templates.model import LONGEST_NOTE, NEEDS_REASON, Content, Fault, TemplateAct, TemplateState, Use
from app.reply_templates.tables import ReplyTemplate, ReplyTemplateVersion
from app.text import clean


def create(
    session: Session, actor: Actor, content: Content, unit_id: int | None = None, *, now: datetime | None = None
) -> ReplyTemplate:
    """A new template of the unit that is named, or of the centre (None); it is offered from now on.

    Raises Forbidden, BadInput (every fault by its field).
    """
    now = now or utc_now()
    unit = owning.owner_for(session, actor, unit_id)
    kept = _checked(content)
    template = ReplyTemplate(
        owner_unit_id=unit.id if unit is not None else None,
        use=kept.use.value,
        state=TemplateState.active.value,
        changed_by=actor.user_id,
        changed_at=now,
    )
    session.add(template)
    session.flush()
    _keep(session, actor, template, kept, now)
    _audit(session, actor, template, "create", now)
    return template


def tried(actor: Actor, use: Use, texts: Mapping[str, str]) -> tuple[dict[str, str], list[Fault]]:
    """What these texts would say of the sample case, and which placeholders there are not. Raises Forbidden."""
    if not parties.writes(actor):
        raise Forbidden()
    parts = model.cleaned(Content("-", use, model.OUTCOMES[use][0], texts)).parts
    faults = [fault for name, text in parts.items() for fault in model.unknown(name, text)]
    return {name: model.filled(text, model.SAMPLE) for name, text in parts.items()}, faults


def edit(
    session: Session, actor: Actor, template_id: int, version: int, content: Content, *, now: datetime | None = None
) -> ReplyTemplate:
    """Other words, as a new version; what it is used for stays. The same words change nothing.

    Raises Forbidden, NotFound, Refused (it is retired), VersionConflict with what is stored, BadInput.
    """
    now = now or utc_now()
    template, _ = _begun(session, actor, template_id, version, TemplateAct.edit)
    kept = _checked(content)
    if kept.use.value != template.use:
        raise BadInput(fields={"use": "用途不能改，另写一个模板 (its use stays: write another template)"})
    stored = reading.wordings(session, [template])[template.id or 0]
    if _values(kept) == _values(reading.content_of(template, stored)):
        return template
    template.version += 1
    template.changed_by, template.changed_at = actor.user_id, now
    _keep(session, actor, template, kept, now)
    _audit(session, actor, template, TemplateAct.edit, now)
    return template


def take(
    session: Session,
    actor: Actor,
    template_id: int,
    act: TemplateAct,
    version: int,
    reason: str = "",
    *,
    now: datetime | None = None,
) -> ReplyTemplate:
    """Retire it, or take it up again. Raises Forbidden, NotFound, Refused, VersionConflict, BadInput (reason)."""
    now = now or utc_now()
    if act is TemplateAct.edit:
        raise BadInput(fields={"act": "用编辑保存 (save other words instead)"})
    template, after = _begun(session, actor, template_id, version, act)
    why = clean(reason, LONGEST_NOTE)
    if act in NEEDS_REASON and not why:
        raise BadInput(fields={"reason": "写明原因 (say why)"})
    template.state = after.value
    template.reason, template.changed_by, template.changed_at = why, actor.user_id, now
    session.flush()
    _audit(session, actor, template, act, now, {"why": why} if why else {})
    return template


def _begun(
    session: Session, actor: Actor, template_id: int, version: int, act: TemplateAct
) -> tuple[ReplyTemplate, TemplateState]:
    """The template as it is now, for this transaction alone, and where it stands after this act."""
    template = reading.seen(session, actor, template_id, lock=True)
    after = model.next_state(TemplateState(template.state), act, parties.of_owner(actor, template.owner_unit_id))
    if template.version != version:
        raise VersionConflict(
            "这个模板刚被他人修改，请核对最新内容后再保存。",
            "Somebody else has just changed this template. Compare with what is stored and save again.",
            current=reading.template_json(session, actor, template),
        )
    return template, after


def _checked(content: Content) -> Content:
    kept = model.cleaned(content)
    wrong: dict[str, str] = {}
    for fault in model.faults(kept):
        wrong.setdefault(fault.part, fault.told)
    if wrong:
        raise BadInput(fields=wrong)
    return kept


def _keep(session: Session, actor: Actor, template: ReplyTemplate, content: Content, now: datetime) -> None:
    session.add(
        ReplyTemplateVersion(
            template_id=template.id or 0,
            number=template.version,
            title=content.title,
            outcome=content.outcome.value,
            types=[str(one) for one in content.types],
            keywords=list(content.keywords),
            parts=dict(content.parts),
            note=content.note,
            written_by=actor.user_id,
            written_at=now,
        )
    )
    session.flush()


def _values(content: Content) -> tuple[Any, ...]:
    return content.title, content.outcome, dict(content.parts), list(content.types), list(content.keywords)


def _audit(
    session: Session,
    actor: Actor,
    template: ReplyTemplate,
    step: str,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> None:
    detail = {"step": str(step), "version": template.version, "unit": template.owner_unit_id, **(more or {})}
    write(session, actor, Action.reply_template_changed, f"reply_template:{template.id}", detail, now=now)
