"""受理回执: what a citizen takes home, or is sent: the number of their case and the code that goes with it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.cases.model import CaseType
from app.cases.words import CASE_TYPES
from app.clock import utc_now
from app.letters import shelf, words
from app.letters.model import Form, Kind
from app.letters.service import NAMES, Paper
from app.letters.templates import fill_layout
from app.progress.service import code_of_case, shared
from app.settings import Settings
from app.text import clean


def gathered(
    session: Session, actor: Actor, case_id: int, form: Form, settings: Settings, *, now: datetime | None = None
) -> Paper:
    """The receipt of a case, for whoever may read its code out to the citizen; before it is written, `audited` says who
    takes it. Raises NotFound, Forbidden, BrokenTemplate."""
    case = shared(session, actor, case_id)
    values = {
        "hotline": settings.main_number,
        "number": case.number,
        "code": code_of_case(settings, case),
        "title": clean(case.title, 200),
        "type": CASE_TYPES[CaseType(case.type)] if case.type else "",
        "citizen": clean(case.caller_name, 64),
        "received": words.time(case.registered_at or case.created_at, settings.zone),
        "printed": words.time(now or utc_now(), settings.zone),
    }
    title = f"{NAMES[Kind.receipt]} {case.number}"
    document = fill_layout(shelf.layout(settings, Kind.receipt), values, title=title, foot=case.number)
    detail = {"document": Kind.receipt.value, "form": form.value, "case": case_id, "clear": True}
    return Paper(document, f"receipt-{case.number}.{form}", detail)


def audited(session: Session, actor: Actor, case_id: int, paper: Paper, *, now: datetime | None = None) -> None:
    """The audit's line about a receipt that somebody takes: with it they have the code."""
    write(session, actor, Action.case_exported, f"case:{case_id}", paper.detail, now=now or utc_now())
