"""What a unit does with what it was given: sign, start, give back, write the reply, have its leader sign that (C5, C6).

A reply is kept while it is written, like a draft; handing it in is refused while anything is missing, and says what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments import check
from app.assignments.acting import (
    act_on,
    begin,
    follow,
    follow_replies,
    require_children_done,
)
from app.assignments.model import LONGEST_ANSWER, REPLY_TEXTS, Contact, Opinion, ReplyState
from app.assignments.tables import Assignment, Reply
from app.cases import clocks
from app.cases.acting import conflict, said
from app.cases.loop import items_of
from app.cases.states import AssignmentState, CaseAct, WorkAct
from app.cases.tables import Case
from app.cases.views import attachments
from app.clock import iso, utc_now
from app.clocks.model import ClockKind
from app.errors import BadInput, Refused
from app.text import clean


def sign(session: Session, actor: Actor, work_id: int, version: int, *, now: datetime | None = None) -> Assignment:
    """签收: somebody of the unit has it."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.signed)
    if done:
        return work
    work.signed_at = now
    act_on(session, actor, case, work, WorkAct.signed, now)
    clocks.work_step_ends(session, work, ClockKind.sign, now)
    if _leads(work):
        follow(session, actor, case, CaseAct.signed, now)
    return work


def start(session: Session, actor: Actor, work_id: int, version: int, *, now: datetime | None = None) -> Assignment:
    """开始办理."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.started)
    if done:
        return work
    act_on(session, actor, case, work, WorkAct.started, now)
    if _leads(work):
        follow(session, actor, case, CaseAct.started, now)
    return work


def give_it_back(
    session: Session, actor: Actor, work_id: int, version: int, why: str, *, now: datetime | None = None
) -> Assignment:
    """退单: not this unit's matter, says the unit; counted, and judged by who gave it.

    The unit's clocks end. Of what the centre gave the dispatch clock runs from now on: what this costs is its own.
    Raises BadInput (reason), Refused (children_open), and what `begin` raises.
    """
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.returned)
    if done:
        return work
    reason = said(why)
    require_children_done(session, work)
    work.returns += 1
    act_on(session, actor, case, work, WorkAct.returned, now, reason=reason, detail={"returns": work.returns})
    if _leads(work):
        follow(session, actor, case, CaseAct.returned, now)
    clocks.gives_back(session, case, work, now)
    session.add(work)
    return work


def reply_of(session: Session, work: Assignment) -> Reply | None:
    """The reply of the present round."""
    statement = select(Reply).where(col(Reply.assignment_id) == work.id, col(Reply.round) == work.round)
    found: Reply | None = session.execute(statement).scalar_one_or_none()
    return found


def replies_of(session: Session, work_id: int) -> list[Reply]:
    """Every round's reply, the first before the others."""
    statement = select(Reply).where(col(Reply.assignment_id) == work_id).order_by(col(Reply.round))
    return list(session.execute(statement).scalars())


def write_reply(
    session: Session,
    actor: Actor,
    work_id: int,
    version: int,
    fields: Mapping[str, Any],
    *,
    now: datetime | None = None,
) -> Reply:
    """Keep what has been written so far; `version` is the reply's own, 0 before there is one.

    Raises BadInput, VersionConflict when somebody else wrote meanwhile, and what `begin` raises.
    """
    now = now or utc_now()
    known = session.get(Assignment, work_id)
    case, work, _ = begin(session, actor, work_id, known.version if known else 0, WorkAct.submitted)
    return _write(session, actor, case, work, version, fields, now)


def submit(
    session: Session,
    actor: Actor,
    work_id: int,
    version: int,
    fields: Mapping[str, Any],
    reply_version: int,
    *,
    now: datetime | None = None,
) -> Assignment:
    """报审: the reply goes to the unit's leader. Raises BadInput (all that is missing), Refused (children_open)."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.submitted)
    if done:
        return work
    require_children_done(session, work)
    reply = _write(session, actor, case, work, reply_version, fields, now)
    missing = check.faults(written(reply), asked(session, case))
    if missing:
        raise BadInput(
            "办理结果不完整，请补全后再报审。",
            "The reply is not complete yet.",
            code="reply_incomplete",
            fields={one.where: one.told for one in missing},
        )
    reply.state = ReplyState.submitted.value
    reply.signed_by, reply.signed_at = actor.user_id, now
    started = work.state != AssignmentState.in_progress.value
    clocks.work_step_ends(session, work, ClockKind.sign, now)
    act_on(session, actor, case, work, WorkAct.submitted, now, detail={"reply": reply_json(reply)})
    if started and _leads(work):
        follow(session, actor, case, CaseAct.started, now)
    return work


def rework(
    session: Session, actor: Actor, work_id: int, version: int, why: str, *, now: datetime | None = None
) -> Assignment:
    """退回修改: the unit's own leader wants the reply better."""
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.reworked)
    if done:
        return work
    reply = _present(session, work)
    reply.state = ReplyState.draft.value
    act_on(session, actor, case, work, WorkAct.reworked, now, reason=said(why))
    return work


def approve(
    session: Session,
    actor: Actor,
    work_id: int,
    version: int,
    opinion: str,
    *,
    seal: bool,
    now: datetime | None = None,
) -> Assignment:
    """审签: the unit's leader signs and seals the reply, and it goes to who gave the work.

    Raises BadInput (opinion, sealed), Refused (children_open), and what `begin` raises.
    """
    now = now or utc_now()
    case, work, done = begin(session, actor, work_id, version, WorkAct.replied)
    if done:
        return work
    require_children_done(session, work)
    reply, words = _present(session, work), said(opinion, "opinion")
    reply.sealed = seal
    if missing := [*check.faults(written(reply), asked(session, case)), *check.unsealed(written(reply))]:
        raise BadInput(code="reply_incomplete", fields={one.where: one.told for one in missing})
    reply.state = ReplyState.approved.value
    reply.leader_opinion, reply.leader_by, reply.leader_at = words, actor.user_id, now
    reply.leader_name = actor.display_name or actor.name
    work.replied_at = now
    act_on(session, actor, case, work, WorkAct.replied, now, detail={"opinion": words, "reply": reply_json(reply)})
    clocks.work_step_ends(session, work, ClockKind.handle, now)
    if work.parent_id is None:
        follow_replies(session, actor, case, now)
    return work


def asked(session: Session, case: Case) -> check.Asked:
    """What a reply to this case has to answer."""
    items = {str(item.id): item.text for item in items_of(session, case.id or 0)}
    papers = {f"{one['kind']}:{one['id']}": f"{one['kind']} {one['id']}" for one in attachments(session, case.id or 0)}
    return check.Asked(items, papers)


def written(reply: Reply) -> check.Written:
    """The reply as the check reads it."""
    return check.Written(
        result=reply.result,
        measures=reply.measures,
        next_step=reply.next_step,
        answers=reply.answers,
        papers=reply.papers,
        contact=Contact(reply.contact) if reply.contact else None,
        contacted_at=reply.contacted_at,
        opinion=Opinion(reply.opinion) if reply.opinion else None,
        opinion_why=reply.opinion_why,
        signed_name=reply.signed_name,
        sealed=reply.sealed,
        letter=reply.letter,
    )


def reply_json(reply: Reply) -> dict[str, Any]:
    """The whole reply, for pages and for the history."""
    return {
        "round": reply.round,
        "version": reply.version,
        "state": reply.state,
        **{name: getattr(reply, name) for name in REPLY_TEXTS},
        "answers": dict(reply.answers),
        "papers": dict(reply.papers),
        "contact": reply.contact,
        "contacted_at": iso(reply.contacted_at),
        "opinion": reply.opinion,
        "signed_at": iso(reply.signed_at),
        "sealed": reply.sealed,
        "leader_opinion": reply.leader_opinion,
        "leader_name": reply.leader_name,
        "leader_at": iso(reply.leader_at),
    }


def _write(
    session: Session, actor: Actor, case: Case, work: Assignment, version: int, fields: Mapping[str, Any], now: datetime
) -> Reply:
    reply = reply_of(session, work)
    if version != (reply.version if reply else 0):
        raise conflict(session, actor, case)
    values = _checked(fields, now)
    if reply is None:
        reply = Reply(
            assignment_id=work.id or 0, round=work.round, version=0, state=ReplyState.draft.value, updated_at=now
        )
    for name, value in values.items():
        setattr(reply, name, value)
    reply.version += 1
    reply.updated_at, reply.updated_by = now, actor.user_id
    session.add(reply)
    session.flush()
    return reply


def _checked(fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in fields.items():
        if name in REPLY_TEXTS and isinstance(value, str):
            rule = REPLY_TEXTS[name]
            values[name] = clean(value, rule.limit, lines=rule.lines)
            wrong |= _too_long(name, value, rule.limit)
            if values[name] and rule.shape and not re.fullmatch(rule.shape, values[name]):
                wrong[name] = "无法识别的内容 (not understood)"
        elif name in ("answers", "papers") and isinstance(value, Mapping) and len(value) <= 100:
            for key, text in value.items():
                wrong |= _too_long(f"{name}.{key}", str(text), LONGEST_ANSWER)
            values[name] = {str(key)[:40]: clean(str(text), LONGEST_ANSWER, lines=True) for key, text in value.items()}
        elif (name == "contact" and (value == "" or value in Contact.__members__)) or (
            name == "opinion" and (value == "" or value in Opinion.__members__)
        ):
            values[name] = value
        elif name == "contacted_at" and (value is None or isinstance(value, datetime)):
            if value is not None and value > now:
                wrong[name] = "不能晚于现在 (not in the future)"
            values[name] = value
        else:
            wrong[name] = "无法识别的内容 (not understood)"
    if wrong:
        raise BadInput(fields=wrong)
    return values


def _too_long(name: str, value: str, limit: int) -> dict[str, str]:
    """What would be cut off is refused."""
    return {name: f"不得超过 {limit} 字 (at most {limit} characters)"} if len(value) > limit else {}


def _present(session: Session, work: Assignment) -> Reply:
    reply = reply_of(session, work)
    if reply is None:
        raise Refused("还没有办理结果。", "There is no reply yet.", code="no_reply")
    return reply


def _leads(work: Assignment) -> bool:
    return work.lead and work.parent_id is None
