"""Versions of the voice menu: what holds, publishing another one, taking an older one again.

Each is published whole, at once, and never changed. What was published last holds; version 0 is the file below all of
them. Nothing is published that the verifier refuses, also nothing that was good once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.db import Database, found
from app.errors import BadInput, NotFound, Refused, VersionConflict
from app.flows.checking import PLACE, Checked, Fault, check
from app.flows.file import newest
from app.flows.model import LONGEST_NOTE, SHIPPED, Changes, Outline, changes, outline
from app.flows.tables import FlowVersion
from app.text import clean
from ivr import flow as flow_module
from ivr import marked_yaml
from ivr.catalogue import Catalogue, of_home
from ivr.flow import FlowError

MOST_AUDITED = 30
MOST_TOLD = 20


@dataclass(frozen=True)
class Held:
    """What callers walk: the number of the newest version (0: none was published) and its text.

    `own`: below all versions there is the instance's own file. `overlooked`: that file was changed after something
    else had been published, and has no effect.
    """

    number: int
    text: str
    own: bool
    overlooked: bool


def words_of(home: Path) -> Catalogue:
    """Everything that can be said here."""
    return of_home(home)


def base_text(home: Path) -> str:
    """What is below all versions. Raises Refused where it cannot be read."""
    path = flow_module.base_in(home)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"本机的 {path.name} 读不出来：由管理员检查。",
            f"This hotline's {path.name} can't be read: have an administrator look at it.",
            code="menu_unreadable",
        ) from error


def held(session: Session, actor: Actor, home: Path) -> Held:
    """What callers walk now. Raises Forbidden, Refused."""
    actor.require(Permission.flows_read)
    row, base = newest(session), flow_module.base_in(home)
    published = row is not None and row.restores != SHIPPED
    own = base != flow_module.SHIPPED
    overlooked = own and row is not None and published and _changed_at(base) > row.since.timestamp()
    text = row.text if row is not None and published else base_text(home)
    return Held(row.number if row else SHIPPED, text, own, overlooked)


def versions(session: Session, actor: Actor) -> list[FlowVersion]:
    """Every version, newest first. Raises Forbidden."""
    actor.require(Permission.flows_read)
    return list(session.execute(select(FlowVersion).order_by(col(FlowVersion.number).desc())).scalars())


def text_of(session: Session, actor: Actor, home: Path, number: int) -> str:
    """The text of that version. Raises Forbidden, NotFound."""
    actor.require(Permission.flows_read)
    return base_text(home) if number == SHIPPED else found(session, FlowVersion, number).text


def checked(actor: Actor, home: Path, text: str) -> Checked:
    """What is wrong with a text. Raises Forbidden."""
    actor.require(Permission.flows_read)
    return check(text, words_of(home), home)


def publish(
    db: Database, actor: Actor, home: Path, after: int, text: str, note: str, *, now: datetime | None = None
) -> FlowVersion:
    """The text is what callers walk from now on, once `file.lay_down` has run. `after` is the newest version that the
    editor saw.

    Raises Forbidden, BadInput (nothing changed, no note), Refused with the faults, VersionConflict.
    """
    actor.require(Permission.flows_write)
    words = clean(note, LONGEST_NOTE + 1)
    if not words or len(words) > LONGEST_NOTE:
        raise BadInput(fields={"note": f"写明改了什么，最长 {LONGEST_NOTE} 字 (say what was changed, briefly)"})
    fresh = _without_fault(home, text)
    with db.read() as session:
        before = held(session, actor, home)
    if before.text == text and before.number == after:
        raise BadInput(fields={"note": "没有改动 (nothing has changed)"})
    return _made(db, actor, home, after, before, fresh, {"text": text, "note": words, "restores": None}, now)


def restore(
    db: Database, actor: Actor, home: Path, after: int, number: int, *, now: datetime | None = None
) -> FlowVersion:
    """An older version is what callers walk again. Raises as `publish`, and NotFound."""
    actor.require(Permission.flows_write)
    with db.read() as session:
        text, before = text_of(session, actor, home, number), held(session, actor, home)
    if number == after == before.number:
        raise Refused("现在用的就是这一版。", "This is the version that holds now.", code="menu_holds")
    fresh = _without_fault(home, text)
    return _made(db, actor, home, after, before, fresh, {"text": text, "note": "", "restores": number}, now)


def _made(
    db: Database,
    actor: Actor,
    home: Path,
    after: int,
    before: Held,
    fresh: Outline,
    values: Mapping[str, Any],
    now: datetime | None,
) -> FlowVersion:
    """The new version and its entry in the audit, in one transaction in which nothing slow is done.

    Raises VersionConflict.
    """
    now = now or utc_now()
    differs = changes(drawn(before.text), fresh).as_json()
    row = {
        **values,
        "number": after + 1,
        "nodes": len(fresh.nodes),
        "changes": differs,
        "made_by": actor.user_id,
        "made_by_name": (actor.display_name or actor.name or "?")[:64],
        "since": now,
    }
    with db.session() as session:
        if before.number != after or not _stored(session, row):
            raise _overtaken(session, actor, home, after)
        detail = {"restores": values["restores"], **{name: them[:MOST_AUDITED] for name, them in differs.items()}}
        write(session, actor, Action.flow_published, f"flow:{after + 1}", detail, now=now)
        return found(session, FlowVersion, after + 1)


def drawn(text: str) -> Outline:
    """The outline of a text, an empty one of what is no YAML."""
    try:
        return outline(marked_yaml.parse(text, PLACE)[0])
    except FlowError:
        return Outline({}, ())


def _without_fault(home: Path, text: str) -> Outline:
    seen = check(text, words_of(home), home)
    if seen.faults or seen.outline is None:
        raise Refused(
            f"有 {len(seen.faults)} 处错误，不能发布。",
            f"{len(seen.faults)} faults: it can't be published.",
            code="menu_has_faults",
            current={"faults": [fault_json(one) for one in seen.faults[:MOST_TOLD]]},
        )
    return seen.outline


def fault_json(fault: Fault) -> dict[str, Any]:
    """A fault as pages read it."""
    return {
        "line": fault.line,
        "column": fault.column,
        "node": fault.node,
        "code": fault.code,
        "zh": fault.zh,
        "en": fault.en,
    }


def _overtaken(session: Session, actor: Actor, home: Path, after: int) -> VersionConflict:
    row = newest(session)
    try:
        seen = drawn(text_of(session, actor, home, after))
    except NotFound:
        seen = Outline({}, ())
    differs = changes(seen, drawn(held(session, actor, home).text)) if row else Changes()
    name = row.made_by_name if row else ""
    return VersionConflict(
        "有人刚发布了新的一版，核对改动后再发布。",
        "Somebody else has just published a version. Compare, and publish again.",
        current={
            "number": row.number if row else SHIPPED,
            "made_by_name": name,
            "since": iso(row.since) if row else None,
            "note": row.note if row else "",
            "changes": differs.as_json(),
        },
        extra={"changed_by": name},
    )


def _stored(session: Session, values: Mapping[str, Any]) -> bool:
    """Of two who publish at once one does."""
    insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    made = insert(FlowVersion).values(**values).on_conflict_do_nothing(index_elements=["number"])
    return session.execute(made.returning(col(FlowVersion.number))).first() is not None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
