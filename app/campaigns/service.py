"""Campaigns as people make and run them: written, started, paused, stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.service import display_names
from app.campaigns.hours import Hours, Window, parse
from app.campaigns.model import (
    ANSWERS,
    EDITABLE,
    LANGUAGES,
    LONGEST_NAME,
    LONGEST_PURPOSE,
    LONGEST_TEXT,
    MOST_ATTEMPTS,
    MOST_LINES,
    SPACING_MIN,
    AtNight,
    CampaignAct,
    CampaignState,
    Channel,
    Kind,
    Mode,
    OnMachine,
    TargetState,
    next_campaign,
)
from app.campaigns.sounds import make_sounds
from app.campaigns.tables import Campaign, CampaignTarget
from app.clock import iso, utc_now
from app.db import Database, found
from app.errors import BadInput, Refused, VersionConflict
from app.hours.model import minutes
from app.paging import Leaf, Page, equal, page_of
from app.selfservice.model import LEVELS
from app.settings import Settings
from app.text import clean

Speak = Callable[[str, str], Path]


@dataclass(frozen=True)
class Wanted:
    """A campaign as somebody writes it; shapes as in `Campaign`."""

    name: str
    kind: Kind
    mode: Mode = Mode.lines
    queue: str = "general"
    priority: int = 0
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    on_machine: OnMachine = OnMachine.message
    channel: Channel = Channel.phone
    at_night: AtNight = AtNight.wait
    windows: tuple[tuple[str, str], ...] = (("09:00", "12:00"), ("14:00", "20:00"))
    workdays: bool = False
    most_attempts: int = 3
    spacing: Mapping[str, int] = field(default_factory=dict)
    ring_s: int = 25
    most_lines: int = 5
    gathers: bool = False


def create(session: Session, actor: Actor, wanted: Wanted, *, now: datetime | None = None) -> Campaign:
    """A draft. Raises Forbidden, BadInput."""
    actor.require(Permission.campaigns_write)
    now = now or utc_now()
    row = Campaign(**_checked(wanted), state=CampaignState.draft.value, created_by=actor.user_id, created_at=now)
    session.add(row)
    session.flush()
    write(session, actor, Action.campaign_changed, f"campaign:{row.id}", {"created": True}, now=now)
    return row


def change(session: Session, actor: Actor, campaign_id: int, version: int, wanted: Wanted) -> Campaign:
    """Change the version that the editor saw. Raises Forbidden, NotFound, VersionConflict, Refused, BadInput."""
    actor.require(Permission.campaigns_write)
    row = found(session, Campaign, campaign_id, lock=True)
    if row.version != version:
        raise VersionConflict(
            "这项外呼任务刚被他人修改，请核对后再保存。",
            "Somebody else has just changed this campaign. Compare and save again.",
            current=as_json(session, row),
        )
    if CampaignState(row.state) not in EDITABLE:
        raise Refused("运行中的任务请先暂停再修改。", "Pause the campaign before changing it.", code="wrong_state")
    values = _checked(wanted)
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if changed:
        for name in changed:
            setattr(row, name, values[name])
        row.version, row.sounds = row.version + 1, {}
        write(session, actor, Action.campaign_changed, f"campaign:{row.id}", {"fields": changed})
    return row


def act(
    db: Database,
    actor: Actor,
    campaign_id: int,
    what: CampaignAct,
    *,
    settings: Settings,
    speak: Speak,
    now: datetime | None = None,
) -> Campaign:
    """Start, pause or stop it. Pressed twice, or by two people, it is done once.

    Raises Forbidden, NotFound, Refused (no numbers, no way out, its texts cannot be spoken).
    """
    actor.require(Permission.campaigns_write)
    now = now or utc_now()
    sounds: dict[str, Any] = {}
    if what is CampaignAct.start:
        with db.read() as session:
            row = found(session, Campaign, campaign_id)
            next_campaign(CampaignState(row.state), what)
            _require_ready(session, row, settings)
        sounds = row.sounds or make_sounds(settings, row, speak)
    with db.session() as session:
        row = found(session, Campaign, campaign_id, lock=True)
        before, row.state = row.state, next_campaign(CampaignState(row.state), what).value
        if row.state == before:
            return row
        if what is CampaignAct.start:
            row.sounds, row.started_at, row.ended_at = sounds, row.started_at or now, None
        if what is CampaignAct.stop:
            row.ended_at = now
        write(session, actor, Action.campaign_step, f"campaign:{row.id}", {"from": before, "to": row.state}, now=now)
        return row


def get(session: Session, actor: Actor, campaign_id: int) -> Campaign:
    """One campaign. Raises Forbidden, NotFound."""
    actor.require(Permission.campaigns_read)
    return found(session, Campaign, campaign_id)


def list_campaigns(session: Session, actor: Actor, *, state: str = "", leaf: Leaf | None = None) -> Page[Campaign]:
    """Campaigns: those that run first, then the newest. Raises Forbidden."""
    actor.require(Permission.campaigns_read)
    running = (col(Campaign.state) == CampaignState.running.value).desc()
    statement = select(Campaign).order_by(running, col(Campaign.id).desc())
    return page_of(session, equal(statement, {Campaign.state: state}), leaf)


def hours_of(row: Campaign, settings: Settings) -> Hours:
    """When it may call."""
    limits = Window(minutes(settings.calling_opens), minutes(settings.calling_closes))
    return Hours(parse(row.windows), row.workdays, limits)


def as_json(session: Session, row: Campaign) -> dict[str, Any]:
    """A campaign as pages read it, with how many numbers stand where."""
    by_state = (
        select(col(CampaignTarget.state), func.count())
        .where(col(CampaignTarget.campaign_id) == row.id)
        .group_by(col(CampaignTarget.state))
    )
    counts: dict[str, int] = {state.value: 0 for state in TargetState}
    counts |= {row[0]: row[1] for row in session.execute(by_state)}
    return {
        **{one.name: getattr(row, one.name) for one in fields(Wanted)},
        "id": row.id,
        "state": row.state,
        "recordings": sorted(row.recordings),
        "targets": counts,
        "version": row.version,
        "created_at": iso(row.created_at),
        "created_by_name": display_names(session, {row.created_by}).get(row.created_by or 0),
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
    }


def _require_ready(session: Session, row: Campaign, settings: Settings) -> None:
    waits = (col(CampaignTarget.campaign_id) == row.id) & (col(CampaignTarget.state) == TargetState.waiting.value)
    nobody = session.execute(select(col(CampaignTarget.id)).where(waits).limit(1)).first() is None
    if nobody and not row.gathers:
        raise Refused(
            "名单里没有待呼号码，请先添加。", "There is nobody to call: add numbers first.", code="no_targets"
        )
    ways = {
        Channel.phone: bool(settings.trunk_out),
        Channel.sms: bool(settings.sms_url),
        Channel.email: bool(settings.smtp_host),
    }
    if not ways[Channel(row.channel)]:
        raise Refused(
            "这种联系方式尚未开通，请管理员在设置中配置。",
            "This way out is not set up. Have an administrator set it up.",
            code="no_way_out",
        )


def _checked(wanted: Wanted) -> dict[str, Any]:
    """The columns that are written. Raises BadInput."""
    texts = {
        language: {
            "purpose": clean(told.get("purpose", ""), LONGEST_PURPOSE + 1),
            "message": clean(told.get("message", ""), LONGEST_TEXT + 1),
            "question": clean(told.get("question", ""), LONGEST_TEXT + 1),
        }
        for language, told in wanted.texts.items()
    }
    texts = {language: told for language, told in texts.items() if any(told.values())}
    values: dict[str, Any] = {
        "name": clean(wanted.name, LONGEST_NAME + 1),
        "kind": wanted.kind.value,
        "mode": wanted.mode.value,
        "queue": clean(wanted.queue, 32) or "general",
        "priority": max(-100, min(wanted.priority, 90)),  # never as urgent as an emergency
        "texts": texts,
        "answers": {key: clean(name, 40) for key, name in sorted(wanted.answers.items()) if clean(name, 40)},
        "on_machine": wanted.on_machine.value,
        "channel": wanted.channel.value,
        "at_night": wanted.at_night.value,
        "windows": [list(one) for one in wanted.windows],
        "workdays": wanted.workdays,
        "most_attempts": wanted.most_attempts,
        "spacing": dict(wanted.spacing),
        "ring_s": wanted.ring_s,
        "most_lines": wanted.most_lines,
        "gathers": wanted.gathers,
    }
    if wrong := _faults(values):
        raise BadInput(fields=wrong)
    return values


def _faults(values: Mapping[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    texts, answers = values["texts"], values["answers"]
    if not 1 <= len(values["name"]) <= LONGEST_NAME:
        wrong["name"] = f"须填写名称，不超过 {LONGEST_NAME} 字 (a name of at most {LONGEST_NAME} characters)"
    if texts.keys() - set(LANGUAGES):
        wrong["texts"] = f"语言只能是 {'、'.join(LANGUAGES)} (no such language)"
    elif "zh" not in texts:
        wrong["texts"] = "须有普通话内容 (Mandarin is required)"
    elif any(not told["purpose"] or len(told["purpose"]) > LONGEST_PURPOSE for told in texts.values()):
        wrong["texts"] = f"每种语言须写明来电事由，不超过 {LONGEST_PURPOSE} 字 (say in each language why we call)"
    elif any(len(told[part]) > LONGEST_TEXT for told in texts.values() for part in ("message", "question")):
        wrong["texts"] = f"每段不超过 {LONGEST_TEXT} 字 (at most {LONGEST_TEXT} characters each)"
    elif answers and any(not told["question"] for told in texts.values()):
        wrong["texts"] = "有按键选项时，每种语言都要有问题 (with answers, each language needs the question)"
    if set(answers) - set(ANSWERS):
        wrong["answers"] = "选项按键为 1 至 7 (answers are keys 1 to 7)"
    if values["gathers"]:
        kept_up = (values["kind"], values["mode"], values["channel"])
        if kept_up != (Kind.survey.value, Mode.lines.value, Channel.phone.value):
            wrong["gathers"] = "只有用电话语音播报的满意度调查可以自动收录 (only a survey that calls and speaks can)"
        elif set(answers) != {str(level) for level in LEVELS}:
            wrong["answers"] = "自动收录时按键须为五档满意度 1 至 5 (keys 1 to 5, the levels of satisfaction)"
    try:
        parse(values["windows"])
    except (ValueError, TypeError):
        wrong["windows"] = "时段写作 09:00–12:00，最多四个且不重叠 (up to four windows that do not overlap)"
    if set(values["spacing"]) - {one.value for one in SPACING_MIN}:
        wrong["spacing"] = "没有这种结果 (no such outcome)"
    elif any(not 1 <= told <= 7 * 24 * 60 for told in values["spacing"].values()):
        wrong["spacing"] = "间隔为 1 分钟到 7 天 (from one minute to seven days)"
    for name, most in (("most_attempts", MOST_ATTEMPTS), ("most_lines", MOST_LINES), ("ring_s", 60)):
        least = 10 if name == "ring_s" else 1
        if not least <= values[name] <= most:
            wrong[name] = f"{least}–{most}"
    return wrong
