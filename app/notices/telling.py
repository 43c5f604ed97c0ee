"""Writing notices, in the same transaction as what they tell of: both are stored, or neither.

Nothing is sent here. The web inbox is these rows; other channels are `app.notices.post`'s, in its own time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.assignments.tables import Assignment
from app.cases.access import is_confidential
from app.cases.tables import Case
from app.citizens.tables import Citizen, CitizenNumber
from app.notices import live, people
from app.notices.model import BY_EVENT, Channel, Desk, NoticeKind, channels_of
from app.notices.tables import Notice, NoticeContact, NoticeDelivery
from app.notices.words import plain_title
from app.outgoing import DeliveryState


def tell_of_event(
    session: Session, case: Case, event: str, line: int, detail: Mapping[str, Any], now: datetime, *, by: int | None
) -> None:
    """Whoever is to know of this line of a case's history is told; nobody of what they did themselves."""
    telling = BY_EVENT.get(event)
    if telling is None or (telling.needs and not detail.get(telling.needs)):
        return
    work = session.get(Assignment, detail["assignment"]) if detail.get("assignment") else None
    tell(session, case, telling.kind, telling.desks, f"line:{line}", now, work=work, but=by)


def tell(
    session: Session,
    case: Case,
    kind: NoticeKind,
    desks: Iterable[Desk],
    key: str,
    now: datetime,
    *,
    work: Assignment | None = None,
    step: str = "",
    due_at: datetime | None = None,
    but: int | None = None,
) -> list[int]:
    """Tell whoever sits at these desks, each once for that `key`. The users who were told now."""
    users = not_told(session, key, [user for user in people.at(session, case, desks, work, now) if user != but])
    if not users:
        return []
    one = partial(
        Notice,
        key=key,
        kind=kind.value,
        step=step,
        case_id=case.id or 0,
        number=case.number,
        title=title_of(session, case),
        assignment_id=work.id if work else None,
        unit_id=work.unit_id if work else None,
        due_at=due_at,
        at=now,
    )
    return put(session, users, one, now)


def not_told(session: Session, key: str, users: Sequence[int]) -> list[int]:
    """Those of them who have not been told for that key."""
    known = select(col(Notice.user_id)).where(col(Notice.key) == key, col(Notice.user_id).in_(users))
    told = set(session.execute(known).scalars()) if users else set()
    return [user for user in users if user not in told]


def put(session: Session, users: Iterable[int], one: Callable[..., Notice], now: datetime) -> list[int]:
    """Put a notice, which is whole but for `user_id`, into the inbox of each of these people and on its way; who they
    are."""
    rows = [one(user_id=user) for user in users]
    if rows:
        session.add_all(rows)
        session.flush()
        _address(session, rows, channels_of(NoticeKind(rows[0].kind)), now)
    return [row.user_id for row in rows]


def title_of(session: Session, case: Case) -> str:
    """The case's title without anything that tells who called."""
    words = personal_words(session, case)
    return plain_title(case.title, words, confidential=is_confidential(session, case))


def personal_words(session: Session, case: Case) -> set[str]:
    """What tells who called: names, numbers and addresses of the case and of its citizen."""
    personal = {case.caller_number, case.caller_name, case.address}
    if case.citizen_id is not None:
        citizen = session.get(Citizen, case.citizen_id)
        if citizen is not None:
            personal |= {citizen.name, citizen.address}
        numbers = select(col(CitizenNumber.number)).where(col(CitizenNumber.citizen_id) == case.citizen_id)
        personal |= set(session.execute(numbers).scalars())
    return {word.strip() for word in personal if word and len(word.strip()) >= 2}


def _address(session: Session, rows: list[Notice], channels: Iterable[Channel], now: datetime) -> None:
    """Put notices on their way: to the pages of those who are told, and by channels for which they gave an address."""
    wanted = [row.user_id for row in rows]
    live.note(session, wanted)
    contacts = session.execute(select(NoticeContact).where(col(NoticeContact.user_id).in_(wanted))).scalars()
    of = {contact.user_id: contact for contact in contacts}
    for row in rows:
        contact = of.get(row.user_id)
        given = {Channel.email: contact.email, Channel.sms: contact.mobile} if contact else {}
        for channel in channels:
            if given.get(channel):
                waiting = DeliveryState.waiting.value
                session.add(NoticeDelivery(notice_id=row.id or 0, channel=channel.value, state=waiting, next_at=now))
