"""REST: reply templates, and what of them is offered for a case."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session

from app.actor import Actor
from app.cases.model import CaseType
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf, Version
from app.reply_templates import model, offering, reading, service
from app.reply_templates.model import LONGEST_NOTE, PLACEHOLDERS, Outcome, TemplateAct, TemplateState, Use
from app.reply_templates.offering import Offer
from app.reply_templates.tables import ReplyTemplate

router = APIRouter(prefix="/api/reply-templates", tags=["reply templates"])
offers = APIRouter(prefix="/api", tags=["reply templates"])


class TextsIn(Body):
    """What a template says, by the field that it fills; too long a text is refused by name."""

    use: Use
    parts: dict[Annotated[str, Field(max_length=20)], str] = Field(max_length=10)


class TemplateIn(TextsIn):
    """A new template, of that unit or of the centre."""

    title: str = Field(max_length=200)
    outcome: Outcome
    types: list[CaseType] = Field(default_factory=list, max_length=20)
    keywords: list[str] = Field(default_factory=list, max_length=50)
    note: str = Field(default="", max_length=LONGEST_NOTE)
    unit_id: int | None = Field(default=None, ge=1, le=MOST)

    def content(self) -> model.Content:
        """As the use cases take it."""
        return model.Content(self.title, self.use, self.outcome, self.parts, self.types, self.keywords, self.note)


class TemplateEdit(TemplateIn):
    """Other words for the version that the editor saw; whose it is stays."""

    version: Version


class StepIn(Body):
    """Retire or restore the version that the asker saw; a reason to retire it."""

    act: TemplateAct
    version: Version
    reason: str = Field(default="", max_length=LONGEST_NOTE)


class TemplateFilter(Listing):
    """Which templates."""

    use: Use | None = None
    outcome: Outcome | None = None
    unit: int | None = Field(default=None, ge=1, le=MOST)
    state: TemplateState = TemplateState.active


class TemplateSearch(TemplateFilter):
    """Which templates, also by words that somebody types: they may be anybody's name."""

    q: str = Field(default="", max_length=100)


class TemplateRow(Answer):
    """A template in a list, by the wording that it offers."""

    id: int
    owner_unit_id: int | None
    unit_name: str
    use: Use
    state: TemplateState
    version: int
    title: str
    outcome: Outcome
    types: list[str]
    keywords: list[str]
    written_by_name: str | None
    written_at: str


class TemplateVersionOut(Answer):
    """One wording."""

    number: int
    title: str
    outcome: Outcome
    types: list[str]
    keywords: list[str]
    parts: dict[str, str]
    note: str
    written_by_name: str | None
    written_at: str


class TemplateOut(TemplateRow):
    """A template with its versions, the newest first, and what the asker may do with it."""

    acts: list[TemplateAct]
    reason: str
    changed_by_name: str | None
    changed_at: str
    versions: list[TemplateVersionOut]


class PlaceholderOut(Answer):
    """A word in braces, what it means in English, and what stands there for the sample case."""

    name: str
    en: str
    sample: str


class FaultOut(Answer):
    """What is wrong in which line of which field."""

    part: str
    line: int
    zh: str
    en: str


class Tried(Answer):
    """What a text would say of the sample case, and what is wrong with it."""

    parts: dict[str, str]
    faults: list[FaultOut]


class OfferOut(Answer):
    """A template filled for a case; `source` is what the reply names it by, `words` those of the case that speak for
    it."""

    id: int
    version: int
    source: str
    title: str
    outcome: Outcome
    unit_name: str
    fits: bool
    words: list[str]
    parts: dict[str, str]


@router.get("", operation_id="list_reply_templates")
def list_reply_templates(
    actor: ActorDep, web: WebDep, filters: Annotated[TemplateFilter, Query()]
) -> PageOf[TemplateRow]:
    """Templates that the asker may use, what was changed last first."""
    return _listed(actor, web, filters)


@router.post("/search", operation_id="search_reply_templates")
def search_reply_templates(body: TemplateSearch, actor: ActorDep, web: WebDep) -> PageOf[TemplateRow]:
    """Templates that the asker may use, also by words."""
    return _listed(actor, web, body)


def _listed(actor: Actor, web: Web, wanted: TemplateFilter) -> PageOf[TemplateRow]:
    with web.db.read() as session:
        page = reading.listed(session, actor, **wanted.wanted(), leaf=wanted.leaf)
        return PageOf.of(page, [TemplateRow(**row) for row in reading.rows_json(session, actor, page.items)])


@router.get("/placeholders", operation_id="reply_placeholders")
def reply_placeholders(actor: ActorDep) -> list[PlaceholderOut]:
    """Every placeholder that there is."""
    return [PlaceholderOut(name=one.name, en=one.en, sample=one.sample) for one in PLACEHOLDERS]


@router.post("/check", operation_id="check_reply_template")
def check_reply_template(body: TextsIn, actor: ActorDep) -> Tried:
    """What these texts would say of the sample case, and which placeholders there are not. Nothing is stored."""
    parts, faults = service.tried(actor, body.use, body.parts)
    return Tried(parts=parts, faults=[FaultOut(part=f.part, line=f.line, zh=f.zh, en=f.en) for f in faults])


@router.post("", operation_id="create_reply_template", status_code=201)
def create_reply_template(body: TemplateIn, actor: ActorDep, web: WebDep) -> TemplateOut:
    """A new template, offered from now on."""
    with web.db.session() as session:
        return _out(session, actor, service.create(session, actor, body.content(), body.unit_id))


@router.get("/{template_id}", operation_id="read_reply_template")
def read_reply_template(template_id: Id, actor: ActorDep, web: WebDep) -> TemplateOut:
    """A template with its versions."""
    with web.db.read() as session:
        return _out(session, actor, reading.seen(session, actor, template_id))


@router.put("/{template_id}", operation_id="edit_reply_template")
def edit_reply_template(template_id: Id, body: TemplateEdit, actor: ActorDep, web: WebDep) -> TemplateOut:
    """Other words, as a new version; 409 with what is stored when somebody else has changed it since."""
    with web.db.session() as session:
        return _out(session, actor, service.edit(session, actor, template_id, body.version, body.content()))


@router.post("/{template_id}/steps", operation_id="step_reply_template")
def step_reply_template(template_id: Id, body: StepIn, actor: ActorDep, web: WebDep) -> TemplateOut:
    """Retire it, or take it up again."""
    with web.db.session() as session:
        return _out(session, actor, service.take(session, actor, template_id, body.act, body.version, body.reason))


@offers.get("/assignments/{work_id}/reply-templates", operation_id="offer_for_assignment")
def offer_for_assignment(work_id: Id, actor: ActorDep, web: WebDep) -> list[OfferOut]:
    """The templates for a unit's reply, filled from the case, what fits best first."""
    with web.db.read() as session:
        return [_offer(one) for one in offering.for_work(session, actor, work_id, web.settings)]


@offers.get("/cases/{case_id}/reply-templates/{use}", operation_id="offer_for_case")
def offer_for_case(case_id: Id, use: Use, actor: ActorDep, web: WebDep) -> list[OfferOut]:
    """The templates for what the centre says of a case, filled from it, what fits best first."""
    with web.db.read() as session:
        return [_offer(one) for one in offering.for_case(session, actor, case_id, use, web.settings)]


def _out(session: Session, actor: Actor, template: ReplyTemplate) -> TemplateOut:
    return TemplateOut(**reading.template_json(session, actor, template))


def _offer(one: Offer) -> OfferOut:
    ident, number = one.template.id or 0, one.version.number
    return OfferOut(
        id=ident,
        version=number,
        source=model.source(ident, number),
        title=one.version.title,
        outcome=model.Outcome(one.version.outcome),
        unit_name=one.unit_name,
        fits=one.fit is not None,
        words=list(one.fit.words) if one.fit is not None else [],
        parts=dict(one.parts),
    )
