"""Why did this caller wait, and why this agent? The journal in words, Chinese or English.

`words` says one reason. `explain_call` tells one call's way through the queue from the journal's lines, in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from acd.explain_words import WORDS
from acd.journal import EVENTS, JournalError, decode
from acd.model import (
    Announce,
    CallbackCancelled,
    CallbackChoosing,
    CallbackClosed,
    CallbackOffered,
    CallbackRequested,
    CallbackResting,
    CallLeft,
    CallOutOfReach,
    CancelOffer,
    CitizenNotReached,
    CitizenReached,
    DialCitizen,
    FailCause,
    Offer,
    OfferAnswered,
    OfferFailed,
    Overflow,
    OverflowTo,
    Queued,
    Reason,
    ReasonCode,
    Refused,
    TalkAdopted,
    TalkEnded,
    TurnedAway,
    WaitPredicted,
    Widened,
)

CHINA = timezone(timedelta(hours=8))

_CAUSES: Mapping[FailCause, ReasonCode] = {
    FailCause.NO_ANSWER: ReasonCode.NO_ANSWER,
    FailCause.BUSY: ReasonCode.PHONE_BUSY,
    FailCause.REJECTED: ReasonCode.REJECTED,
    FailCause.UNREACHABLE: ReasonCode.PHONE_UNREACHABLE,
    FailCause.CANCELLED: ReasonCode.OFFER_CANCELLED,
    FailCause.DESKTOP_SILENT: ReasonCode.DESKTOP_SILENT,
}

_OVERFLOWS: Mapping[OverflowTo, tuple[str, str]] = {
    OverflowTo.VOICEMAIL: ("转语音留言", "sent to voicemail"),
    OverflowTo.CALLBACK: ("改为回拨", "turned into a call-back"),
}

# The sentences of a call's way that are not a reason by themselves.
_STEPS: Mapping[str, tuple[str, str]] = {
    "offer": ("派给工号 {agent}：{reason}", "offered to agent {agent}: {reason}"),
    "failed": (
        "工号 {agent} 未接成：{reason}；来电保留位置",
        "agent {agent} did not take it: {reason}; the place is kept",
    ),
    "cancel": ("撤回给工号 {agent} 的派呼：{reason}", "the offer to agent {agent} was withdrawn: {reason}"),
    "answered": ("工号 {agent} 接听", "agent {agent} answered"),
    "adopted": ("系统恢复后确认与工号 {agent} 通话中", "found talking with agent {agent}"),
    "ended": ("与工号 {agent} 的通话结束", "the talk with agent {agent} ended"),
    "overflow": ("{to}：{reason}", "{to}: {reason}"),
    "left": ("离开{why}", "left{why}"),
    "out_of_reach": (
        "所在电话节点暂时失联，保留位置",
        "on a telephone node that is out of reach; the place is kept",
    ),
    "callback_offer": ("询问来电人是否改为回拨：{reason}", "asked whether to be called back: {reason}"),
    "callback_choosing": ("正在办理回拨，保留位置", "is choosing to be called back; the place is kept"),
    "callback_asked": ("改为回拨（{callback}），保留位置", "to be called back ({callback}), keeping the place"),
    "callback_rests": ("回拨暂缓：{reason}", "the call-back rests: {reason}"),
    "dial": ("第 {attempt} 次回拨市民：{reason}", "dialling the citizen, attempt {attempt}: {reason}"),
    "reached": ("市民接听回拨", "the citizen answered the call-back"),
    "not_reached": ("回拨未接通", "the citizen was not reached"),
    "cancelled": ("取消回拨", "the call-back was cancelled"),
    "callback_closed": ("回拨结束：{reason}", "the call-back is over: {reason}"),
    "turned_away": ("播放公告，不进入人工：{reason}", "an announcement instead of a person: {reason}"),
    "predicted": (
        "预测等待 {low} 至 {high} 秒（中位 {middle} 秒，依据 {agents} 名坐席的当前状态）",
        "foretold a wait of {low} to {high} s (middle {middle} s, from what {agents} agents are doing)",
    ),
    "announce": ("播报：排第 {position} 位{wait}", "told: place {position}{wait}"),
}


def _index(lang: str) -> int:
    return 1 if lang.startswith("en") else 0


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def words(reason: Reason, lang: str = "zh") -> str:
    """One reason as a sentence without full stop. Facts that are missing are shown as a question mark."""
    facts = _Facts(reason.facts)
    english = _index(lang) == 1
    needs = ("；需要技能 ", "; needs ")[english] + str(facts["skills"]) if reason.facts.get("skills") else ""
    place = (
        ("，排第 {position} 位", ", at place {position}")[english].format_map(facts)
        if "position" in reason.facts
        else ""
    )
    relaxed = ("；放宽到 ", "; relaxed to ")[english] + str(facts["relaxed"]) if "relaxed" in facts else ""
    by = ("（由 {by} 设置）", " (set by {by})")[english].format_map(facts) if "by" in reason.facts else ""
    facts.update(needs=needs + relaxed, place=place, by_whom=by)
    return WORDS[reason.code][english].format_map(facts)


def _told(item: Announce, lang: str) -> str:
    if item.wait_low_s is None or item.wait_high_s is None:
        return ""
    if _index(lang):
        return f", about {item.wait_low_s} to {item.wait_high_s} s to wait"
    return f"，预计等待 {item.wait_low_s} 至 {item.wait_high_s} 秒"


def _sentence(item: object, lang: str) -> str | None:
    """What this line says about its call; None when it says nothing a reader needs."""
    at = _index(lang)

    def step(name: str, **values: object) -> str:
        return _STEPS[name][at].format_map(_Facts(values))

    match item:
        case Queued():
            return words(item.reason, lang)
        case Offer():
            return step("offer", agent=item.agent_id, reason=words(item.reason, lang))
        case OfferFailed():
            cause = words(Reason(_CAUSES[item.cause]), lang) if item.cause in _CAUSES else "?"
            return step("failed", agent=item.agent_id, reason=cause)
        case CancelOffer():
            return step("cancel", agent=item.agent_id, reason=words(item.reason, lang))
        case OfferAnswered():
            return step("answered", agent=item.agent_id)
        case TalkAdopted():
            return step("adopted", agent=item.agent_id)
        case TalkEnded():
            return step("ended", agent=item.agent_id)
        case Overflow():
            return step("overflow", to=_OVERFLOWS[item.to][at], reason=words(item.reason, lang))
        case Widened():
            return words(item.reason, lang)
        case WaitPredicted():
            told = {"low": item.low_s, "middle": item.middle_s, "high": item.high_s, "agents": item.agents}
            return step("predicted", **told)
        case TurnedAway():
            return step("turned_away", reason=words(item.reason, lang))
        case Announce():
            return step("announce", position=item.position, wait=_told(item, lang))
        case CallLeft():
            why = ("（{}）", " ({})")[at].format(item.reason) if item.reason else ""
            return step("left", why=why)
        case CallOutOfReach():
            return step("out_of_reach")
        case _:
            return _callback_sentence(item, lang)


def _callback_sentence(item: object, lang: str) -> str | None:
    def step(name: str, **values: object) -> str:
        return _STEPS[name][_index(lang)].format_map(_Facts(values))

    match item:
        case CallbackOffered():
            return step("callback_offer", reason=words(item.reason, lang))
        case CallbackChoosing():
            return step("callback_choosing")
        case CallbackRequested():
            return step("callback_asked", callback=item.callback_id)
        case CallbackResting():
            return step("callback_rests", reason=words(item.reason, lang))
        case DialCitizen():
            return step("dial", attempt=item.attempt, reason=words(item.reason, lang))
        case CitizenReached():
            return step("reached")
        case CitizenNotReached():
            return step("not_reached")
        case CallbackCancelled():
            return step("cancelled")
        case CallbackClosed():
            return step("callback_closed", reason=words(item.reason, lang))
        case _:
            return None


def explain_call(lines: Iterable[str], call_id: str, lang: str = "zh") -> list[str]:
    """A call's way through the queue, one sentence per step, each with its time in China (HH:MM:SS).

    Lines that cannot be read and events that the engine refused are passed over. An unknown call gives an empty list.
    """
    told: list[str] = []
    before_event = 0
    needle = json.dumps(call_id, ensure_ascii=False)
    for line in lines:
        if needle not in line:
            continue
        try:
            now_ms, item = decode(line)
        except JournalError:
            continue
        if isinstance(item, Refused) and item.subject == call_id:
            del told[before_event:]  # what was just told did not happen
        if call_id not in (getattr(item, "call_id", None), getattr(item, "callback_id", None)):
            continue
        if type(item).__name__ in EVENTS:
            before_event = len(told)
        sentence = _sentence(item, lang)
        if sentence is not None:
            at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(CHINA)
            told.append(f"{at:%H:%M:%S} {sentence}")
    return told
