"""What the core asks and tells of a campaign's calls.

An attempt is written, with the id that its call will have, before anybody is dialled. Whatever happens to the core
afterwards, the attempt is settled by what the telephone says of that call, or as unknown; then the number rests, and
nobody is called twice for one attempt. Everything here may be told twice, and late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.audit.model import Action
from app.audit.service import write
from app.campaigns.hours import may_call
from app.campaigns.model import (
    OPEN,
    CampaignAct,
    CampaignState,
    Channel,
    Ended,
    Kind,
    Mode,
    OpenAttempt,
    Order,
    Outcome,
    TargetState,
    TargetStep,
    Verdict,
    Wish,
    Work,
    call_of,
    classify,
    next_campaign,
    next_target,
    spacing,
    verdict,
)
from app.campaigns.service import hours_of
from app.campaigns.tables import Campaign, CampaignAttempt, CampaignTarget
from app.campaigns.targets import Person, forbids
from app.clock import local_day, to_ms
from app.consents import service as consents
from app.consents.model import About, How, Said
from app.db import Database, found
from app.destinations import Destinations
from app.selfservice import surveys
from app.settings import Settings
from app.text import normal_number
from app.workdays.service import calendar

log = structlog.get_logger(__name__)

LOOKED_AT = 20  # targets that one look may leave out before it gives up


def work(db: Database, settings: Settings, now: datetime) -> Sequence[Work]:
    """The campaigns that may call now, the most urgent first; one that has nobody left is ended by this."""
    with db.read() as session:
        rows = list(
            session.execute(
                select(Campaign)
                .where(col(Campaign.state) == CampaignState.running.value)
                .order_by(col(Campaign.priority).desc(), col(Campaign.id))
            ).scalars()
        )
        left = [row for row in rows if _has(session, row, *OPEN)]
        days = calendar(session, local_day(now, settings.zone)) if left else None
        ready = [
            Work(row.id or 0, row.mode == Mode.agents.value, row.queue, row.most_lines)
            for row in left
            if days is not None
            and may_call(hours_of(row, settings), days, settings.zone, now)
            and session.execute(_due(row, now).with_only_columns(col(CampaignTarget.id)).limit(1)).first()
        ]
    if any(row not in left and not row.gathers for row in rows):
        finish(db, now)
    return ready


def finish(db: Database, now: datetime) -> None:
    """End the campaigns that have nobody left; one that gathers people waits for the next."""
    with db.read() as session:
        on = (col(Campaign.state) == CampaignState.running.value) & col(Campaign.gathers).is_(False)
        running = select(Campaign).where(on)
        over = [row.id or 0 for row in session.execute(running).scalars() if not _has(session, row, *OPEN)]
    for campaign_id in over:
        _finish(db, campaign_id, now)


def begin(
    db: Database, settings: Settings, destinations: Destinations, campaign_id: int, agent_id: str, now: datetime
) -> Order | None:
    """Write the next attempt of a campaign; None when there is nobody to call (any more).

    Who may not be called is left out of the list here and now, whatever held when they were put on it.
    """
    with db.session() as session:
        row = found(session, Campaign, campaign_id, lock=True)
        if row.state != CampaignState.running.value:
            return None
        days = calendar(session, local_day(now, settings.zone))
        if not may_call(hours_of(row, settings), days, settings.zone, now):
            return None
        for target in session.execute(_due(row, now).limit(LOOKED_AT).with_for_update()).scalars():
            person = Person(normal_number(target.number), target.language, Channel.phone.value)
            why = forbids(session, Kind(row.kind), destinations, [person], Channel.phone).get(person.number)
            if row.gathers and surveys.has_answered(session, person.number):
                why = "answered"
            if why is None:
                attempt = write_attempt(session, row, target, Channel.phone, now, agent_id=agent_id)
                attempt.call_id = call_of(settings.node, attempt.id or 0)
                return _order(row, target, attempt, settings)
            _step(target, TargetStep.leave_out, now)
            target.why = why
    return None


def write_attempt(
    session: Session, row: Campaign, target: CampaignTarget, channel: Channel, now: datetime, *, agent_id: str = ""
) -> CampaignAttempt:
    """The next attempt of a target that waits, in the transaction that decides on it."""
    target.attempts += 1
    target.state = TargetState.calling.value
    attempt = CampaignAttempt(
        campaign_id=row.id or 0,
        target_id=target.id or 0,
        no=target.attempts,
        channel=channel.value,
        agent_id=agent_id,
        at=now,
    )
    session.add(attempt)
    session.flush()
    return attempt


def open_attempts(db: Database) -> Sequence[OpenAttempt]:
    """The attempts by telephone that are not settled, the oldest first."""
    with db.read() as session:
        rows = session.execute(
            select(CampaignAttempt)
            .where(col(CampaignAttempt.settled_at).is_(None), col(CampaignAttempt.channel) == Channel.phone.value)
            .order_by(col(CampaignAttempt.id))
        ).scalars()
        return [OpenAttempt(row.id or 0, row.call_id, to_ms(row.at)) for row in rows]


def settle(db: Database, call_id: str, told: Mapping[str, Any], now: datetime) -> None:
    """How the attempt with this call ended: heard, cause, said, answer, wish; or `outcome` for what nobody heard.

    Values come from the dialplan and are taken for input. The first word counts, unless it was "unknown".
    """
    with db.session() as session:
        attempt = session.execute(
            select(CampaignAttempt).where(col(CampaignAttempt.call_id) == call_id).with_for_update()
        ).scalar_one_or_none()
        if attempt is not None:
            ended = ended_of(told)
            known = told.get("outcome")
            outcome = (
                Outcome(known) if known in (Outcome.unknown, Outcome.failed) else classify(ended.heard, ended.cause)
            )
            apply(session, attempt, outcome, ended, now)


def ended_of(told: Mapping[str, Any]) -> Ended:
    """What was told, with whatever cannot be meant left out."""
    answer, wish = str(told.get("answer", "")), str(told.get("wish", ""))
    cause = str(told.get("cause", ""))
    return Ended(
        heard=str(told.get("heard", ""))[:16],
        cause=int(cause) if cause.isascii() and cause.isdigit() and len(cause) <= 3 else 0,
        said=str(told.get("said", "")) == "1",
        answer=answer if len(answer) == 1 and answer in "1234567" else "",
        wish=Wish(wish) if wish in {one.value for one in Wish} else Wish.none,
    )


def apply(session: Session, attempt: CampaignAttempt, outcome: Outcome, ended: Ended, now: datetime) -> None:
    """Settle the attempt, and move its target on. What was settled stays, unless it was unknown."""
    if attempt.settled_at is not None and (attempt.outcome != Outcome.unknown.value or outcome is Outcome.unknown):
        return
    attempt.settled_at, attempt.outcome, attempt.cause = now, outcome.value, ended.cause
    attempt.said, attempt.answer, attempt.wish = ended.said, ended.answer, ended.wish.value
    target = found(session, CampaignTarget, attempt.target_id, lock=True)
    row = found(session, Campaign, attempt.campaign_id)
    if ended.wish is Wish.refuse:
        consents.note(
            session,
            SYSTEM,
            Said.do_not_call,
            About.campaigns,
            target.number,
            how=How.key,
            call_id=attempt.call_id,
            now=now,
        )
    if row.gathers and ended.answer:
        surveys.rate_by_callback(session, target.number, int(ended.answer), now)
    if target.attempts != attempt.no and ended.wish is not Wish.refuse:
        return  # told very late: another attempt has begun meanwhile
    target.outcome, target.answer = outcome.value, ended.answer or target.answer
    target.person = target.person or ended.wish is Wish.person
    counted = _count(session, target)
    _move_on(target, row, outcome, ended, counted, now)


def _count(session: Session, target: CampaignTarget) -> int:
    """How many attempts there were: one that did not come to dialling is none."""
    tried = (col(CampaignAttempt.target_id) == target.id) & (col(CampaignAttempt.outcome) != Outcome.failed.value)
    counted: int = session.execute(select(func.count()).select_from(CampaignAttempt).where(tried)).scalar_one()
    return counted


def _move_on(
    target: CampaignTarget, row: Campaign, outcome: Outcome, ended: Ended, counted: int, now: datetime
) -> None:
    means = verdict(outcome, said=ended.said)
    if ended.wish is Wish.refuse:
        step = TargetStep.refuse
    elif means is Verdict.reached:
        step = TargetStep.reach
    elif means is Verdict.never or (counted >= row.most_attempts and outcome is not Outcome.failed):
        step = TargetStep.give_up
    else:
        step = TargetStep.miss
    _step(target, step, now)
    if target.state == TargetState.waiting.value:
        target.next_at = now + spacing(outcome, row.spacing)


def _step(target: CampaignTarget, step: TargetStep, now: datetime) -> None:
    state = next_target(TargetState(target.state), step)
    if state is not None:
        target.state = state.value
        target.ended_at = None if state in OPEN else now


def _due(row: Campaign, now: datetime) -> Any:
    """The targets of a campaign that are to be called by telephone now, and are not being called by another."""
    channel = (Channel.phone.value, "") if row.channel == Channel.phone.value else (Channel.phone.value,)
    other: Any = aliased(CampaignTarget)
    elsewhere = exists().where(other.number == col(CampaignTarget.number), other.state == TargetState.calling.value)
    return (
        select(CampaignTarget)
        .where(
            col(CampaignTarget.campaign_id) == row.id,
            col(CampaignTarget.state) == TargetState.waiting.value,
            col(CampaignTarget.next_at) <= now,
            col(CampaignTarget.channel).in_(channel),
            ~elsewhere,
        )
        .order_by(col(CampaignTarget.next_at), col(CampaignTarget.id))
    )


def _has(session: Session, row: Campaign, *states: TargetState) -> bool:
    some = (col(CampaignTarget.campaign_id) == row.id) & col(CampaignTarget.state).in_([one.value for one in states])
    return session.execute(select(col(CampaignTarget.id)).where(some).limit(1)).first() is not None


def _finish(db: Database, campaign_id: int, now: datetime) -> None:
    with db.session() as session:
        row = found(session, Campaign, campaign_id, lock=True)
        if row.state != CampaignState.running.value or row.gathers or _has(session, row, *OPEN):
            return
        row.state, row.ended_at = next_campaign(CampaignState(row.state), CampaignAct.finish).value, now
        detail = {"from": CampaignState.running.value, "to": row.state}
        write(session, SYSTEM, Action.campaign_step, f"campaign:{campaign_id}", detail, now=now)


def _order(row: Campaign, target: CampaignTarget, attempt: CampaignAttempt, settings: Settings) -> Order:
    language = target.language if target.language in row.sounds else "zh"
    files = row.sounds.get(language, {})
    return Order(
        attempt_id=attempt.id or 0,
        call_id=attempt.call_id,
        campaign_id=row.id or 0,
        number=normal_number(target.number),
        language=language,
        queue=row.queue,
        priority=row.priority,
        by_agents=row.mode == Mode.agents.value,
        agent_id=attempt.agent_id,
        ring_s=row.ring_s,
        keys="".join(sorted(row.answers)),
        leaves_message=row.on_machine == "message",
        sounds={part: str((settings.home / file).with_suffix("")) for part, file in files.items()},
    )
