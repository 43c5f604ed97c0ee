"""What is offered to whoever writes about a case: the templates that fit it, filled from it.

What a template says of a case is what everybody may know who works on it: never the citizen's name, number or address,
and neither where somebody wrote these into the title.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.actor import Actor
from app.assignments.acting import top_of
from app.assignments.inbox import get_work
from app.assignments.tables import Assignment
from app.cases import access
from app.cases.loop import items_of
from app.cases.model import CaseType
from app.cases.queries import get_case
from app.cases.tables import Case
from app.cases.words import CASE_TYPES
from app.clock import utc_now
from app.clocks.service import Subject
from app.letters import words
from app.letters.facts import handled_until, telephone_of
from app.reply_templates import model, reading
from app.reply_templates.model import Fit, Matter, Use
from app.reply_templates.tables import ReplyTemplate, ReplyTemplateVersion
from app.settings import Settings
from app.text import clean
from app.units.tables import Unit


@dataclass(frozen=True)
class Offer:
    """A template filled for a case. `fit` is None for one that is made for other cases: it can be looked for."""

    template: ReplyTemplate
    version: ReplyTemplateVersion
    fit: Fit | None
    parts: Mapping[str, str]
    unit_name: str


def for_work(
    session: Session, actor: Actor, work_id: int, settings: Settings, *, now: datetime | None = None
) -> list[Offer]:
    """For the reply to an assignment, what fits best first. Raises Forbidden, NotFound."""
    case, work = get_work(session, actor, work_id)
    co_unit = not work.lead and work.parent_id is None
    matter = _matter(session, case, co_unit=co_unit, again=work.round > 1)
    values = _values(session, case, work.unit_id, Subject.assignment(work.id or 0), settings, now or utc_now())
    return _offers(session, actor, Use.reply, matter, values)


def for_case(
    session: Session, actor: Actor, case_id: int, use: Use, settings: Settings, *, now: datetime | None = None
) -> list[Offer]:
    """For an answer that is given at once, or what a call-back brought. Raises Forbidden, NotFound."""
    case = get_case(session, actor, case_id)
    works = sorted(top_of(session, case.id or 0), key=_leads_first)
    unit_id = works[0].unit_id if works else case.to_unit_id
    values = _values(session, case, unit_id, Subject.case(case.id or 0), settings, now or utc_now())
    return _offers(session, actor, use, _matter(session, case), values)


def _offers(session: Session, actor: Actor, use: Use, matter: Matter, values: Mapping[str, str]) -> list[Offer]:
    templates = reading.active_for(session, actor, use)
    current, units = reading.wordings(session, templates), reading.unit_names(session, templates)
    offers = []
    for one in templates:
        version = current[one.id or 0]
        parts = {name: model.filled(text, values) for name, text in version.parts.items()}
        fit = model.fit(reading.content_of(one, version), matter)
        offers.append(Offer(one, version, fit, parts, units.get(one.owner_unit_id or 0, "")))
    return ranked(offers)


def ranked(offers: Iterable[Offer]) -> list[Offer]:
    """What fits best first, what does not fit last; of equals, by outcome."""
    return sorted(offers, key=_rank)


def _rank(one: Offer) -> tuple[object, ...]:
    own = one.template.owner_unit_id is not None
    fit = one.fit.rank(own=own) if one.fit is not None else ()
    outcome = model.OUTCOMES[Use(one.template.use)].index(model.Outcome(one.version.outcome))
    return one.fit is None, fit, outcome, one.template.id or 0


def _matter(session: Session, case: Case, *, co_unit: bool = False, again: bool = False) -> Matter:
    items = " ".join(item.text for item in items_of(session, case.id or 0))
    return Matter(case.type or "", f"{case.title} {case.content} {items}", co_unit, again)


def _values(
    session: Session, case: Case, unit_id: int | None, subject: Subject, settings: Settings, now: datetime
) -> dict[str, str]:
    """What stands for each placeholder; "" for what is not known."""
    unit = session.get(Unit, unit_id) if unit_id is not None else None
    zone = settings.zone
    known = {
        "工单编号": case.number,
        "事项标题": clean(access.hidden(case.title, case), 200),
        "诉求类型": CASE_TYPES[CaseType(case.type)] if case.type else "",
        "受理日期": words.day(case.registered_at or case.created_at, zone),
        "承办单位": unit.name if unit is not None else "",
        "单位电话": telephone_of(session, unit_id),
        "办理期限": handled_until(session, subject, zone),
        "热线号码": settings.main_number,
        "今天": words.day(now, zone),
    }
    assert known.keys() == model.KNOWN, "every placeholder has its value"
    return known


def _leads_first(work: Assignment) -> tuple[bool, int]:
    return not work.lead, work.id or 0
