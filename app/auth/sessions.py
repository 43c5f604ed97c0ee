"""Signing in and out. A session lives on the server; the browser holds only a random token."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth import limits, passwords
from app.auth.model import parse_roles
from app.auth.tables import LoginAttempt, User, UserSession
from app.clock import utc_now
from app.db import Database
from app.errors import BadCredentials, Busy, TooMany
from app.text import clean
from app.units.tables import Unit, UnitMember

LONGEST = timedelta(hours=24)  # a double shift; then the password is asked again
IDLE = timedelta(hours=8)
TOUCH = timedelta(minutes=5)
COOKIE = "hotline_session"


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: the token goes into the cookie and is stored nowhere else. `actor` does not know its units:
    requests with the token do.
    """

    token: str
    csrf: str
    actor: Actor
    expires_at: datetime


@dataclass(frozen=True)
class Visit:
    """A request's session: who it is and the word that unsafe requests must repeat."""

    actor: Actor
    csrf: str


def login(
    db: Database, name: str, password: str, address: str, *, user_agent: str = "", now: datetime | None = None
) -> SignedIn:
    """Sign somebody in. Raises BadCredentials (whichever of the two is wrong), TooMany, Busy."""
    now = now or utc_now()
    key = clean(name, 64).casefold()
    address = clean(address, 64)
    stranger = Actor(user_id=None, name=key, address=address)
    try:
        with db.session() as session:
            attempt_id = limits.begin_attempt(session, key, address, now).id
    except TooMany:
        with db.session() as session:
            write(session, stranger, Action.login_refused, f"user:{key}", now=now)
        raise
    with db.read() as session:
        user = session.execute(select(User).where(col(User.name) == key)).scalar_one_or_none()
    right = passwords.matches(password, user.password_hash if user else None)  # outside of any transaction: slow
    if user is None or not right or not user.active:
        with db.session() as session:
            write(session, stranger, Action.login_failed, f"user:{key}", now=now)
        raise BadCredentials()
    token = secrets.token_urlsafe(32)
    actor = actor_of(user, address)
    with db.session() as session:
        session.execute(delete(UserSession).where(col(UserSession.expires_at) < now))
        if (attempt := session.get(LoginAttempt, attempt_id)) is not None:
            attempt.succeeded = True
        stored = session.get(User, user.id)
        if stored is None or not stored.active or stored.password_hash != user.password_hash:
            raise BadCredentials()
        stored.last_login_at = now
        row = UserSession(
            token_hash=_digest(token),
            user_id=user.id or 0,
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
            address=address,
            user_agent=clean(user_agent, 200),
        )
        session.add(row)
        write(session, actor, Action.login, f"user:{key}", now=now)
    return SignedIn(token, row.csrf, actor, row.expires_at)


def session_user(db: Database, token: str, *, address: str = "", now: datetime | None = None) -> Actor | None:
    """Who holds this token; None when it is unknown, expired, idle for 8 hours, or its user was closed."""
    visit = visit_of(db, token, address=address, now=now)
    return visit.actor if visit else None


def visit_of(db: Database, token: str, *, address: str = "", now: datetime | None = None) -> Visit | None:
    """Like `session_user`, with the session's CSRF word. Raises Busy only when the database can't be read."""
    if not token or len(token) > 100:
        return None
    now = now or utc_now()
    with db.read() as session:
        # One statement: a row for each unit that the person works in, one without a unit for everybody else.
        found = session.execute(
            select(UserSession, User, col(Unit.id), col(UnitMember.role))
            .join(User, col(User.id) == col(UserSession.user_id))
            .outerjoin(UnitMember, (col(UnitMember.user_id) == col(User.id)) & col(UnitMember.until).is_(None))
            .outerjoin(Unit, (col(Unit.id) == col(UnitMember.unit_id)) & col(Unit.active).is_(True))
            .where(col(UserSession.token_hash) == _digest(token))
        ).all()
    if not found:
        return None
    row, user, _, _ = found[0]
    if row.expires_at <= now or row.seen_at + IDLE <= now or not user.active:
        return None
    if now - row.seen_at > TOUCH:
        _touch(db, row.id, now)
    units = frozenset(unit for _, _, unit, role in found if unit is not None and role in user.roles)
    return Visit(actor_of(user, address or row.address, units), row.csrf)


def logout(db: Database, token: str, actor: Actor, *, now: datetime | None = None) -> None:
    """End this session; unknown tokens are fine."""
    with db.session() as session:
        ended = session.execute(
            delete(UserSession).where(col(UserSession.token_hash) == _digest(token)).returning(col(UserSession.id))
        ).all()
        if ended:
            write(session, actor, Action.logout, f"user:{actor.name}", now=now)


def end_sessions(session: Session, user_id: int, *, but: str | None = None) -> None:
    """Sign a user out everywhere, but for the session with token `but`."""
    statement = delete(UserSession).where(col(UserSession.user_id) == user_id)
    if but:
        statement = statement.where(col(UserSession.token_hash) != _digest(but))
    session.execute(statement)


def actor_of(user: User, address: str = "", unit_ids: frozenset[int] = frozenset()) -> Actor:
    """The actor that this user is; `unit_ids` is what has been read of their units."""
    return Actor(
        user_id=user.id,
        roles=parse_roles(user.roles),
        agent_id=user.agent_id,
        name=user.name,
        display_name=user.display_name,
        address=address,
        must_change_password=user.must_change_password,
        unit_ids=unit_ids,
    )


def _digest(token: str) -> str:
    # The token has 256 random bits: a plain hash can't be guessed backwards.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _touch(db: Database, session_id: int | None, now: datetime) -> None:
    """Remember the visit; a busy database is no reason to send a person away."""
    try:
        with db.session(wait_s=0.2) as session:
            if (row := session.get(UserSession, session_id)) is not None:
                row.seen_at = max(row.seen_at, now)
    except Busy:
        return
