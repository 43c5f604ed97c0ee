"""The register of consents and of those who said "do not call me": noted by whoever hears it, ended by few.

Whoever calls or writes to somebody by themselves asks here first: campaigns (`stopped`, `lacking_consent`), and
agents who dial (`never_called`). A call-back that the person has asked for is always made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.service import display_names
from app.calls.service import find
from app.citizens.service import match_all
from app.citizens.tables import Citizen
from app.clock import iso, utc_now
from app.consents.model import FITS, LONGEST_WHY, About, How, Said, slot
from app.consents.tables import ContactWish
from app.db import found
from app.errors import BadInput
from app.paging import Leaf, Page, equal, page_of
from app.text import clean, masked_number, normal_number


def note(
    session: Session,
    actor: Actor,
    said: Said,
    about: About,
    number: str,
    *,
    how: How,
    why: str = "",
    call_id: str = "",
    now: datetime | None = None,
) -> ContactWish:
    """Somebody has said so; said again while it holds it stays as it was. Raises Forbidden, BadInput."""
    actor.require(Permission.wishes_note)
    now, number = now or utc_now(), normal_number(number)
    wrong = {}
    if len(number.lstrip("+")) < 3:
        wrong["number"] = "须为电话号码 (a telephone number)"
    if about not in FITS[said]:
        wrong["about"] = "与所选登记类型不符 (does not go with what was said)"
    if wrong:
        raise BadInput(fields=wrong)
    key = slot(said, about, number)
    known = _open(session, key)
    if known is not None:
        return known
    row = ContactWish(
        number=number,
        said=said.value,
        about=about.value,
        how=how.value,
        why=clean(why, LONGEST_WHY),
        call_id=clean(call_id, 64),
        open_for=key,
        created_by=actor.user_id,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:  # two at once: the other's row says the same
        return _open(session, key) or row
    detail = {"said": row.said, "about": row.about, "how": row.how}
    write(session, actor, Action.wish_noted, f"wish:{row.id}", detail, now=now)
    return row


def note_of_call(
    session: Session,
    actor: Actor,
    said: Said,
    about: About,
    call_id: str,
    *,
    why: str = "",
    now: datetime | None = None,
) -> ContactWish:
    """What whoever called in `call_id` has told the agent. Raises Forbidden, BadInput."""
    call = find(session, call_id)
    number = call.number if call is not None else ""
    return note(session, actor, said, about, number, how=How.told, why=why, call_id=call_id, now=now)


def end(session: Session, actor: Actor, wish_id: int, why: str, *, now: datetime | None = None) -> ContactWish:
    """The person has taken it back; ending it again changes nothing. Raises Forbidden, NotFound, BadInput (why)."""
    actor.require(Permission.wishes_end)
    row, why = found(session, ContactWish, wish_id, lock=True), clean(why, LONGEST_WHY)
    if row.open_for is None:
        return row
    if not why:
        raise BadInput(fields={"why": "须写明原因 (say why)"})
    row.open_for, row.ended_by, row.ended_at, row.end_why = None, actor.user_id, now or utc_now(), why
    write(session, actor, Action.wish_ended, f"wish:{row.id}", now=row.ended_at)
    return row


def stopped(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers (as `normal_number` spells them) that nothing may go out to by itself."""
    return _holding(session, numbers, Said.do_not_call, (About.campaigns, About.all))


def never_called(session: Session, number: str) -> bool:
    """Whether the person does not want to be called by agents either."""
    wanted = normal_number(number)
    return bool(_holding(session, [wanted], Said.do_not_call, (About.all,))) if wanted else False


def lacking_consent(session: Session, numbers: Collection[str], about: About) -> set[str]:
    """Those of these numbers whose people have not said yes to it."""
    return set(numbers) - _holding(session, numbers, Said.consent, (about,))


def list_wishes(
    session: Session,
    actor: Actor,
    *,
    said: str = "",
    number: str = "",
    open: bool | None = None,
    leaf: Leaf | None = None,
) -> Page[ContactWish]:
    """The register, newest first. A search by number finds nothing that the asker may not know of. Raises Forbidden."""
    actor.require(Permission.wishes_note)
    statement = equal(select(ContactWish).order_by(col(ContactWish.id).desc()), {ContactWish.said: said})
    if open is not None:
        holds = col(ContactWish.open_for).is_not(None)
        statement = statement.where(holds if open else ~holds)
    if number:
        wanted = normal_number(number)
        citizen = match_all(session, [wanted]).get(wanted)
        seen = actor.sees_personal(confidential=bool(citizen and citizen.confidential), owner=None)
        statement = statement.where(col(ContactWish.number) == (wanted if seen else ""))
    return page_of(session, statement, leaf)


def as_rows(session: Session, actor: Actor, rows: Sequence[ContactWish]) -> list[dict[str, Any]]:
    """Entries as the asker may see them."""
    names = display_names(session, {user for row in rows for user in (row.created_by, row.ended_by) if user})
    citizens = match_all(session, {row.number for row in rows})
    return [_row(actor, row, names, citizens) for row in rows]


def _row(actor: Actor, row: ContactWish, names: Mapping[int, str], citizens: Mapping[str, Citizen]) -> dict[str, Any]:
    citizen = citizens.get(row.number)
    clear = actor.sees_personal(confidential=bool(citizen and citizen.confidential), owner=None)
    return {
        "id": row.id,
        "number": row.number if clear else masked_number(row.number),
        "said": row.said,
        "about": row.about,
        "how": row.how,
        "why": row.why,
        "call_id": row.call_id,
        "open": row.open_for is not None,
        "created_at": iso(row.created_at),
        "created_by_name": names.get(row.created_by or 0),
        "ended_at": iso(row.ended_at),
        "ended_by_name": names.get(row.ended_by or 0),
        "end_why": row.end_why,
    }


def _open(session: Session, key: str) -> ContactWish | None:
    return session.execute(select(ContactWish).where(col(ContactWish.open_for) == key)).scalar_one_or_none()


def _holding(session: Session, numbers: Collection[str], said: Said, about: Collection[About]) -> set[str]:
    keys = {slot(said, one, number): number for number in numbers for one in about}
    found_keys: set[str] = set()
    wanted = list(keys)
    for start in range(0, len(wanted), 500):
        some = col(ContactWish.open_for).in_(wanted[start : start + 500])
        found_keys |= {key for key in session.execute(select(col(ContactWish.open_for)).where(some)).scalars() if key}
    return {keys[key] for key in found_keys}
