"""What its citizen reads of a case: state, steps, unit, end, answer; never who they are, nor a word kept in secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.assignments import working
from app.assignments.acting import top_of
from app.assignments.model import ReplyState
from app.assignments.tables import Assignment
from app.cases import access
from app.cases.history import events_of
from app.cases.states import AssignmentState, CaseAct, CaseState
from app.cases.tables import Case
from app.cases.words import SPOKEN
from app.citizens.tables import Citizen, CitizenNumber
from app.clocks.model import ClockKind
from app.clocks.service import Subject, of_subject
from app.clocks.tables import CaseClock
from app.db import loaded
from app.progress.model import ANSWERED_AT_ONCE, WITH_RESULT, Line, Told, Withheld, steps_of
from app.text import covered
from app.units.tables import Unit

COVER = "＊＊＊"


@dataclass(frozen=True)
class Progress:
    """A case as its citizen sees it. `state` is one of the words that callers hear too (`app.cases.words.SPOKEN`).

    `units` begins with the leading one; `due_at` is the end of the handling, `provisional` while the calendar of that
    year is not published. `answer` is the public answer, "" while there is none; `withheld` why there is one unsaid.
    """

    number: str
    state: str
    received_at: datetime
    steps: list[Told]
    units: list[str] = field(default_factory=list)
    due_at: datetime | None = None
    provisional: bool = False
    answer: str = ""
    ground: str | None = None
    withheld: Withheld | None = None
    merged: bool = False


def progress_of(session: Session, case: Case) -> Progress:
    """What its citizen may know of this case. A merged one stands where the case stands that it is handled with."""
    original = session.get(Case, case.merged_into_id) if case.merged_into_id is not None else None
    stands = original or case
    state = CaseState(stands.state)
    lines = [Line(one.event, one.at, moved=one.from_state != one.to_state) for one in events_of(session, case.id or 0)]
    works = sorted(top_of(session, stands.id or 0), key=lambda work: (not work.lead, work.id or 0))
    answer = _answer(session, stands, works)
    withheld = None
    if answer and (access.is_confidential(session, case) or access.is_confidential(session, stands)):
        withheld = Withheld.confidential
    elif answer and original is not None and not _of_the_same(case, original):
        withheld = Withheld.merged
    clock = _handling(session, stands)
    return Progress(
        number=case.number,
        state=SPOKEN[state],
        received_at=case.registered_at or case.created_at,
        steps=steps_of(lines),
        units=_units(session, stands, works),
        due_at=clock.due_at if clock is not None else None,
        provisional=clock is not None and clock.provisional,
        answer="" if withheld else _without_the_citizen(session, answer, [case, original] if original else [case]),
        ground=stands.ground if state is CaseState.declined else None,
        withheld=withheld,
        merged=original is not None,
    )


def _of_the_same(case: Case, original: Case) -> bool:
    """Whether both came from one telephone; two that withheld their numbers are two people."""
    return bool(case.caller_number) and case.caller_number == original.caller_number


def _handling(session: Session, case: Case) -> CaseClock | None:
    """The clock of its handling, while that is timed. Nothing is locked for somebody who only looks."""
    clocks = of_subject(session, Subject.case(case.id or 0))
    return next((one for one in clocks if one.kind == ClockKind.handle.value and one.ended_at is None), None)


def _units(session: Session, case: Case, works: list[Assignment]) -> list[str]:
    idents: list[int | None] = [*(work.unit_id for work in works)] or [case.to_unit_id]
    known = loaded(session, Unit, idents)
    return [known[ident].name for ident in dict.fromkeys(idents) if ident in known]


def _answer(session: Session, case: Case, works: list[Assignment]) -> str:
    """The words of the answer that was given, with everything that stands in them."""
    state = CaseState(case.state)
    if state is CaseState.declined:
        return _told(session, case)
    if state in ANSWERED_AT_ONCE:
        return case.answer
    if state not in WITH_RESULT:
        return ""
    lead = next((work for work in works if work.lead and work.state == AssignmentState.accepted.value), None)
    if lead is None:  # archived after it was ended at once
        return case.answer if state is CaseState.archived else ""
    reply = working.reply_of(session, lead)
    if reply is None or reply.state != ReplyState.approved.value:
        return ""
    return reply.letter.strip() or reply.result.strip()


def _told(session: Session, case: Case) -> str:
    declined = (one.reason for one in reversed(events_of(session, case.id or 0)) if one.event == CaseAct.declined.value)
    return next(declined, "")


def _without_the_citizen(session: Session, text: str, cases: Iterable[Case]) -> str:
    for word in _identities(session, cases):
        text = covered(text, word, COVER)
    return text


def _identities(session: Session, cases: Iterable[Case]) -> list[str]:
    """Names, numbers and addresses by which the citizens of these cases could be known, the longest first."""
    found: set[str] = set()
    for case in cases:
        found |= {case.caller_name, case.caller_number, case.address}
        citizen = session.get(Citizen, case.citizen_id) if case.citizen_id is not None else None
        if citizen is not None:
            found |= {citizen.name, citizen.address}
            numbers = select(col(CitizenNumber.number)).where(col(CitizenNumber.citizen_id) == citizen.id)
            found |= set(session.execute(numbers).scalars())
    return sorted(filter(None, found), key=len, reverse=True)
