"""Cases as a table: out as far as the asker may see each of them, in after a trial that names every fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.bringing_in import bring_in
from app.cases import access
from app.cases.model import TEXT_FIELDS, CaseType
from app.cases.queries import first_cases
from app.cases.service import create_manual, register
from app.cases.states import CaseState
from app.cases.tables import Case
from app.cases.words import CASE_STATES, CASE_TYPES
from app.clock import utc_now
from app.db import Database
from app.sheets import Outcome

MOST_OUT, MOST_IN = 10_000, 5_000
HEADS = (
    "工单编号",
    "状态",
    "类型",
    "标题",
    "内容",
    "答复",
    "姓名",
    "电话",
    "区域",
    "地址",
    "登记时间",
    "到期时间",
    "办结时间",
)


def _type(text: str) -> str:
    for kind, name in CASE_TYPES.items():
        if text in (name, kind.value):
            return kind.value
    raise ValueError("须为：" + "、".join(CASE_TYPES.values()) + " (one of these)")


COLUMNS = (
    sheets.Column("原编号", "key", required=True, needed=True, most=60),
    sheets.Column("类型", "type", required=True, needed=True, read=_type),
    sheets.Column("标题", "title", required=True, needed=True, most=TEXT_FIELDS["title"].limit),
    sheets.Column("内容", "content", required=True, needed=True, most=TEXT_FIELDS["content"].limit),
    sheets.Column("姓名", "caller_name", most=TEXT_FIELDS["caller_name"].limit),
    sheets.Column("电话", "caller_number", most=TEXT_FIELDS["caller_number"].limit),
    sheets.Column("区域", "area", most=TEXT_FIELDS["area"].limit),
    sheets.Column("地址", "address", most=TEXT_FIELDS["address"].limit),
    sheets.Column("保密", "confidential", read=sheets.yes, empty=False),
)


def export_cases(
    db: Database, actor: Actor, zone: ZoneInfo, filters: Mapping[str, Any], *, now: datetime | None = None
) -> bytes:
    """The cases of that search, newest first, at most MOST_OUT, masked where the asker sees masks. Raises Forbidden.

    They are read without a hand on the database, and written down once the audit knows of it.
    """
    actor.require(Permission.cases_export)
    with db.read() as session:
        found = first_cases(session, actor, zone, MOST_OUT, **filters)
        rows = [_row(actor, case, zone, confidential=confidential) for case, confidential in found]
    with db.session() as session:
        write(session, actor, Action.cases_exported, "cases", {"rows": len(rows)}, now=now or utc_now())
    return sheets.write(HEADS, rows)


def blank(actor: Actor) -> bytes:
    """An empty table with the heads that an import reads. Raises Forbidden."""
    actor.require(Permission.cases_import)
    return sheets.write([column.head for column in COLUMNS], [])


def import_cases(db: Database, actor: Actor, data: bytes, *, dry_run: bool, now: datetime | None = None) -> Outcome:
    """Registered cases from another line or system. What has been imported under its number before is passed over.

    Written a few at a time, so that calls get their drafts meanwhile; the same table again takes up what is not in.
    Raises Forbidden, and Busy or StorageFull with how many are in.
    """
    actor.require(Permission.cases_import)
    actor.require(Permission.cases_write)
    now = now or utc_now()
    sheet = sheets.read(data, COLUMNS, most_rows=MOST_IN)
    seen: set[str] = set()
    for line in sheet.lines:
        if (key := line.values.get("key")) in seen:
            sheet.fault(line.row, "key", "这个编号在表里出现了两次 (this number is there twice)")
        elif key:
            seen.add(key)
    with db.read() as session:
        known = _known(session, seen)
    outcome = Outcome(faults=sheet.told)
    new = [line for line in sheet.lines if line.values.get("key") not in known]
    outcome.unchanged = len(sheet.lines) - len(new)
    if outcome.faults or dry_run:
        outcome.created = [str(line.values.get("key", "")) for line in new]
        return outcome
    outcome.created = bring_in(db, new, lambda session, some: _brought_in(session, actor, sheet, some, now))
    outcome.unchanged += len(new) - len(outcome.created)
    outcome.written = True
    return outcome


def _brought_in(
    session: Session, actor: Actor, sheet: sheets.Sheet, lines: Sequence[sheets.Line], now: datetime
) -> list[str]:
    """The numbers of those that somebody else has not brought in meanwhile."""
    created = []
    for line in lines:
        values = {name: value for name, value in line.values.items() if name != "key" and name in sheet.present}
        number = str(line.values["key"])
        case = create_manual(session, actor, values, opened_for=_key(number), now=now)
        if case.state == CaseState.draft.value:
            register(session, actor, case.id or 0, {}, case.version, now=now)
            created.append(number)
    if created:
        write(session, actor, Action.cases_imported, "cases", {"rows": len(created)}, now=now)
    return created


def _key(number: str) -> str:
    return f"import:{number}"


def _known(session: Session, numbers: set[str]) -> set[str]:
    keys = {_key(number): number for number in numbers}
    wanted, found = list(keys), set()
    for start in range(0, len(wanted), 500):
        some = col(Case.opened_for).in_(wanted[start : start + 500])
        found |= set(session.execute(select(col(Case.opened_for)).where(some)).scalars())
    return {keys[key] for key in found if key in keys}


def _row(actor: Actor, case: Case, zone: ZoneInfo, *, confidential: bool) -> tuple[Any, ...]:
    shown = access.shown_fields(case, clear=access.sees_citizen_of(actor, case, confidential=confidential))
    moments = (case.registered_at, case.due_at, case.ended_at)
    return (
        case.number,
        CASE_STATES[CaseState(case.state)],
        CASE_TYPES[CaseType(case.type)] if case.type else "",
        *(shown[name] for name in ("title", "content", "answer", "caller_name", "caller_number", "area", "address")),
        *(f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "" for at in moments),
    )
