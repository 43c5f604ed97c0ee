"""What a reviewer makes of an audited number: heard beside its calls, graded, and read by whom it concerns.

Notes and grades are the centre's own until the round is published; then a unit reads its own numbers'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.clock import utc_now
from app.db import found
from app.errors import BadInput, Refused, VersionConflict
from app.number_audits.attempts import of_target
from app.number_audits.grading import AreaRow, Marked, by_area, form_faults, overall, worth
from app.number_audits.model import (
    GRADED_IN,
    LONGEST_NOTE,
    Result,
    RoundState,
    TargetState,
)
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget
from app.paging import Leaf, Page, equal, like, page_of
from app.quality.criteria import CRITERIA, Grade
from app.text import clean, normal_number
from app.units.tables import Unit
from recordings.tables import Recording

RESULTS: Mapping[Result, str] = {
    Result.answered: "接听",
    Result.no_answer: "无人接听",
    Result.busy: "占线",
    Result.vacant: "空号",
    Result.intercepted: "停机或提示音",
    Result.fax: "传真机",
    Result.silent: "接通无人说话",
    Result.wrong: "号码错误",
    Result.untried: "未能测试",
}
"""As tables name them."""


def targets(
    session: Session,
    actor: Actor,
    round_id: int,
    *,
    state: str = "",
    result: str = "",
    grade: str = "",
    area: str = "",
    q: str = "",
    leaf: Leaf | None = None,
) -> Page[NumberAuditTarget]:
    """The numbers of a round; what is to be graded first. Raises Forbidden, NotFound."""
    actor.require(Permission.number_audits_read)
    found(session, NumberAuditRound, round_id)
    waits = (col(NumberAuditTarget.state) == TargetState.to_grade.value).desc()
    statement = (
        select(NumberAuditTarget)
        .join(Unit, col(NumberAuditTarget.unit_id) == col(Unit.id))
        .where(col(NumberAuditTarget.round_id) == round_id)
        .order_by(waits, col(NumberAuditTarget.area), col(Unit.code), col(NumberAuditTarget.id))
    )
    wanted = {
        NumberAuditTarget.state: state,
        NumberAuditTarget.result: result,
        NumberAuditTarget.grade: grade,
        NumberAuditTarget.area: area,
    }
    statement = equal(statement, wanted)
    if q := clean(q, 60):
        names = col(Unit.name).like(like(q), escape="\\")
        digits = normal_number(q)
        numbers = col(NumberAuditTarget.number).like(like(digits), escape="\\")
        statement = statement.where(or_(names, numbers) if digits else names)
    return page_of(session, statement, leaf)


def target(session: Session, actor: Actor, target_id: int) -> NumberAuditTarget:
    """One number of a round. Raises Forbidden, NotFound."""
    actor.require(Permission.number_audits_read)
    return found(session, NumberAuditTarget, target_id)


def recordings_of(session: Session, attempts: Sequence[NumberAuditAttempt]) -> dict[int, Recording]:
    """The recordings of these attempts, by their number."""
    ids = [one.recording for one in attempts if one.recording is not None]
    rows = session.execute(select(Recording).where(col(Recording.seq).in_(ids))).scalars() if ids else ()
    return {row.seq: row for row in rows}


def judge(
    session: Session,
    actor: Actor,
    target_id: int,
    version: int,
    result: Result,
    scores: Mapping[str, str],
    note: str = "",
    *,
    now: datetime | None = None,
) -> NumberAuditTarget:
    """What a reviewer heard (`result`), and what it is worth. Until the round is published it may be judged again.

    Raises Forbidden, NotFound, VersionConflict, Refused (wrong_state: its calls go on, or it is published), BadInput
    (result, scores.CODE, note).
    """
    actor.require(Permission.number_audits_grade)
    row = found(session, NumberAuditTarget, target_id, lock=True)
    of_round = found(session, NumberAuditRound, row.round_id)
    if row.version != version:
        raise VersionConflict("这个号码刚有变化，刷新后再看。", "This number has just changed. Reload and look again.")
    if not can_be_graded(row, of_round):
        raise Refused("这个号码现在不能评分。", "This number can't be graded now.", code="wrong_state")
    given = {code: level for code, level in scores.items() if level}
    wrong = dict(form_faults(result, given))
    words = clean(note, LONGEST_NOTE + 1, lines=True)
    if len(words) > LONGEST_NOTE:
        wrong["note"] = f"最长 {LONGEST_NOTE} 字 (at most {LONGEST_NOTE} characters)"
    if result is Result.answered and not any(one.answered_at for one in of_target(session, row.id or 0)):
        wrong["result"] = "没有一次拨打接通过 (no call was answered)"
    if wrong:
        raise BadInput(fields=wrong)
    came_to = worth(result, given)
    row.state, row.result, row.scores, row.note = TargetState.graded.value, result.value, given, words
    counts = result is not Result.untried
    row.total, row.grade = (came_to.total, came_to.grade.value) if counts else (None, None)
    row.reviewer_id, row.graded_at = actor.user_id, now or utc_now()
    row.version += 1
    session.add(row)
    detail = {"result": result.value, "total": row.total, "grade": row.grade}
    write(session, actor, Action.number_audit_graded, f"number-audit-target:{row.id}", detail, now=now)
    return row


def can_be_graded(row: NumberAuditTarget, of_round: NumberAuditRound) -> bool:
    """Whether a reviewer may say what it was now: its calls are over, and it is not published."""
    return row.state != TargetState.calling.value and RoundState(of_round.state) in GRADED_IN


def marked(session: Session, round_id: int) -> list[Marked]:
    """The numbers of a round that have a grade."""
    statement = select(col(NumberAuditTarget.area), col(NumberAuditTarget.grade), col(NumberAuditTarget.total)).where(
        col(NumberAuditTarget.round_id) == round_id, col(NumberAuditTarget.grade).is_not(None)
    )
    return [Marked(area, Grade(grade), total) for area, grade, total in session.execute(statement)]


def table(session: Session, actor: Actor, round_id: int) -> tuple[list[AreaRow], AreaRow | None]:
    """The areas of a round as 篇4 ranks them, and all of them together; so far, while it is not published. Raises
    Forbidden, NotFound."""
    actor.require(Permission.number_audits_read)
    found(session, NumberAuditRound, round_id)
    ones = marked(session, round_id)
    return by_area(ones), overall(ones)


def own(
    session: Session, actor: Actor, *, round_id: int | None = None, leaf: Leaf | None = None
) -> Page[NumberAuditTarget]:
    """What audits that are published say of the asker's units, the newest first. Raises Forbidden."""
    actor.require(Permission.number_audits_own)
    published = select(col(NumberAuditRound.id)).where(col(NumberAuditRound.state) == RoundState.published.value)
    statement = select(NumberAuditTarget).where(
        col(NumberAuditTarget.unit_id).in_(actor.unit_ids), col(NumberAuditTarget.round_id).in_(published)
    )
    if round_id is not None:
        statement = statement.where(col(NumberAuditTarget.round_id) == round_id)
    order = (col(NumberAuditTarget.round_id).desc(), col(NumberAuditTarget.id))
    return page_of(session, statement.order_by(*order), leaf)


def export_targets(session: Session, actor: Actor, round_id: int) -> bytes:
    """Every number of a round with its result; for somebody of a unit that unit's alone, once it is published.

    Raises Forbidden, NotFound.
    """
    of_round = found(session, NumberAuditRound, round_id)
    statement = select(NumberAuditTarget, col(Unit.name)).join(Unit, col(NumberAuditTarget.unit_id) == col(Unit.id))
    statement = statement.where(col(NumberAuditTarget.round_id) == round_id)
    if not actor.may(Permission.number_audits_read):
        actor.require(Permission.number_audits_own)
        shown = actor.unit_ids if of_round.state == RoundState.published.value else frozenset()
        statement = statement.where(col(NumberAuditTarget.unit_id).in_(shown))
    rows = session.execute(statement.order_by(col(NumberAuditTarget.area), col(NumberAuditTarget.id))).all()
    _exported(session, actor, round_id, "numbers", len(rows))
    names = {one.code: {level.code: level.zh for level in one.levels} for one in CRITERIA}
    heads = ("地区", "单位", "公布电话", "公布位置", "结果", "得分", "等级", *(one.zh for one in CRITERIA), "评语")
    cells = [
        (
            row.area, unit, row.number, row.place, RESULTS[Result(row.result)] if row.result else "", _cell(row.total),
            row.grade or "", *(names[one.code].get(str(row.scores.get(one.code)), "") for one in CRITERIA), row.note,
        )
        for row, unit in rows
    ]  # fmt: skip
    return sheets.write(heads, cells)


def export_table(session: Session, actor: Actor, round_id: int) -> bytes:
    """The table by areas. Raises Forbidden, NotFound."""
    rows, whole = table(session, actor, round_id)
    _exported(session, actor, round_id, "areas", len(rows))
    heads = ("地区", "数量", *(grade.value for grade in Grade), "合格率（%）", "平均分")
    cells = [
        (name, one.n, *(one.grades[grade] for grade in Grade), _tenths(one.passed), _tenths(one.mean))
        for name, one in [*((row.area, row) for row in rows), *([("合计", whole)] if whole else [])]
    ]
    return sheets.write(heads, cells)


def unit_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The names of these units."""
    if not ids:
        return {}
    rows = session.execute(select(col(Unit.id), col(Unit.name)).where(col(Unit.id).in_(ids)))
    return {int(ident): str(name) for ident, name in rows}


def _exported(session: Session, actor: Actor, round_id: int, what: str, rows: int) -> None:
    detail = {"what": what, "rows": rows}
    write(session, actor, Action.number_audit_exported, f"number-audit-round:{round_id}", detail)


def _tenths(value: int) -> str:
    return f"{value // 10}.{value % 10}"


def _cell(value: int | None) -> str:
    return "" if value is None else str(value)
