"""Finding recordings, deciding who may listen, holding them back from deletion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select, true
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.calls.service import confidential_ids, get_call, of_secret_call
from app.calls.tables import Call
from app.db import found
from app.errors import Forbidden, NotFound
from recordings.tables import Recording


def of_call(session: Session, actor: Actor, call_id: str) -> list[Recording]:
    """The recordings of a call that the asker may know of, in order. Raises Forbidden, NotFound (no such call)."""
    get_call(session, actor, call_id)
    statement = select(Recording).where(col(Recording.call_id) == call_id).order_by(col(Recording.segment))
    return list(session.execute(statement).scalars())


def newest(session: Session, actor: Actor, *, limit: int = 50) -> Sequence[Recording]:
    """The newest recordings that the asker may listen to. Raises Forbidden."""
    statement = select(Recording).where(col(Recording.expired_at).is_(None)).order_by(col(Recording.seq).desc())
    if not actor.may(Permission.recordings_listen):
        actor.require(Permission.recordings_own)
        statement = statement.where(col(Recording.agent_id) == (actor.agent_id or "-"))
    return list(session.execute(statement.limit(limit)).scalars())


def for_listening(
    session: Session, actor: Actor, recording_id: int, *, export: bool = False, lock: bool = False
) -> Recording:
    """The recording, if the asker may hear it (or take it away: `export`). Raises Forbidden, NotFound.

    `lock`: nobody else changes what belongs to it in this transaction's time, nor does its retention end.

    A voice tells who speaks: recordings of confidential matters are for those who may know the citizen, and for the
    agent who had the talk.
    """
    row = found(session, Recording, recording_id, lock=lock)
    if row.expired_at is not None:
        raise NotFound()
    own = actor.agent_id is not None and row.agent_id == actor.agent_id and actor.may(Permission.recordings_own)
    if not own:
        actor.require(Permission.recordings_listen)
    if export:
        actor.require(Permission.recordings_export)
    if not own and not actor.may(Permission.confidential_read) and is_secret(session, row.call_id):
        raise Forbidden()
    return row


def is_secret(session: Session, call_id: str) -> bool:
    """Whether a call is of a citizen, or became a case, that asked for secrecy."""
    call = session.get(Call, call_id)
    return bool(call and call_id in confidential_ids(session, [call]))


def may_be_heard(actor: Actor) -> Any:
    """What `for_listening` decides, as a condition for statements about recordings. Raises Forbidden."""
    own = col(Recording.agent_id) == (actor.agent_id or "-")
    if not actor.may(Permission.recordings_listen):
        actor.require(Permission.recordings_own)
        return own
    if actor.may(Permission.confidential_read):
        return true()
    others = ~of_secret_call(col(Recording.call_id))
    return or_(own, others) if actor.may(Permission.recordings_own) else others


def set_hold(session: Session, actor: Actor, recording_id: int, hold: bool) -> Recording:
    """Keep a recording beyond its retention (a complaint, a court), or let it go again. Raises Forbidden, NotFound."""
    actor.require(Permission.recordings_export)
    row = session.get(Recording, recording_id)
    if row is None or row.expired_at is not None:
        raise NotFound()
    row.hold = hold
    write(session, actor, Action.recording_held, f"recording:{recording_id}", {"hold": hold})
    return row
