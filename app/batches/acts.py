"""The acts themselves, as the table's own use cases do them, and the way back of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.actor import Actor
from app.assignments import giving, judging
from app.assignments.giving import Gift
from app.assignments.taking_back import take_back
from app.batches.model import UNDO_REASON, BatchAct, Told
from app.cases import loop
from app.cases.model import HandlingWay
from app.cases.tables import Case
from app.clock import iso
from app.clocks.rules import Urgency


def do(session: Session, actor: Actor, act: BatchAct, told: Told, case_id: int, version: int, now: datetime) -> Case:
    """The act on one case. Raises whatever the act does."""
    match act:
        case BatchAct.dispatched:
            gifts = [Gift(told.unit_id or 0, instructions=told.instructions)]
            way = told.way or HandlingWay.written
            return giving.dispatch(session, actor, case_id, version, way, gifts, now=now)
        case BatchAct.merged:
            return judging.merge(session, actor, case_id, version, told.original or 0, now=now)
        case BatchAct.sent_back:
            return loop.send_back(session, actor, case_id, version, told.reason, now=now)
        case BatchAct.accepted:
            return judging.accept_case(session, actor, case_id, version, told.opinion, now=now)
        case BatchAct.resumed:
            return judging.resume(session, actor, case_id, version, now=now)


def kept_for_undo(act: BatchAct, case: Case) -> dict[str, Any]:
    """What the way back needs and the act forgets; asked before it."""
    return {"until": iso(case.deferred_until)} if act is BatchAct.resumed else {}


def undo(
    session: Session, actor: Actor, act: BatchAct, kept: dict[str, Any], case: Case, version: int, now: datetime
) -> Case:
    """Back by the table's reverse act, with the reason in the history. Raises whatever that does."""
    case_id = case.id or 0
    match act:
        case BatchAct.dispatched | BatchAct.accepted:
            return take_back(session, actor, case_id, version, UNDO_REASON, now=now)
        case BatchAct.merged:
            return judging.unmerge(session, actor, case_id, version, UNDO_REASON, now=now)
        case BatchAct.sent_back:
            more: dict[str, Any] = {"urgency": Urgency(case.urgency), "about_unit_id": case.about_unit_id}
            return loop.submit(session, actor, case_id, version, **more, why=UNDO_REASON, now=now)
        case BatchAct.resumed:
            until = datetime.fromisoformat(kept["until"])
            return judging.defer(session, actor, case_id, version, UNDO_REASON, until, now=now)
