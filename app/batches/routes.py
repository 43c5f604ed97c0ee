"""REST: one act on several cases of a board."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from sqlmodel import Session

from app.actor import Actor
from app.assignments.model import LONGEST_INSTRUCTIONS
from app.assignments.shapes import CaseId, Reason, UnitId
from app.batches import service
from app.batches.model import MOST_CASES, BatchAct, Told
from app.batches.service import Found, Pick
from app.cases.boards import Board
from app.cases.model import HandlingWay
from app.clock import iso, utc_now
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, Id, Version

router = APIRouter(prefix="/api/batches", tags=["case loop"])
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,36}$")]


class Chosen(Body):
    """A case, as it was seen."""

    id: CaseId
    version: Version


class BatchTrial(Body):
    """One act on these cases, and what is said with it; which words an act needs is as for a single case."""

    act: BatchAct
    cases: list[Chosen] = Field(min_length=1, max_length=MOST_CASES)
    unit_id: UnitId | None = None
    way: HandlingWay | None = None
    instructions: str = Field(default="", max_length=LONGEST_INSTRUCTIONS)
    reason: Reason = ""
    opinion: Reason = ""
    original: CaseId | None = None

    def told(self) -> Told:
        """What the use case takes."""
        return Told(**self.model_dump(exclude={"act", "cases", "key"}))

    def picks(self) -> list[Pick]:
        """The cases."""
        return [Pick(one.id, one.version) for one in self.cases]


class BatchOrder(BatchTrial):
    """… done. The page's own key keeps a double click from being two batches."""

    key: Key


class Why(Answer):
    """Why a case was not done, or not taken back."""

    code: str
    zh: str
    en: str


class TrialRow(Answer):
    """What would become of one case."""

    case_id: int
    number: str | None
    state: str | None
    due_at: str | None
    why: Why | None


class BatchRowOut(Answer):
    """What became of one case; `undone` is empty while nobody has tried to take it back."""

    case_id: int
    number: str | None
    outcome: str
    why: Why | None
    undone: str
    undone_why: Why | None


class BatchOut(Answer):
    """A batch; `undo_until` is empty where nothing can be taken back."""

    id: int
    act: BatchAct
    at: str
    undone_at: str | None
    undo_until: str | None
    rows: list[BatchRowOut]


@router.post("/try", operation_id="try_batch")
def try_batch(body: BatchTrial, actor: ActorDep, web: WebDep) -> list[TrialRow]:
    """What would happen to each case; nothing is stored."""
    tried = service.attempt(web.db, actor, body.act, body.told(), body.picks())
    with web.db.read() as session:
        numbers = service.numbers(session, actor, [one.case_id for one in tried])
    return [
        TrialRow(
            case_id=one.case_id,
            number=numbers.get(one.case_id),
            state=one.state,
            due_at=one.due_at,
            why=Why(**one.why) if one.why else None,
        )
        for one in tried
    ]


@router.post("", operation_id="run_batch")
def run_batch(body: BatchOrder, actor: ActorDep, web: WebDep) -> BatchOut:
    """Do it, each case by itself; sent again it goes on with what is still waiting."""
    batch_id = service.run(web.db, actor, body.key, body.act, body.told(), body.picks())
    return batch(batch_id, actor, web)


@router.get("", operation_id="recent_batches")
def recent_batches(actor: ActorDep, web: WebDep) -> list[BatchOut]:
    """The asker's batches that can still be taken back."""
    with web.db.read() as session:
        return [_out(session, actor, one) for one in service.recent(session, actor, utc_now())]


@router.get("/offered", operation_id="offered_batches")
def offered_batches(actor: ActorDep) -> dict[BatchAct, Board]:
    """The acts that the asker may do to several cases at once, each with the board from which; the likeliest first."""
    return service.offered(actor)


@router.get("/{batch_id}", operation_id="get_batch")
def batch(batch_id: Id, actor: ActorDep, web: WebDep) -> BatchOut:
    """What became of each case of a batch of the asker's."""
    with web.db.read() as session:
        return _out(session, actor, service.found(session, actor, batch_id, utc_now()))


@router.post("/{batch_id}/undo", operation_id="undo_batch")
def undo_batch(batch_id: Id, actor: ActorDep, web: WebDep) -> BatchOut:
    """Take back every case on which nobody has acted since."""
    service.take_back(web.db, actor, batch_id)
    return batch(batch_id, actor, web)


def _out(session: Session, actor: Actor, found: Found) -> BatchOut:
    one = found.batch
    numbers = service.numbers(session, actor, [row.case_id for row in found.rows])
    return BatchOut(
        id=one.id or 0,
        act=BatchAct(one.act),
        at=iso(one.at) or "",
        undone_at=iso(one.undone_at),
        undo_until=iso(found.undo_until),
        rows=[
            BatchRowOut(
                case_id=row.case_id,
                number=numbers.get(row.case_id),
                outcome=row.outcome,
                why=_why(row.why),
                undone=row.undone,
                undone_why=_why(row.undone_why),
            )
            for row in found.rows
        ],
    )


def _why(stored: dict[str, Any]) -> Why | None:
    return Why(**stored) if stored else None
