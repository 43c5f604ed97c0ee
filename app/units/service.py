"""Changing the network: making, editing, moving, closing and reopening units. Every step is audited.

Who changes it holds the whole table for that transaction: two moves that are right by themselves may make a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.service import display_names
from app.clock import utc_now
from app.db import found
from app.errors import BadInput, Conflict, Refused, VersionConflict
from app.units.fields import Phone, UnitValues, written
from app.units.model import Hindrance, Place, UnitKind, hindrances, level_below, place_faults
from app.units.queries import descendants, phones_of, place_of, working_children
from app.units.tables import Unit, UnitPhone
from app.units.views import unit_json

OpenWork = Callable[[Session, int], Sequence[Hindrance]]
"""What a part of the system says of the work that a unit has open."""


def create(
    session: Session,
    actor: Actor,
    values: Mapping[str, Any],
    phones: Iterable[Phone] = (),
    *,
    parent_id: int | None = None,
    now: datetime | None = None,
) -> Unit:
    """A new unit below `parent_id` (None for the centre and for neighbours).

    Raises Forbidden, BadInput (fields of `fields.written`, parent), Conflict for a code or a centre that there is.
    """
    hold(session, actor)
    wanted = written(values, phones)
    parent = place_at(session, parent_id)
    _require_right({**wanted.faults, **place_faults(wanted.kind, parent)})
    return make(session, actor, wanted, parent_id, parent, now or utc_now())


def change(
    session: Session,
    actor: Actor,
    unit_id: int,
    version: int,
    values: Mapping[str, Any],
    phones: Iterable[Phone] = (),
    *,
    now: datetime | None = None,
) -> Unit:
    """Change the version that the editor saw, but for its place; which fields were changed is audited.

    Raises Forbidden, NotFound, VersionConflict (with what is stored and by whom), BadInput, Conflict.
    """
    hold(session, actor)
    unit = _of_version(session, unit_id, version)
    wanted = written(values, phones)
    wrong = dict(wanted.faults)
    if wanted.kind.value != unit.kind:
        wrong |= _kind_faults(session, unit, wanted.kind)
    _require_right(wrong)
    amend(session, actor, unit, wanted, now or utc_now())
    return unit


def move(
    session: Session, actor: Actor, unit_id: int, version: int, parent_id: int | None, *, now: datetime | None = None
) -> Unit:
    """Put a unit, with everything below it, below another parent.

    Raises Forbidden, NotFound, VersionConflict, BadInput (field parent).
    """
    hold(session, actor)
    unit = _of_version(session, unit_id, version)
    if parent_id == unit.parent_id:
        return unit
    below = descendants(session, unit_id)
    if parent_id == unit_id or parent_id in {one.id for one in below}:
        raise BadInput(fields={"parent": "不能移到自己或自己的下级之下 (not below itself)"})
    parent = place_at(session, parent_id)
    depth = max((one.level or 0 for one in below), default=unit.level or 0) - (unit.level or 0)
    _require_right(place_faults(UnitKind(unit.kind), parent, depth))
    level = level_below(parent)
    shift = (level or 0) - (unit.level or 0)
    before = unit.parent_id
    unit.parent_id, unit.level = parent_id, level
    for one in below:
        one.level = (one.level or 0) + shift
    _touch(session, actor, unit, Action.unit_moved, {"from": before, "to": parent_id, "below": len(below)}, now)
    return unit


def hindering(session: Session, actor: Actor, unit_id: int, work: Sequence[OpenWork] = ()) -> list[Hindrance]:
    """What keeps this unit from being closed; `work`: the parts that hold work of units. Raises Forbidden, NotFound."""
    actor.require(Permission.units_write)
    found(session, Unit, unit_id)
    return hindrances(working_children(session, unit_id), [one for ask in work for one in ask(session, unit_id)])


def close(
    session: Session,
    actor: Actor,
    unit_id: int,
    version: int,
    work: Sequence[OpenWork] = (),
    *,
    now: datetime | None = None,
) -> Unit:
    """The unit takes no more work; closing it again changes nothing. Its members stay written down but count no more.

    Raises Forbidden, NotFound, VersionConflict, Refused for the centre, and where something hinders: then the error
    names what, and `extra["hinders"]` has it one by one.
    """
    hold(session, actor)
    unit = found(session, Unit, unit_id, lock=True)
    if not unit.active:
        return unit
    _require_version(session, unit, version)
    if unit.kind == UnitKind.centre:
        raise Refused("热线中心不能停用。", "The centre can't be closed.", code="centre")
    if hinders := hindering(session, actor, unit_id, work):
        raise Refused(
            "还不能停用：" + "；".join(one.told_zh for one in hinders) + "。",
            "It can't be closed yet: " + "; ".join(one.told_en for one in hinders) + ".",
            code="hindered",
            extra={"hinders": [{"what": one.what, "count": one.count} for one in hinders]},
        )
    unit.active = False
    _touch(session, actor, unit, Action.unit_closed, {}, now)
    return unit


def reopen(session: Session, actor: Actor, unit_id: int, version: int, *, now: datetime | None = None) -> Unit:
    """A closed unit works again, where it stood; doing it again changes nothing.

    Raises Forbidden, NotFound, VersionConflict, Refused when its parent is closed.
    """
    hold(session, actor)
    unit = found(session, Unit, unit_id, lock=True)
    if unit.active:
        return unit
    _require_version(session, unit, version)
    parent = place_at(session, unit.parent_id)
    if parent is not None and not parent.active:
        raise Refused("先恢复它的上级单位。", "Its parent is closed: reopen that first.", code="parent_closed")
    unit.active = True
    _touch(session, actor, unit, Action.unit_reopened, {}, now)
    return unit


# ------------------------------------------------------------------------------- what importing a table needs as well


def hold(session: Session, actor: Actor) -> None:
    """Begin to change the network: nobody else does until this transaction ends. Raises Forbidden, Busy."""
    actor.require(Permission.units_write)
    if session.get_bind().dialect.name == "postgresql":
        # Readers go on. Before any row is locked, or two writers would wait for each other.
        session.execute(text("LOCK TABLE unit IN SHARE ROW EXCLUSIVE MODE"))


def place_at(session: Session, unit_id: int | None) -> Place | None:
    """Where that unit stands. Raises BadInput (field parent) when there is none."""
    if unit_id is None:
        return None
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise BadInput(fields={"parent": "没有这个上级单位 (no such unit)"})
    return place_of(unit)


def make(
    session: Session, actor: Actor, wanted: UnitValues, parent_id: int | None, parent: Place | None, now: datetime
) -> Unit:
    """Store a unit that has been checked. Raises Conflict for a code or a centre that there is already."""
    level = 0 if wanted.kind is UnitKind.centre else level_below(parent)
    stamp: dict[str, Any] = {
        "created_by": actor.user_id,
        "created_at": now,
        "updated_by": actor.user_id,
        "updated_at": now,
    }
    unit = Unit(**wanted.columns, level=level, parent_id=parent_id, **stamp)
    session.add(unit)
    _flush(session)
    _store_phones(session, unit, wanted.phones)
    write(session, actor, Action.unit_created, f"unit:{unit.id}", {"code": unit.code, "kind": unit.kind}, now=now)
    return unit


def amend(session: Session, actor: Actor, unit: Unit, wanted: UnitValues, now: datetime) -> list[str]:
    """Store what differs of a unit that has been checked; the names of the fields. Raises Conflict."""
    changed = differing(unit, phones_of(session, [unit.id or 0]).get(unit.id or 0, []), wanted)
    if not changed:
        return []
    for name, value in wanted.columns.items():
        setattr(unit, name, value)
    if "phones" in changed:
        _store_phones(session, unit, wanted.phones)
    _touch(session, actor, unit, Action.unit_changed, {"fields": changed}, now)
    _flush(session)
    return changed


def differing(unit: Unit, phones: Sequence[Phone], wanted: UnitValues) -> list[str]:
    """The fields in which a unit is not yet as it is wanted."""
    changed = [name for name, value in wanted.columns.items() if getattr(unit, name) != value and name != "initials"]
    return changed + (["phones"] if tuple(phones) != wanted.phones else [])


# ----------------------------------------------------------------------------------------------------------- inside


def _of_version(session: Session, unit_id: int, version: int) -> Unit:
    unit = found(session, Unit, unit_id, lock=True)
    _require_version(session, unit, version)
    return unit


def _require_version(session: Session, unit: Unit, version: int) -> None:
    if version != unit.version:
        raise VersionConflict(
            "这个单位刚被他人修改,请核对最新内容后再保存。",
            "Somebody else has just changed this unit. Compare with what is stored and save again.",
            current=unit_json(session, unit),
            extra={"changed_by": display_names(session, {unit.updated_by}).get(unit.updated_by or 0)},
        )


def _kind_faults(session: Session, unit: Unit, kind: UnitKind) -> dict[str, str]:
    """Whether a unit may be of another kind where it stands."""
    parent = place_at(session, unit.parent_id)
    if place_faults(kind, parent) or UnitKind.centre in (kind, unit.kind):
        return {"kind": "它在网络中的位置不允许这种类别 (not of this kind where it stands)"}
    return {}


def _require_right(wrong: Mapping[str, str]) -> None:
    if wrong:
        raise BadInput(fields=wrong)


def _store_phones(session: Session, unit: Unit, phones: Sequence[Phone]) -> None:
    session.execute(delete(UnitPhone).where(col(UnitPhone.unit_id) == unit.id))
    for position, phone in enumerate(phones):
        row = UnitPhone(unit_id=unit.id or 0, position=position, kind=phone.kind.value, number=phone.number)
        row.note = phone.note
        session.add(row)


def _touch(
    session: Session, actor: Actor, unit: Unit, action: Action, detail: Mapping[str, Any], now: datetime | None
) -> None:
    now = now or utc_now()
    unit.version += 1
    unit.updated_by, unit.updated_at = actor.user_id, now
    write(session, actor, action, f"unit:{unit.id}", detail, now=now)


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(
            "编码已被使用，或已有热线中心。", "This code is taken, or there is a centre.", code="taken"
        ) from error
