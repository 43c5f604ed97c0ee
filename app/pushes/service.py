"""Addresses of outside systems and what is on its way to them, as administrators keep and see them. Audited."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.db import found
from app.errors import BadInput, Refused
from app.machines.model import Scope
from app.machines.tables import MachineAccount
from app.outgoing import DeliveryState
from app.paging import Leaf, Page, page_of
from app.pushes.model import MOST_ADDRESSES, PushEvent, checked_url, shown_url
from app.pushes.reach import allowed
from app.pushes.sending import secret_name
from app.pushes.tables import PushAddress, PushJob
from app.secrets import forget, secret
from app.settings import Settings

DEAD = (DeliveryState.given_up.value, DeliveryState.refused.value)


def addresses(session: Session, actor: Actor) -> list[PushAddress]:
    """All addresses, oldest first. Raises Forbidden."""
    actor.require(Permission.users_manage)
    return list(session.execute(select(PushAddress).order_by(col(PushAddress.id))).scalars())


def add(
    session: Session,
    actor: Actor,
    settings: Settings,
    machine_id: int,
    url: str,
    events: Iterable[PushEvent] = tuple(PushEvent),
    *,
    signed: bool = False,
    now: datetime | None = None,
) -> tuple[PushAddress, str | None]:
    """Tell an outside system of calls at this address; the key that signs them, if they are, is told this once.

    Raises Forbidden, NotFound, BadInput (url, events), Refused for a system without the scope.
    """
    actor.require(Permission.users_manage)
    machine = found(session, MachineAccount, machine_id)
    if Scope.push.value not in machine.scopes or machine.revoked_at is not None:
        raise Refused("该外部系统没有推送权限。", "This system may not be pushed to.", code="no_push_scope")
    if session.execute(select(func.count()).select_from(PushAddress)).scalar_one() >= MOST_ADDRESSES:
        raise Refused(f"最多 {MOST_ADDRESSES} 个推送地址。", f"There are {MOST_ADDRESSES} already.", code="too_many")
    row = PushAddress(
        machine_id=machine_id,
        url=reachable(checked_url(url), settings),
        events=_events(events),
        signed=signed,
        created_at=now or utc_now(),
        created_by=actor.user_id,
    )
    session.add(row)
    session.flush()
    _audit(session, actor, row, now)
    return row, _new_key(settings, row) if signed else None


def change(
    session: Session,
    actor: Actor,
    settings: Settings,
    address_id: int,
    *,
    url: str | None = None,
    events: Collection[PushEvent] | None = None,
    active: bool | None = None,
    now: datetime | None = None,
) -> PushAddress:
    """Change an address (what is None stays). Raises Forbidden, NotFound, BadInput."""
    actor.require(Permission.users_manage)
    row = found(session, PushAddress, address_id, lock=True)
    if url is not None:
        row.url = reachable(checked_url(url), settings)
    if events is not None:
        row.events = _events(events)
    if active is not None:
        row.active = active
    session.add(row)
    _audit(session, actor, row, now)
    return row


def new_key(
    session: Session, actor: Actor, settings: Settings, address_id: int, *, now: datetime | None = None
) -> tuple[PushAddress, str]:
    """Sign its pushes with another key (or from now on), which is told this once. Raises Forbidden, NotFound."""
    actor.require(Permission.users_manage)
    row = found(session, PushAddress, address_id, lock=True)
    row.signed = True
    session.add(row)
    _audit(session, actor, row, now)
    return row, _new_key(settings, row)


def jobs(
    session: Session, actor: Actor, *, state: str = "", address_id: int | None = None, leaf: Leaf | None = None
) -> Page[PushJob]:
    """What is or was on its way, newest first; `state` "dead": what nobody tries any more. Raises Forbidden."""
    actor.require(Permission.users_manage)
    statement = select(PushJob).order_by(col(PushJob.id).desc())
    if state:
        statement = statement.where(col(PushJob.state).in_(DEAD if state == "dead" else (state,)))
    if address_id is not None:
        statement = statement.where(col(PushJob.address_id) == address_id)
    return page_of(session, statement, leaf)


def send_again(
    session: Session, actor: Actor, *, job_id: int | None = None, address_id: int | None = None,
    now: datetime | None = None,
) -> int:  # fmt: skip
    """Try one dead job again, or all of an address, as if they were new; how many. What is on its way stays as it is.

    Raises Forbidden, NotFound.
    """
    actor.require(Permission.users_manage)
    now = now or utc_now()
    statement = select(PushJob).where(col(PushJob.state).in_(DEAD)).with_for_update()
    if job_id is not None:
        found(session, PushJob, job_id)
        statement = statement.where(col(PushJob.id) == job_id)
    else:
        found(session, PushAddress, address_id)
        statement = statement.where(col(PushJob.address_id) == address_id).order_by(col(PushJob.id)).limit(5_000)
    rows = list(session.execute(statement).scalars())
    for row in rows:
        row.state, row.tries, row.fault, row.done_at = DeliveryState.waiting.value, 0, "", None
        row.since = row.next_at = now
        session.add(row)
    if rows:
        what = f"push:{job_id}" if job_id is not None else f"push_address:{address_id}"
        write(session, actor, Action.push_again, what, {"count": len(rows)}, now=now)
    return len(rows)


def counts(session: Session) -> dict[int, dict[str, int]]:
    """How many jobs of each address wait, and how many are dead."""
    shown = (DeliveryState.waiting.value, *DEAD)
    statement = (
        select(col(PushJob.address_id), col(PushJob.state), func.count())
        .where(col(PushJob.state).in_(shown))
        .group_by(col(PushJob.address_id), col(PushJob.state))
    )
    found: dict[int, dict[str, int]] = {}
    for address_id, state, count in session.execute(statement).all():
        mine = found.setdefault(address_id, {"waiting": 0, "dead": 0})
        mine["dead" if state in DEAD else "waiting"] += count
    return found


def address_json(row: PushAddress, counted: dict[int, dict[str, int]]) -> dict[str, Any]:
    """An address as administrators see it: its path may hold the other system's token."""
    return {
        "id": row.id,
        "machine_id": row.machine_id,
        "url": shown_url(row.url),
        "events": list(row.events),
        "signed": row.signed,
        "active": row.active,
        "created_at": iso(row.created_at),
        **counted.get(row.id or 0, {"waiting": 0, "dead": 0}),
    }


def job_json(row: PushJob) -> dict[str, Any]:
    """A job; it has nothing of the call but its id."""
    return {
        "id": row.id,
        "address_id": row.address_id,
        "call_id": row.call_id,
        "event": row.event,
        "agent_id": row.agent_id or None,
        "state": row.state,
        "tries": row.tries,
        "fault": row.fault,
        "at": iso(row.at),
        "next_at": iso(row.next_at) if row.state == DeliveryState.waiting.value else None,
        "done_at": iso(row.done_at),
    }


def reachable(url: str, settings: Settings) -> str:
    """`url`, unless it is plain that nothing may go there; a name is judged when it is looked up. Raises BadInput."""
    host = urlsplit(url).hostname or ""
    try:
        barred = not allowed(ipaddress.ip_address(host), settings.push_networks)
    except ValueError:
        barred = host == "localhost" and not allowed(ipaddress.ip_address("127.0.0.1"), settings.push_networks)
    if barred:
        words = "内网地址须先在设置 push_networks 中放行 (a private address: name its network in push_networks first)"
        raise BadInput(fields={"url": words})
    return url


def _events(events: Iterable[PushEvent]) -> list[str]:
    wanted = set(events)
    chosen = [one.value for one in PushEvent if one in wanted]
    if not chosen:
        raise BadInput(fields={"events": "至少选择一种事件 (at least one event)"})
    return chosen


def _new_key(settings: Settings, row: PushAddress) -> str:
    forget(settings, secret_name(row.id or 0))
    return secret(settings, secret_name(row.id or 0))


def _audit(session: Session, actor: Actor, row: PushAddress, now: datetime | None) -> None:
    host = urlsplit(row.url).hostname or ""
    detail = {"machine": row.machine_id, "host": host, "events": row.events, "signed": row.signed, "active": row.active}
    write(session, actor, Action.push_address_set, f"push_address:{row.id}", detail, now=now)
