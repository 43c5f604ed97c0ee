"""REST: one review, from its form to the decision on an appeal."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, model_validator

from app.audit.model import Action
from app.audit.service import write_once
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Body, Id, Version
from app.quality import service
from app.quality.access import seen
from app.quality.service import Form, Mark
from app.quality.shapes import ReviewOut, whole
from app.quality.states import Step

router = APIRouter(prefix="/api/quality/reviews", tags=["quality"])

Text = Annotated[str, Field(max_length=service.LONGEST_TEXT)]
Scores = Annotated[
    dict[Annotated[str, Field(max_length=16)], Annotated[str, Field(max_length=16)]], Field(max_length=10)
]


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


@router.get("/{review_id}", operation_id="get_review")
def get_review(review_id: Id, actor: ActorDep, web: WebDep) -> ReviewOut:
    """One review. Audited where it tells what was said, as reading that is."""
    with web.db.read() as session:
        row = seen(session, actor, review_id)
        found = whole(session, actor, row)
        heard, hinted = [one.id for one in found.recordings], [hint.recording for hint in found.hints]
        read = service.read_with(session, row, heard, hinted)
    for recording in sorted(read):
        write_once(web.db, actor, Action.recording_read, f"recording:{recording}")
    return found


@router.put("/{review_id}", operation_id="save_review")
def save_review(review_id: Id, body: FormIn, actor: ActorDep, web: WebDep) -> ReviewOut:
    """Keep what has been filled in so far."""
    with web.db.session() as session:
        return whole(session, actor, service.save(session, actor, review_id, body.version, body.form()))


@router.post("/{review_id}/publish", operation_id="publish_review")
def publish_review(review_id: Id, body: FormIn, actor: ActorDep, web: WebDep) -> ReviewOut:
    """The agent reads it from now on."""
    with web.db.session() as session:
        made = service.publish(session, actor, review_id, body.version, body.form(), settings=web.settings)
        return whole(session, actor, made)


@router.post("/{review_id}/steps", operation_id="step_review")
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
        return whole(session, actor, made)
