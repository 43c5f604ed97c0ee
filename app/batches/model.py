"""Which acts are done to several cases at once, from which board, and how each is taken back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.cases.boards import Board
from app.cases.model import HandlingWay
from app.cases.states import CaseAct

MOST_CASES = 100
UNDO_FOR = timedelta(minutes=10)
UNDO_REASON = "撤销批量操作"


class BatchAct(StrEnum):
    """An act of the table that makes sense for many cases: the same words hold for each, and it can be taken back.

    What has to be judged case by case (a return, a redo, putting on account, closing without a call-back) is none.
    """

    dispatched = "dispatched"  # 派单: one unit, one way
    merged = "merged"  # 并案: many calls about one matter
    sent_back = "sent_back"  # 退回补充
    accepted = "accepted"  # 采纳: on to the call-backs
    resumed = "resumed"  # 恢复办理


# By which act of the table each is taken back.
REVERSE: Mapping[BatchAct, CaseAct] = {
    BatchAct.dispatched: CaseAct.taken_back,
    BatchAct.merged: CaseAct.unmerged,
    BatchAct.sent_back: CaseAct.submitted,
    BatchAct.accepted: CaseAct.taken_back,
    BatchAct.resumed: CaseAct.deferred,
}
ON_BOARD: Mapping[BatchAct, Board] = {
    BatchAct.dispatched: Board.dispatch,
    BatchAct.merged: Board.dispatch,
    BatchAct.sent_back: Board.dispatch,
    BatchAct.accepted: Board.review,
    BatchAct.resumed: Board.deferred,
}


class RowState(StrEnum):
    """What became of one case."""

    waiting = "waiting"
    done = "done"
    refused = "refused"


@dataclass(frozen=True)
class Told:
    """What is said with the act, the same for every case."""

    unit_id: int | None = None
    way: HandlingWay | None = None
    instructions: str = ""
    reason: str = ""
    opinion: str = ""
    original: int | None = None


# What must be said with each.
NEEDED: Mapping[BatchAct, tuple[str, ...]] = {
    BatchAct.dispatched: ("unit_id", "way"),
    BatchAct.merged: ("original",),
    BatchAct.sent_back: ("reason",),
    BatchAct.accepted: ("opinion",),
    BatchAct.resumed: (),
}


def faults(act: BatchAct, told: Told) -> dict[str, str]:
    """What is missing, by field."""
    missing = {name: "请填写 (required)" for name in NEEDED[act] if not getattr(told, name)}
    if act is BatchAct.dispatched and told.way is HandlingWay.coordinated:
        missing["way"] = "协调办理须逐件派单 (several units: one case at a time)"
    return missing
