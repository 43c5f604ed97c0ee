"""Several cases at once: a trial that stores nothing, the act case by case, and the way back (C2, C8, C16).

Every case has a transaction of its own, in which its row of the batch is locked first: what is refused costs no other
case anything, what is sent twice is done once, and a batch that was broken off is finished by sending it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.batches import acts
from app.batches.model import MOST_CASES, ON_BOARD, UNDO_FOR, BatchAct, RowState, Told, faults
from app.batches.tables import Batch, BatchRow
from app.cases import access
from app.cases.acting import conflict, locked
from app.cases.boards import BOARDS, Board
from app.cases.parties import AT_THE_CENTRE
from app.cases.states import CASE_STEPS, CaseState
from app.cases.tables import Case, CaseEvent
from app.cases.words import CASE_ACTS, WORK_ACTS
from app.clock import iso, utc_now
from app.db import Database
from app.errors import BadInput, Busy, Forbidden, HotlineError, NotFound, Refused, VersionConflict

_WORDS = {act.value: name for act, name in CASE_ACTS.items()} | {
    f"unit.{act.value}": name for act, name in WORK_ACTS.items()
}


@dataclass(frozen=True)
class Pick:
    """A case that was chosen, as it was seen."""

    case_id: int
    version: int


@dataclass(frozen=True)
class Trial:
    """What would become of one case: where it would stand and until when, or why it would not be done."""

    case_id: int
    state: str | None = None
    due_at: str | None = None
    why: dict[str, str] | None = None


@dataclass(frozen=True)
class Found:
    """A batch with its cases; `undo_until` is None where nothing can be taken back any more."""

    batch: Batch
    rows: list[BatchRow]
    undo_until: datetime | None


def offered(actor: Actor) -> dict[BatchAct, Board]:
    """The acts that the asker may do at all, each with the board from which."""
    return {act: ON_BOARD[act] for act in BatchAct if any(actor.may(one) for one in _permissions(act))}


def attempt(
    db: Database, actor: Actor, act: BatchAct, told: Told, picks: Sequence[Pick], *, now: datetime | None = None
) -> list[Trial]:
    """What would happen to each case: done and taken back at once. Raises Forbidden, BadInput."""
    now = now or utc_now()
    _require(actor, act, told, picks)
    return [_tried(db, actor, act, told, pick, now) for pick in picks]


def run(
    db: Database,
    actor: Actor,
    key: str,
    act: BatchAct,
    told: Told,
    picks: Sequence[Pick],
    *,
    now: datetime | None = None,
) -> int:
    """Do it; the batch's id. The same key again goes on with what was not done, and does nothing twice.

    Raises Forbidden, BadInput, Refused (key_used), Busy where nothing was begun.
    """
    now = now or utc_now()
    _require(actor, act, told, picks)
    try:
        batch_id, waiting = _begun(db, actor, key, act, told, picks, now)
    except IntegrityError:  # PostgreSQL: the second of a double click; the first's batch is there now
        batch_id, waiting = _begun(db, actor, key, act, told, picks, now)
    _each(db, waiting, lambda session, row: _do(session, actor, act, told, row, now), _refuse)
    return batch_id


def take_back(db: Database, actor: Actor, batch_id: int, *, now: datetime | None = None) -> None:
    """撤销: back with every case on which nobody has acted since. Once begun it may be finished later.

    Raises NotFound for what is another's, Refused (too_late).
    """
    now = now or utc_now()
    with db.session() as session:
        batch = _mine(session, actor, batch_id, lock=True)
        act = BatchAct(batch.act)
        if batch.undone_at is None:
            if now >= batch.at + UNDO_FOR:
                raise Refused(
                    f"已超过 {UNDO_FOR.seconds // 60} 分钟，请到各工单逐件处理。",
                    "It is too late to take the whole batch back: go to the single cases.",
                    code="too_late",
                )
            batch.undone_at = now
            session.add(batch)
            write(session, actor, Action.cases_batch_undone, f"batch:{batch.id}", {"act": batch.act}, now=now)
        rows = [row.id or 0 for row in reversed(_rows(session, batch_id)) if _may_go_back(row)]
    _each(db, rows, lambda session, row: _undo(session, actor, act, row, now), _stays)


def found(session: Session, actor: Actor, batch_id: int, now: datetime) -> Found:
    """A batch of the asker's. Raises NotFound."""
    return _found(session, _mine(session, actor, batch_id), now)


def recent(session: Session, actor: Actor, now: datetime) -> list[Found]:
    """The asker's batches that can still be taken back, newest first."""
    mine = (col(Batch.user_id) == actor.user_id) & (col(Batch.at) > now - UNDO_FOR)
    batches = session.execute(select(Batch).where(mine).order_by(col(Batch.id).desc()).limit(10)).scalars()
    known = [_found(session, batch, now) for batch in batches]
    return [one for one in known if one.undo_until is not None]


def numbers(session: Session, actor: Actor, case_ids: Sequence[int]) -> dict[int, str]:
    """What these cases are called, of those that the asker may know of."""
    wanted = select(col(Case.id), col(Case.number)).where(col(Case.id).in_(case_ids), access.visible(actor))
    return {row.id: row.number for row in session.execute(wanted)}


class _Trial(Exception):
    """Takes back what was tried."""


def _tried(db: Database, actor: Actor, act: BatchAct, told: Told, pick: Pick, now: datetime) -> Trial:
    made = Trial(pick.case_id)
    try:
        with suppress(_Trial), db.session() as session:
            case = _act(session, actor, act, told, pick, now)
            session.flush()
            made = Trial(pick.case_id, case.state, iso(case.due_at))
            raise _Trial
    except Busy:
        raise
    except HotlineError as error:
        return Trial(pick.case_id, why=_words(error))
    return made


def _act(session: Session, actor: Actor, act: BatchAct, told: Told, pick: Pick, now: datetime) -> Case:
    case = locked(session, actor, pick.case_id)
    if case.version != pick.version:  # also for the asker's own act: of this batch it is none, nor taken back with it
        raise conflict(session, actor, case)
    if CaseState(case.state) not in BOARDS[ON_BOARD[act]].states:
        raise Refused(
            "工单不在这个台上，请打开工单办理。", "This case is on another board: open it instead.", code="wrong_state"
        )
    return acts.do(session, actor, act, told, pick.case_id, pick.version, now)


def _require(actor: Actor, act: BatchAct, told: Told, picks: Sequence[Pick]) -> None:
    if actor.user_id is None or act not in offered(actor):
        raise Forbidden()
    wrong = faults(act, told)
    if not 1 <= len(picks) <= MOST_CASES or len({one.case_id for one in picks}) != len(picks):
        wrong["cases"] = f"一次选择 1 到 {MOST_CASES} 件不同的工单 (1 to {MOST_CASES} cases)"
    if wrong:
        raise BadInput(fields=wrong)


def _permissions(act: BatchAct) -> set[Permission]:
    by = set().union(*(step.by for step in CASE_STEPS if step.act.value == act.value))
    return {AT_THE_CENTRE[one] for one in by if one in AT_THE_CENTRE}


def _begun(
    db: Database, actor: Actor, key: str, act: BatchAct, told: Told, picks: Sequence[Pick], now: datetime
) -> tuple[int, list[int]]:
    """The batch of that key, begun now or before, and the rows that nobody has done yet."""
    asked = {
        "told": {name: value for name, value in asdict(told).items() if value},
        "cases": [[one.case_id, one.version] for one in picks],
    }
    with db.session() as session:
        mine = (col(Batch.user_id) == actor.user_id) & (col(Batch.key) == key)
        batch = session.execute(select(Batch).where(mine)).scalar_one_or_none()
        if batch is None:
            batch = Batch(user_id=actor.user_id or 0, key=key, act=act.value, told=asked, at=now)
            session.add(batch)
            session.flush()
            known = numbers(session, actor, [one.case_id for one in picks])
            if len(known) != len(picks):
                raise NotFound()  # what was chosen from a board is known; who guesses numbers learns nothing
            for pick in picks:
                row = BatchRow(
                    batch_id=batch.id or 0, case_id=pick.case_id, seen_version=pick.version, outcome=RowState.waiting
                )
                session.add(row)
            told_of = {"act": act.value, "cases": len(picks)}
            write(session, actor, Action.cases_batch, f"batch:{batch.id}", told_of, now=now)
            session.flush()
        elif (batch.act, batch.told) != (act.value, asked):
            raise Refused("这次操作已经提交过，请刷新后再选。", "This was sent before: choose again.", code="key_used")
        rows = _rows(session, batch.id or 0)
        open_ = [] if batch.undone_at else [row.id or 0 for row in rows if row.outcome == RowState.waiting.value]
        return batch.id or 0, open_


def _each(
    db: Database,
    rows: Sequence[int],
    act: Callable[[Session, BatchRow], None],
    refused: Callable[[HotlineError, Session, BatchRow], None],
) -> None:
    """One row after another; where the database is busy the rest waits for whoever sends it again."""
    with suppress(Busy):
        for row_id in rows:
            try:
                _one(db, row_id, act)
            except Busy:
                raise
            except HotlineError as error:
                _one(db, row_id, partial(refused, error))


def _one(db: Database, row_id: int, what: Callable[[Session, BatchRow], None]) -> None:
    with db.session() as session:
        row = session.get(BatchRow, row_id, with_for_update=True)
        if row is not None:
            what(session, row)
            session.add(row)


def _do(session: Session, actor: Actor, act: BatchAct, told: Told, row: BatchRow, now: datetime) -> None:
    if row.outcome != RowState.waiting.value:
        return
    if session.get_one(Batch, row.batch_id, with_for_update={"read": True}).undone_at is not None:
        return  # taken back while it was under way
    row.undo_with = acts.kept_for_undo(act, locked(session, actor, row.case_id))
    case = _act(session, actor, act, told, Pick(row.case_id, row.seen_version), now)
    row.outcome, row.after_version = RowState.done.value, case.version


def _refuse(error: HotlineError, _session: Session, row: BatchRow) -> None:
    if row.outcome == RowState.waiting.value:
        row.outcome, row.why = RowState.refused.value, _words(error)


def _undo(session: Session, actor: Actor, act: BatchAct, row: BatchRow, now: datetime) -> None:
    if not _may_go_back(row):
        return
    case = locked(session, actor, row.case_id)
    if case.version != row.after_version:
        raise _acted_since(session, case)
    acts.undo(session, actor, act, row.undo_with, case, case.version, now)
    row.undone = RowState.done.value


def _stays(error: HotlineError, _session: Session, row: BatchRow) -> None:
    if _may_go_back(row):
        row.undone, row.undone_why = RowState.refused.value, _words(error)


def _may_go_back(row: BatchRow) -> bool:
    return row.outcome == RowState.done.value and not row.undone


def _acted_since(session: Session, case: Case) -> Refused:
    newest = select(CaseEvent).where(col(CaseEvent.case_id) == case.id).order_by(col(CaseEvent.id).desc()).limit(1)
    line = session.execute(newest).scalar_one()
    what = _WORDS.get(line.event, "处理")
    return Refused(
        f"{line.actor_name} 已经{what}，不能撤销。",
        f"{line.actor_name} has acted on it since.",
        code="acted_since",
    )


def _words(error: HotlineError) -> dict[str, str]:
    """What is told of a case that was not done, in both languages."""
    if isinstance(error, VersionConflict) and (who := error.extra.get("changed_by")):
        return {"code": error.code, "zh": f"{who} 刚处理过这件工单。", "en": f"{who} has just acted on this case."}
    if error.fields:
        text = "；".join(error.fields.values())
        return {"code": error.code, "zh": text, "en": text}
    return {"code": error.code, "zh": error.message_zh, "en": error.message_en}


def _mine(session: Session, actor: Actor, batch_id: int, *, lock: bool = False) -> Batch:
    batch = session.get(Batch, batch_id, with_for_update=lock or None)
    if batch is None or actor.user_id is None or batch.user_id != actor.user_id:
        raise NotFound()
    return batch


def _rows(session: Session, batch_id: int) -> list[BatchRow]:
    statement = select(BatchRow).where(col(BatchRow.batch_id) == batch_id).order_by(col(BatchRow.id))
    return list(session.execute(statement).scalars())


def _found(session: Session, batch: Batch, now: datetime) -> Found:
    rows, until = _rows(session, batch.id or 0), batch.at + UNDO_FOR
    open_ = any(_may_go_back(row) for row in rows) and (batch.undone_at is not None or now < until)
    return Found(batch, rows, until if open_ else None)
