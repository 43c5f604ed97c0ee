"""What reviews look like in answers: shapes, and how they are filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from app.actor import Actor
from app.agents.service import agent_names
from app.auth.service import display_names
from app.clock import iso, utc_now
from app.http.schema import Answer
from app.http.shapes import RecordingOut
from app.phrases import reading as phrases
from app.phrases.model import Kind, State
from app.phrases.reading import Seen
from app.quality import service
from app.quality.access import steps
from app.quality.criteria import Criterion, Grade, Score
from app.quality.sampling import Reason
from app.quality.states import ReviewState, Step
from app.quality.tables import QualityReview
from recordings.store import recording_json


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
    """A phrase that was found in a talk, or is missing there: a hint, for a person to hear.

    `phrase` is the wording of the list, `name` [Chinese, English] what it is; `near`: perhaps misheard; `shared`:
    perhaps said by a third party.
    """

    recording: int
    at_ms: int
    code: str
    kind: Kind
    state: State
    phrase: str
    name: list[str]
    line: str
    near: bool
    shared: bool


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
    """A review, the criteria that it is judged by, the talk's recordings, and what the asker can do about it.
    `looked_by`: the edition of the phrases by which the talk was looked through, null while nobody has."""

    version: int
    edition: int
    criteria: list[CriterionOut]
    scores: dict[str, str]
    note: str
    coaching: str
    marks: list[MarkOut]
    hints: list[HintOut]
    looked_by: int | None
    recordings: list[RecordingOut]
    history: list[LineOut]
    steps: list[Step]


def criteria_out(criteria: Sequence[Criterion]) -> list[CriterionOut]:
    """Criteria with their weights and levels."""
    return [
        CriterionOut(
            **{name: getattr(one, name) for name in CriterionOut.model_fields if name != "levels"},
            levels=[LevelOut(**vars(level)) for level in one.levels],
        )
        for one in criteria
    ]


def rows_of(session: Session, rows: list[QualityReview]) -> list[dict[str, Any]]:
    """These reviews as rows of a list."""
    agents = agent_names(session, {row.agent_id for row in rows})
    people = display_names(session, {row.reviewer_id for row in rows})
    return [_row(row, agents, people) for row in rows]


def whole(session: Session, actor: Actor, row: QualityReview) -> ReviewOut:
    """All of a review, for whoever asks."""
    recordings = service.recordings_of(session, row)
    ids = [one.seq for one in recordings]
    return ReviewOut(
        **rows_of(session, [row])[0],
        version=row.version,
        edition=row.edition,
        criteria=criteria_out(service.criteria_of(session, row)),
        scores=dict(row.scores),
        note=row.note,
        coaching=row.coaching,
        marks=[MarkOut(recording=recording, at_ms=at_ms, text=text) for recording, at_ms, text in row.marks],
        hints=[hint_out(one) for one in phrases.of_recordings(session, ids)],
        looked_by=max(phrases.editions_of(session, ids).values(), default=None),
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


def hint_out(one: Seen) -> HintOut:
    """What was found, as pages tell it."""
    row, phrase = one.row, one.phrase
    return HintOut(
        recording=row.recording,
        at_ms=row.at_ms,
        code=row.code,
        kind=Kind(row.kind),
        state=State(row.state),
        phrase=row.variant,
        name=[phrase.zh, phrase.en] if phrase else [row.code, row.code],
        line=one.line,
        near=row.near,
        shared=row.shared,
    )


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
