"""Finding and keeping citizens."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.citizens.model import STORED, TEXTS
from app.citizens.tables import Citizen, CitizenNumber
from app.clock import utc_now
from app.db import Database, found
from app.errors import BadInput, NotFound, VersionConflict
from app.languages import SHIPPED
from app.text import clean, masked_name, masked_number, normal_number, without

_FLAGS = (
    select(*(col(getattr(Citizen, flag.value)) for flag in STORED), col(Citizen.language))
    .join(CitizenNumber, col(CitizenNumber.citizen_id) == col(Citizen.id))
    .where(col(CitizenNumber.number) == bindparam("wanted"))
)
_OF_NUMBERS = (
    select(col(CitizenNumber.number), Citizen)
    .join(Citizen, col(CitizenNumber.citizen_id) == col(Citizen.id))
    .where(col(CitizenNumber.number).in_(bindparam("numbers", expanding=True)))
)


def match(session: Session, number: str) -> Citizen | None:
    """The citizen who has this number; None when unknown or withheld. One index look-up."""
    wanted = normal_number(number)
    return match_all(session, [wanted]).get(wanted) if wanted else None


def match_all(session: Session, numbers: Collection[str]) -> dict[str, Citizen]:
    """The citizens who have these numbers (as `normal_number` writes them), by number. One statement, or none."""
    if not numbers:
        return {}
    return {row.number: row.Citizen for row in session.execute(_OF_NUMBERS, {"numbers": list(numbers)})}


def flags_for(session: Session, number: str) -> frozenset[str]:
    """The stored flags of whoever has this number (elderly callers go straight to a person, GB/T 33358)."""
    citizen = match(session, number)
    return frozenset(stored_flags(citizen)) if citizen else frozenset()


def flags_by_number(db: Database, number: str) -> frozenset[str]:
    """Like `flags_for`, and "language:<code>" for a citizen who speaks another language than Mandarin.

    Every call's menu asks this, so it is a look (`app.looks`).
    """
    if not (wanted := normal_number(number)):
        return frozenset()
    row = db.look(_FLAGS, wanted=wanted)
    if row is None:
        return frozenset()
    flags = {flag.value for flag, is_set in zip(STORED, row, strict=False) if is_set}
    language = row[-1]
    return frozenset(flags if language == "zh" else flags | {f"language:{language}"})


def stored_flags(citizen: Citizen) -> list[str]:
    """The flags that are set, in a fixed order."""
    return [flag.value for flag in STORED if getattr(citizen, flag.value)]


def numbers_of(session: Session, citizen_id: int) -> list[str]:
    """Every number of a citizen, sorted."""
    statement = select(col(CitizenNumber.number)).where(col(CitizenNumber.citizen_id) == citizen_id)
    return sorted(session.execute(statement).scalars())


def get(session: Session, actor: Actor, citizen_id: int) -> Citizen:
    """One citizen. Raises Forbidden, NotFound."""
    actor.require(Permission.citizens_read)
    return found(session, Citizen, citizen_id)


def create(
    session: Session,
    actor: Actor,
    *,
    numbers: Sequence[str] = (),
    flags: Sequence[str] = (),
    now: datetime | None = None,
    **texts: str,
) -> Citizen:
    """A new citizen with these numbers. Raises Forbidden, BadInput (numbers: one belongs to somebody else)."""
    actor.require(Permission.citizens_write)
    now = now or utc_now()
    citizen = Citizen(created_at=now, updated_at=now)
    _apply(citizen, {**texts, "flags": list(flags)})
    session.add(citizen)
    session.flush()
    _set_numbers(session, citizen, numbers)
    return citizen


def change(
    session: Session,
    actor: Actor,
    citizen_id: int,
    fields: Mapping[str, Any],
    version: int | None = None,
    *,
    now: datetime | None = None,
) -> Citizen:
    """Change texts, language, flags or numbers. Raises Forbidden, NotFound, BadInput, VersionConflict.

    Whoever can't see a confidential citizen's name can't change it either (they would save the mask).
    """
    actor.require(Permission.citizens_write)
    citizen: Citizen | None = session.execute(
        select(Citizen).where(col(Citizen.id) == citizen_id).with_for_update()
    ).scalar_one_or_none()
    if citizen is None:
        raise NotFound()
    if version is not None and version != citizen.version:
        raise VersionConflict(current=as_json(session, actor, citizen))
    if not actor.sees_personal(confidential=citizen.confidential, owner=None):
        actor.require(Permission.confidential_read)
    _apply(citizen, fields)
    if "numbers" in fields:
        _set_numbers(session, citizen, fields["numbers"])
    citizen.version += 1
    citizen.updated_at = now or utc_now()
    write(session, actor, Action.citizen_changed, f"citizen:{citizen_id}", {"fields": sorted(fields)}, now=now)
    return citizen


def as_json(
    session: Session, actor: Actor, citizen: Citizen, *, owner: str | None = None, numbers: Sequence[str] | None = None
) -> dict[str, Any]:
    """What the asker may see of a citizen; `owner` is the agent who has the call at hand."""
    clear = actor.sees_personal(confidential=citizen.confidential, owner=owner)
    known = numbers_of(session, citizen.id or 0) if numbers is None else list(numbers)
    return {
        "id": citizen.id,
        "numbers": known if clear else [masked_number(number) for number in known],
        "name": citizen.name if clear else masked_name(citizen.name),
        "area": citizen.area if clear else without(citizen.area, *known, citizen.name, citizen.address),
        "address": citizen.address if clear else "",
        "language": citizen.language,
        "flags": stored_flags(citizen),
        "note": citizen.note if clear else "",
        "version": citizen.version,
    }


def _apply(citizen: Citizen, fields: Mapping[str, Any]) -> None:
    wrong: dict[str, str] = {}
    for key, value in fields.items():
        if key in TEXTS and isinstance(value, str):
            setattr(citizen, key, clean(value, TEXTS[key], lines=key == "note"))
        elif key == "language" and value in SHIPPED:
            citizen.language = value
        elif key == "flags" and isinstance(value, list | tuple):
            for flag in STORED:
                setattr(citizen, flag.value, flag.value in value)
        elif key != "numbers":
            wrong[key] = "无法识别的内容 (not understood)"
    if wrong:
        raise BadInput(fields=wrong)


def _set_numbers(session: Session, citizen: Citizen, numbers: Sequence[str]) -> None:
    wanted = {normal for number in numbers if (normal := normal_number(str(number)))}
    present = {
        row.number: row
        for row in session.execute(select(CitizenNumber).where(col(CitizenNumber.citizen_id) == citizen.id)).scalars()
    }
    for number in present.keys() - wanted:
        session.delete(present[number])
    for number in sorted(wanted - present.keys()):
        if session.get(CitizenNumber, number) is not None:
            raise BadInput(fields={"numbers": "其中一个号码已属于另一位市民 (a number belongs to somebody else)"})
        session.add(CitizenNumber(number=number, citizen_id=citizen.id or 0))
    session.flush()
