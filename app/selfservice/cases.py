"""A caller's own case: found by its number and their telephone or its code, told, rated, reopened (T3).

Whoever asks in vain hears the same for a case that there is not and for one that is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import SYSTEM
from app.assignments.acting import top_of, works_of
from app.assignments.judging import redo_case
from app.assignments.model import ReplyState
from app.assignments.tables import Reply
from app.cases import acting, loop
from app.cases.access import is_confidential
from app.cases.history import note
from app.cases.model import parse_number
from app.cases.queries import by_number_for_caller
from app.cases.states import CaseState
from app.cases.tables import Case
from app.clock import utc_now
from app.db import Database, found
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.followups.model import Heard, Reached
from app.followups.service import follow_up, follow_ups_of
from app.notices.telling import personal_words
from app.notices.words import impersonal
from app.progress.service import is_code
from app.selfservice.model import (
    LEVELS,
    RATED,
    SETTLED,
    WINDOW,
    Channel,
    Rated,
    Reopening,
    Tries,
    is_locked,
    proposes_redo,
    reopening,
)
from app.selfservice.tables import CitizenReopening, Survey, WrongTry
from app.settings import Settings
from app.text import is_call_id, normal_number

WHY = "市民来电按键要求重新办理"
UNSAID = "市民来电按键评价，未说明原因"


@dataclass(frozen=True)
class Claim:
    """With what somebody asks for a case: its number, the telephone they call from ("": withheld), and its code."""

    case_number: str
    caller_number: str
    code: str = ""


@dataclass(frozen=True)
class Own:
    """The case that is the caller's, and the one whose progress is told (the original of one that was merged)."""

    case: Case | None = None
    stands: Case | None = None
    locked: bool = False


def own_case(db: Database, settings: Settings, claim: Claim, *, now: datetime | None = None) -> Own:
    """The case, if it is the caller's; what is asked in vain is counted. Raises Busy.

    A confidential case wants the code from its own telephone too: a number that is shown can be forged.
    """
    now, caller = now or utc_now(), normal_number(claim.caller_number)
    wanted = parse_number(claim.case_number)
    with db.read() as session:
        case = _case(session, wanted)
        tries = _tries(session, caller, case.id if case else None, now)
        if is_locked(tries, caller, with_code=bool(claim.code)):
            return Own(locked=True)
        if case is not None and _is_own(session, settings, case, claim):
            stands = session.get(Case, case.merged_into_id) if case.merged_into_id is not None else None
            return Own(case, stands or case)
    with db.session() as session:
        session.add(WrongTry(number=caller, case_id=case.id if case and claim.code else None, at=now))
    return Own()


def result_of(session: Session, case: Case) -> str | None:
    """What came of a case in words that may be spoken: without names, numbers and addresses. None: it is confidential.

    "" while there is nothing that was written for the citizen.
    """
    if is_confidential(session, case):
        return None
    if CaseState(case.state) not in SETTLED:
        return ""
    text = case.answer or next((one for one in _letters(session, case) if one), "")
    return impersonal(text, personal_words(session, case), "……")


def rate(
    db: Database, settings: Settings, claim: Claim, level: int, *, call_id: str = "", now: datetime | None = None
) -> Rated:
    """How satisfied the citizen is with the result, once for each time that it was handled.

    While they were to be called, the rating is what the call would have brought: the case closes, or a redo is
    proposed. Raises Busy.
    """
    now = now or utc_now()
    own = own_case(db, settings, claim, now=now)
    if own.case is None or level not in LEVELS:
        return Rated.refused
    try:
        with db.session() as session:
            return _rate(session, found(session, Case, own.case.id or 0), level, call_id, now)
    except (Refused, Forbidden, NotFound, BadInput):
        return Rated.refused


def reopen(
    db: Database, settings: Settings, claim: Claim, *, call_id: str = "", now: datetime | None = None
) -> Reopening:
    """The citizen has it done again: it goes to its unit, or to the dispatcher if no unit had it. Raises Busy."""
    now = now or utc_now()
    own = own_case(db, settings, claim, now=now)
    if own.case is None:
        return Reopening.refused
    try:
        with db.session() as session:
            case = acting.locked(session, SYSTEM, own.case.id or 0)
            before = session.get(CitizenReopening, case.id) is not None
            state = CaseState(case.state)
            may = reopening(state, case.ended_at, before=before, days=settings.reopen_days, now=now)
            if may is Reopening.reopened:
                _take_up(session, case, now)
                session.add(CitizenReopening(case_id=case.id or 0, at=now, call_id=_call(call_id)))
            return may
    except (Refused, Forbidden, NotFound, BadInput):
        return Reopening.refused


def _case(session: Session, number: str | None) -> Case | None:
    if number is None:
        return None
    case: Case | None = session.execute(select(Case).where(col(Case.number) == number)).scalar_one_or_none()
    return case


def _tries(session: Session, caller: str, case_id: int | None, now: datetime) -> Tries:
    count, since = select(func.count(col(WrongTry.id))), col(WrongTry.at) > now - WINDOW
    wrong = session.execute(count.where(col(WrongTry.number) == caller, since)).scalar_one()
    if case_id is None:
        return Tries(wrong)
    return Tries(wrong, session.execute(count.where(col(WrongTry.case_id) == case_id, since)).scalar_one())


def _is_own(session: Session, settings: Settings, case: Case, claim: Claim) -> bool:
    if claim.code and is_code(settings, case.number, claim.code):
        return True
    by_phone = by_number_for_caller(session, case.number, claim.caller_number) is not None
    return by_phone and not is_confidential(session, case)


def _letters(session: Session, case: Case) -> list[str]:
    """What the leading unit wrote for the citizen, the latest first."""
    leading = [work.id for work in top_of(session, case.id or 0) if work.lead]
    approved = (col(Reply.assignment_id).in_(leading)) & (col(Reply.state) == ReplyState.approved.value)
    statement = select(col(Reply.letter)).where(approved).order_by(col(Reply.round).desc(), col(Reply.id).desc())
    return list(session.execute(statement).scalars())


def _rate(session: Session, case: Case, level: int, call_id: str, now: datetime) -> Rated:
    case = acting.locked(session, SYSTEM, case.id or 0)
    state, round_ = CaseState(case.state), max((work.round for work in works_of(session, case.id or 0)), default=1)
    if state not in RATED:
        return Rated.refused
    subject = f"case:{case.id}:{round_}"
    known = session.execute(select(col(Survey.id)).where(col(Survey.subject) == subject)).first()
    said = any(one.satisfaction and one.round == round_ for one in follow_ups_of(session, case.id or 0))
    if known or said:
        return Rated.kept_before
    if state is CaseState.to_follow_up:
        again = proposes_redo(level)
        heard = Heard(Reached.keyed, LEVELS[level], note=UNSAID if again else "", propose_redo=again)
        follow_up(session, SYSTEM, case.id or 0, case.version, heard, call_id=call_id, now=now)
    else:
        note(session, SYSTEM, case, "rated", now, detail={"satisfaction": LEVELS[level].value})
    session.add(
        Survey(
            subject=subject,
            call_id=_call(call_id),
            channel=Channel.own.value,
            asked_at=now,
            answered_at=now,
            level=level,
        )
    )
    return Rated.kept


def _take_up(session: Session, case: Case, now: datetime) -> None:
    ident = case.id or 0
    if CaseState(case.state) in (CaseState.closed, CaseState.to_follow_up):
        redo_case(session, SYSTEM, ident, case.version, WHY, now=now)
        return
    taken = loop.reopen(session, SYSTEM, ident, case.version, WHY, now=now)
    loop.submit(session, SYSTEM, ident, taken.version, why=WHY, now=now)


def _call(call_id: str) -> str | None:
    return call_id if is_call_id(call_id) else None
