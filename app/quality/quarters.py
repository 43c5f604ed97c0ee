"""A quarter's figures with their origin, confirmed by the section head, and what follows for agents (篇6).

Figures are reckoned from the reviews as they stand until somebody confirms them; from then on they are kept as they
were. Only what was confirmed bars anybody from the telephone, and only a recorded training lets them back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.tables import Agent
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.db import found
from app.errors import BadInput, Forbidden, Refused
from app.quality import assessment, telling
from app.quality.assessment import Confirmed, Judged, Quarter, Result, Standing, parse_quarter, standing
from app.quality.states import COUNTED, ReviewState
from app.quality.tables import QualityResult, QualityReview, QualityTraining
from app.text import clean

LONGEST_NOTE = 2_000


@dataclass(frozen=True)
class Row:
    """An agent's quarter and year: figures, whether they are confirmed, what they mean, the trainings of the year."""

    agent: Agent
    result: Result
    standing: Standing
    trainings: Sequence[QualityTraining] = ()


@dataclass(frozen=True)
class Sheet:
    """A quarter: everybody's figures; `over`: it has ended; `appeals`: so many are still to be decided."""

    quarter: Quarter
    over: bool
    confirmed_at: datetime | None
    appeals: int
    rows: Sequence[Row]


def sheet(session: Session, actor: Actor, quarter: str, zone: tzinfo, *, now: datetime | None = None) -> Sheet:
    """The figures of a quarter. Raises Forbidden, BadInput (quarter)."""
    actor.require(Permission.quality_assess)
    wanted = parse_quarter(quarter)
    kept = _kept(session, wanted)
    results = [_result_of(row) for row in kept] if kept else assessment.results(_judged(session, wanted))
    by_agent = {one.agent_id: one for one in results}
    agents = session.execute(select(Agent).order_by(col(Agent.agent_id))).scalars()
    standings, trainings = _year(session, wanted.year, zone)
    return Sheet(
        quarter=wanted,
        over=wanted.last < local_day(now or utc_now(), zone),
        confirmed_at=kept[0].confirmed_at if kept else None,
        appeals=_appeals(session, wanted),
        rows=[
            Row(
                agent,
                by_agent.get(agent.agent_id, Result(agent.agent_id, 0, None, None)),
                standings.get(agent.agent_id, Standing()),
                trainings.get(agent.agent_id, ()),
            )
            for agent in agents
            if agent.active or agent.agent_id in by_agent
        ],
    )


def confirm(
    session: Session, actor: Actor, quarter: str, zone: tzinfo, *, now: datetime | None = None
) -> Sequence[str]:
    """The quarter's figures are these; who is off duty by them. Done twice it is done once.

    Nobody confirms their own. Raises Forbidden, BadInput (quarter), Refused (not_over, open_appeals,
    appeals_may_come, none).
    """
    actor.require(Permission.quality_assess)
    wanted, now = parse_quarter(quarter), now or utc_now()
    if wanted.last >= local_day(now, zone):
        raise Refused("本季度还没有结束。", "This quarter is not over yet.", code="not_over")
    judged = _judged(session, wanted, lock=True)
    if actor.agent_id is not None and actor.agent_id in judged:
        raise Forbidden()
    if _kept(session, wanted):
        return []
    if _appeals(session, wanted):
        raise Refused("还有申诉没有裁定。", "There are appeals to be decided first.", code="open_appeals")
    if _contestable(session, wanted, now):
        raise Refused(
            "还有质检单在申诉期内，期满或坐席确认后再定。",
            "Some reviews may still be appealed against: wait for their time to end, or until the agents accept them.",
            code="appeals_may_come",
        )
    if not judged:
        raise Refused("本季度没有质检结果。", "There are no reviews of this quarter.", code="none")
    for one in assessment.results(judged):
        session.add(
            QualityResult(
                quarter=str(wanted),
                agent_id=one.agent_id,
                reviews=one.reviews,
                mean=one.mean,
                passed=one.passed,
                place=one.place,
                of=list(one.of),
                confirmed_by=actor.user_id,
                confirmed_at=now,
            )
        )
    session.flush()
    of_these = select(Agent).where(col(Agent.agent_id).in_(judged)).order_by(col(Agent.agent_id)).with_for_update()
    agents = session.execute(of_these).scalars().all()  # from here on nobody is trained until this is over
    standings, _ = _year(session, wanted.year, zone)
    barred = []
    for agent in agents:
        if standings[agent.agent_id].off_duty and agent.off_duty_since is None:
            agent.off_duty_since = now
            barred.append(agent.agent_id)
    write(session, actor, Action.quality_confirmed, f"quarter:{wanted}", {"off_duty": barred}, now=now)
    return barred


def train(session: Session, actor: Actor, agent_id: str, text: str, *, now: datetime | None = None) -> QualityTraining:
    """This agent was trained, and may sign in again. Raises Forbidden (also for oneself), NotFound, BadInput (note)."""
    actor.require(Permission.quality_assess)
    if actor.agent_id == agent_id:
        raise Forbidden()
    now, words = now or utc_now(), clean(text, LONGEST_NOTE + 1, lines=True)
    if not words or len(words) > LONGEST_NOTE:
        raise BadInput(fields={"note": f"写明培训内容，最长 {LONGEST_NOTE} 字 (say what it was, briefly)"})
    agent = found(session, Agent, agent_id, lock=True)
    agent.off_duty_since = None
    name = actor.display_name or actor.name
    training = QualityTraining(agent_id=agent_id, at=now, by=actor.user_id, by_name=name, note=words)
    session.add(training)
    write(session, actor, Action.quality_trained, f"agent:{agent_id}", now=now)
    session.flush()
    telling.trained(session, training, now)
    return training


def _judged(session: Session, quarter: Quarter, *, lock: bool = False) -> Mapping[str, Sequence[Judged]]:
    """What counts, by agent; with `lock` nobody appeals against it in this transaction's time, or confirms it too."""
    counted = select(QualityReview).where(
        col(QualityReview.day).between(quarter.first, quarter.last),
        col(QualityReview.state).in_([state.value for state in COUNTED]),
    )
    if lock:
        counted = counted.order_by(col(QualityReview.id)).with_for_update()
    found: dict[str, list[Judged]] = {}
    for row in session.execute(counted).scalars():
        found.setdefault(row.agent_id, []).append(Judged(row.id or 0, row.total or 0))
    return found


def _appeals(session: Session, quarter: Quarter) -> int:
    waiting = select(func.count()).where(
        col(QualityReview.day).between(quarter.first, quarter.last),
        col(QualityReview.state) == ReviewState.appealed.value,
    )
    return int(session.execute(waiting).scalar_one())


def _contestable(session: Session, quarter: Quarter, now: datetime) -> bool:
    """Whether an appeal may still come: what it changes would change nothing any more."""
    may_come = select(col(QualityReview.id)).where(
        col(QualityReview.day).between(quarter.first, quarter.last),
        col(QualityReview.state) == ReviewState.published.value,
        col(QualityReview.appeal_until) > now,
    )
    return session.execute(may_come.limit(1)).first() is not None


def _kept(session: Session, quarter: Quarter) -> list[QualityResult]:
    statement = select(QualityResult).where(col(QualityResult.quarter) == str(quarter))
    return list(session.execute(statement.order_by(col(QualityResult.agent_id))).scalars())


def _result_of(row: QualityResult) -> Result:
    return Result(row.agent_id, row.reviews, row.mean, row.passed, row.place, tuple(row.of))


def _year(
    session: Session, year: int, zone: tzinfo
) -> tuple[Mapping[str, Standing], Mapping[str, Sequence[QualityTraining]]]:
    """What a year means so far for every agent with confirmed quarters in it, and everybody's trainings since it began:
    no earlier one came after a quarter of it."""
    trainings: dict[str, list[QualityTraining]] = {}
    since = select(QualityTraining).where(col(QualityTraining.at) >= datetime(year, 1, 1, tzinfo=zone))
    for row in session.execute(since.order_by(col(QualityTraining.at))).scalars():
        trainings.setdefault(row.agent_id, []).append(row)
    confirmed: dict[str, list[Confirmed]] = {}
    of_year = col(QualityResult.quarter).between(str(Quarter(year, 1)), str(Quarter(year, 4)))
    for kept in session.execute(select(QualityResult).where(of_year)).scalars():
        one = Confirmed(parse_quarter(kept.quarter), kept.passed, kept.place, kept.confirmed_at)
        confirmed.setdefault(kept.agent_id, []).append(one)
    standings = {
        agent_id: standing(year, quarters, [it.at for it in trainings.get(agent_id, ())])
        for agent_id, quarters in confirmed.items()
    }
    return standings, trainings
