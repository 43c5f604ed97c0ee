"""The duty roster as a table: which day, which post, who (K4). What a table does not name stays."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.tables import User
from app.cases.tables import HandlingSection
from app.clock import utc_now
from app.db import loaded
from app.roster import service
from app.roster.model import LEADER, MOST_DAYS, OFFICE
from app.roster.tables import DutyTurn
from app.sheets import Column, Outcome, Sheet

MOST_ROWS = 1_500
NAMES = {LEADER: "带班领导", OFFICE: "综合处"}
COLUMNS = (
    Column("日期", "day", required=True, needed=True, read=sheets.day),
    Column("岗位", "post", required=True, needed=True, most=64),
    Column("账户", "user", required=True, needed=True, most=64, read=str.casefold),
    Column("备注", "note"),
)
Place = tuple[date, str]


def export_turns(session: Session, actor: Actor, first: date, last: date) -> bytes:
    """The turns of these days, as the import reads them. Raises Forbidden, BadInput (to)."""
    seen = service.roster(session, actor, first, last)
    names, users = _posts(session), loaded(session, User, [turn.user_id for turn in seen.turns])
    rows = []
    for turn in seen.turns:
        user = users.get(turn.user_id)
        rows.append(
            (
                turn.day.isoformat(),
                names.get(turn.post, turn.post),
                user.name if user else "",
                turn.note,
                user.display_name if user else "",
            )
        )
    write(session, actor, Action.roster_exported, "roster", {"rows": len(rows)})
    return sheets.write([*(column.head for column in COLUMNS), "姓名"], rows)


def import_turns(session: Session, actor: Actor, data: bytes, *, dry_run: bool, now: datetime | None = None) -> Outcome:
    """Put people at posts as the table says; nobody is taken away but for another. Raises Forbidden, Conflict."""
    actor.require(Permission.roster_write)
    now = now or utc_now()
    sheet, outcome = sheets.read(data, COLUMNS, most_rows=MOST_ROWS), Outcome()
    wanted = _wanted(session, sheet)
    stored = _stored(session, {day for day, _ in wanted})
    _nobody_twice(sheet, wanted, stored)
    _days_in_reach(sheet)
    changed = {}
    for place, (_, user_id, note) in wanted.items():
        before = stored.get(place)
        told = f"{place[0].isoformat()} {place[1]}"
        if before is not None and (before.user_id, before.note) == (user_id, note):
            outcome.unchanged += 1
            continue
        (outcome.changed if before else outcome.created).append(told)
        changed[place] = (user_id, note)
    outcome.faults = sheet.told
    if outcome.faults or dry_run:
        return outcome
    moved = {(day, user_id) for (day, _), (user_id, _) in changed.items()}
    for place, row in list(stored.items()):
        if place in changed and (row.day, row.user_id) in moved and row.user_id != changed[place][0]:
            service.put(session, actor, row.day, row.post, None, row.version, now=now)  # they stand elsewhere that day
            del stored[place]
    for (day, post), (user_id, note) in changed.items():
        known = stored.get((day, post))
        service.put(session, actor, day, post, user_id, known.version if known else 0, note=note, now=now)
    done = {"created": len(outcome.created), "changed": len(outcome.changed)}
    write(session, actor, Action.roster_imported, "roster", done, now=now)
    outcome.written = True
    return outcome


def _wanted(session: Session, sheet: Sheet) -> dict[Place, tuple[int, int, str]]:
    """Of each day and post the row, the person and the note; what is wrong with a row by itself is a fault."""
    codes = {name: code for code, name in _posts(session).items()}
    people = service.people_of(session)
    named = {str(line.values.get("user", "")) for line in sheet.lines}
    users = {user.name: user for user in session.execute(select(User).where(col(User.name).in_(named))).scalars()}
    found: dict[Place, tuple[int, int, str]] = {}
    for line in sheet.lines:
        values: dict[str, Any] = dict(line.values)
        post = codes.get(values.get("post", ""), values.get("post", ""))
        user = users.get(values.get("user", ""))
        if "post" in values and post not in people:
            sheet.fault(line.row, "post", "没有这个岗位 (no such post)")
        elif "user" in values and user is None:
            sheet.fault(line.row, "user", "没有这个账户 (no such account)")
        elif user is not None and post in people and user.id not in people[post]:
            sheet.fault(line.row, "user", "此人不在该岗位值班人员之中 (does not take turns at this post)")
        elif user is not None and "day" in values and "note" in values:
            place = (values["day"], post)
            if place in found:
                sheet.fault(line.row, "post", "前面已有这一天的这个岗位 (an earlier row has this day and post)")
            else:
                found[place] = (line.row, user.id or 0, values["note"])
    return found


def _stored(session: Session, days: set[date]) -> dict[Place, DutyTurn]:
    rows = session.execute(select(DutyTurn).where(col(DutyTurn.day).in_(days)).with_for_update()).scalars()
    return {(row.day, row.post): row for row in rows}


def _nobody_twice(sheet: Sheet, wanted: dict[Place, tuple[int, int, str]], stored: dict[Place, DutyTurn]) -> None:
    """Who would stand at two posts on one day."""
    at: dict[tuple[date, int], str] = {
        (day, row.user_id): post for (day, post), row in stored.items() if (day, post) not in wanted
    }
    for (day, post), (row, user_id, _) in wanted.items():
        if (day, user_id) in at:
            sheet.fault(row, "user", "此人当天已在其他岗位值班 (is on duty at another post that day)")
        at[day, user_id] = post


def _days_in_reach(sheet: Sheet) -> None:
    days = [line.values["day"] for line in sheet.lines if "day" in line.values]
    if days and (max(days) - min(days)).days >= MOST_DAYS:
        last = max(sheet.lines, key=lambda line: line.values.get("day", date.min))
        sheet.fault(last.row, "day", f"一次最多 {MOST_DAYS} 天 (at most {MOST_DAYS} days at a time)")


def _posts(session: Session) -> dict[str, str]:
    """What each post is called."""
    rows = session.execute(select(col(HandlingSection.code), col(HandlingSection.name_zh))).all()
    return {row.code: row.name_zh for row in rows} | NAMES
