"""Filling a reviewer's list from the talks of a week."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.tables import Agent
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.calls.service import confidential_ids
from app.calls.tables import Call
from app.cases.model import CaseType
from app.cases.tables import Case
from app.clock import local_day, utc_now
from app.db import loaded
from app.errors import BadInput
from app.paging import day_range
from app.phrases.reading import forbidden_counts
from app.quality.editions import criteria_numbers, rules_on
from app.quality.sampling import Drawer, Reason, Rules, Talk, draw
from app.quality.service import note
from app.quality.states import ReviewState
from app.quality.tables import QualityDraw, QualityReview
from recordings.tables import Recording

DRAW = "draw"  # the first line of a history


def fill(
    session: Session,
    actor: Actor,
    week: date,
    zone: tzinfo,
    *,
    rules: Rules | None = None,
    seed: str = "",
    now: datetime | None = None,
) -> list[QualityReview]:
    """Draw what is still to be reviewed of the week of that day, for whoever asks. Asked again, it adds nothing.

    By the rules of the week's Monday unless others are given, to be judged by the criteria of each talk's day. `seed`
    counts for the first draw of a week; later ones use that draw's. Raises Forbidden, BadInput (a week that has not
    begun).
    """
    actor.require(Permission.quality_review)
    now = now or utc_now()
    monday = week - timedelta(days=week.weekday())
    if monday > local_day(now, zone):
        raise BadInput(fields={"week": "这一周还没有开始 (this week has not begun)"})
    drawn = _seed_of(session, monday, seed or secrets.token_hex(16), now)
    drawer = Drawer(actor.agent_id, actor.may(Permission.confidential_read))
    chosen = draw(talks_of(session, monday, zone, now), drawn.seed, drawer, rules or rules_on(session, monday))
    calls = loaded(session, Call, [one.talk.call_id for one in chosen])
    days = {call_id: local_day(call.started_at, zone) for call_id, call in calls.items()}
    edition = criteria_numbers(session, days.values())
    made = [
        QualityReview(
            call_id=one.talk.call_id,
            agent_id=one.talk.agent_id,
            day=days[one.talk.call_id],
            week=monday,
            edition=edition[days[one.talk.call_id]],
            reviewer_id=actor.user_id or 0,
            reason=one.reason.value,
            state=ReviewState.drawn.value,
            drawn_at=now,
        )
        for one in chosen
    ]
    session.add_all(made)
    session.flush()
    for review in made:
        note(session, actor, review, DRAW, ReviewState.drawn, now, detail={"reason": review.reason})
    told = {"drawn": len(made), **Counter(one.reason.value for one in chosen)}
    write(session, actor, Action.quality_drawn, f"week:{monday}", told, now=now)
    return made


def talks_of(session: Session, monday: date, zone: tzinfo, now: datetime) -> Iterable[Talk]:
    """The recorded talks of a week: one for each call and agent, whatever became of its review."""
    begin, end = day_range(monday, monday + timedelta(days=6), zone)
    held = (
        select(col(Recording.call_id), col(Recording.agent_id), func.sum(Recording.duration_ms))
        .join(Call, col(Call.call_id) == col(Recording.call_id))
        .join(Agent, col(Agent.agent_id) == col(Recording.agent_id))
        .where(col(Call.started_at) >= begin, col(Call.started_at) < end, col(Recording.expired_at).is_(None))
        .group_by(col(Recording.call_id), col(Recording.agent_id))
    )
    rows = session.execute(held).all()
    ids = list({row[0] for row in rows})
    calls = {key: call for part in _parts(ids) for key, call in loaded(session, Call, part).items()}
    secret = {one for part in _parts(ids) for one in confidential_ids(session, [calls[key] for key in part])}
    forbidden = {key: n for part in _parts(ids) for key, n in forbidden_counts(session, part).items()}
    complaints = {one for part in _parts(ids) for one in _complaints(session, part)}
    known = select(QualityReview).where(col(QualityReview.week) == monday)
    reviewed = {(row.call_id, row.agent_id): row for row in session.execute(known).scalars()}
    since = dict(session.execute(select(col(Agent.agent_id), col(Agent.created_at))).all())
    for call_id, agent_id, ms in rows:
        call, review = calls[call_id], reviewed.get((call_id, agent_id))
        skipped = review is not None and review.state == ReviewState.skipped.value
        picked = review is not None and review.reason == Reason.picked.value
        yield Talk(
            call_id=call_id,
            agent_id=agent_id,
            talk_s=int(ms) // 1000,
            held_s=call.held_s or 0,
            rating=call.rating,
            complaint=call_id in complaints,
            forbidden=forbidden.get((call_id, agent_id), 0),
            secret=call_id in secret,
            agent_days=(now - since[agent_id]).days,
            drawn=review is not None and not skipped and not picked,
            skipped=skipped,
            picked=picked,
        )


def _seed_of(session: Session, monday: date, seed: str, now: datetime) -> QualityDraw:
    """The week's draw, locked: two who draw at once draw one after the other."""
    values = {"week": monday, "seed": seed[:32], "at": now}
    insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    session.execute(insert(QualityDraw).values(**values).on_conflict_do_nothing(index_elements=["week"]))
    of_week = select(QualityDraw).where(col(QualityDraw.week) == monday)
    found: QualityDraw = session.execute(of_week.with_for_update()).scalar_one()
    return found


def _parts(ids: list[str], size: int = 500) -> Iterable[list[str]]:
    return (ids[at : at + size] for at in range(0, len(ids), size))


def _complaints(session: Session, ids: list[str]) -> Iterable[str]:
    wanted = col(Case.call_id).in_(ids), col(Case.type) == CaseType.complaint.value
    return session.execute(select(col(Case.call_id)).where(*wanted)).scalars()
