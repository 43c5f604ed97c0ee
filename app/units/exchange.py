"""Units and members as tables: exported for those who may read them, imported as a whole or not at all.

An imported row is known by its code: what is new is made, what differs is changed, what the table does not name stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.tables import User
from app.clock import iso, utc_now
from app.sheets import Outcome
from app.text import normal_number
from app.units import members
from app.units.fields import SHORTEST_NUMBER, WORD_LISTS, Phone, UnitValues, written
from app.units.model import (
    LONGEST_TEXT,
    LOWEST,
    MemberRole,
    PhoneKind,
    Place,
    UnitKind,
    level_below,
    place_faults,
    split_words,
)
from app.units.queries import by_code, phones_of, place_of, tree
from app.units.service import amend, differing, hold, make
from app.units.tables import Unit, UnitMember

MOST_ROWS = 3000
KINDS = {
    UnitKind.centre: "热线中心",
    UnitKind.district: "县区",
    UnitKind.bureau: "市直部门",
    UnitKind.zone: "开发区",
    UnitKind.utility: "公用企业",
    UnitKind.subordinate: "下属单位",
    UnitKind.neighbour: "友邻单位",
}
ROLES = {MemberRole.handler: "经办人", MemberRole.leader: "负责人"}
PHONES = {PhoneKind.voice: "电话", PhoneKind.fax: "传真", PhoneKind.duty: "值班电话"}


def _one_of(names: Mapping[Any, str]) -> Callable[[str], Any]:
    """Understands a value by the name that people see, or by the program's own."""
    known = {str(name): value for value, name in names.items()} | {value.value: value for value in names}

    def read(text: str) -> StrEnum:
        if text not in known:
            raise ValueError("须为：" + "、".join(names.values()) + " (one of these)")
        value: StrEnum = known[text]
        return value

    return read


def _numbers(kind: PhoneKind) -> Callable[[str], list[Phone]]:
    """Understands numbers with their notes: 12345678（办公室）、87654321."""

    def read(text: str) -> list[Phone]:
        phones = []
        for one in text.replace("；", ";").replace("、", ";").replace("\n", ";").split(";"):
            number, _, note = one.replace("(", "（").partition("（")
            phones.append(Phone(kind, number, note.rstrip("）) ")))
            if len(normal_number(number)) < SHORTEST_NUMBER:
                raise ValueError(f"每个号码至少 {SHORTEST_NUMBER} 位 (at least {SHORTEST_NUMBER} digits each)")
        return phones

    return read


def _words(name: str, head: str) -> sheets.Column:
    return sheets.Column(head, name, most=LONGEST_TEXT, read=split_words, empty=())


UNIT_COLUMNS = (
    sheets.Column("编码", "code", required=True, needed=True, most=32, read=str.upper),
    sheets.Column("名称", "name", required=True, needed=True, most=60),
    sheets.Column("简称", "short_name", most=60),
    sheets.Column("类别", "kind", required=True, needed=True, read=_one_of(KINDS)),
    sheets.Column("上级编码", "parent", needed=True, most=32, read=str.upper),
    sheets.Column("职责", "duties", most=LONGEST_TEXT),
    _words("topics", "事项类别"),
    _words("keywords", "关键词"),
    _words("areas", "服务区域"),
    sheets.Column("地址", "address"),
    sheets.Column("办公时间", "office_hours", most=120),
    sheets.Column("时间说明", "hours_note", most=100),
    *(sheets.Column(head, kind.value, most=400, read=_numbers(kind), empty=()) for kind, head in PHONES.items()),
)
MEMBER_COLUMNS = (
    sheets.Column("单位编码", "unit", required=True, needed=True, most=32, read=str.upper),
    sheets.Column("账户", "user", required=True, needed=True, most=64, read=str.casefold),
    sheets.Column("角色", "role", required=True, needed=True, read=_one_of(ROLES)),
)


def export_units(session: Session, actor: Actor) -> bytes:
    """The working units, as the import reads them. Raises Forbidden."""
    units = tree(session, actor)
    codes = {unit.id: unit.code for unit in units}
    phones = phones_of(session, [unit.id or 0 for unit in units])
    rows = [_unit_row(unit, codes, phones.get(unit.id or 0, [])) for unit in units]
    write(session, actor, Action.units_exported, "units", {"rows": len(rows)})
    return sheets.write([column.head for column in UNIT_COLUMNS], rows)


def export_members(session: Session, actor: Actor) -> bytes:
    """Who works where, of the units whose members the asker may see. Raises Forbidden."""
    seen = members.everywhere(session, actor)
    rows = [
        (
            unit.code,
            one.user.name,
            ROLES[MemberRole(one.row.role)],
            unit.name,
            one.user.display_name,
            iso(one.row.since),
        )
        for unit, one in seen
    ]
    write(session, actor, Action.units_exported, "unit-members", {"rows": len(rows)})
    return sheets.write([*(column.head for column in MEMBER_COLUMNS), "单位", "姓名", "自"], rows)


def import_units(session: Session, actor: Actor, data: bytes, *, dry_run: bool, now: datetime | None = None) -> Outcome:
    """Make and change units as the table says. Parents may stand below their children. Raises Forbidden."""
    hold(session, actor)
    sheet = sheets.read(data, UNIT_COLUMNS, most_rows=MOST_ROWS)
    lines = {line.values["code"]: line for line in sheet.lines if "code" in line.values}
    parents = {str(line.values.get("parent", "")) for line in lines.values()}
    stored = by_code(session, lines.keys() | parents)
    _doubles(sheet)
    held = phones_of(session, [unit.id or 0 for unit in stored.values()])
    plan = _Plan(sheet, lines, stored, held)
    wanted = {code: plan.values(code) for code in lines}
    order = sorted(lines, key=plan.depth)
    outcome = Outcome()
    for code in order:
        plan.check(code, wanted[code])
        unit, values = stored.get(code), wanted[code]
        if unit is None:
            outcome.created.append(code)
        elif values is not None and differing(unit, held.get(unit.id or 0, []), values):
            outcome.changed.append(code)
        else:
            outcome.unchanged += 1
    _one_centre(session, sheet, lines, stored)
    outcome.faults = sheet.told
    if outcome.faults or dry_run:
        return outcome
    now = now or utc_now()
    for code in order:
        values, unit = wanted[code], stored.get(code)
        assert values is not None  # a row that can't be understood has a fault
        if unit is not None:
            amend(session, actor, unit, values, now)
            continue
        parent = stored.get(str(lines[code].values["parent"]))
        place = place_of(parent) if parent else None
        stored[code] = make(session, actor, values, parent.id if parent else None, place, now)
    return _done(session, actor, outcome, "units", now)


def import_members(
    session: Session, actor: Actor, data: bytes, *, dry_run: bool, now: datetime | None = None
) -> Outcome:
    """Put people into units as the table says; nobody is taken out of one. Raises Forbidden."""
    hold(session, actor)
    sheet = sheets.read(data, MEMBER_COLUMNS, most_rows=MOST_ROWS)
    units = by_code(session, {str(line.values.get("unit", "")) for line in sheet.lines})
    named = {str(line.values.get("user", "")) for line in sheet.lines}
    users = {user.name: user for user in session.execute(select(User).where(col(User.name).in_(named))).scalars()}
    now_in = select(col(UnitMember.unit_id), col(UnitMember.user_id), col(UnitMember.role))
    there = {tuple(row) for row in session.execute(now_in.where(col(UnitMember.until).is_(None))).all()}
    outcome, adds = Outcome(), []
    for line in sheet.lines:
        unit, user = units.get(line.values.get("unit", "")), users.get(line.values.get("user", ""))
        role = line.values.get("role")
        if "unit" in line.values and (unit is None or not unit.active):
            sheet.fault(line.row, "unit", "没有这个单位，或已停用 (no such unit, or it is closed)")
        if "user" in line.values and user is None:
            sheet.fault(line.row, "user", "没有这个账户 (no such account)")
        if unit is None or user is None or role is None:
            continue
        if fault := members.account_fault(user, role):
            sheet.fault(line.row, "user", fault)
        elif (unit.id, user.id, role.value) in there:
            outcome.unchanged += 1
        else:
            there.add((unit.id, user.id, role.value))
            outcome.created.append(f"{unit.code} {user.name}")
            adds.append((unit.id or 0, user.id or 0, role))
    outcome.faults = sheet.told
    if outcome.faults or dry_run:
        return outcome
    for unit_id, user_id, role in adds:
        members.add(session, actor, unit_id, user_id, role, now=now)
    return _done(session, actor, outcome, "unit-members", now)


class _Plan:
    """The network as it would be after the import; `held` are the telephones of stored units, by id."""

    def __init__(
        self,
        sheet: sheets.Sheet,
        lines: Mapping[str, sheets.Line],
        stored: Mapping[str, Unit],
        held: Mapping[int, list[Phone]],
    ) -> None:
        self._sheet, self._lines, self._stored, self._held = sheet, lines, stored, held

    def depth(self, code: str) -> int:
        """How many rows of the table stand above this one; more than there are levels are not counted."""
        steps, at = 0, code
        while at in self._lines and steps <= LOWEST:
            at, steps = str(self._lines[at].values.get("parent", "")), steps + 1
        return steps

    def values(self, code: str) -> UnitValues | None:
        """The row as it would be stored, None if it can't be; what is wrong is a fault of its column."""
        line = self._lines[code]
        if any(column.name not in line.values for column in UNIT_COLUMNS):
            return None
        unit = self._stored.get(code)
        kept = _cells(unit, self._held.get(unit.id or 0, [])) if unit else {}
        # A column that the table has not leaves what is stored.
        cells = {
            name: kept.get(name, value) if name not in self._sheet.present else value
            for name, value in line.values.items()
        }
        values = written(cells, [phone for kind in PhoneKind for phone in cells[kind.value]])
        for name, told in values.faults.items():
            self._sheet.fault(line.row, "" if name == "phones" else name, told)
        return values

    def place(self, code: str, steps: int = 0) -> Place | None:
        """Where a unit would stand; None if there is none, deeper than there are levels, or in a circle."""
        unit, line = self._stored.get(code), self._lines.get(code)
        if unit is not None:
            return place_of(unit)
        if line is None or steps > LOWEST or "kind" not in line.values:
            return None
        kind = line.values["kind"]
        if kind in (UnitKind.centre, UnitKind.neighbour):
            return Place(kind, 0 if kind is UnitKind.centre else None, None)
        return Place(kind, level_below(self.place(str(line.values.get("parent", "")), steps + 1)), None)

    def check(self, code: str, values: UnitValues | None) -> None:
        """Whether a row's unit may stand where it would."""
        line, unit = self._lines[code], self._stored.get(code)
        if values is None:
            return
        parent = str(line.values["parent"])
        if parent and parent not in self._lines and parent not in self._stored:
            self._sheet.fault(line.row, "parent", "没有这个编码的单位 (no unit of this code)")
            return
        if unit is not None:
            self._check_stored(line, unit, values, parent)
            return
        wrong = place_faults(values.kind, self.place(parent) if parent else None)
        for name, told in wrong.items():
            self._sheet.fault(line.row, name, told)

    def _check_stored(self, line: sheets.Line, unit: Unit, values: UnitValues, parent: str) -> None:
        above = self._stored.get(parent)
        if (above.id if above else None) != unit.parent_id:
            self._sheet.fault(line.row, "parent", "导入不移动单位，在页面上移动 (an import moves nobody)")
        if values.kind.value != unit.kind:
            self._sheet.fault(line.row, "kind", "导入不改类别，在页面上修改 (an import does not change the kind)")
        if not unit.active:
            self._sheet.fault(line.row, "code", "这个单位已停用，先恢复 (this unit is closed: reopen it first)")


def _doubles(sheet: sheets.Sheet) -> None:
    """Rows whose code an earlier row has."""
    seen: set[str] = set()
    for line in sheet.lines:
        code = line.values.get("code")
        if code in seen:
            sheet.fault(line.row, "code", "前面已有这个编码 (an earlier row has this code)")
        elif code is not None:
            seen.add(code)


def _one_centre(
    session: Session, sheet: sheets.Sheet, lines: Mapping[str, sheets.Line], stored: Mapping[str, Unit]
) -> None:
    there = session.execute(select(func.count()).where(col(Unit.kind) == UnitKind.centre.value)).scalar_one()
    for code, line in lines.items():
        if line.values.get("kind") is UnitKind.centre and code not in stored:
            there += 1
            if there > 1:
                sheet.fault(line.row, "kind", "只能有一个热线中心 (there is only one centre)")


def _cells(unit: Unit, phones: list[Phone]) -> dict[str, Any]:
    """A stored unit as a row of the table is understood, but for its place."""
    plain = ("code", "name", "short_name", "duties", "address", "office_hours", "hours_note", *WORD_LISTS)
    by_kind = {kind.value: [one for one in phones if one.kind is kind] for kind in PhoneKind}
    return {name: getattr(unit, name) for name in plain} | {"kind": UnitKind(unit.kind)} | by_kind


def _unit_row(unit: Unit, codes: Mapping[int | None, str], phones: list[Phone]) -> list[str]:
    cells = _cells(unit, phones) | {"parent": codes.get(unit.parent_id, "")}
    return [_shown(cells[column.name]) for column in UNIT_COLUMNS]


def _shown(value: Any) -> str:
    if isinstance(value, UnitKind):
        return KINDS[value]
    if isinstance(value, list):
        return "、".join(_phone(one) if isinstance(one, Phone) else one for one in value)
    return str(value)


def _phone(phone: Phone) -> str:
    return f"{phone.number}（{phone.note}）" if phone.note else phone.number


def _done(session: Session, actor: Actor, outcome: Outcome, what: str, now: datetime | None) -> Outcome:
    outcome.written = True
    detail = {"created": len(outcome.created), "changed": len(outcome.changed)}
    write(session, actor, Action.units_imported, what, detail, now=now)
    return outcome
