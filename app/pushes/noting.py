"""What happens to calls becomes jobs, in the transaction that stores the facts: both are stored, or neither.

Told twice (a clerk that died, facts read again from the journal), it is one job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.calls.tables import Call
from app.machines.model import Scope
from app.machines.tables import MachineAccount
from app.outgoing import DeliveryState
from app.pushes.model import PATIENCE, PushEvent, happened
from app.pushes.tables import PushAddress, PushJob


def listening(session: Session, now: datetime) -> list[PushAddress]:
    """The addresses that are told of calls at this moment."""
    statement = (
        select(PushAddress, MachineAccount)
        .join(MachineAccount, col(MachineAccount.id) == col(PushAddress.machine_id))
        .where(
            col(PushAddress.active).is_(True),
            col(MachineAccount.revoked_at).is_(None),
            col(MachineAccount.expires_at) > now,
        )
        .order_by(col(PushAddress.id))
    )
    return [address for address, machine in session.execute(statement).all() if Scope.push.value in machine.scopes]


def note(
    session: Session, facts: Sequence[tuple[str, Mapping[str, Any]]], calls: Mapping[str, Call], now: datetime
) -> int:
    """Make jobs of these facts; how many are new. One cheap question where nobody is told anything, none where the
    facts tell of nothing (an offer, a rating)."""
    told = [(call_id, event, agent) for call_id, fields in facts for event, agent in happened(fields)]
    if not told or not (addresses := listening(session, now)):
        return 0
    known = _known(session, [address.id for address in addresses], {call_id for call_id, _, _ in told})
    rows = []
    for address in addresses:
        for call_id, event, agent_id in told:
            call, mine = calls[call_id], known.get((address.id, call_id), set())
            if event.value not in address.events or (event.value, agent_id) in mine or _over(mine):
                continue
            if not _young(call, address, now):
                continue
            rows.append(
                {
                    "address_id": address.id,
                    "call_id": call_id,
                    "event": event.value,
                    "agent_id": agent_id,
                    "at": now,
                    "since": now,
                    "state": DeliveryState.waiting.value,
                    "tries": 0,
                    "next_at": now,
                    "fault": "",
                }
            )
    if rows:
        postgresql = session.get_bind().dialect.name == "postgresql"
        statement: Any = insert_postgresql(PushJob) if postgresql else insert_sqlite(PushJob)
        session.execute(statement.on_conflict_do_nothing(), rows)
    return len(rows)


def _known(
    session: Session, addresses: Iterable[int | None], call_ids: Iterable[str]
) -> dict[tuple[int | None, str], set[tuple[str, str]]]:
    mine = col(PushJob.address_id).in_(list(addresses)) & col(PushJob.call_id).in_(set(call_ids))
    statement = select(col(PushJob.address_id), col(PushJob.call_id), col(PushJob.event), col(PushJob.agent_id)).where(
        mine
    )
    found: dict[tuple[int | None, str], set[tuple[str, str]]] = {}
    for address_id, call_id, event, agent_id in session.execute(statement).all():
        found.setdefault((address_id, call_id), set()).add((event, agent_id))
    return found


def _over(mine: set[tuple[str, str]]) -> bool:
    """After a call's end nothing more is told of it: a late fact would look like another call."""
    return (PushEvent.hangup.value, "") in mine


def _young(call: Call, address: PushAddress, now: datetime) -> bool:
    """Not what was before anybody listened here, nor what nobody could use any more."""
    began = call.started_at
    return began is not None and began >= address.created_at and now - began < PATIENCE.whole
