"""The register of published numbers: kept by hand, taken over from the directory of units, imported and exported as
tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import utc_now
from app.db import found
from app.destinations import Destinations
from app.errors import BadInput, VersionConflict
from app.number_audits.model import LONGEST_AREA, LONGEST_PLACE
from app.number_audits.tables import PublishedNumber
from app.paging import Leaf, Page, equal, like, page_of
from app.settings import Settings
from app.sheets import Outcome
from app.text import clean, normal_number
from app.units.model import PhoneKind, office_hours
from app.units.queries import by_code, phones_of, tree
from app.units.tables import Unit

MOST_ROWS = 5_000
FROM_DIRECTORY = "单位通讯录"


def _hours(text: str) -> str:
    try:
        return office_hours(text)
    except ValueError:
        raise ValueError("写成 09:00-12:00, 13:30-17:30，先后相接 (write 09:00-12:00, 13:30-17:30)") from None


COLUMNS = (
    sheets.Column("单位编码", "unit", required=True, needed=True, most=32, read=str.upper),
    sheets.Column("公布电话", "number", required=True, needed=True, most=40, read=normal_number),
    sheets.Column("地区", "area", most=LONGEST_AREA),
    sheets.Column("公布位置", "place", most=LONGEST_PLACE),
    sheets.Column("公布的接听时间", "office_hours", most=120, read=_hours),
    sheets.Column("在用", "active", read=sheets.yes, empty=True),
)


def listed(
    session: Session, actor: Actor, *, q: str = "", area: str = "", unit_id: int | None = None, leaf: Leaf | None = None
) -> Page[PublishedNumber]:
    """Published numbers, by area and unit. `q`: a number's digits or a unit's name. Raises Forbidden."""
    actor.require(Permission.number_audits_read)
    statement = select(PublishedNumber).join(Unit, col(PublishedNumber.unit_id) == col(Unit.id))
    if q := clean(q, 60):
        names = col(Unit.name).like(like(q), escape="\\")
        digits = normal_number(q)
        statement = statement.where(
            or_(names, col(PublishedNumber.number).like(like(digits), escape="\\")) if digits else names
        )
    statement = equal(statement, {PublishedNumber.area: area})
    if unit_id is not None:
        statement = statement.where(col(PublishedNumber.unit_id) == unit_id)
    order = (col(PublishedNumber.active).desc(), col(PublishedNumber.area), col(Unit.code), col(PublishedNumber.id))
    return page_of(session, statement.order_by(*order), leaf)


def change(
    session: Session,
    actor: Actor,
    published_id: int,
    version: int,
    values: Mapping[str, Any],
    *,
    now: datetime | None = None,
) -> PublishedNumber:
    """Change where and for when a number is published, and whether it (still) is.

    Raises Forbidden, NotFound, VersionConflict, BadInput (area, place, office_hours).
    """
    actor.require(Permission.number_audits_run)
    row = found(session, PublishedNumber, published_id, lock=True)
    if row.version != version:
        raise VersionConflict()
    try:
        hours = _hours(clean(values.get("office_hours", row.office_hours), 120))
    except ValueError as error:
        raise BadInput(fields={"office_hours": str(error)}) from error
    wanted = {
        "area": clean(values.get("area", row.area), LONGEST_AREA),
        "place": clean(values.get("place", row.place), LONGEST_PLACE),
        "office_hours": hours,
        "active": bool(values.get("active", row.active)),
    }
    _store(session, actor, row, wanted, now or utc_now())
    return row


def take_over(session: Session, actor: Actor, settings: Settings, *, now: datetime | None = None) -> int:
    """Every working unit's telephone numbers that are not in the register yet and may be dialled; how many. Raises
    Forbidden."""
    actor.require(Permission.number_audits_run)
    now, rule = now or utc_now(), Destinations.of(settings)
    units = tree(session, actor)
    held = phones_of(session, [unit.id or 0 for unit in units])
    known = {tuple(row) for row in session.execute(select(col(PublishedNumber.number), col(PublishedNumber.unit_id)))}
    made = 0
    for unit in units:
        for phone in held.get(unit.id or 0, []):
            key = (phone.number, unit.id or 0)
            if phone.kind is not PhoneKind.voice or key in known or not rule.may_audit(phone.number):
                continue
            known.add(key)
            area = clean(str(unit.areas[0]), LONGEST_AREA) if unit.areas else ""
            _add(session, actor, key, {"area": area, "place": FROM_DIRECTORY, "office_hours": unit.office_hours}, now)
            made += 1
    write(
        session,
        actor,
        Action.published_numbers_imported,
        "published-numbers",
        {"from": "units", "created": made},
        now=now,
    )
    return made


def bring_in(
    session: Session, actor: Actor, data: bytes, settings: Settings, *, dry_run: bool, now: datetime | None = None
) -> Outcome:
    """Numbers from a table: what is new is made, what differs is changed, what the table does not name stays; as a
    whole or not at all. Raises Forbidden."""
    actor.require(Permission.number_audits_run)
    sheet = sheets.read(data, COLUMNS, most_rows=MOST_ROWS)
    units = by_code(session, {str(line.values.get("unit", "")) for line in sheet.lines})
    known = {(row.number, row.unit_id): row for row in session.execute(select(PublishedNumber)).scalars()}
    rule, seen, outcome = Destinations.of(settings), set(), Outcome()
    plan: list[tuple[tuple[str, int], dict[str, Any]]] = []
    for line in sheet.lines:
        unit, number = units.get(str(line.values.get("unit", ""))), str(line.values.get("number", ""))
        if "unit" in line.values and (unit is None or not unit.active):
            sheet.fault(line.row, "unit", "没有这个单位，或已停用 (no such unit, or it is closed)")
        if "number" in line.values and not rule.may_audit(number):
            sheet.fault(line.row, "number", "不是可以拨打的号码 (not a number that may be dialled)")
        if unit is None or any(column.name not in line.values for column in COLUMNS):
            continue
        key = (number, unit.id or 0)
        if key in seen:
            sheet.fault(line.row, "number", "前面已有这个单位的这个号码 (an earlier row has this number)")
        seen.add(key)
        values = {name: line.values[name] for name in ("area", "place", "office_hours", "active")}
        row = known.get(key)
        # A column that the table has not leaves what is stored.
        values = {name: value for name, value in values.items() if row is None or name in sheet.present}
        if row is None:
            outcome.created.append(f"{unit.code} {number}")
        elif any(getattr(row, name) != value for name, value in values.items()):
            outcome.changed.append(f"{unit.code} {number}")
        else:
            outcome.unchanged += 1
        plan.append((key, values))
    outcome.faults = sheet.told
    if outcome.faults or dry_run:
        return outcome
    now = now or utc_now()
    for key, values in plan:
        if (row := known.get(key)) is None:
            _add(session, actor, key, values, now)
        elif any(getattr(row, name) != value for name, value in values.items()):
            _store(session, actor, row, values, now, told=False)
    outcome.written = True
    detail = {"from": "table", "created": len(outcome.created), "changed": len(outcome.changed)}
    write(session, actor, Action.published_numbers_imported, "published-numbers", detail, now=now)
    return outcome


def export(session: Session, actor: Actor) -> bytes:
    """The register, as the import reads it. Raises Forbidden."""
    actor.require(Permission.number_audits_read)
    statement = select(PublishedNumber, col(Unit.code)).join(Unit, col(PublishedNumber.unit_id) == col(Unit.id))
    rows = session.execute(statement.order_by(col(PublishedNumber.area), col(Unit.code), col(PublishedNumber.id))).all()
    write(session, actor, Action.number_audit_exported, "published-numbers", {"rows": len(rows)})
    cells = [
        (code, row.number, row.area, row.place, row.office_hours, "是" if row.active else "否") for row, code in rows
    ]
    return sheets.write([column.head for column in COLUMNS], cells)


def areas(session: Session, actor: Actor) -> Sequence[tuple[str, int]]:
    """The areas of numbers in use, each with how many. Raises Forbidden."""
    actor.require(Permission.number_audits_read)
    area = col(PublishedNumber.area)
    statement = select(area, func.count()).where(col(PublishedNumber.active).is_(True)).group_by(area).order_by(area)
    return [(str(name), int(count)) for name, count in session.execute(statement)]


def _add(session: Session, actor: Actor, key: tuple[str, int], values: Mapping[str, Any], now: datetime) -> None:
    number, unit_id = key
    session.add(PublishedNumber(number=number, unit_id=unit_id, updated_by=actor.user_id, updated_at=now, **values))


def _store(
    session: Session, actor: Actor, row: PublishedNumber, values: Mapping[str, Any], now: datetime, *, told: bool = True
) -> None:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(row, name, values[name])
    row.version += 1
    row.updated_by, row.updated_at = actor.user_id, now
    if told:
        write(
            session, actor, Action.published_number_changed, f"published-number:{row.id}", {"fields": changed}, now=now
        )
