"""The PIN of a case (查询密码): with it a citizen asks for their case from another telephone (T3)."""

from __future__ import annotations

import hmac
from hashlib import sha256

from sqlmodel import Session

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.cases import access
from app.cases.tables import Case
from app.errors import Forbidden
from app.secrets import secret
from app.settings import Settings

DIGITS = 6


def pin_of(settings: Settings, case_number: str) -> str:
    """The PIN of a case: made from its number by a secret of this instance, so that it is stored nowhere."""
    digest = hmac.new(secret(settings, "case_pin").encode(), case_number.encode(), sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


def read_pin(session: Session, settings: Settings, actor: Actor, case_id: int) -> str:
    """The PIN, for somebody at the centre who sees whom the case is of and tells it to them; who reads it is audited.

    Raises Forbidden, NotFound.
    """
    actor.require(Permission.cases_read)
    case = access.require_visible(session, actor, session.get(Case, case_id))
    if not access.sees_citizen(session, actor, case):
        raise Forbidden()
    write(session, actor, Action.case_pin_read, f"case:{case.id}")
    return pin_of(settings, case.number)
