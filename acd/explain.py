"""Why did this caller wait, and why this agent? The journal in words, Chinese or English.

`words` says one reason. `explain_call` tells one call's way through the queue from the journal's lines, in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from acd.journal import EVENTS, JournalError, decode
from acd.model import (
    Announce,
    CallLeft,
    CancelOffer,
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
)

CHINA = timezone(timedelta(hours=8))

# One sentence per code and language; facts by name. `{needs}` and `{place}` are empty without their fact.
_WORDS: Mapping[ReasonCode, tuple[str, str]] = {
    ReasonCode.NEW_CALL: (
        "进入队列，排第 {position} 位；能接此来电的坐席 {capable} 人，在岗 {working} 人，空闲 {free} 人{needs}",
        "joined the queue at place {position}; {capable} agents could serve the call, {working} working, "
        "{free} free{needs}",
    ),
    ReasonCode.PLACE_KEPT: (
        "回到队列，保留原位置，排第 {position} 位，已等 {waited_s} 秒",
        "back in the queue with the place kept, at {position}, after {waited_s} s",
    ),
    ReasonCode.ADOPTED: (
        "系统恢复后接管此来电，保留原入队时间{place}",
        "taken over after a restart with the first join time kept{place}",
    ),
    ReasonCode.LONGEST_IDLE: (
        "来电入队时有 {candidates} 名合格坐席空闲，派给空闲最久的一位（已空闲 {idle_s} 秒）{needs}",
        "{candidates} qualified agents were free; the one idle longest ({idle_s} s) was chosen{needs}",
    ),
    ReasonCode.NEXT_IN_LINE: (
        "坐席空出，来电是其能接的人中排在最前的（第 {position} 位，已等 {waited_s} 秒）{needs}",
        "an agent became free and the call was the first in line that they can serve (place {position}, "
        "waited {waited_s} s){needs}",
    ),
    ReasonCode.CALLER_LEFT: ("来电人已离开队列", "the caller left the queue"),
    ReasonCode.BACK_IN_HOLD: ("来电人已回到等候", "the caller was back on hold"),
    ReasonCode.OFFER_TIMEOUT: ("超过振铃时限，话机没有回音", "the ringing limit passed without word from the phone"),
    ReasonCode.AGENT_SIGNED_OUT: ("坐席签出", "the agent signed out"),
    ReasonCode.PHONE_LOST: ("坐席话机掉线", "the agent's phone went away"),
    ReasonCode.ANSWERED_ELSEWHERE: ("来电已由其他坐席接听", "another agent has the call"),
    ReasonCode.WAITED_TOO_LONG: (
        "等待 {waited_s} 秒，超过上限 {limit_s} 秒",
        "waited {waited_s} s, more than the limit of {limit_s} s",
    ),
    ReasonCode.QUEUE_FULL: (
        "已有 {waiting} 人等候，达到队列上限 {limit} 人",
        "{waiting} callers were waiting already, the limit is {limit}",
    ),
    ReasonCode.NOBODY_SIGNED_IN: (
        "超过 {limit_s} 秒没有能接此来电的坐席签入",
        "for more than {limit_s} s nobody signed in could serve the call",
    ),
    ReasonCode.SIGNED_IN: ("坐席签入", "the agent signed in"),
    ReasonCode.SIGNED_OUT: ("坐席签出", "the agent signed out"),
    ReasonCode.RESTORED: ("系统恢复，沿用原状态", "as before the restart"),
    ReasonCode.AGENT_CHOSE: ("坐席自己设置", "set by the agent"),
    ReasonCode.SET_BY_OTHER: ("由 {by} 设置", "set by {by}"),
    ReasonCode.OFFERED: ("派来一个来电", "a call was offered"),
    ReasonCode.ANSWERED: ("坐席接听，来电人等了 {waited_s} 秒", "answered after a wait of {waited_s} s"),
    ReasonCode.NO_ANSWER: ("振铃未接听", "the phone was not answered"),
    ReasonCode.PHONE_BUSY: ("话机占线", "the phone was busy"),
    ReasonCode.REJECTED: ("坐席拒接", "the agent rejected the call"),
    ReasonCode.PHONE_UNREACHABLE: ("话机不在线", "the phone cannot be reached"),
    ReasonCode.PHONE_REACHABLE: ("话机恢复在线", "the phone can be reached again"),
    ReasonCode.PHONE_IN_USE: ("话机正在使用", "the phone is in use"),
    ReasonCode.PHONE_FREE: ("话机已空出", "the phone is free"),
    ReasonCode.BUSY_OUTSIDE: ("坐席正在其他通话中", "the agent is on another call"),
    ReasonCode.FREE_AGAIN: ("其他通话结束", "the other call has ended"),
    ReasonCode.DESKTOP_SILENT: ("坐席页面没有响应弹屏", "the agent's page did not confirm the pop"),
    ReasonCode.OFFER_CANCELLED: ("派呼未能执行", "the offer could not be carried out"),
    ReasonCode.TALK_ENDED: ("通话结束", "the talk ended"),
    ReasonCode.WRAPUP_DONE: ("话后整理完成", "wrap-up was finished"),
    ReasonCode.WRAPUP_EXTENDED: ("话后整理延长 {seconds} 秒", "wrap-up was extended by {seconds} s"),
    ReasonCode.WRAPUP_OVER: ("话后整理时间到", "wrap-up time was over"),
    ReasonCode.NEXT_STATE: ("通话后的状态已预约", "the state after the call was queued"),
    ReasonCode.NEXT_STATE_CANCELLED: ("取消预约的状态", "the queued state was cancelled"),
}

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
    facts.update(needs=needs, place=place)
    return _WORDS[reason.code][english].format_map(facts)


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
        case Announce():
            return step("announce", position=item.position, wait=_told(item, lang))
        case CallLeft():
            why = ("（{}）", " ({})")[at].format(item.reason) if item.reason else ""
            return step("left", why=why)
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
        if getattr(item, "call_id", None) != call_id:
            continue
        if type(item).__name__ in EVENTS:
            before_event = len(told)
        sentence = _sentence(item, lang)
        if sentence is not None:
            at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(CHINA)
            told.append(f"{at:%H:%M:%S} {sentence}")
    return told
