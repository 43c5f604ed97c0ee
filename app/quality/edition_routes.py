"""REST: editions of the criteria and of the rules of drawing, and what rules would have drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from app.agents.service import agent_names
from app.clock import local_day, utc_now
from app.editions.service import Edition, editions, make
from app.editions.shapes import EditionIn, EditionOut, said
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body
from app.quality import editing, previewing
from app.quality.criteria import Criterion, Level
from app.quality.editing import BOUNDS
from app.quality.editions import CRITERIA_FORM, RULES_FORM
from app.quality.sampling import Rules
from app.quality.shapes import CriterionOut, criteria_out
from app.text import clean

router = APIRouter(prefix="/api/quality/editions", tags=["quality"])

Text = Annotated[str, Field(max_length=400)]
Code = Annotated[str, Field(max_length=16)]
Small = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class LevelIn(Body):
    """How well a criterion can be met; `code` "" for a new one."""

    code: Code = ""
    zh: Text
    en: Text
    points: Small
    fails: bool = False


class CriterionIn(Body):
    """One of the things that a talk is judged by; `code` "" for a new one."""

    code: Code = ""
    zh: Text
    en: Text
    weight: Small
    asks_zh: Text
    asks_en: Text
    optional: bool = False
    levels: list[LevelIn] = Field(max_length=20)

    def criterion(self) -> Criterion:
        """As it is judged by."""
        words = {name: clean(getattr(self, name), 400) for name in ("zh", "en", "asks_zh", "asks_en")}
        levels = (Level(one.code, clean(one.zh, 400), clean(one.en, 400), one.points, one.fails) for one in self.levels)
        return Criterion(code=self.code, weight=self.weight, levels=tuple(levels), optional=self.optional, **words)


class RulesIn(Body):
    """How much is drawn, for an agent and a week."""

    at_least: Small
    new_agents: Small
    new_days: Small
    pressing: Small
    shortest_s: Small
    low_rating: Small
    long_hold_s: Small
    long_talk_s: Small
    forbidden: Small

    def rules(self) -> Rules:
        """As talks are drawn by."""
        return Rules(**self.model_dump())


class CriteriaIn(EditionIn):
    """A new edition of the criteria."""

    criteria: list[CriterionIn] = Field(max_length=20)


class SamplingIn(EditionIn):
    """A new edition of the rules of drawing."""

    rules: RulesIn


class RulesOut(Answer):
    """How much is drawn, for an agent and a week."""

    at_least: int
    new_agents: int
    new_days: int
    pressing: int
    shortest_s: int
    low_rating: int
    long_hold_s: int
    long_talk_s: int
    forbidden: int


class BoundsOut(Answer):
    """From where to where a number may go."""

    low: int
    high: int


class CriteriaEditionOut(EditionOut):
    """An edition of the criteria."""

    criteria: list[CriterionOut]


class SamplingEditionOut(EditionOut):
    """An edition of the rules of drawing."""

    rules: RulesOut


class SamplingOut(Answer):
    """Every edition of the rules, newest first, and how far the numbers may go."""

    editions: list[SamplingEditionOut]
    bounds: dict[str, BoundsOut]


class CountOut(Answer):
    """How many talks, and for which reasons."""

    drawn: int
    reasons: dict[str, int]


class OfAgentOut(Answer):
    """An agent's week."""

    agent_id: str
    agent_name: str
    talks: int
    held: int
    tried: int


class PreviewOut(Answer):
    """A week (its Monday) by the rules that held then, and by those in question."""

    week: str
    talks: int
    held: CountOut
    tried: CountOut
    agents: list[OfAgentOut]


@router.get("/criteria", operation_id="quality_criteria")
def criteria(actor: ActorDep, web: WebDep) -> list[CriteriaEditionOut]:
    """Every edition of the criteria, newest first."""
    with web.db.read() as session:
        return _criteria(editions(session, actor, CRITERIA_FORM), _today(web))


@router.post("/criteria", operation_id="make_quality_criteria", status_code=201)
def make_criteria(body: CriteriaIn, actor: ActorDep, web: WebDep) -> list[CriteriaEditionOut]:
    """A new edition of the criteria. 409 with the newest one, and how it differs from the one that the editor saw."""
    fresh = [one.criterion() for one in body.criteria]
    with web.db.session() as session:
        zone = web.settings.zone
        made = make(session, actor, CRITERIA_FORM, body.after, body.since, body.note, fresh, zone)
        return _criteria(made, _today(web))


@router.get("/sampling", operation_id="quality_sampling")
def sampling(actor: ActorDep, web: WebDep) -> SamplingOut:
    """Every edition of the rules of drawing, newest first."""
    with web.db.read() as session:
        return _sampling(editions(session, actor, RULES_FORM), _today(web))


@router.post("/sampling", operation_id="make_quality_sampling", status_code=201)
def make_sampling(body: SamplingIn, actor: ActorDep, web: WebDep) -> SamplingOut:
    """A new edition of the rules. 409 with the newest one, and how it differs from the one that the editor saw."""
    with web.db.session() as session:
        zone, rules = web.settings.zone, body.rules.rules()
        made = make(session, actor, RULES_FORM, body.after, body.since, body.note, rules, zone)
        return _sampling(made, _today(web))


@router.post("/sampling/preview", operation_id="preview_quality_sampling")
def preview_sampling(body: RulesIn, actor: ActorDep, web: WebDep) -> PreviewOut:
    """What these rules would have drawn last week; changes nothing."""
    with web.db.read() as session:
        shown = previewing.preview(session, actor, body.rules(), web.settings.zone)
        names = agent_names(session, {one.agent_id for one in shown.agents})
    return PreviewOut(
        week=shown.week.isoformat(),
        talks=shown.talks,
        held=CountOut(drawn=shown.held.drawn, reasons=dict(shown.held.reasons)),
        tried=CountOut(drawn=shown.tried.drawn, reasons=dict(shown.tried.reasons)),
        agents=[OfAgentOut(**vars(one), agent_name=names.get(one.agent_id, "")) for one in shown.agents],
    )


def _today(web: Any) -> date:
    return local_day(utc_now(), web.settings.zone)


def _criteria(known: Sequence[Edition[Sequence[Criterion]]], today: date) -> list[CriteriaEditionOut]:
    return [CriteriaEditionOut(**said(one, known, today), criteria=criteria_out(one.content)) for one in known]


def _sampling(known: Sequence[Edition[Rules]], today: date) -> SamplingOut:
    return SamplingOut(
        editions=[
            SamplingEditionOut(**said(one, known, today), rules=RulesOut(**editing.rules_json(one.content)))
            for one in known
        ],
        bounds={name: BoundsOut(low=of.low, high=of.high) for name, of in BOUNDS.items()},
    )
