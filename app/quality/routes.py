"""REST: reviews of talks, and drawing them."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, field_validator, model_validator
from sqlmodel import Session

from app.actor import Actor
from app.agents.service import agent_names
from app.audit.model import Action
from app.audit.service import write_once
from app.auth.service import display_names
from app.clock import iso, utc_now
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf, StaffNumber, Version
from app.http.shapes import RecordingOut
from app.quality import drawing, service
from app.quality.access import seen, steps
from app.quality.criteria import CRITERIA, Criterion, Grade, Score
from app.quality.sampling import Reason
from app.quality.service import Form, Mark
from app.quality.states import ReviewState, Step
from app.quality.tables import QualityReview
from recordings.store import recording_json

router = APIRouter(prefix="/api/quality", tags=["quality"])

Text = Annotated[str, Field(max_length=service.LONGEST_TEXT)]
Scores = Annotated[
    dict[Annotated[str, Field(max_length=16)], Annotated[str, Field(max_length=16)]], Field(max_length=10)
]


class LevelOut(Answer):
    """How well a criterion can be met."""

    code: str
    zh: str
    en: str
    points: int
    fails: bool


class CriterionOut(Answer):
    """One of the things that a talk is judged by."""

    code: str
    zh: str
    en: str
    weight: int
    asks_zh: str
    asks_en: str
    optional: bool
    levels: list[LevelOut]

    @classmethod
    def of(cls, one: Criterion) -> CriterionOut:
        """As an answer."""
        plain = {name: getattr(one, name) for name in cls.model_fields if name != "levels"}
        return cls(**plain, levels=[LevelOut(**vars(level)) for level in one.levels])


class MarkIn(Body):
    """A note on a moment."""

    recording: int = Field(ge=1, le=MOST)
    at_ms: int = Field(ge=0, le=MOST)
    text: str = Field(max_length=service.LONGEST_MARK)


class FormIn(Body):
    """What a reviewer fills in."""

    version: Version
    scores: Scores = Field(default_factory=dict)
    note: Text = ""
    coaching: Text = ""
    marks: list[MarkIn] = Field(default=[], max_length=service.MOST_MARKS)

    def form(self) -> Form:
        """As the use cases know it."""
        marks = [Mark(mark.recording, mark.at_ms, mark.text) for mark in self.marks]
        return Form(self.scores, self.note, self.coaching, marks)


class StepIn(Body):
    """Another step; `text` is the reason, or the note of coaching, `scores` another judgement."""

    step: Literal["skip", "acknowledge", "appeal", "uphold", "change", "coach"]
    version: Version
    text: Text = ""
    scores: Scores | None = None

    @model_validator(mode="after")
    def _only_a_change_has_scores(self) -> StepIn:
        if (self.step == "change") != (self.scores is not None):
            raise ValueError("scores belong to a change")
        return self


class ReviewFilter(Listing):
    """Which reviews."""

    box: Literal["", "mine", "own", "appeals"] = ""
    agent: StaffNumber = ""
    state: ReviewState | None = None


class ReviewRow(Answer):
    """A review in a list. Figures are null until it is published."""

    id: int
    call_id: str
    agent_id: str
    agent_name: str
    reviewer_name: str
    day: str
    reason: Reason
    state: ReviewState
    total: int | None
    passed: bool | None
    grade: Grade | None
    published_at: str | None
    appeal_until: str | None


class MarkOut(Answer):
    """A note on a moment."""

    recording: int
    at_ms: int
    text: str


class HintOut(Answer):
    """A forbidden phrase that the agent seems to have said."""

    recording: int
    at_ms: int
    phrase: str
    line: str


class LineOut(Answer):
    """A line of a review's history."""

    at: str
    by_name: str
    step: str
    from_state: str
    to_state: str
    text: str
    detail: dict[str, Any]


class ReviewOut(ReviewRow):
    """A review, the talk's recordings, and what the asker can do about it."""

    version: int
    scores: dict[str, str]
    note: str
    coaching: str
    marks: list[MarkOut]
    hints: list[HintOut]
    recordings: list[RecordingOut]
    history: list[LineOut]
    steps: list[Step]


class Week(Body):
    """A day of the week of which talks are drawn. By which seed is nobody's to choose who draws: it would be choosing
    the talks."""

    day: date

    @field_validator("day")
    @classmethod
    def _countable(cls, value: date) -> date:
        if not 2000 <= value.year <= 2200:
            raise ValueError("out of range")
        return value


class DrawnOut(Answer):
    """How many were drawn, and for which reasons."""

    drawn: int
    reasons: dict[str, int]


@router.get("/criteria", operation_id="quality_criteria")
def criteria(actor: ActorDep) -> list[CriterionOut]:
    """The five criteria with weights and levels."""
    return [CriterionOut.of(one) for one in CRITERIA]


@router.get("/reviews", operation_id="list_reviews")
def list_reviews(actor: ActorDep, web: WebDep, filters: Annotated[ReviewFilter, Query()]) -> PageOf[ReviewRow]:
    """Reviews that the asker may know of, newest first."""
    with web.db.read() as session:
        page = service.reviews(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [ReviewRow(**row) for row in _rows(session, page.items)])


@router.get("/waiting", operation_id="waiting_reviews")
def waiting(actor: ActorDep, web: WebDep) -> dict[str, int]:
    """How many wait for the asker, by box."""
    with web.db.read() as session:
        return dict(service.waiting(session, actor))


@router.post("/draws", operation_id="draw_reviews")
def draw_reviews(body: Week, actor: ActorDep, web: WebDep) -> DrawnOut:
    """Fill the asker's list from the talks of a week."""
    with web.db.session() as session:
        made = drawing.fill(session, actor, body.day, web.settings.zone)
    return DrawnOut(drawn=len(made), reasons=Counter(one.reason for one in made))


@router.get("/reviews/{review_id}", operation_id="get_review")
def get_review(review_id: Id, actor: ActorDep, web: WebDep) -> ReviewOut:
    """One review. Audited where it tells what was said, as reading that is."""
    with web.db.read() as session:
        row = seen(session, actor, review_id)
        whole = _whole(session, actor, row)
        heard, hinted = [one.id for one in whole.recordings], [hint.recording for hint in whole.hints]
        read = service.read_with(session, row, heard, hinted)
    for recording in sorted(read):
        write_once(web.db, actor, Action.recording_read, f"recording:{recording}")
    return whole


@router.put("/reviews/{review_id}", operation_id="save_review")
def save_review(review_id: Id, body: FormIn, actor: ActorDep, web: WebDep) -> ReviewOut:
    """Keep what has been filled in so far."""
    with web.db.session() as session:
        return _whole(session, actor, service.save(session, actor, review_id, body.version, body.form()))


@router.post("/reviews/{review_id}/publish", operation_id="publish_review")
def publish_review(review_id: Id, body: FormIn, actor: ActorDep, web: WebDep) -> ReviewOut:
    """The agent reads it from now on."""
    with web.db.session() as session:
        made = service.publish(session, actor, review_id, body.version, body.form(), settings=web.settings)
        return _whole(session, actor, made)


@router.post("/reviews/{review_id}/steps", operation_id="step_review")
def step_review(review_id: Id, body: StepIn, actor: ActorDep, web: WebDep) -> ReviewOut:
    """Another step in the life of a review."""
    with web.db.session() as session:
        match Step(body.step):
            case Step.skip:
                made = service.skip(session, actor, review_id, body.version, body.text)
            case Step.acknowledge:
                made = service.acknowledge(session, actor, review_id, body.version)
            case Step.appeal:
                made = service.appeal(session, actor, review_id, body.version, body.text)
            case Step.coach:
                made = service.coach(session, actor, review_id, body.version, body.text)
            case _:
                made = service.decide(session, actor, review_id, body.version, body.text, body.scores)
        return _whole(session, actor, made)


def _rows(session: Session, rows: list[QualityReview]) -> list[dict[str, Any]]:
    agents = agent_names(session, {row.agent_id for row in rows})
    people = display_names(session, {row.reviewer_id for row in rows})
    return [_row(row, agents, people) for row in rows]


def _row(row: QualityReview, agents: dict[str, str], people: Any) -> dict[str, Any]:
    judged = row.total is not None and row.passed is not None
    return {
        "id": row.id or 0,
        "call_id": row.call_id,
        "agent_id": row.agent_id,
        "agent_name": agents.get(row.agent_id, ""),
        "reviewer_name": people.get(row.reviewer_id, ""),
        "day": row.day.isoformat(),
        "reason": row.reason,
        "state": row.state,
        "total": row.total,
        "passed": row.passed,
        "grade": Score(row.total or 0, bool(row.passed)).grade if judged else None,
        "published_at": iso(row.published_at),
        "appeal_until": iso(row.appeal_until),
    }


def _whole(session: Session, actor: Actor, row: QualityReview) -> ReviewOut:
    recordings = service.recordings_of(session, row)
    return ReviewOut(
        **_rows(session, [row])[0],
        version=row.version,
        scores=dict(row.scores),
        note=row.note,
        coaching=row.coaching,
        marks=[MarkOut(recording=recording, at_ms=at_ms, text=text) for recording, at_ms, text in row.marks],
        hints=[
            HintOut(recording=recording, at_ms=said.start_ms, phrase=said.phrase, line=said.line)
            for recording, said in service.hints(session, recordings)
        ],
        recordings=[RecordingOut(**recording_json(one)) for one in recordings],
        history=[
            LineOut(
                at=iso(line.at) or "",
                by_name=line.actor_name,
                step=line.step,
                from_state=line.from_state,
                to_state=line.to_state,
                text=line.text,
                detail=dict(line.detail),
            )
            for line in service.history(session, row)
        ],
        steps=list(steps(actor, row, in_time=service.in_time(row, utc_now()))),
    )
