"""Planning and changing the roster, handing over, and who is on duty now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.tables import Agent
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission, Role
from app.auth.tables import User
from app.cases.acting import said
from app.cases.tables import HandlingSection
from app.clock import local_day, utc_now
from app.errors import BadInput, Conflict, NotFound
from app.roster.model import LEADER, MOST_DAYS, OFFICE, Fault, Seat, Turn, faults, filled, posts_of
from app.roster.tables import DutyTurn, HandOver, RosterMember
from app.settings import Settings
from app.text import clean
from app.workdays.model import parse_office_hours
from app.workdays.service import calendar

LOOKS_BACK = timedelta(days=92)  # turns that count for fairness
LONGEST_HAND_OVER = 4_000
CENTRE = {role.value for role in (Role.agent, Role.supervisor, Role.dispatcher, Role.section_head, Role.duty_leader)}


@dataclass(frozen=True)
class Roster:
    """Some days of the roster: which of them are working days, the posts, who stands where, and what is wrong."""

    days: list[tuple[date, bool]]
    sections: list[str]
    people: dict[str, list[int]]
    turns: list[DutyTurn]
    faults: list[Fault]


def roster(session: Session, actor: Actor, first: date, last: date) -> Roster:
    """The roster of these days. Raises Forbidden, BadInput (to)."""
    actor.require(Permission.roster_read)
    return _roster(session, first, last)


def plan(session: Session, actor: Actor, first: date, last: date, *, now: datetime | None = None) -> list[DutyTurn]:
    """Fill what is empty on these days by turns; what is set stays. Raises Forbidden, BadInput (to)."""
    actor.require(Permission.roster_write)
    now = now or utc_now()
    seen = _roster(session, first, last)
    before = select(DutyTurn).where(col(DutyTurn.day) >= first - LOOKS_BACK, col(DutyTurn.day) <= last)
    had = [_turn(row) for row in session.execute(before).scalars()]
    rows = [
        DutyTurn(day=turn.day, post=turn.post, user_id=turn.user_id, changed_by=actor.user_id, changed_at=now)
        for turn in filled(seen.days, seen.sections, seen.people, had)
    ]
    session.add_all(rows)
    _flush(session)
    if rows:
        told = {"from": first.isoformat(), "to": last.isoformat(), "turns": len(rows)}
        write(session, actor, Action.roster_changed, "roster", told, now=now)
    return rows


def put(
    session: Session,
    actor: Actor,
    day: date,
    post: str,
    user_id: int | None,
    version: int,
    *,
    note: str = "",
    now: datetime | None = None,
) -> DutyTurn | None:
    """Somebody stands at that post on that day, or nobody; `version` is 0 where nobody did.

    Raises Forbidden, BadInput (post, user_id), Conflict when somebody else changed it meanwhile.
    """
    actor.require(Permission.roster_write)
    now = now or utc_now()
    people = people_of(session)
    if post not in people:
        raise BadInput(fields={"post": "没有这个岗位 (no such post)"})
    if user_id is not None and user_id not in people[post]:
        raise BadInput(fields={"user_id": "此人不在该岗位值班人员之中 (does not take turns at this post)"})
    same = select(DutyTurn).where(col(DutyTurn.day) == day, col(DutyTurn.post) == post).with_for_update()
    row: DutyTurn | None = session.execute(same).scalar_one_or_none()
    if version != (row.version if row else 0):
        raise _conflict()
    if user_id is not None:
        on_duty = select(col(DutyTurn.post)).where(col(DutyTurn.day) == day, col(DutyTurn.user_id) == user_id)
        if any(other != post for other in session.execute(on_duty).scalars()):
            raise BadInput(fields={"user_id": "此人当天已在其他岗位值班 (is on duty at another post that day)"})
    before = row.user_id if row else None
    if user_id is None:
        if row is not None:
            session.delete(row)
        row = None
    elif row is None:
        row = DutyTurn(day=day, post=post, user_id=user_id, changed_by=actor.user_id, changed_at=now)
        session.add(row)
    else:
        row.user_id, row.version = user_id, row.version + 1
        row.changed_by, row.changed_at = actor.user_id, now
    if row is not None:
        row.note = clean(note, 200)
    _flush(session)
    told = {"post": post, "from": before, "to": user_id}
    write(session, actor, Action.roster_changed, f"roster:{day.isoformat()}", told, now=now)
    return row


def set_people(
    session: Session, actor: Actor, post: str, user_ids: Sequence[int], *, now: datetime | None = None
) -> list[int]:
    """Who takes turns at a post, in this order. Turns that are planned stay. Raises Forbidden, BadInput."""
    actor.require(Permission.roster_write)
    if post not in people_of(session):
        raise BadInput(fields={"post": "没有这个岗位 (no such post)"})
    wanted = list(dict.fromkeys(user_ids))
    if not set(wanted) <= {user.id for user in _of_the_centre(session)}:
        raise BadInput(fields={"user_ids": "含有不存在、已停用或非热线中心的账户 (accounts of the centre only)"})
    session.execute(delete(RosterMember).where(col(RosterMember.post) == post))
    session.add_all(RosterMember(post=post, user_id=one, position=at) for at, one in enumerate(wanted))
    session.flush()
    write(session, actor, Action.roster_changed, f"roster:{post}", {"people": len(wanted)}, now=now or utc_now())
    return wanted


def candidates(session: Session, actor: Actor) -> list[User]:
    """Everybody of the centre who could take turns. Raises Forbidden."""
    actor.require(Permission.roster_write)
    return _of_the_centre(session)


def hand_over(
    session: Session, actor: Actor, settings: Settings, post: str, text: str, *, now: datetime | None = None
) -> HandOver:
    """交接班: what the next one must know. From whoever stands at that post today, or who runs the roster.

    Raises NotFound where nobody stands, Forbidden, BadInput (text).
    """
    now = now or utc_now()
    day = local_day(now, settings.zone)
    mine = select(DutyTurn).where(col(DutyTurn.day) == day, col(DutyTurn.post) == post)
    turn = session.execute(mine).scalar_one_or_none()
    if turn is None:
        raise NotFound()
    if turn.user_id != actor.user_id:
        actor.require(Permission.roster_write)
    row = HandOver(day=day, post=post, by=actor.user_id, at=now, text=said(text, "text", LONGEST_HAND_OVER))
    session.add(row)
    session.flush()
    return row


def hand_overs(session: Session, actor: Actor, first: date, last: date) -> list[HandOver]:
    """What was handed over on these days, newest first. Raises Forbidden."""
    actor.require(Permission.roster_read)
    within = select(HandOver).where(col(HandOver.day).between(first, last))
    return list(session.execute(within.order_by(col(HandOver.id).desc()).limit(500)).scalars())


def seats_now(session: Session, settings: Settings, now: datetime) -> list[Seat]:
    """Who should be at a telephone at this moment: the seats of today, within office hours. Leaders stand behind."""
    local = now.astimezone(settings.zone)
    minute = local.hour * 60 + local.minute
    if not any(opens <= minute < closes for opens, closes in parse_office_hours(settings.office_hours).spans):
        return []
    rows = session.execute(
        select(DutyTurn, col(Agent.agent_id))
        .outerjoin(Agent, col(Agent.user_id) == col(DutyTurn.user_id))
        .where(col(DutyTurn.day) == local.date(), col(DutyTurn.post) != LEADER)
        .order_by(col(DutyTurn.post))
    ).all()
    return [Seat(turn.post, turn.user_id, agent_id) for turn, agent_id in rows]


def staffed_posts(session: Session, day: date) -> list[str]:
    """The posts at which somebody stands on that day, without the leader; for whoever gives messages away in turn."""
    rows = session.execute(select(col(DutyTurn.post)).where(col(DutyTurn.day) == day, col(DutyTurn.post) != LEADER))
    return list(rows.scalars())


def _roster(session: Session, first: date, last: date) -> Roster:
    if not 0 <= (last - first).days < MOST_DAYS:
        raise BadInput(fields={"to": f"一次最多 {MOST_DAYS} 天 (at most {MOST_DAYS} days at a time)"})
    known = calendar(session, first)
    days = [(day, known.is_working(day)) for day in (first + timedelta(days=n) for n in range((last - first).days + 1))]
    people = people_of(session)
    sections = [post for post in people if post not in (OFFICE, LEADER)]
    within = select(DutyTurn).where(col(DutyTurn.day).between(first, last)).order_by(col(DutyTurn.day))
    turns = list(session.execute(within).scalars())
    return Roster(days, sections, people, turns, faults(days, sections, people, map(_turn, turns)))


def people_of(session: Session) -> dict[str, list[int]]:
    """Every post with those who take turns at it and may still log in: the active sections, the office, the leader."""
    active = select(col(HandlingSection.code)).where(col(HandlingSection.active).is_(True))
    sections: list[str] = list(session.execute(active.order_by(col(HandlingSection.position))).scalars())
    people: dict[str, list[int]] = {post: [] for post in posts_of(True, [*sections, OFFICE])}
    rows = (
        select(col(RosterMember.post), col(RosterMember.user_id))
        .join(User, col(User.id) == col(RosterMember.user_id))
        .where(col(User.active).is_(True), col(RosterMember.post).in_(people))
        .order_by(col(RosterMember.position))
    )
    for post, user_id in session.execute(rows).all():
        people[post].append(user_id)
    return people


def _of_the_centre(session: Session) -> list[User]:
    users = session.execute(select(User).where(col(User.active).is_(True)).order_by(col(User.name))).scalars()
    return [user for user in users if CENTRE & set(user.roles)]


def _flush(session: Session) -> None:
    """Raises Conflict where somebody else has just set a turn of that post or of that person."""
    try:
        session.flush()
    except IntegrityError:
        raise _conflict() from None


def _conflict() -> Conflict:
    told = "该班次已被他人修改，请刷新后再试。", "Somebody else has changed this turn."
    return Conflict(*told, code="version_conflict")


def _turn(row: DutyTurn) -> Turn:
    return Turn(row.day, row.post, row.user_id)
