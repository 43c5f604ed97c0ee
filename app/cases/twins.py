"""并案: cases that are one matter with another, and close with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.cases.acting import act_on
from app.cases.states import CaseAct, CaseState
from app.cases.tables import Case


def twins_of(session: Session, original: Case) -> list[Case]:
    """The cases that are merged into this one, locked until the transaction ends."""
    merged = (col(Case.merged_into_id) == original.id) & (col(Case.state) == CaseState.merged.value)
    return list(session.execute(select(Case).where(merged).order_by(col(Case.id)).with_for_update()).scalars())


def close_twins(session: Session, actor: Actor, original: Case, now: datetime) -> None:
    """However the original ended, nothing else would ever end these."""
    for twin in twins_of(session, original):
        twin.ended_at = now
        act_on(session, actor, twin, CaseAct.closed, now, detail={"original": original.id})
