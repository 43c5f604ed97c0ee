"""Who sits at a desk now: members of a unit, or people of the centre by what they may do.

Whoever must have nothing to do with a case (回避) is told nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, cast, or_, select
from sqlmodel import Session, col

from app.assignments.tables import Assignment, Recusal
from app.auth.model import PERMISSIONS, Permission, Role
from app.auth.tables import User
from app.cases.tables import Case
from app.clock import local_day
from app.notices.model import AT_THE_CENTRE, Desk
from app.roster.model import LEADER
from app.roster.tables import DutyTurn
from app.settings import get_settings
from app.units.model import MemberRole
from app.units.tables import Unit, UnitMember

IN_THE_UNIT = {Desk.handlers: (MemberRole.handler,), Desk.leaders: (MemberRole.leader,)}
ANYBODY = (MemberRole.handler, MemberRole.leader)


def at(session: Session, case: Case, desks: Iterable[Desk], work: Assignment | None, now: datetime) -> list[int]:
    """The users at these desks at this time, each once.

    What nobody is there to read goes to others: a unit's to its other members, then to the centre's dispatchers; and
    whatever is still nobody's to the leaders on duty.
    """
    desks = list(desks)
    found = {user for desk in desks for user in _at_one(session, desk, work, now)}
    kept = _kept_away(session, case)
    left = found - kept
    if not left and desks != [Desk.above]:
        left = set(of_the_centre(session, Desk.duty)) - kept
    return sorted(left)


def _at_one(session: Session, desk: Desk, work: Assignment | None, now: datetime) -> list[int]:
    if desk is Desk.today:
        return _on_duty(session, now)
    if desk in AT_THE_CENTRE:
        return of_the_centre(session, desk)
    if work is None:
        return []
    if desk in IN_THE_UNIT:
        roles = IN_THE_UNIT[desk]
        return _members(session, work.unit_id, roles) or _fallback(session, work.unit_id)
    above = session.get(Assignment, work.parent_id) if work.parent_id is not None else None
    if above is not None:
        return _members(session, above.unit_id, IN_THE_UNIT[Desk.handlers]) or _fallback(session, above.unit_id)
    return of_the_centre(session, Desk.dispatch) if desk is Desk.giver else []


def still_told(session: Session, case: Case, user_id: int) -> bool:
    """Whether somebody who was to be told of a case still works here, and is not kept from it."""
    user = session.get(User, user_id)
    return user is not None and user.active and user_id not in _kept_away(session, case)


def _on_duty(session: Session, now: datetime) -> list[int]:
    """The leader of today, if the roster has one."""
    today = local_day(now, get_settings().zone)
    statement = (
        select(col(User.id))
        .join(DutyTurn, col(DutyTurn.user_id) == col(User.id))
        .where(col(DutyTurn.day) == today, col(DutyTurn.post) == LEADER, col(User.active).is_(True))
    )
    return [ident for ident in session.execute(statement).scalars() if ident is not None]


def of_the_centre(session: Session, desk: Desk) -> list[int]:
    """The centre's people at that desk."""
    return who_may(session, *AT_THE_CENTRE[desk])


def who_may(session: Session, must: Permission, never: Permission | None = None) -> list[int]:
    """Everybody with an account who may do the one and has no role for the other."""
    able = [role for role in Role if must in PERMISSIONS[role] and never not in PERMISSIONS[role]]
    # Roles are a JSON list of plain words: as text it reads alike on both databases.
    some = or_(*(cast(col(User.roles), String).like(f'%"{role.value}"%') for role in able))
    users = session.execute(select(col(User.id)).where(col(User.active).is_(True), some)).scalars()
    return [user for user in users if user is not None]


def working_in(unit_id: int, roles: Iterable[MemberRole]) -> Select[Any]:
    """The users who work in a unit that is not closed, with one of these roles."""
    return (
        select(col(User.id))
        .join(UnitMember, col(UnitMember.user_id) == col(User.id))
        .join(Unit, col(Unit.id) == col(UnitMember.unit_id))
        .where(
            col(Unit.active).is_(True),
            col(UnitMember.unit_id) == unit_id,
            col(UnitMember.role).in_([role.value for role in roles]),
            col(UnitMember.until).is_(None),
            col(User.active).is_(True),
        )
        .distinct()
    )


def _members(session: Session, unit_id: int, roles: Iterable[MemberRole]) -> list[int]:
    return list(session.execute(working_in(unit_id, roles)).scalars())


def _fallback(session: Session, unit_id: int) -> list[int]:
    return _members(session, unit_id, ANYBODY) or of_the_centre(session, Desk.dispatch)


def _kept_away(session: Session, case: Case) -> set[int]:
    kept = select(col(Recusal.user_id), col(Recusal.unit_id)).where(
        col(Recusal.case_id) == case.id, col(Recusal.lifted_at).is_(None)
    )
    rows = session.execute(kept).all()
    people = {user for user, _ in rows if user is not None}
    units = {unit for _, unit in rows if unit is not None}
    if case.about_unit_id is not None:
        units.add(case.about_unit_id)
    if not units:
        return people
    inside = select(col(UnitMember.user_id)).where(col(UnitMember.unit_id).in_(units), col(UnitMember.until).is_(None))
    return people | set(session.execute(inside).scalars())
