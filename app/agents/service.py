"""Agents: making, listing, changing them; the phone accounts Asterisk is rendered from."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import SYSTEM, Actor
from app.agents.tables import Agent
from app.audit.model import Action
from app.audit.service import write
from app.auth import passwords
from app.auth.model import Permission, Role
from app.auth.tables import User
from app.auth.users import _new
from app.clock import utc_now
from app.db import Database
from app.errors import BadInput, Conflict, Forbidden, NotFound
from app.text import clean
from asterisk_conf.accounts import PhoneAccount

FIRST_STAFF_NUMBER = 1001
SKILLS = {"zh": 5}
QUEUES = ("general",)
_AGENT_ID = re.compile(r"[1-9][0-9]{2,7}")
_WORD = re.compile(r"[a-z0-9_-]{1,32}")


@dataclass(frozen=True)
class NewAgent:
    """A fresh agent with what must be told once: the phone's secret and, for a new user, the one-time password."""

    agent: Agent
    user_name: str
    one_time_password: str | None


def list_agents(db: Database, *, inactive: bool = False) -> list[Agent]:
    """Every agent by staff number; those who have left only on request."""
    with db.read() as session:
        statement = select(Agent).order_by(col(Agent.agent_id))
        if not inactive:
            statement = statement.where(col(Agent.active).is_(True))
        return list(session.execute(statement).scalars())


def get_agent(db: Database, agent_id: str) -> Agent:
    """One agent. Raises NotFound."""
    with db.read() as session:
        agent = session.get(Agent, agent_id)
    if agent is None:
        raise NotFound()
    return agent


def agent_names(session: Session, only: Collection[str] | None = None) -> dict[str, str]:
    """Staff number → name, for lists; of everybody, or of those named."""
    statement = select(col(Agent.agent_id), col(Agent.name))
    if only is not None:
        if not only:
            return {}
        statement = statement.where(col(Agent.agent_id).in_(only))
    return dict(session.execute(statement).all())


def create_agent(
    db: Database,
    *,
    name: str,
    agent_id: str | None = None,
    skills: Mapping[str, int] | None = None,
    queues: Sequence[str] | None = None,
    may_dial_out: bool = False,
    user_name: str | None = None,
    password: str | None = None,
    actor: Actor = SYSTEM,
    now: datetime | None = None,
) -> NewAgent:
    """Make an agent with a phone account and a user to sign in with.

    Without `agent_id` the next free staff number is taken. `user_name` names an existing user without staff number,
    or a new one; by default the new user is named like the staff number. Without `password` a new user gets a
    one-time password. Raises Forbidden, BadInput (fields agent_id, name, skills, queues, user_name), Conflict.
    """
    actor.require(Permission.users_manage)
    now = now or utc_now()
    name = clean(name, 64)
    if not name:
        raise BadInput(fields={"name": "请填写姓名 (required)"})
    skills = _skills(SKILLS if skills is None else skills)
    queues = _queues(QUEUES if queues is None else queues)
    if password:
        passwords.require_strong(password, user_name or agent_id or "", "password")
    one_time: str | None = None
    try:
        with db.session() as session:
            number = _staff_number(session, agent_id)
            user = _user_named(session, clean(user_name or number, 64).casefold())
            if user is None:
                one_time = None if password else passwords.one_time_password()
                user = _new(session, user_name or number, name, {Role.agent}, password or one_time or "", now=now)
                user.must_change_password = one_time is not None
            elif user.agent_id is not None:
                raise Conflict("该用户已有工号。", "This user already has a staff number.", code="user_has_agent")
            elif Role.agent not in user.roles:
                user.roles = sorted([*user.roles, Role.agent.value])
            user.agent_id = number
            agent = Agent(
                agent_id=number,
                user_id=user.id,
                name=name,
                skills=dict(skills),
                queues=list(queues),
                phone_secret=secrets.token_urlsafe(24),
                may_dial_out=may_dial_out,
                endpoint=number,
                created_at=now,
            )
            session.add(agent)
            write(session, actor, Action.agent_created, f"agent:{number}", {"user": user.name}, now=now)
            session.flush()
    except IntegrityError as error:
        raise Conflict("该工号已存在。", "This staff number is taken.", code="agent_id_taken") from error
    return NewAgent(agent, user.name, one_time)


def change_agent(
    db: Database,
    actor: Actor,
    agent_id: str,
    *,
    name: str | None = None,
    skills: Mapping[str, int] | None = None,
    queues: Sequence[str] | None = None,
    may_dial_out: bool | None = None,
    active: bool | None = None,
    now: datetime | None = None,
) -> Agent:
    """Change what is given. Raises Forbidden, NotFound, BadInput."""
    actor.require(Permission.users_manage)
    wanted = {
        "name": (clean(name, 64) or None) if name is not None else None,
        "skills": dict(_skills(skills)) if skills is not None else None,
        "queues": list(_queues(queues)) if queues is not None else None,
        "may_dial_out": may_dial_out,
        "active": active,
    }
    with db.session() as session:
        agent = session.get(Agent, agent_id)
        if agent is None:
            raise NotFound()
        changes = {k: v for k, v in wanted.items() if v is not None and v != getattr(agent, k)}
        for key, value in changes.items():
            setattr(agent, key, value)
        if changes:
            write(session, actor, Action.agent_changed, f"agent:{agent_id}", changes, now=now)
    return agent


def set_endpoint(db: Database, agent_id: str, endpoint: str) -> Agent:
    """Which of the agent's telephones rings: their desk phone ("1001") or browser phone ("1001w"). Raises BadInput."""
    if endpoint not in (agent_id, f"{agent_id}w"):
        raise BadInput(fields={"endpoint": "只能使用本人的话机 (only one's own phone)"})
    with db.session() as session:
        agent = session.get(Agent, agent_id)
        if agent is None:
            raise NotFound()
        agent.endpoint = endpoint
    return agent


def phone_accounts(db: Database) -> list[PhoneAccount]:
    """What Asterisk's phone accounts are rendered from."""
    return [
        PhoneAccount(agent_id=a.agent_id, secret=a.phone_secret, name=a.name, may_dial_out=a.may_dial_out)
        for a in list_agents(db)
    ]


def phone_account(db: Database, actor: Actor, agent_id: str, *, now: datetime | None = None) -> Agent:
    """The agent with the phone's secret: for themselves, or for an administrator, who is audited. Raises Forbidden."""
    if actor.agent_id != agent_id:
        actor.require(Permission.users_manage)
        with db.session() as session:
            write(session, actor, Action.phone_account_read, f"agent:{agent_id}", now=now)
    return get_agent(db, agent_id)


def own_phone(db: Database, actor: Actor) -> Agent:
    """The asker's own agent with the phone's secret, for the page's own telephone. Raises Forbidden, NotFound."""
    actor.require(Permission.calls_handle)
    if actor.agent_id is None:
        raise Forbidden()
    return get_agent(db, actor.agent_id)


def actor_for(db: Database, agent_id: str) -> Actor:
    """The actor that acts when the telephone itself speaks for an agent (their phone answered, hung up)."""
    from app.auth.sessions import actor_of

    with db.read() as session:
        user = session.execute(select(User).where(col(User.agent_id) == agent_id)).scalar_one_or_none()
    if user is None:
        return Actor(user_id=None, roles=frozenset({Role.agent}), agent_id=agent_id, name=f"agent-{agent_id}")
    return replace(actor_of(user), must_change_password=False)


def _staff_number(session: Session, wanted: str | None) -> str:
    if wanted:
        if not _AGENT_ID.fullmatch(wanted):
            raise BadInput(fields={"agent_id": "工号为 3–8 位数字且不以 0 开头 (3 to 8 digits)"})
        return wanted
    taken = {int(number) for number in session.execute(select(col(Agent.agent_id))).scalars()}
    return str(max([FIRST_STAFF_NUMBER - 1, *taken]) + 1)


def _user_named(session: Session, name: str) -> User | None:
    return session.execute(select(User).where(col(User.name) == name)).scalar_one_or_none()


def _skills(skills: Mapping[str, int]) -> Mapping[str, int]:
    for skill, level in skills.items():
        if not _WORD.fullmatch(skill) or isinstance(level, bool) or not 1 <= level <= 5:
            raise BadInput(fields={"skills": "技能等级为 1–5 (a level from 1 to 5)"})
    return skills


def _queues(queues: Sequence[str]) -> Sequence[str]:
    if not queues or len(queues) > 50 or not all(_WORD.fullmatch(queue) for queue in queues):
        raise BadInput(fields={"queues": "队列名只能含小写字母、数字及 _ - (a-z 0-9 _ -)"})
    return list(dict.fromkeys(queues))
