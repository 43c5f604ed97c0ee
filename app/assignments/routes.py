"""REST: a unit's inbox, and what is done to what it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.actor import Actor
from app.assignments import giving, inbox, judging, working
from app.assignments.inbox import Box
from app.assignments.shapes import (
    ActedWork,
    Approved,
    Count,
    Down,
    FullWork,
    InboxRow,
    ReplyDraft,
    Seen,
    Submitted,
    Thought,
    Why,
)
from app.assignments.tables import Assignment
from app.assignments.views import unit_names, work_json, work_row
from app.cases import access
from app.cases.tables import Case
from app.cases.views import case_json
from app.clock import iso, utc_now
from app.db import loaded
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Id, Listing, PageOf

router = APIRouter(prefix="/api/assignments", tags=["assignments"])


def _do(
    web: Web, what: Callable[..., Assignment], actor: Actor, work_id: int, body: Seen, *args: Any, **more: Any
) -> ActedWork:
    with web.db.session() as session:
        work = what(session, actor, work_id, body.version, *args, **more)
        return ActedWork(
            id=work.id or 0, state=work.state, version=work.version, due_at=iso(work.due_at), case_id=work.case_id
        )


@router.get("/inbox", operation_id="inbox_counts")
def inbox_counts(actor: ActorDep, web: WebDep) -> dict[Box, Count]:
    """How much is in each box of the asker's units."""
    with web.db.read() as session:
        return {box: Count(**found) for box, found in inbox.counts(session, actor, utc_now()).items()}


@router.get("/inbox/{box}", operation_id="inbox")
def inbox_box(box: Box, actor: ActorDep, web: WebDep, listing: Annotated[Listing, Query()]) -> PageOf[InboxRow]:
    """A box: what is due first before the rest."""
    with web.db.read() as session:
        page = inbox.inbox(session, actor, box, listing.leaf)
        units = unit_names(session, [work.unit_id for work in page.items])
        cases = loaded(session, Case, (work.case_id for work in page.items))
        _citizens = access.citizens_of(session, cases.values())
        rows = []
        for work in page.items:
            case = cases[work.case_id]
            clear = access.sees_citizen(session, actor, case)
            told = {name: access.plain(getattr(case, name), case, clear=clear) for name in ("title", "area")}
            about = {**told, **case.model_dump(include={"number", "type", "urgency"})}
            rows.append(InboxRow(**work_row(work, units), **about))
        return PageOf.of(page, rows)


@router.get("/{work_id}", operation_id="get_assignment")
def get_assignment(work_id: Id, actor: ActorDep, web: WebDep) -> FullWork:
    """One assignment with its case, as far as the asker may see that."""
    with web.db.read() as session:
        case, work = inbox.get_work(session, actor, work_id)
        return FullWork(**work_json(session, actor, case, work), case=case_json(session, actor, case))


@router.put("/{work_id}/reply", operation_id="write_reply")
def write_reply(work_id: Id, body: ReplyDraft, actor: ActorDep, web: WebDep) -> dict[str, int]:
    """Keep the reply as far as it is written; the version that the next edit must name."""
    with web.db.session() as session:
        reply = working.write_reply(session, actor, work_id, body.version, body.fields.given())
        return {"version": reply.version}


@router.post("/{work_id}/sign", operation_id="sign_assignment")
def sign(work_id: Id, body: Seen, actor: ActorDep, web: WebDep) -> ActedWork:
    """签收."""
    return _do(web, working.sign, actor, work_id, body)


@router.post("/{work_id}/start", operation_id="start_assignment")
def start(work_id: Id, body: Seen, actor: ActorDep, web: WebDep) -> ActedWork:
    """开始办理."""
    return _do(web, working.start, actor, work_id, body)


@router.post("/{work_id}/hand-down", operation_id="hand_down_assignment")
def hand_down(work_id: Id, body: Down, actor: ActorDep, web: WebDep) -> ActedWork:
    """交下级办理."""
    return _do(web, giving.hand_down, actor, work_id, body, body.gifts())


@router.post("/{work_id}/submit", operation_id="submit_assignment")
def submit(work_id: Id, body: Submitted, actor: ActorDep, web: WebDep) -> ActedWork:
    """报审: hand the reply to the unit's leader."""
    return _do(web, working.submit, actor, work_id, body, body.fields.given(), body.reply_version)


@router.post("/{work_id}/rework", operation_id="rework_assignment")
def rework(work_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedWork:
    """退回修改."""
    return _do(web, working.rework, actor, work_id, body, body.reason)


@router.post("/{work_id}/approve", operation_id="approve_assignment")
def approve(work_id: Id, body: Approved, actor: ActorDep, web: WebDep) -> ActedWork:
    """审签报送."""
    return _do(web, working.approve, actor, work_id, body, body.opinion, seal=body.seal)


@router.post("/{work_id}/accept", operation_id="accept_assignment")
def accept(work_id: Id, body: Thought, actor: ActorDep, web: WebDep) -> ActedWork:
    """采纳下级结果."""
    return _do(web, judging.accept_work, actor, work_id, body, body.opinion)


@router.post("/{work_id}/redo", operation_id="redo_assignment")
def redo(work_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedWork:
    """退回重办."""
    return _do(web, judging.redo_work, actor, work_id, body, body.reason)


@router.post("/{work_id}/return", operation_id="return_assignment")
def give_back(work_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedWork:
    """退单."""
    return _do(web, working.give_it_back, actor, work_id, body, body.reason)


@router.post("/{work_id}/refuse-return", operation_id="refuse_return")
def refuse_return(work_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedWork:
    """退单不成立."""
    return _do(web, giving.refuse_return, actor, work_id, body, body.reason)


@router.post("/{work_id}/uphold-return", operation_id="uphold_return")
def uphold_return(work_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedWork:
    """退单成立."""
    return _do(web, giving.uphold_return, actor, work_id, body, body.reason)


@router.post("/{work_id}/withdraw", operation_id="withdraw_assignment")
def withdraw(work_id: Id, body: Why, actor: ActorDep, web: WebDep) -> ActedWork:
    """撤回."""
    return _do(web, giving.withdraw, actor, work_id, body, body.reason)
