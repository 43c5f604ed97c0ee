"""What came of a campaign: counts by outcome and by answer, and the list as a table for those who may have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.campaigns.model import Kind, Outcome, TargetState
from app.campaigns.tables import Campaign, CampaignAttempt, CampaignTarget
from app.campaigns.targets import secret_numbers, shown_number
from app.clock import utc_now
from app.db import Database, found

STATES = {
    TargetState.waiting: "待呼",
    TargetState.calling: "呼叫中",
    TargetState.reached: "已送达",
    TargetState.given_up: "未送达",
    TargetState.refused: "不再呼叫",
    TargetState.left_out: "不呼叫",
}
OUTCOMES = {
    Outcome.human: "本人接听",
    Outcome.machine: "答录机",
    Outcome.fax: "传真",
    Outcome.busy: "占线",
    Outcome.no_answer: "无人接听",
    Outcome.unallocated: "空号",
    Outcome.congestion: "网络拥塞",
    Outcome.declined: "拒接",
    Outcome.failed: "未拨出",
    Outcome.sent: "已发送",
    Outcome.not_sent: "未发出",
    Outcome.unknown: "结果不明",
}
HEADS = ("电话", "状态", "次数", "最近结果", "按键", "要求人工", "结束时间")


def results(session: Session, actor: Actor, campaign_id: int) -> dict[str, Any]:
    """Attempts by outcome, and of the people: where they stand, what they answered, how many wanted a person.

    Raises Forbidden, NotFound.
    """
    actor.require(Permission.campaigns_read)
    row = found(session, Campaign, campaign_id)
    attempts, targets = col(CampaignAttempt.campaign_id) == row.id, col(CampaignTarget.campaign_id) == row.id
    outcomes = _counted(session, CampaignAttempt.outcome, attempts)
    answers = _counted(session, CampaignTarget.answer, targets)
    open_ = outcomes.pop("", 0)
    return {
        "attempts": sum(outcomes.values()) + open_,
        "on_their_way": open_,
        "outcomes": outcomes,
        "states": _counted(session, CampaignTarget.state, targets),
        "answers": {key: answers.get(key, 0) for key in row.answers},
        "persons": session.execute(
            select(func.count()).select_from(CampaignTarget).where(targets, col(CampaignTarget.person).is_(True))
        ).scalar_one(),
    }


def export(
    db: Database, actor: Actor, campaign_id: int, zone: ZoneInfo, *, now: datetime | None = None
) -> tuple[str, bytes]:
    """The list as a table, numbers masked where the asker sees masks; its name. Raises Forbidden, NotFound."""
    actor.require(Permission.campaigns_export)
    with db.read() as session:
        row = found(session, Campaign, campaign_id)
        of = select(CampaignTarget).where(col(CampaignTarget.campaign_id) == row.id).order_by(col(CampaignTarget.id))
        targets: Sequence[CampaignTarget] = session.execute(of).scalars().all()
        secret = secret_numbers(session, targets)
        rows = [_row(actor, row, one, secret, zone) for one in targets]
    with db.session() as session:
        detail = {"rows": len(rows)}
        write(session, actor, Action.campaign_exported, f"campaign:{row.id}", detail, now=now or utc_now())
    return f"campaign-{Kind(row.kind).value}-{row.id}", sheets.write(HEADS, rows)


def _row(actor: Actor, row: Campaign, one: CampaignTarget, secret: set[str], zone: ZoneInfo) -> tuple[str, ...]:
    answer = f"{one.answer} {row.answers.get(one.answer, '')}".strip() if one.answer else ""
    return (
        shown_number(actor, one, secret),
        STATES[TargetState(one.state)],
        str(one.attempts),
        OUTCOMES[Outcome(one.outcome)] if one.outcome else "",
        answer,
        "是" if one.person else "",
        one.ended_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if one.ended_at else "",
    )


def _counted(session: Session, column: Any, condition: Any) -> dict[str, int]:
    rows = session.execute(select(col(column), func.count()).where(condition).group_by(col(column)))
    return {row[0]: row[1] for row in rows}
