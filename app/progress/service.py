"""The use cases: a citizen asks with number and code, an agent reads the code out.

"No such case" and "another code" are one answer and one way to it: the code is made from the number that was typed, so
that neither what is asked of the database nor how long it takes depends on whether there is such a case.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write, write_once
from app.auth import limits
from app.auth.limits import Door
from app.auth.model import Permission
from app.auth.tables import LoginAttempt
from app.cases import access
from app.cases.model import parse_number
from app.cases.queries import get_case
from app.cases.tables import Case
from app.clock import utc_now
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, TooMany
from app.progress.model import CODE_DIGITS, code_of, typed_code
from app.progress.reading import Progress, progress_of
from app.secrets import secret
from app.settings import Settings
from app.text import clean

log = structlog.get_logger(__name__)
KEY = "progress"


class NoSuchProgress(NotFound):
    """There is no case with this number and this code; which of the two is wrong is not told."""

    default_code = "no_such_progress"
    default_zh = "没有找到与这个编号和查询码相符的工单。核对后再试,或拨打热线由工作人员查询。"
    default_en = "No case has this number with this code. Check both and try again, or call the hotline."


@dataclass(frozen=True)
class Code:
    """What is read out to a citizen; the code in two groups."""

    number: str
    code: str


def look(
    db: Database, settings: Settings, number: str, code: str, address: str, *, now: datetime | None = None
) -> Progress:
    """The progress of the case with this number, for whoever knows its code. `address`: where the question comes from.

    Raises BadInput (what was typed is no number, or no code), NoSuchProgress, TooMany, Busy.
    """
    now = now or utc_now()
    asked, given = parse_number(number), typed_code(code)
    if asked is None or given is None:
        raise BadInput(fields=_faults(asked, given))
    stranger = Actor(user_id=None, name="citizen", display_name="市民", address=clean(address, 64))
    try:
        with db.session() as session:
            attempt = limits.begin_attempt(session, asked, stranger.address, now, Door.progress).id
    except TooMany:
        with db.session() as session:
            write(session, stranger, Action.progress_refused, now=now)
        raise
    right = is_code(settings, asked, given)
    with db.read() as session:
        case: Case | None = session.execute(select(Case).where(col(Case.number) == asked)).scalar_one_or_none()
        if case is None or not right:
            log.info("progress was asked for with a wrong number or code")
            raise NoSuchProgress()
        told = progress_of(session, case)
        ident = case.id
    with db.session() as session:
        if (tried := session.get(LoginAttempt, attempt)) is not None:
            tried.succeeded = True
        write(session, stranger, Action.progress_told, f"case:{ident}", now=now)
    log.info("progress was told", case_id=ident)
    return told


def code_for(db: Database, settings: Settings, actor: Actor, case_id: int, *, now: datetime | None = None) -> Code:
    """The code of a case, for whoever speaks with its citizen: the centre's people who may know who that is. Audited.

    Raises NotFound, Forbidden, Busy.
    """
    with db.read() as session:
        case = shared(session, actor, case_id)
        told = Code(case.number, code_of_case(settings, case))
    write_once(db, actor, Action.progress_code_read, f"case:{case_id}", now=now)
    return told


def is_code(settings: Settings, number: str, code: str) -> bool:
    """Whether this is the code of the case with this number, also of one that there is not."""
    return hmac.compare_digest(code.encode(), code_of(secret(settings, KEY), number).encode())


def code_of_case(settings: Settings, case: Case) -> str:
    """The code of a case, in two groups of digits."""
    code = code_of(secret(settings, KEY), case.number)
    return f"{code[: CODE_DIGITS // 2]} {code[CODE_DIGITS // 2 :]}"


def shared(session: Session, actor: Actor, case_id: int) -> Case:
    """The case, for whoever may give its code to the citizen. Raises NotFound, Forbidden."""
    case = get_case(session, actor, case_id)
    if not actor.may(Permission.cases_read) or not access.sees_citizen(session, actor, case):
        raise Forbidden()
    return case


def _faults(number: str | None, code: str | None) -> dict[str, str]:
    wrong = {}
    if number is None:
        wrong["number"] = "工单编号是 14 位数字，例如 20261124-000123 (14 digits, such as 20261124-000123)"
    if code is None:
        wrong["code"] = f"查询码是 {CODE_DIGITS} 位数字 ({CODE_DIGITS} digits)"
    return wrong
