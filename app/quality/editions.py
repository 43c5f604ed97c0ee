"""Editions of the criteria and of the rules of drawing (`app.editions`).

What held on a day that is over never changes: a talk is judged by the criteria of its day, whenever somebody judges
it, and a week is drawn by the rules of its Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlmodel import Session

from app.editions.model import Form
from app.editions.service import content_of, numbers_on
from app.quality import editing
from app.quality.criteria import CRITERIA, Criterion
from app.quality.sampling import Rules

CRITERIA_FORM: Form[Sequence[Criterion]] = Form(
    "criteria",
    CRITERIA,
    kept=editing.criteria_json,
    read=editing.criteria_of,
    faults=editing.faults_of_criteria,
    changes=editing.changes_of_criteria,
    clean=editing.with_codes,
)
RULES_FORM: Form[Rules] = Form(
    "sampling",
    Rules(),
    kept=editing.rules_json,
    read=editing.rules_of,
    faults=editing.faults_of_rules,
    changes=editing.changes_of_rules,
    mondays=True,
)


def criteria_numbers(session: Session, days: Iterable[date]) -> Mapping[date, int]:
    """By which edition the talks of these days are judged."""
    return numbers_on(session, CRITERIA_FORM, days)


def criteria_by(session: Session, number: int) -> Sequence[Criterion]:
    """The criteria of that edition. Raises NotFound."""
    return content_of(session, CRITERIA_FORM, number)


def rules_on(session: Session, monday: date) -> Rules:
    """The rules by which the week of that Monday is drawn."""
    return content_of(session, RULES_FORM, numbers_on(session, RULES_FORM, [monday])[monday])
