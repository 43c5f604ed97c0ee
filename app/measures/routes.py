"""REST: the figures of the last 24 hours."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app.auth.model import Permission
from app.clock import iso, utc_now
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer
from app.measures.service import figures

router = APIRouter(prefix="/api/measures", tags=["measures"])


class RateOut(Answer):
    """A share with what it is made of; `rate` is null when there was nothing to count."""

    num: int
    den: int
    rate: float | None


class MeasuresOut(Answer):
    """Rolling 24 hours."""

    answered_in_15s: RateOut
    connect_24h: RateOut
    offered_24h: int
    abandoned_24h: int
    rated_24h: RateOut
    as_of: str


@router.get("", operation_id="get_measures")
def get_measures(actor: ActorDep, web: WebDep) -> MeasuresOut:
    """How well the hotline answers."""
    actor.require(Permission.wallboard_read)
    now = utc_now()
    with web.db.read() as session:
        found: dict[str, Any] = figures(session, now).to_json()
    return MeasuresOut(**found, as_of=iso(now) or "")
