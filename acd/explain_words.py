"""Every reason of the engine in words: Chinese, English. `acd.explain` fills in the facts."""

from __future__ import annotations

from collections.abc import Mapping

from acd.reasons import ReasonCode

# One sentence per code and language; facts by name. `{needs}` and `{place}` are empty without their fact.
WORDS: Mapping[ReasonCode, tuple[str, str]] = {
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
    ReasonCode.PLACE_RESUMED: (
        "挂断后短时间内重拨，恢复原位置（提前 {earlier_s} 秒），排第 {position} 位{needs}",
        "called again soon after hanging up: the old place, {earlier_s} s earlier, is resumed, at {position}{needs}",
    ),
    ReasonCode.CALLBACK_PLACE: (
        "回拨接替原位置，排第 {position} 位，已等 {waited_s} 秒",
        "the call-back takes over the place, at {position}, after {waited_s} s",
    ),
    ReasonCode.CITIZEN_REACHED: (
        "市民已接回拨，在原位置等候，排第 {position} 位",
        "the citizen is on the line and waits at the old place, at {position}",
    ),
    ReasonCode.BEST_FIT: (
        "{candidates} 名合格坐席空闲，派给最合适的人中空闲最久的一位（已空闲 {idle_s} 秒）{needs}",
        "{candidates} qualified agents were free; of those who suit best the one idle longest ({idle_s} s) was "
        "chosen{needs}",
    ),
    ReasonCode.LAST_AGENT: (
        "上次接待此人的坐席在岗，优先派给（已等 {waited_s} 秒）",
        "the agent who spoke with this caller last is there and goes first (waited {waited_s} s)",
    ),
    ReasonCode.RELAXED: ("等待已到放宽时间，技能要求放宽到 {skills}", "waited long enough: now {skills} will do"),
    ReasonCode.GROUP_ADDED: (
        "等待已到溢出时间，{group} 组也可接听（技能 {skills}）",
        "waited long enough: group {group} serves too (skills {skills})",
    ),
    ReasonCode.LAST_AGENT_BUSY: (
        "上次接待的坐席 {agent} 未能及时空出，改派其他合格坐席（技能 {skills}）",
        "agent {agent}, who knows the caller, did not become free in time: others may serve (skills {skills})",
    ),
    ReasonCode.NOBODY_FOR_IT: (
        "没有具备 {skills} 的坐席签入，立即放宽",
        "nobody who has {skills} is signed in, so others are asked at once",
    ),
    ReasonCode.RULE_SET: ("{by} 设置规则（{action}）", "{by} set the rule ({action})"),
    ReasonCode.RULE_LIFTED: ("{by} 解除规则", "{by} lifted the rule"),
    ReasonCode.RULE_EXPIRED: ("规则到期", "the rule has expired"),
    ReasonCode.RULE_ANNOUNCEMENT: ("骚扰来电规则 {rule}", "nuisance rule {rule}"),
    ReasonCode.RULE_LIMIT: (
        "骚扰来电规则 {rule}：同时最多 {limit} 个来电",
        "nuisance rule {rule}: at most {limit} calls at a time",
    ),
    ReasonCode.LONG_WAIT: ("已等 {waited_s} 秒", "has waited {waited_s} s"),
    ReasonCode.LONG_WAIT_FORETOLD: (
        "预计还要等 {wait_s} 秒，达到 {limit_s} 秒",
        "{wait_s} s more are foretold, the limit is {limit_s} s",
    ),
    ReasonCode.TURN_HAS_COME: ("轮到此位置，先拨市民", "its turn has come; the citizen first"),
    ReasonCode.AGENT_ON_THE_LINE: ("坐席已在线等候", "the agent is on the line"),
    ReasonCode.OUTSIDE_WINDOW: ("不在可回拨的时段", "outside the hours at which citizens are called"),
    ReasonCode.NOT_REACHED: ("第 {attempts} 次未接通，稍后再拨", "attempt {attempts} failed, to be tried later"),
    ReasonCode.ATTEMPTS_USED: ("已拨 {attempts} 次未接通", "not reached in {attempts} attempts"),
    ReasonCode.CALLBACK_TOO_OLD: ("超过保留期限", "kept longer than call-backs are"),
    ReasonCode.CALLBACK_CANCELLED: ("已取消{by_whom}", "cancelled{by_whom}"),
    ReasonCode.OUT_OF_HOURS: ("此时段不进入人工队列", "no new callers are taken at this hour"),
    ReasonCode.RINGING: ("话机振铃", "the phone rings"),
    ReasonCode.HELD: ("坐席保持通话", "the agent put the caller on hold"),
    ReasonCode.RESUMED: ("坐席恢复通话", "the agent took the caller back"),
    ReasonCode.HOLD_TOO_LONG: ("保持时间过长", "on hold for too long"),
    ReasonCode.TALK_TOO_LONG: ("通话超过最长时限，视为已结束", "the talk passed the longest time and is taken as over"),
    ReasonCode.READY_TOO_LONG: ("示闲超过最长时限，请确认坐席在岗", "ready for too long: is the agent there?"),
    ReasonCode.NOT_READY_TOO_LONG: ("示忙超过最长时限，自动签出", "not ready for too long, signed out"),
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
    ReasonCode.NEXT_STATE: ("通话后的状态已预约{by_whom}", "the state after the call was queued{by_whom}"),
    ReasonCode.NEXT_STATE_CANCELLED: ("取消预约的状态{by_whom}", "the queued state was cancelled{by_whom}"),
}
