"""Users: the first administrator, making and changing accounts, passwords."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth import passwords
from app.auth.model import Permission, Role
from app.auth.sessions import end_sessions
from app.auth.tables import User
from app.clock import utc_now
from app.db import Database
from app.errors import BadInput, Conflict, NotFound, Refused, Unauthenticated
from app.secrets import forget, secret
from app.settings import Settings
from app.text import clean

FIRST_ADMIN = "admin"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


def ensure_first_admin(db: Database, settings: Settings) -> tuple[str, str | None]:
    """The first administrator's name, and the one-time password until it has been changed (then None).

    Safe to call at every start and from several processes.
    """
    with db.session() as session:
        admins = [user for user in session.execute(select(User)).scalars() if Role.admin in user.roles]
        if not admins:
            user = _new(session, FIRST_ADMIN, "系统管理员", {Role.admin}, secret(settings, "admin_password"))
            write(session, SYSTEM, Action.user_created, f"user:{user.name}")
            return user.name, secret(settings, "admin_password")
        first = next((user for user in admins if user.name == FIRST_ADMIN), admins[0])
        if first.must_change_password and passwords.matches(secret(settings, "admin_password"), first.password_hash):
            return first.name, secret(settings, "admin_password")
    forget(settings, "admin_password")
    return first.name, None


def create_user(
    db: Database,
    name: str,
    *,
    display_name: str = "",
    roles: Iterable[Role],
    password: str | None = None,
    actor: Actor = SYSTEM,
    now: datetime | None = None,
) -> tuple[User, str | None]:
    """Make a user. Without `password` a one-time password is made and returned; it must be changed at first sign-in.

    Raises Forbidden, BadInput (fields name, display_name, roles, password), Conflict when the name is taken.
    """
    actor.require(Permission.users_manage)
    one_time = None if password else passwords.one_time_password()
    if password:
        passwords.require_strong(password, name, "password")
    try:
        with db.session() as session:
            user = _new(session, name, display_name, set(roles), password or one_time or "", now=now)
            user.must_change_password = one_time is not None
            write(session, actor, Action.user_created, f"user:{user.name}", {"roles": user.roles}, now=now)
    except IntegrityError as error:
        raise Conflict("该用户名已存在。", "This name is taken.", code="name_taken") from error
    return user, one_time


def list_users(session: Session, actor: Actor) -> list[User]:
    """Every user by name. Raises Forbidden."""
    actor.require(Permission.users_manage)
    return list(session.execute(select(User).order_by(col(User.name))).scalars())


def display_names(session: Session, users: Collection[int | None]) -> dict[int, str]:
    """What these people are called, by user; None is nobody. For parts of the system that show who did something."""
    known = [user for user in users if user is not None]
    statement = select(col(User.id), col(User.display_name)).where(col(User.id).in_(known))
    return {user: name for user, name in session.execute(statement).all() if user is not None}


def change_user(
    db: Database,
    actor: Actor,
    user_id: int,
    *,
    active: bool | None = None,
    roles: Iterable[Role] | None = None,
    display_name: str | None = None,
    now: datetime | None = None,
) -> User:
    """Change what is given. Closing a user or changing roles signs them out everywhere.

    Raises Forbidden, NotFound, BadInput, Refused when the last active administrator would be lost.
    """
    actor.require(Permission.users_manage)
    with db.session() as session:
        user = _get(session, user_id)
        before = {"active": user.active, "roles": user.roles, "display_name": user.display_name}
        if display_name is not None:
            user.display_name = _display_name(display_name, user.name)
        if active is not None:
            user.active = active
        if roles is not None:
            user.roles = _roles(roles)
        if (before["active"], before["roles"]) != (user.active, user.roles):
            end_sessions(session, user_id)
            session.flush()
            others = session.execute(select(User).where(col(User.active).is_(True))).scalars()
            if not any(Role.admin in other.roles for other in others):
                raise Refused("至少须保留一名可用的系统管理员。", "The last active administrator can't be removed.")
        after = {"active": user.active, "roles": user.roles, "display_name": user.display_name}
        changes = {key: {"from": before[key], "to": after[key]} for key in after if before[key] != after[key]}
        if changes:
            write(session, actor, Action.user_changed, f"user:{user.name}", changes, now=now)
    return user


def reset_password(db: Database, actor: Actor, user_id: int, *, now: datetime | None = None) -> str:
    """A new one-time password for somebody; they are signed out everywhere. Raises Forbidden, NotFound."""
    actor.require(Permission.users_manage)
    one_time = passwords.one_time_password()
    digest = passwords.hashed(one_time)
    with db.session() as session:
        user = _get(session, user_id)
        user.password_hash, user.must_change_password = digest, True
        end_sessions(session, user_id)
        write(session, actor, Action.password_reset, f"user:{user.name}", now=now)
    return one_time


def change_password(
    db: Database, actor: Actor, old: str, new: str, *, token: str | None = None, now: datetime | None = None
) -> None:
    """The person's own password. Other sessions of theirs end. Raises BadInput (fields old, new)."""
    if actor.user_id is None:
        raise Unauthenticated()
    with db.read() as session:
        user = _get(session, actor.user_id)
    if not passwords.matches(old, user.password_hash):
        raise BadInput("原密码错误。", "The old password is wrong.", fields={"old": "原密码错误 (wrong)"})
    passwords.require_strong(new, user.name)
    if new == old:
        raise BadInput(
            "新密码不能与原密码相同。", "The new password is the old one.", fields={"new": "须与原密码不同 (unchanged)"}
        )
    digest = passwords.hashed(new)
    with db.session() as session:
        user = _get(session, actor.user_id)
        user.password_hash, user.must_change_password = digest, False
        end_sessions(session, actor.user_id, but=token)
        write(session, actor, Action.password_changed, f"user:{user.name}", now=now)


def _new(
    session: Session, name: str, display_name: str, roles: set[Role], password: str, *, now: datetime | None = None
) -> User:
    name = clean(name, 64).casefold()
    if not _NAME.fullmatch(name):
        raise BadInput(fields={"name": "用户名为 2–64 位小写字母、数字及 . _ - (2 to 64 of a-z 0-9 . _ -)"})
    user = User(
        name=name,
        display_name=_display_name(display_name, name),
        password_hash=passwords.hashed(password),
        roles=_roles(roles),
        created_at=now or utc_now(),
    )
    session.add(user)
    session.flush()
    return user


def _display_name(value: str, name: str) -> str:
    return clean(value, 64) or name


def _roles(roles: Iterable[Role]) -> list[str]:
    chosen = sorted({Role(role).value for role in roles})
    if not chosen:
        raise BadInput(fields={"roles": "至少选择一个角色 (at least one role)"})
    return chosen


def _get(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound()
    return user
