"""Machine accounts as administrators keep them: made, changed, given another token, revoked. All of it is audited."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.agents.service import agent_names
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.db import found
from app.errors import BadInput, Conflict, Refused
from app.machines.model import EVERYBODY, LONGEST_LIFE, MOST_AGENTS, NAME, PREFIX, Scope, networks
from app.machines.tables import MachineAccount
from app.text import clean


def digest(token: str) -> str:
    """What is stored of a token. It has 256 random bits: a plain hash can't be guessed backwards."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def accounts(session: Session, actor: Actor) -> list[MachineAccount]:
    """All accounts: those that may come in first, then by name. Raises Forbidden."""
    actor.require(Permission.users_manage)
    statement = select(MachineAccount).order_by(col(MachineAccount.revoked_at).is_not(None), col(MachineAccount.name))
    return list(session.execute(statement).scalars())


def create(
    session: Session,
    actor: Actor,
    name: str,
    scopes: Collection[Scope],
    *,
    agents: Iterable[str] = (),
    sources: Iterable[str] = (),
    expires_at: datetime,
    now: datetime | None = None,
) -> tuple[MachineAccount, str]:
    """An account, and its token, which is told this once. Raises Forbidden, BadInput, Conflict (the name is taken)."""
    actor.require(Permission.users_manage)
    now = now or utc_now()
    name = clean(name, 41)
    if not NAME.fullmatch(name):
        raise BadInput(fields={"name": "1–40 个字：汉字、字母、数字及 . _ - (1 to 40 letters and digits)"})
    if session.execute(select(col(MachineAccount.id)).where(col(MachineAccount.name) == name)).first() is not None:
        raise Conflict("该名称已被使用。", "This name is taken.", code="name_taken")
    token = new_token()
    row = MachineAccount(
        name=name,
        token_hash=digest(token),
        hint=token[-4:],
        scopes=_scopes(scopes),
        agents=_agents(session, agents),
        sources=networks(sources),
        expires_at=_end(expires_at, now),
        created_at=now,
        created_by=actor.user_id,
    )
    _coherent(row)
    session.add(row)
    session.flush()
    write(session, actor, Action.machine_created, _named(row), _told(row), now=now)
    return row, token


def change(
    session: Session, actor: Actor, machine_id: int, *, now: datetime | None = None, **wanted: Any
) -> MachineAccount:
    """Change scopes, agents, sources or expires_at (what is None stays); holds from the next thing it does.

    Raises Forbidden, NotFound, BadInput, Refused for one that is revoked.
    """
    actor.require(Permission.users_manage)
    now = now or utc_now()
    row = _in_force(session, machine_id)
    before = _told(row)
    if (scopes := wanted.get("scopes")) is not None:
        row.scopes = _scopes(scopes)
    if (agents := wanted.get("agents")) is not None:
        row.agents = _agents(session, agents)
    if (sources := wanted.get("sources")) is not None:
        row.sources = networks(sources)
    if (expires_at := wanted.get("expires_at")) is not None:
        row.expires_at = _end(expires_at, now)
    _coherent(row)
    session.add(row)
    after = _told(row)
    changes = {key: {"from": before[key], "to": after[key]} for key in after if before[key] != after[key]}
    if changes:
        write(session, actor, Action.machine_changed, _named(row), changes, now=now)
    return row


def renew(
    session: Session, actor: Actor, machine_id: int, *, now: datetime | None = None
) -> tuple[MachineAccount, str]:
    """Another token, told this once; the old one opens nothing any more. Raises Forbidden, NotFound, Refused."""
    actor.require(Permission.users_manage)
    row = _in_force(session, machine_id)
    token = new_token()
    row.token_hash, row.hint = digest(token), token[-4:]
    session.add(row)
    write(session, actor, Action.machine_token, _named(row), now=now)
    return row, token


def revoke(session: Session, actor: Actor, machine_id: int, *, now: datetime | None = None) -> MachineAccount:
    """It comes in no more and is told nothing more; for ever. Doing it twice changes nothing. Raises as `change`."""
    actor.require(Permission.users_manage)
    row = found(session, MachineAccount, machine_id, lock=True)
    if row.revoked_at is None:
        row.revoked_at = now or utc_now()
        session.add(row)
        write(session, actor, Action.machine_revoked, _named(row), now=now)
    return row


def new_token() -> str:
    """A token that nobody has."""
    return PREFIX + secrets.token_urlsafe(32)


def in_force(row: MachineAccount, now: datetime) -> bool:
    """Whether it may come in, and be told of calls, at this moment."""
    return row.revoked_at is None and now < row.expires_at


def as_json(row: MachineAccount) -> dict[str, Any]:
    """An account as administrators see it."""
    return {
        "id": row.id,
        "name": row.name,
        "hint": row.hint,
        "scopes": list(row.scopes),
        "agents": list(row.agents),
        "sources": list(row.sources),
        "expires_at": iso(row.expires_at),
        "created_at": iso(row.created_at),
        "revoked_at": iso(row.revoked_at),
        "last_used_at": iso(row.last_used_at),
        "last_address": row.last_address,
    }


def _in_force(session: Session, machine_id: int) -> MachineAccount:
    row = found(session, MachineAccount, machine_id, lock=True)
    if row.revoked_at is not None:
        raise Refused("该令牌已被撤销，请新建。", "This account is revoked: make another one.", code="revoked")
    return row


def _scopes(scopes: Collection[Scope]) -> list[str]:
    chosen = sorted({Scope(one).value for one in scopes})
    if not chosen:
        raise BadInput(fields={"scopes": "至少选择一项权限 (at least one scope)"})
    return chosen


def _agents(session: Session, agents: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(agents))[: MOST_AGENTS + 1]
    if EVERYBODY in wanted:
        return [EVERYBODY]
    unknown = set(wanted) - set(agent_names(session, wanted))
    if unknown or len(wanted) > MOST_AGENTS:
        raise BadInput(fields={"agents": f"没有这些工号：{'、'.join(sorted(unknown)[:5])} (no such staff numbers)"})
    return sorted(wanted)


def _coherent(row: MachineAccount) -> None:
    if {Scope.calls_read, Scope.calls_control} & {Scope(one) for one in row.scopes} and not row.agents:
        raise BadInput(fields={"agents": "请指定坐席，或选择全部坐席 (name the agents, or all of them)"})


def _end(expires_at: datetime, now: datetime) -> datetime:
    if not now < expires_at <= now + LONGEST_LIFE:
        raise BadInput(fields={"expires_at": "须为将来的日期，最长三年 (in the future, three years at most)"})
    return expires_at


def _named(row: MachineAccount) -> str:
    return f"machine:{row.id}"


def _told(row: MachineAccount) -> dict[str, Any]:
    told = {key: list(getattr(row, key)) for key in ("scopes", "agents", "sources")}
    return {"name": row.name, **told, "expires_at": iso(row.expires_at)}
