"""REST: what is done to a case, and the boards that cases are taken from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlmodel import Session

from app.actor import Actor
from app.assignments import giving, judging, recusing
from app.assignments.shapes import (
    ActedCase,
    Asked,
    Count,
    Decline,
    Defer,
    Dispatch,
    Items,
    Lift,
    Loop,
    Merge,
    RecusalOut,
    Recuse,
    Redo,
    ReferTo,
    Seen,
    Submit,
    Thought,
    Told,
    TransferTo,
    Why,
)
from app.assignments.taking_back import take_back
from app.assignments.views import loop_json, recusals_json
from app.cases import boards, loop, service
from app.cases.boards import Board
from app.cases.routes import CaseOut
from app.cases.tables import Case
from app.cases.views import case_json, cases_json
from app.clock import iso, utc_now
from app.followups import desk
from app.followups.service import close_all_the_same, follow_up
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Id, Listing, PageOf

router = APIRouter(prefix="/api/cases", tags=["case loop"])
lists = APIRouter(prefix="/api/boards", tags=["case loop"])
kept = APIRouter(prefix="/api/recusals", tags=["case loop"])


def _did(web: Web, act: Callable[[Session], Case]) -> ActedCase:
    with web.db.session() as session:
        case = act(session)
        return ActedCase(id=case.id or 0, state=case.state, version=case.version, due_at=iso(case.due_at))


def _do(
    web: Web, what: Callable[..., Case], actor: Actor, case_id: int, body: Seen, *args: Any, **more: Any
) -> ActedCase:
    return _did(web, lambda session: what(session, actor, case_id, body.version, *args, **more))


@lists.get("", operation_id="board_counts")
def board_counts(actor: ActorDep, web: WebDep) -> dict[Board, Count]:
    """How much waits on each board that the asker works from."""
    with web.db.read() as session:
        return {which: Count(**found) for which, found in boards.counts(session, actor, utc_now()).items()}


@lists.get("/{which}", operation_id="board")
def board(which: Board, actor: ActorDep, web: WebDep, listing: Annotated[Listing, Query()]) -> PageOf[CaseOut]:
    """A board: what is due first before the rest."""
    with web.db.read() as session:
        page = boards.board(session, actor, which, listing.leaf)
        return PageOf.of(page, [CaseOut(**row) for row in cases_json(session, actor, page.items)])


@lists.post("/follow_up/next", operation_id="next_follow_up")
def next_follow_up(actor: ActorDep, web: WebDep) -> CaseOut | None:
    """The case to call about next; it is the asker's for half an hour."""
    with web.db.session() as session:
        task = desk.next_task(session, actor, utc_now())
        if task is None:
            return None
        return CaseOut(**case_json(session, actor, service.get_case(session, actor, task.case_id), content=False))


@router.get("/{case_id}/loop", operation_id="case_loop")
def case_loop(case_id: Id, actor: ActorDep, web: WebDep) -> Loop:
    """Items, units, call-backs, and what the asker can do now."""
    with web.db.read() as session:
        return Loop(**loop_json(session, actor, service.get_case(session, actor, case_id)))


@router.get("/{case_id}/recusals", operation_id="list_recusals")
def list_recusals(case_id: Id, actor: ActorDep, web: WebDep) -> list[RecusalOut]:
    """Who is kept from this case."""
    with web.db.read() as session:
        rows = recusing.recusals_of(session, actor, case_id)
        return [RecusalOut(**one) for one in recusals_json(session, rows)]


@router.post("/{case_id}/recusals", operation_id="recuse", status_code=204)
def recuse(case_id: Id, body: Recuse, actor: ActorDep, web: WebDep) -> None:
    """Keep a person or a unit from this case; anybody may keep away themselves."""
    with web.db.session() as session:
        recusing.recuse(session, actor, case_id, body.reason, user_id=body.user_id, unit_id=body.unit_id)


@kept.post("/{recusal_id}/lift", operation_id="lift_recusal", status_code=204)
def lift_recusal(recusal_id: Id, body: Lift, actor: ActorDep, web: WebDep) -> None:
    """The interest is none any more."""
    with web.db.session() as session:
        recusing.lift(session, actor, recusal_id, body.reason)


@router.put("/{case_id}/items", operation_id="set_case_items")
def set_items(case_id: Id, body: Items, actor: ActorDep, web: WebDep) -> Loop:
    """What the citizen asks for, one by one."""
    with web.db.session() as session:
        loop.set_items(session, actor, case_id, body.version, body.items)
    return case_loop(case_id, actor, web)


@router.post("/{case_id}/answer", operation_id="answer_case")
def answer(case_id: Id, body: Told, actor: ActorDep, web: WebDep) -> ActedCase:
    """当即答复."""
    return _do(web, loop.answer, actor, case_id, body, body.text)


@router.post("/{case_id}/guide", operation_id="guide_case")
def guide(case_id: Id, body: Told, actor: ActorDep, web: WebDep) -> ActedCase:
    """引导咨询投诉."""
    return _do(web, loop.guide, actor, case_id, body, body.text)


@router.post("/{case_id}/refer", operation_id="refer_case")
def refer(case_id: Id, body: ReferTo, actor: ActorDep, web: WebDep) -> ActedCase:
    """转阅."""
    return _do(web, loop.refer, actor, case_id, body, body.unit_id, body.remark)


@router.post("/{case_id}/transfer", operation_id="transfer_case")
def transfer(case_id: Id, body: TransferTo, actor: ActorDep, web: WebDep) -> ActedCase:
    """电话交办, settled in the call."""
    return _do(web, loop.transfer, actor, case_id, body, body.unit_id, body.call_id, body.text)


@router.post("/{case_id}/decline", operation_id="decline_case")
def decline(case_id: Id, body: Decline, actor: ActorDep, web: WebDep) -> ActedCase:
    """不予受理."""
    return _do(web, loop.decline, actor, case_id, body, body.ground, body.told)


@router.post("/{case_id}/reopen", operation_id="reopen_case")
def reopen(case_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedCase:
    """Take up again what was ended at once."""
    return _do(web, loop.reopen, actor, case_id, body, body.reason)


@router.post("/{case_id}/submit", operation_id="submit_case")
def submit(case_id: Id, body: Submit, actor: ActorDep, web: WebDep) -> ActedCase:
    """交派单."""
    more = {"urgency": body.urgency, "about_unit_id": body.about_unit_id}
    return _do(web, loop.submit, actor, case_id, body, **more)


@router.post("/{case_id}/send-back", operation_id="send_back_case")
def send_back(case_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedCase:
    """退回补充."""
    return _do(web, loop.send_back, actor, case_id, body, body.reason)


@router.post("/{case_id}/dispatch", operation_id="dispatch_case")
def dispatch(case_id: Id, body: Dispatch, actor: ActorDep, web: WebDep) -> ActedCase:
    """派单, also to one more unit."""
    return _do(web, giving.dispatch, actor, case_id, body, body.way, body.gifts(), urgency=body.urgency)


@router.post("/{case_id}/review", operation_id="review_case")
def review(case_id: Id, body: Seen, actor: ActorDep, web: WebDep) -> ActedCase:
    """开始审核."""
    return _do(web, judging.begin_review, actor, case_id, body)


@router.post("/{case_id}/accept", operation_id="accept_case")
def accept(case_id: Id, body: Thought, actor: ActorDep, web: WebDep) -> ActedCase:
    """采纳办理结果."""
    return _do(web, judging.accept_case, actor, case_id, body, body.opinion)


@router.post("/{case_id}/redo", operation_id="redo_case")
def redo(case_id: Id, body: Redo, actor: ActorDep, web: WebDep) -> ActedCase:
    """重办."""
    return _do(web, judging.redo_case, actor, case_id, body, body.reason, units=body.units)


@router.post("/{case_id}/defer", operation_id="defer_case")
def defer(case_id: Id, body: Defer, actor: ActorDep, web: WebDep) -> ActedCase:
    """挂账."""
    return _do(web, judging.defer, actor, case_id, body, body.reason, body.until)


@router.post("/{case_id}/resume", operation_id="resume_case")
def resume(case_id: Id, body: Seen, actor: ActorDep, web: WebDep) -> ActedCase:
    """恢复办理."""
    return _do(web, judging.resume, actor, case_id, body)


@router.post("/{case_id}/merge", operation_id="merge_case")
def merge(case_id: Id, body: Merge, actor: ActorDep, web: WebDep) -> ActedCase:
    """并案."""
    return _do(web, judging.merge, actor, case_id, body, body.original)


@router.post("/{case_id}/unmerge", operation_id="unmerge_case")
def unmerge(case_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedCase:
    """解除并案."""
    return _do(web, judging.unmerge, actor, case_id, body, body.reason)


@router.post("/{case_id}/take-back", operation_id="take_back_case")
def take_back_case(case_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedCase:
    """撤回 the last step, while nobody has gone on from it."""
    return _do(web, take_back, actor, case_id, body, body.reason)


@router.post("/{case_id}/follow-up", operation_id="follow_up_case")
def follow_up_case(case_id: Id, body: Asked, actor: ActorDep, web: WebDep) -> ActedCase:
    """回访."""
    return _do(web, follow_up, actor, case_id, body, body.heard(), call_id=body.call_id)


@router.post("/{case_id}/close", operation_id="close_case")
def close(case_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedCase:
    """办结 without another call-back."""
    return _do(web, close_all_the_same, actor, case_id, body, body.reason)


@router.post("/{case_id}/archive", operation_id="archive_case")
def archive(case_id: Id, body: Seen, actor: ActorDep, web: WebDep) -> ActedCase:
    """归档."""
    return _do(web, loop.archive, actor, case_id, body)
