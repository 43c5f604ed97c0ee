"""REST: the knowledge base. What is searched for goes in bodies: it may tell of a person."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field
from sqlmodel import Session

from app.actor import Actor
from app.auth.model import Permission
from app.auth.service import display_names
from app.clock import local_day, utc_now
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, Body, Id, Listing, PageOf, PartOut, Version
from app.http.tables import CSV, TableOutcome, table
from app.knowledge import by_phone, exchange, finding, gaps, parties, reading, service, standing, uses, views
from app.knowledge.finding import View
from app.knowledge.model import Content, GapState, GapStep, KnowledgeType, Step, VersionState
from app.knowledge.tables import KnowledgeArticle, KnowledgeGap
from app.search.tokens import sought

router = APIRouter(prefix="/api/knowledge", tags=["knowledge"])


class Sought(Body):
    """What is searched for; `done` when whoever types has stopped: then a search in vain is noted."""

    q: str = Field(max_length=10_000)
    done: bool = False
    limit: int = Field(default=finding.SHOWN, ge=1, le=50)


class Summary(Answer):
    """What lists tell of every article."""

    id: int
    state: VersionState
    type: KnowledgeType
    internal: bool
    areas: list[str]
    owner_unit_id: int | None
    unit_name: str
    review_on: date | None
    expires_on: date | None
    used: int
    helped: int
    not_helped: int


class HitOut(Summary):
    """An article that was found, in its version `number`; `partly`: it has some of the words only."""

    partly: bool
    number: int
    title: list[PartOut]
    question: list[PartOut]
    excerpt: list[PartOut]
    phone_answer: str


class HitsOut(Answer):
    """The best first; `noted`: the search was put on the list of those in vain."""

    items: list[HitOut]
    noted: bool


class ArticleRow(Summary):
    """A row of a list of work, about the version that the list is about."""

    title: str
    number: int
    due_on: date | None
    late: bool
    written_by_name: str | None
    written_at: str
    submitted_by_name: str | None
    submitted_at: str | None
    reason: str


class ContentIn(Body):
    """What a draft says; too long a text is refused by name."""

    title: str
    question: str = ""
    phone_answer: str = ""
    letter_answer: str = ""
    keywords: list[str] = Field(default_factory=list, max_length=50)
    areas: list[str] = Field(default_factory=list, max_length=50)
    type: KnowledgeType = KnowledgeType.policy
    internal: bool = False
    unit_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    unit_name: str = ""
    review_on: date | None = None
    expires_on: date | None = None

    def content(self) -> Content:
        """As the use cases take it."""
        return Content(**{name: getattr(self, name) for name in ContentIn.model_fields})


class ArticleIn(ContentIn):
    """A new article; `gap_id`: the search in vain that it is to answer."""

    gap_id: int | None = Field(default=None, ge=1, le=2**31 - 1)


class OwnerIn(Body):
    """Whose it is; None: the centre's."""

    unit_id: int | None = Field(ge=1, le=2**31 - 1)


class StandingOut(Answer):
    """How a unit stands with what it vouches for."""

    unit_id: int
    name: str
    articles: int
    due: int
    late: int
    vet: int
    gaps: int


class ContentEdit(ContentIn):
    """Other words for the draft of that revision."""

    revision: Version


class StepIn(Body):
    """A step for the version that the asker saw in that revision; days for `confirm`, a reason where one is asked."""

    step: Step
    revision: Version
    reason: str = ""
    review_on: date | None = None
    expires_on: date | None = None


class VersionOut(Answer):
    """A version and what the asker may do with it."""

    number: int
    state: VersionState
    revision: int
    steps: list[Step]
    title: str
    question: str
    phone_answer: str
    letter_answer: str
    keywords: list[str]
    areas: list[str]
    type: KnowledgeType
    internal: bool
    unit_id: int | None
    unit_name: str
    review_on: date | None
    expires_on: date | None
    written_by_name: str | None
    written_at: str
    submitted_by_name: str | None
    submitted_at: str | None
    vetted_by_name: str | None
    vetted_at: str | None
    decided_by_name: str | None
    decided_at: str | None
    reason: str


class ByPhoneOut(Answer):
    """How callers come to an article: the number that they key in; `original_id` is itself or what it translates."""

    code: str
    language: str
    original_id: int
    spoken: bool


class ByPhoneIn(Body):
    """Its language, the number of the article that it translates ("": of none), and whether it is read to callers."""

    language: str = Field(max_length=8)
    translates: str = Field(default="", max_length=9)
    spoken: bool = True


class ArticleOut(Answer):
    """An article; `current` is the number of the version that is or was last in force, `open` of the one being made."""

    id: int
    owner_unit_id: int | None
    owner_unit_name: str
    current: int | None
    open: int | None
    review_on: date | None
    expires_on: date | None
    used: int
    helped: int
    not_helped: int
    by_phone: ByPhoneOut
    versions: list[VersionOut]


class ReadOut(Body):
    """It was read to the caller of a call ("" for none); `helped` when that is known."""

    call_id: str = Field(default="", pattern=r"^[A-Za-z0-9.-]{0,64}$")
    helped: bool | None = None


class ArticleFilter(Listing):
    """Which list."""

    view: View = View.published
    unit: int | None = Field(default=None, ge=1, le=2**31 - 1)


class Useless(Body):
    """Words whose search found nothing that helped."""

    q: str = Field(max_length=10_000)


class NotedOut(Answer):
    """Whether anything was left to be noted without what may tell of a person."""

    noted: bool


class GapFilter(Listing):
    """Which gaps."""

    state: GapState | None = None
    unit: int | None = Field(default=None, ge=1, le=2**31 - 1)


class GapIn(Body):
    """A step; to close it, the article that answers it or a word why there will be none; to give it, the unit."""

    step: GapStep
    article_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    unit_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    note: str = ""


class GapOut(Answer):
    """Words that were searched in vain, and how often."""

    id: int
    words: str
    missed: int
    useless: int
    state: GapState
    steps: list[GapStep]
    unit_id: int | None
    unit_name: str
    first_at: str
    last_at: str
    claimed_by_name: str | None
    closed_by_name: str | None
    closed_at: str | None
    article_id: int | None
    note: str


@router.post("/search", operation_id="search_knowledge")
def search_knowledge(body: Sought, actor: ActorDep, web: WebDep) -> HitsOut:
    """What is known about these words, the best first, expired answers last."""
    now = utc_now()
    wanted, today = sought(body.q), local_day(now, web.settings.zone)
    with web.db.read() as session:
        hits = finding.search(session, actor, body.q, limit=body.limit, now=now)
        units = views.units_of(session, [one.article for one in hits])
        items = [HitOut(**views.hit(one, wanted, units, today)) for one in hits]
    noted = False
    if body.done and not items and actor.may(Permission.knowledge_use):
        with web.db.session() as session:
            noted = gaps.note(session, actor, body.q, now=now) is not None
    return HitsOut(items=items, noted=noted)


@router.get("/export", operation_id="export_knowledge", response_class=Response, responses=CSV)
def export_knowledge(actor: ActorDep, web: WebDep) -> Response:
    """What may be told to callers, as a table."""
    return table("knowledge", exchange.export_articles(web.db, actor))


@router.post("/import", operation_id="import_knowledge")
def import_knowledge(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> TableOutcome:
    """Drafts from a table, to be reviewed by somebody else: tried only, or written when nothing is wrong."""
    data, zone = file.file.read(), web.settings.zone
    return TableOutcome.of(exchange.import_articles(web.db, actor, data, zone, dry_run=dry_run))


@router.get("/articles", operation_id="list_knowledge")
def list_knowledge(actor: ActorDep, web: WebDep, filters: Annotated[ArticleFilter, Query()]) -> PageOf[ArticleRow]:
    """A list of work, or everything that is in force."""
    now, zone = utc_now(), web.settings.zone
    with web.db.read() as session:
        page = finding.listed(session, actor, filters.view, zone, unit=filters.unit, leaf=filters.leaf, now=now)
        names = views.names_of(session, [version for _, version in page.items])
        units, today = views.units_of(session, [article for article, _ in page.items]), local_day(now, zone)
        return PageOf.of(page, [ArticleRow(**views.row(actor, pair, names, units, today)) for pair in page.items])


@router.get("/units", operation_id="list_knowledge_units")
def list_knowledge_units(actor: ActorDep, web: WebDep) -> list[StandingOut]:
    """How units stand with what they vouch for, those with something late first; to a unit's people their own."""
    with web.db.read() as session:
        rows = standing.of_units(session, actor, web.settings.zone)
        return [StandingOut(**asdict(one)) for one in rows]


@router.post("/articles", operation_id="create_knowledge", status_code=201)
def create_knowledge(body: ArticleIn, actor: ActorDep, web: WebDep) -> ArticleOut:
    """A new article, as a draft, of the unit that it names."""
    with web.db.session() as session:
        made = service.create(session, actor, body.content(), web.settings.zone, gap_id=body.gap_id)
        return _out(session, actor, web, made)


@router.put("/articles/{article_id}/phone", operation_id="set_knowledge_by_phone")
def set_knowledge_by_phone(article_id: Id, body: ByPhoneIn, actor: ActorDep, web: WebDep) -> ArticleOut:
    """In which language it is read to callers, and under which number."""
    with web.db.session() as session:
        by_phone.set_by_phone(session, actor, article_id, **body.model_dump())
        return _out(session, actor, web, reading.seen(session, actor, article_id))


@router.get("/articles/{article_id}", operation_id="read_knowledge")
def read_knowledge(article_id: Id, actor: ActorDep, web: WebDep) -> ArticleOut:
    """An article with its versions."""
    with web.db.read() as session:
        return _out(session, actor, web, reading.seen(session, actor, article_id))


@router.patch("/articles/{article_id}", operation_id="edit_knowledge")
def edit_knowledge(article_id: Id, body: ContentEdit, actor: ActorDep, web: WebDep) -> ArticleOut:
    """Other words for its draft; 409 with what is stored when somebody else has changed it since."""
    with web.db.session() as session:
        zone = web.settings.zone
        return _out(session, actor, web, service.edit(session, actor, article_id, body.revision, body.content(), zone))


@router.put("/articles/{article_id}/owner", operation_id="give_knowledge")
def give_knowledge(article_id: Id, body: OwnerIn, actor: ActorDep, web: WebDep) -> ArticleOut:
    """It is that unit's from now on, or the centre's."""
    with web.db.session() as session:
        return _out(session, actor, web, service.give(session, actor, article_id, body.unit_id))


@router.post("/articles/{article_id}/steps", operation_id="step_knowledge")
def step_knowledge(article_id: Id, body: StepIn, actor: ActorDep, web: WebDep) -> ArticleOut:
    """Submit, recall, send back, pass, approve, confirm, revise, withdraw, discard."""
    with web.db.session() as session:
        wanted = body.model_dump()
        return _out(session, actor, web, service.take(session, actor, article_id, zone=web.settings.zone, **wanted))


@router.post("/articles/{article_id}/uses", operation_id="use_knowledge")
def use_knowledge(article_id: Id, body: ReadOut, actor: ActorDep, web: WebDep) -> ArticleOut:
    """It was read to a caller, and helped or did not."""
    with web.db.session() as session:
        return _out(session, actor, web, uses.read_out(session, actor, article_id, **body.model_dump()))


@router.post("/gaps", operation_id="note_knowledge_gap")
def note_knowledge_gap(body: Useless, actor: ActorDep, web: WebDep) -> NotedOut:
    """A search found nothing that helped."""
    with web.db.session() as session:
        return NotedOut(noted=gaps.note(session, actor, body.q, useless=True) is not None)


@router.get("/gaps", operation_id="list_knowledge_gaps")
def list_knowledge_gaps(actor: ActorDep, web: WebDep, filters: Annotated[GapFilter, Query()]) -> PageOf[GapOut]:
    """What was searched in vain, the most often first."""
    with web.db.read() as session:
        page = gaps.listed(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, _gaps(session, actor, page.items))


@router.post("/gaps/{gap_id}/steps", operation_id="step_knowledge_gap")
def step_knowledge_gap(gap_id: Id, body: GapIn, actor: ActorDep, web: WebDep) -> GapOut:
    """Claim it, put it back, give it to a unit, hand it back, close it."""
    with web.db.session() as session:
        return _gaps(session, actor, [gaps.take(session, actor, gap_id, **body.model_dump())])[0]


def _gaps(session: Session, actor: Actor, rows: list[KnowledgeGap]) -> list[GapOut]:
    names = display_names(session, {who for row in rows for who in (row.claimed_by, row.closed_by)})
    units = views.units_of(session, rows)
    return [GapOut(**views.gap(row, parties.of_gap(actor, row), names, units)) for row in rows]


def _out(session: Session, actor: Actor, web: Web, row: KnowledgeArticle) -> ArticleOut:
    return ArticleOut(**views.article(session, actor, row, web.settings.zone, now=utc_now()))
