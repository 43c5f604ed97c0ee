"""A published number that serves nobody becomes a case of its unit, in the loop with its clock, once each (C2, C4;
篇4).

Cases are opened when the round is published, a few at a time, by who published it: until then what was found is not the
unit's to know. What is still to be opened is derived from the tables, so a run that was killed is found again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments import giving
from app.assignments.giving import Gift
from app.audit.model import Action
from app.audit.service import write
from app.auth.sessions import actor_of
from app.auth.tables import User
from app.cases import loop, service
from app.cases.model import HandlingWay
from app.cases.states import CaseState
from app.cases.tables import Case
from app.clock import local_day
from app.db import Database, found
from app.number_audits.attempts import of_target
from app.number_audits.judging import RESULTS
from app.number_audits.model import DEAD, Result, RoundState
from app.number_audits.tables import NumberAuditRound, NumberAuditTarget
from app.settings import Settings
from app.units.tables import Unit
from recordings.dialled import Outcome

AT_ONCE = 10  # in one run, each in a transaction of its own: calls get their drafts meanwhile
OVER = (CaseState.closed, CaseState.archived, CaseState.merged, CaseState.discarded, CaseState.declined)


def open_missing(db: Database, settings: Settings, now: datetime) -> int:
    """Open the cases that published rounds still ask for; how many."""
    with db.read() as session:
        published = (col(NumberAuditRound.state) == RoundState.published.value) & (
            col(NumberAuditRound.id) == col(NumberAuditTarget.round_id)
        )
        missing = (
            select(col(NumberAuditTarget.id))
            .where(
                col(NumberAuditTarget.case_id).is_(None),
                col(NumberAuditTarget.result).in_([result.value for result in DEAD]),
                exists().where(published),
            )
            .order_by(col(NumberAuditTarget.id))
            .limit(AT_ONCE)
        )
        ids = list(session.execute(missing).scalars())
    for ident in ids:
        with db.session() as session:
            _open(session, settings, ident, now)
    return len(ids)


def _open(session: Session, settings: Settings, target_id: int, now: datetime) -> None:
    target = found(session, NumberAuditTarget, target_id, lock=True)
    if target.case_id is not None:
        return
    of_round = found(session, NumberAuditRound, target.round_id)
    earlier = _still_open(session, target)
    if earlier is not None:  # the unit has it on its desk already
        target.case_id = earlier.id
        session.add(target)
        return
    actor, unit = _publisher(session, of_round), found(session, Unit, target.unit_id)
    fields = {
        "type": "opinion",
        "title": f"公布电话无法使用：{unit.short_name} {target.number}",
        "content": _content(session, settings, of_round, target, unit),
        "area": target.area,
        "proposed_unit": unit.code,
    }
    key = f"number-audit:{target.id}"
    case = service.create_manual(session, actor, fields, opened_for=key, now=now, zone=settings.zone)
    service.register(session, actor, case.id or 0, {}, case.version, now=now)
    loop.submit(session, actor, case.id or 0, case.version, now=now)
    if unit.active:
        giving.dispatch(session, actor, case.id or 0, case.version, HandlingWay.written, [Gift(unit.id or 0)], now=now)
    target.case_id = case.id
    session.add(target)
    write(session, actor, Action.number_audit_case, f"number-audit-target:{target.id}", {"case": case.id}, now=now)


def _still_open(session: Session, target: NumberAuditTarget) -> Case | None:
    """The case of an earlier round about the same number that is not over."""
    statement = (
        select(Case)
        .join(NumberAuditTarget, col(NumberAuditTarget.case_id) == col(Case.id))
        .where(
            col(NumberAuditTarget.published_id) == target.published_id,
            col(Case.state).not_in([state.value for state in OVER]),
        )
        .order_by(col(Case.id).desc())
        .limit(1)
    )
    row: Case | None = session.execute(statement).scalar_one_or_none()
    return row


def _publisher(session: Session, of_round: NumberAuditRound) -> Actor:
    user = found(session, User, of_round.published_by or 0)
    return actor_of(user)


def _content(
    session: Session, settings: Settings, of_round: NumberAuditRound, target: NumberAuditTarget, unit: Unit
) -> str:
    """What was published, and what came of calling there; nothing of the reviewer's notes."""
    lines = [
        f"{of_round.title}：{unit.name}对外公布的电话 {target.number} 经拨打无法为群众提供服务（"
        f"{RESULTS[Result(target.result or Result.untried)]}）。",
        f"公布位置：{target.place or '未注明'}。公布的接听时间：{target.office_hours or '工作时间'}。",
    ]
    for one in of_target(session, target.id or 0):
        if one.outcome is not None and one.dialled_at is not None:
            local = one.dialled_at.astimezone(settings.zone)
            name = _NAMES.get(Outcome(one.outcome), one.outcome)
            lines.append(f"{local_day(one.dialled_at, settings.zone)} {local:%H:%M} 拨打：{name}。")
    lines.append("请核实并更正公布的号码，或恢复该号码的使用，并回复办理结果。")
    return "\n".join(lines)


_NAMES = {
    Outcome.answered: "接听",
    Outcome.no_answer: "无人接听",
    Outcome.busy: "占线",
    Outcome.vacant: "空号",
    Outcome.intercepted: "停机或提示音",
    Outcome.fax: "传真机应答",
    Outcome.silent: "接通无人说话",
    Outcome.network: "线路故障",
    Outcome.abandoned: "未等到应答",
}
