"""Who works in which unit, since when, and who may see it.

A membership is of the account's own role: a handler's account makes a handler. Nothing of it is erased: it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.tables import User
from app.clock import utc_now
from app.db import found
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.units.model import MemberRole
from app.units.tables import Unit, UnitMember


@dataclass(frozen=True)
class Member:
    """A membership with the person's account."""

    row: UnitMember
    user: User


@dataclass(frozen=True)
class Candidate:
    """A person whose account has a unit's role, and in how many units they are."""

    user: User
    roles: Sequence[MemberRole]
    units: int


def may_see(actor: Actor, unit_id: int) -> bool:
    """Whether the asker learns who works in this unit: those who run the network, the centre's staff, colleagues."""
    return actor.may(Permission.units_write) or actor.may(Permission.personal_read) or unit_id in actor.unit_ids


def listed(session: Session, actor: Actor, unit_id: int, *, past: bool = False) -> list[Member]:
    """Who works in a unit (also who did, if wanted), leaders first. Raises Forbidden, NotFound."""
    actor.require(Permission.units_read)
    found(session, Unit, unit_id)
    if not may_see(actor, unit_id):
        raise Forbidden()
    statement = _with_users().where(col(UnitMember.unit_id) == unit_id)
    if not past:
        statement = statement.where(col(UnitMember.until).is_(None))
    order = (col(UnitMember.until).is_not(None), col(UnitMember.role).desc(), col(UnitMember.since))
    return [Member(row, user) for row, user in session.execute(statement.order_by(*order)).all()]


def candidates(session: Session, actor: Actor) -> list[Candidate]:
    """Everybody who could be put into a unit, those without any unit first. Raises Forbidden."""
    actor.require(Permission.units_write)
    held: dict[int, set[int]] = {}
    now_in = select(col(UnitMember.user_id), col(UnitMember.unit_id)).where(col(UnitMember.until).is_(None))
    for user_id, unit_id in session.execute(now_in).all():
        held.setdefault(user_id, set()).add(unit_id)
    users = session.execute(select(User).where(col(User.active).is_(True)).order_by(col(User.name))).scalars()
    able = [(user, [role for role in MemberRole if role.value in user.roles]) for user in users]
    people = [Candidate(user, roles, len(held.get(user.id or 0, ()))) for user, roles in able if roles]
    return sorted(people, key=lambda one: one.units > 0)


def add(
    session: Session, actor: Actor, unit_id: int, user_id: int, role: MemberRole, *, now: datetime | None = None
) -> UnitMember:
    """A person works in the unit from now on; adding them again changes nothing.

    Raises Forbidden, NotFound, Refused for a closed unit, BadInput (field user_id) for an account that is closed or has
    not the role.
    """
    actor.require(Permission.units_write)
    unit = found(session, Unit, unit_id, lock=True)  # so that two who add the same person come one after the other
    if not unit.active:
        raise Refused("这个单位已停用。", "This unit is closed.", code="closed")
    user = session.get(User, user_id)
    if user is None or (fault := account_fault(user, role)):
        raise BadInput(fields={"user_id": fault if user else "没有这个账户 (no such account)"})
    same = select(UnitMember).where(
        col(UnitMember.unit_id) == unit_id,
        col(UnitMember.user_id) == user_id,
        col(UnitMember.role) == role.value,
        col(UnitMember.until).is_(None),
    )
    already: UnitMember | None = session.execute(same).scalar_one_or_none()
    if already is not None:
        return already
    now = now or utc_now()
    row = UnitMember(unit_id=unit_id, user_id=user_id, role=role.value, since=now, added_by=actor.user_id)
    session.add(row)
    session.flush()
    write(session, actor, Action.unit_member_added, f"unit:{unit_id}", {"user": user_id, "role": role.value}, now=now)
    return row


def end(session: Session, actor: Actor, unit_id: int, member_id: int, *, now: datetime | None = None) -> UnitMember:
    """A person works in the unit no more; ending it again changes nothing. Raises Forbidden, NotFound."""
    actor.require(Permission.units_write)
    row = found(session, UnitMember, member_id, lock=True)
    if row.unit_id != unit_id:
        raise NotFound()
    if row.until is None:
        now = now or utc_now()
        row.until, row.ended_by = max(now, row.since), actor.user_id
        detail = {"user": row.user_id, "role": row.role}
        write(session, actor, Action.unit_member_ended, f"unit:{unit_id}", detail, now=now)
    return row


def account_fault(user: User, role: MemberRole) -> str:
    """Why this account can't have that part in a unit, "" if it can."""
    if not user.active:
        return "账户已停用 (the account is closed)"
    if role.value not in user.roles:
        return "账户没有这个角色，由管理员先增加 (the account has not this role)"
    return ""


def everywhere(session: Session, actor: Actor) -> list[tuple[Unit, Member]]:
    """Who works in which unit, of the working units whose members the asker may see. Raises Forbidden."""
    actor.require(Permission.units_read)
    statement = (
        select(Unit, UnitMember, User)
        .join(UnitMember, col(UnitMember.unit_id) == col(Unit.id))
        .join(User, col(User.id) == col(UnitMember.user_id))
        .where(col(UnitMember.until).is_(None), col(Unit.active).is_(True))
        .order_by(col(Unit.code), col(UnitMember.role).desc(), col(User.name))
    )
    rows = session.execute(statement).all()
    return [(unit, Member(row, user)) for unit, row, user in rows if may_see(actor, unit.id or 0)]


def _with_users() -> Select[Any]:
    return cast(Select[Any], select(UnitMember, User).join(User, col(User.id) == col(UnitMember.user_id)))
