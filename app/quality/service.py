"""Reviews: judged, published, answered, decided. Every step but saving is a line that stays, and is audited (K5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import utc_now
from app.clocks.limits import Unit, end_of
from app.clocks.service import reckoning
from app.errors import BadInput, Forbidden, Refused, VersionConflict
from app.paging import Leaf, Page, equal, page_of
from app.quality import editions, telling
from app.quality.access import parties, seen, visible
from app.quality.criteria import Criterion, faults, score
from app.quality.states import ReviewState, Step, permitted, rule_of
from app.quality.tables import QualityEvent, QualityReview
from app.settings import Settings, get_settings
from app.text import clean
from recordings.service import is_secret
from recordings.tables import Recording

LONGEST_TEXT, LONGEST_MARK, MOST_MARKS = 4_000, 300, 50


@dataclass(frozen=True)
class Mark:
    """A note on a moment of one of the talk's recordings."""

    recording: int
    at_ms: int
    text: str


@dataclass(frozen=True)
class Form:
    """What a reviewer has filled in; it may be incomplete while it is only saved."""

    scores: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    coaching: str = ""
    marks: Sequence[Mark] = ()


def reviews(
    session: Session,
    actor: Actor,
    *,
    box: str = "",
    agent: str = "",
    state: str = "",
    leaf: Leaf | None = None,
) -> Page[QualityReview]:
    """Reviews, newest first. `box`: mine (drawn for the asker), own (the asker's talks), appeals (that the asker could
    decide on). Raises Forbidden."""
    statement = select(QualityReview).where(visible(actor)).order_by(col(QualityReview.id).desc())
    statement = equal(statement, {QualityReview.agent_id: agent, QualityReview.state: state})
    if box == "mine":
        mine = col(QualityReview.reviewer_id) == actor.user_id
        statement = statement.where(mine, col(QualityReview.state) == ReviewState.drawn.value)
    elif box == "own":
        statement = statement.where(col(QualityReview.agent_id) == (actor.agent_id or "-"))
    elif box == "appeals":
        statement = statement.where(
            col(QualityReview.state) == ReviewState.appealed.value,
            col(QualityReview.reviewer_id) != actor.user_id,
            col(QualityReview.agent_id) != (actor.agent_id or "-"),
        )
    return page_of(session, statement, leaf)


def history(session: Session, review: QualityReview) -> list[QualityEvent]:
    """What happened to it, oldest first."""
    statement = select(QualityEvent).where(col(QualityEvent.review_id) == review.id).order_by(col(QualityEvent.id))
    return list(session.execute(statement).scalars())


def criteria_of(session: Session, review: QualityReview) -> Sequence[Criterion]:
    """The criteria that it is judged by, on appeal too: those of the day of the talk."""
    return editions.criteria_by(session, review.edition)


def recordings_of(session: Session, review: QualityReview) -> list[Recording]:
    """The recordings of the talk that is judged, those of this agent alone, in order."""
    mine = col(Recording.call_id) == review.call_id, col(Recording.agent_id) == review.agent_id
    return list(session.execute(select(Recording).where(*mine).order_by(col(Recording.segment))).scalars())


def read_with(session: Session, review: QualityReview, heard: Collection[int], hinted: Collection[int]) -> set[int]:
    """Of which of the recordings that are heard with it a review tells what was said: of those with hints, and of a
    confidential call's all, since whatever is written tells of it. To read it is audited as reading them is."""
    return set(heard if is_secret(session, review.call_id) else hinted)


def in_time(review: QualityReview, now: datetime) -> bool:
    """Whether the agent may still appeal."""
    return review.appeal_until is not None and now < review.appeal_until


def save(
    session: Session, actor: Actor, review_id: int, version: int, form: Form, *, now: datetime | None = None
) -> QualityReview:
    """Keep what the reviewer has filled in so far. Raises Forbidden, NotFound, Refused, VersionConflict, BadInput."""
    review = _taken(session, actor, review_id, version, Step.save)
    _fill(session, review, form)
    return _done(session, actor, review, Step.save, now or utc_now(), line=False)


def publish(
    session: Session,
    actor: Actor,
    review_id: int,
    version: int,
    form: Form,
    *,
    now: datetime | None = None,
    settings: Settings | None = None,
) -> QualityReview:
    """The agent reads it from now on, and may appeal for some working days. Raises what `save` raises."""
    now, settings = now or utc_now(), settings or get_settings()
    review = _taken(session, actor, review_id, version, Step.publish)
    _fill(session, review, form)
    _judge(session, review, form.scores)
    review.published_at = now
    by = reckoning(session, now, settings)
    review.appeal_until = end_of(now, settings.quality_appeal_days, Unit.working_days, by).at
    made = _done(session, actor, review, Step.publish, now, detail=_told(review))
    telling.published(session, made, now)
    return made


def skip(
    session: Session, actor: Actor, review_id: int, version: int, why: str, *, now: datetime | None = None
) -> QualityReview:
    """There is nothing to review in it; another talk may be drawn instead. Raises what `save` raises."""
    review = _taken(session, actor, review_id, version, Step.skip)
    return _done(session, actor, review, Step.skip, now or utc_now(), text=_why(why))


def acknowledge(
    session: Session, actor: Actor, review_id: int, version: int, *, now: datetime | None = None
) -> QualityReview:
    """The agent has read it and leaves it so. Raises what `save` raises."""
    review = _taken(session, actor, review_id, version, Step.acknowledge)
    return _done(session, actor, review, Step.acknowledge, now or utc_now())


def appeal(
    session: Session, actor: Actor, review_id: int, version: int, why: str, *, now: datetime | None = None
) -> QualityReview:
    """The agent asks for another judgement, once, in time. Raises what `save` raises; Refused (too_late)."""
    now = now or utc_now()
    review = _taken(session, actor, review_id, version, Step.appeal)
    if not in_time(review, now):
        raise Refused("申诉期限已过。", "The time for an appeal is over.", code="too_late")
    made = _done(session, actor, review, Step.appeal, now, text=_why(why))
    telling.appealed(session, made, now)
    return made


def decide(
    session: Session,
    actor: Actor,
    review_id: int,
    version: int,
    why: str,
    scores: Mapping[str, str] | None = None,
    *,
    now: datetime | None = None,
) -> QualityReview:
    """An appeal is turned down, or (with `scores`) another judgement takes the place of the first.

    Never by who judged, nor by whose talk it is. Raises what `save` raises.
    """
    step = Step.uphold if scores is None else Step.change
    review = _taken(session, actor, review_id, version, step)
    before = _told(review)
    if scores is not None:
        _judge(session, review, scores)
        review.scores = dict(scores)
    detail, now = {"before": before, "after": _told(review)}, now or utc_now()
    made = _done(session, actor, review, step, now, text=_why(why), detail=detail)
    telling.decided(session, made, now)
    return made


def coach(
    session: Session, actor: Actor, review_id: int, version: int, text: str, *, now: datetime | None = None
) -> QualityReview:
    """A note for the agent by somebody who leads them. Raises what `save` raises."""
    review = _taken(session, actor, review_id, version, Step.coach)
    return _done(session, actor, review, Step.coach, now or utc_now(), text=_why(text, "text"))


def waiting(session: Session, actor: Actor) -> Mapping[str, int]:
    """How many wait for the asker: drawn for them, appeals that they could decide on, their own to be read."""
    boxes: Collection[tuple[str, Permission, str]] = (
        ("mine", Permission.quality_review, ""),
        ("appeals", Permission.quality_decide, ""),
        ("own", Permission.quality_own, ReviewState.published.value),
    )
    one = Leaf(1, 1)
    return {
        box: reviews(session, actor, box=box, state=state, leaf=one).total
        for box, needed, state in boxes
        if actor.may(needed)
    }


def _taken(session: Session, actor: Actor, review_id: int, version: int, step: Step) -> QualityReview:
    review = seen(session, actor, review_id, lock=True)
    if review.version != version:
        raise VersionConflict(
            "这张质检单刚有变化，刷新后再看。", "This review has just changed. Reload and look again."
        )
    rule = rule_of(ReviewState(review.state), step)
    if not permitted(rule, parties(actor, review), actor.permissions):
        raise Forbidden()
    return review


def _done(
    session: Session,
    actor: Actor,
    review: QualityReview,
    step: Step,
    now: datetime,
    *,
    text: str = "",
    detail: Mapping[str, Any] | None = None,
    line: bool = True,
) -> QualityReview:
    before = ReviewState(review.state)
    review.state = rule_of(before, step).to.value
    review.version += 1
    session.add(review)
    if line:
        note(session, actor, review, step.value, before, now, text=text, detail=detail)
        write(session, actor, Action.quality_step, f"review:{review.id}", {"step": step.value}, now=now)
    session.flush()
    return review


def note(
    session: Session,
    actor: Actor,
    review: QualityReview,
    step: str,
    before: ReviewState,
    now: datetime,
    *,
    text: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to the history."""
    session.add(
        QualityEvent(
            review_id=review.id or 0,
            at=now,
            user_id=actor.user_id,
            actor_name=actor.display_name or actor.name or "?",
            step=step,
            from_state=before.value,
            to_state=review.state,
            text=text,
            detail=dict(detail or {}),
        )
    )


def _fill(session: Session, review: QualityReview, form: Form) -> None:
    known = {row.seq: row.duration_ms for row in recordings_of(session, review)}
    found = faults(form.scores, criteria_of(session, review))
    wrong = {name: text for name, text in found.items() if form.scores.get(name.split(".")[-1])}
    note, coaching = clean(form.note, LONGEST_TEXT + 1, lines=True), clean(form.coaching, LONGEST_TEXT + 1, lines=True)
    for name, text in (("note", note), ("coaching", coaching)):
        if len(text) > LONGEST_TEXT:
            wrong[name] = f"最长 {LONGEST_TEXT} 字 (at most {LONGEST_TEXT} characters)"
    if len(form.marks) > MOST_MARKS:
        wrong["marks"] = f"最多 {MOST_MARKS} 处 (at most {MOST_MARKS})"
    marks = []
    for at, mark in enumerate(form.marks):
        text = clean(mark.text, LONGEST_MARK)
        if not text or not 0 <= mark.at_ms <= known.get(mark.recording, -1):
            wrong[f"marks.{at}"] = "须有文字，并在本通录音之内 (needs a text, within this talk's recordings)"
        marks.append([mark.recording, mark.at_ms, text])
    if wrong:
        raise BadInput(fields=wrong)
    review.scores, review.note, review.coaching, review.marks = dict(form.scores), note, coaching, sorted(marks)


def _judge(session: Session, review: QualityReview, scores: Mapping[str, str]) -> None:
    criteria = criteria_of(session, review)
    if wrong := faults(scores, criteria):
        raise BadInput(fields=wrong)
    came_to = score(scores, criteria)
    review.total, review.passed = came_to.total, came_to.passed


def _told(review: QualityReview) -> dict[str, Any]:
    return {"scores": dict(review.scores), "total": review.total, "passed": review.passed}


def _why(text: str, name: str = "reason") -> str:
    words = clean(text, LONGEST_TEXT + 1, lines=True)
    if not words:
        raise BadInput(fields={name: "写明原因或内容 (say why)"})
    if len(words) > LONGEST_TEXT:
        raise BadInput(fields={name: f"最长 {LONGEST_TEXT} 字 (at most {LONGEST_TEXT} characters)"})
    return words
