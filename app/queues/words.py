"""What the queues' rules do, in sentences that a supervisor can read without YAML: Chinese, English.

Every sentence follows from the configuration alone, and says what the engine does (docs/queue.md). What is switched off
is said only where its absence would surprise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from acd.config import (
    CallbackFirst,
    CallbackRules,
    Choice,
    EngineConfig,
    HourRule,
    OverflowTo,
    QueueConfig,
    RelaxRule,
)
from app.queues.phrases import FLAGS, KINDS, Pair, duration, joined, skill_level, skill_name, time_of_day

TO: Mapping[OverflowTo, Pair] = {
    OverflowTo.VOICEMAIL: ("转语音留言", "goes to voicemail"),
    OverflowTo.CALLBACK: ("请其登记回拨", "is asked for a call-back number"),
}


class Topic(StrEnum):
    """What a group of sentences is about."""

    order = "order"  # who is next
    agents = "agents"  # who is offered the call, for how long
    relax = "relax"  # which skills will do after some time
    overflow = "overflow"  # who does not wait any longer
    told = "told"  # what callers hear meanwhile
    callback = "callback"
    limits = "limits"  # how long an agent may stay in a state


@dataclass(frozen=True)
class Told:
    """Sentences about one topic."""

    topic: Topic
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One queue, or "" for what holds for all of them."""

    queue: str
    told: tuple[Told, ...]


def sections(config: EngineConfig, call_back: Sequence[str], language: str) -> list[Section]:
    """The whole configuration; `call_back` is the setting `callback_allowed`. What holds for all queues comes first."""
    which = 0 if language.startswith("zh") else 1
    found = [Section("", _chosen(_everywhere(config), which))]
    for queue in config.queues:
        found.append(Section(queue.queue, _chosen(_of_queue(config, queue, call_back), which)))
    return found


def _chosen(topics: Iterable[tuple[Topic, Iterable[Pair]]], which: int) -> tuple[Told, ...]:
    told = (Told(topic, tuple(pair[which] for pair in pairs)) for topic, pairs in topics)
    return tuple(one for one in told if one.lines)


# -- what holds for all queues ----------------------------------------------------------------------------------------


def _everywhere(config: EngineConfig) -> list[tuple[Topic, list[Pair]]]:
    return [
        (Topic.order, _order(config)),
        (Topic.agents, _choice(config.choice, config.level_band) + _rare(config)),
        (Topic.limits, _limits(config)),
    ]


def _order(config: EngineConfig) -> list[Pair]:
    found: list[Pair] = []
    if config.ageing_per_minute:
        points = config.ageing_per_minute
        found.append(
            (
                f"先来先接。优先级每高 {points} 分，相当于早来 1 分钟；所以等得久的人总会轮到",
                f"First come, first served; {points} more of priority counts as much as coming a minute earlier, "
                "so nobody waits for ever",
            )
        )
    else:
        found.append(
            (
                "优先级高的先接，同级先来先接；优先级低的可能一直轮不到",
                "Higher priority first, then first come; low priorities may never be reached",
            )
        )
    emergency = config.emergency_priority
    found.append(
        (
            f"优先级 {emergency} 以上为紧急：排在所有人之前，不受骚扰来电规则限制",
            f"From priority {emergency} on a call is an emergency: before everybody, and no nuisance rule applies",
        )
    )
    for flag, points in config.flag_priority.items():
        name = FLAGS.get(flag, (flag, flag))
        found.append((f"{name[0]}的来电加 {points} 分", f"Callers {name[1]} get {points} points"))
    if config.redial_s:
        zh, en = duration(config.redial_s)
        found.append(
            (
                f"排队时挂断、{zh}内再打来的，恢复原来的位置（一次）",
                f"Who hangs up in line and calls again within {en} gets the old place back, once",
            )
        )
    return found


def _choice(choice: Choice, band: int) -> list[Pair]:
    if choice is Choice.LONGEST_IDLE or band >= 5:
        return [
            (
                "同时有几位坐席空闲时，派给空闲最久的，不看技能等级",
                "Of several free agents the one idle longest is chosen, whatever their levels",
            )
        ]
    return [
        (
            f"同时有几位坐席空闲时，先派给技能等级高的（每 {band} 级算一档），同一档里派给空闲最久的",
            f"Of several free agents higher levels go first, in bands of {band}; within a band the one idle longest",
        )
    ]


def _rare(config: EngineConfig) -> list[Pair]:
    if not config.rare_skills:
        return []
    zh, en = joined(skill_name(skill) for skill in config.rare_skills)
    return [
        (
            f"会{zh}的坐席尽量留给需要的来电",
            f"Agents with {en} are kept for callers who need it, if others are free",
        )
    ]


def _limits(config: EngineConfig) -> list[Pair]:
    rules: Sequence[tuple[int | None, Callable[[Pair], Pair]]] = (
        (config.ready_max_s, lambda t: (f"示闲 {t[0]}后转为示忙", f"Ready for {t[1]}: set to not ready")),
        (config.not_ready_max_s, lambda t: (f"示忙 {t[0]}后签出", f"Not ready for {t[1]}: signed out")),
        (config.hold_max_s, lambda t: (f"保持 {t[0]}后按通话计", f"On hold for {t[1]}: counted as talking")),
        (config.talk_max_s, lambda t: (f"通话 {t[0]}后视为结束", f"In talk for {t[1]}: taken as over")),
    )
    found = [say(duration(seconds)) for seconds, say in rules if seconds is not None]
    for reason, seconds in config.not_ready_limits.items():
        zh, en = duration(seconds)
        found.append((f"示忙原因为“{reason}”的，{zh}后签出", f"Not ready because of “{reason}” for {en}: signed out"))
    return found


# -- one queue --------------------------------------------------------------------------------------------------------


def _of_queue(config: EngineConfig, queue: QueueConfig, call_back: Sequence[str]) -> list[tuple[Topic, list[Pair]]]:
    own = {rule.skill for rule in queue.relax}
    relax = [*queue.relax, *(rule for rule in config.relax if rule.skill not in own)]
    return [
        (Topic.order, _queue_order(config, queue)),
        (Topic.agents, _who(config, queue)),
        (Topic.relax, [line for rule in relax for line in _relaxed(rule)]),
        (Topic.overflow, _overflow(queue) + [line for rule in queue.hours for line in _hour(rule)]),
        (Topic.told, _announced(queue)),
        (Topic.callback, _callback(queue.callback, call_back)),
    ]


def _queue_order(config: EngineConfig, queue: QueueConfig) -> list[Pair]:
    found: list[Pair] = []
    if queue.queue == config.default_queue and len(config.queues) > 1:
        found.append(
            ("没有指明队列的来电都排在这里", "Callers for no queue in particular wait here"),
        )
    if queue.priority:
        found.append(
            (
                f"此队列的来电优先级{'加' if queue.priority > 0 else '减'} {abs(queue.priority)} 分",
                f"Callers here get {queue.priority:+d} points of priority",
            )
        )
    return found


def _who(config: EngineConfig, queue: QueueConfig) -> list[Pair]:
    found: list[Pair] = []
    for step in queue.groups:
        zh, en = duration(step.after_s)
        if step.after_s:
            found.append((f"等满 {zh}，{step.group} 组也可接听", f"After {en} the group {step.group} serves it too"))
        else:
            found.append((f"由 {step.group} 组接听", f"Served by the group {step.group}"))
    if queue.last_agent_s:
        zh, en = duration(queue.last_agent_s)
        found.append(
            (
                f"先留给上次接待此人的坐席，最多 {zh}",
                f"Kept for the agent who spoke with the caller last, for {en} at most",
            )
        )
    if queue.choice is not None or queue.level_band is not None:
        found += _choice(queue.choice or config.choice, queue.level_band or config.level_band)
    rings = duration(config.offer_timeout_s if queue.offer_timeout_s is None else queue.offer_timeout_s)
    wraps = duration(config.wrapup_s if queue.wrapup_s is None else queue.wrapup_s)
    found.append(
        (
            f"话机振铃 {rings[0]}没有人接，就派给下一位，来电人位置不变；话后整理 {wraps[0]}",
            f"A telephone rings for {rings[1]}, then the next agent’s; the caller keeps the place. Wrap-up {wraps[1]}",
        )
    )
    return found


def _relaxed(rule: RelaxRule) -> list[Pair]:
    zh, en = skill_name(rule.skill)
    found: list[Pair] = []
    for step in rule.steps:
        after = duration(step.after_s)
        skills = joined(skill_level(skill, level) for skill, level in step.skills.items())
        if not step.skills:
            skills = ("任何坐席", "any agent")
        found.append(
            (
                f"需要{zh}的来电等满 {after[0]}，{skills[0]}也可以接",
                f"A caller who needs {en} may after {after[1]} be given: {skills[1]}",
            )
        )
    if found:
        found.append(
            (
                f"某一步没有签入的坐席能接，就马上进入下一步；会{zh}的坐席空出来，仍然优先",
                f"A step that nobody signed in could serve is passed over at once; an agent with {en} still goes first",
            )
        )
    return found


def _overflow(queue: QueueConfig) -> list[Pair]:
    to = TO[queue.overflow_to]
    found = _sent_on(queue.overflow_wait_s, queue.overflow_length, to)
    if queue.overflow_unstaffed_s is not None:
        zh, en = duration(queue.overflow_unstaffed_s)
        found.append(
            (
                f"签入的坐席里没有人能接，满 {zh}：{to[0]}",
                f"Nobody signed in can serve the caller for {en}: {to[1]}",
            )
        )
    if not found:
        found.append(("一直等到有人接听，不转走", "Everybody waits until they are answered"))
    elif queue.overflow_below_priority <= 1000:
        points = queue.overflow_below_priority
        found.append((f"优先级 {points} 以上的来电不转走", f"From priority {points} on nobody is sent on"))
    return found


def _sent_on(wait_s: int | None, length: int | None, to: Pair) -> list[Pair]:
    found: list[Pair] = []
    if wait_s is not None:
        zh, en = duration(wait_s)
        found.append((f"等满 {zh}还没有轮到：{to[0]}", f"Whoever has waited {en}: {to[1]}"))
    if length is not None:
        found.append(
            (
                f"已有 {length} 人在等时，新来电没有坐席空闲就{to[0]}",
                f"A newcomer who finds {length} waiting and no agent free: {to[1]}",
            )
        )
    return found


def _hour(rule: HourRule) -> list[Pair]:
    when, to = time_of_day(rule.window), TO[rule.overflow_to]
    if rule.closed:
        return [
            (
                f"{when[0]}：新来电没有坐席空闲就{to[0]}",
                f"{_capital(when[1])}: a newcomer for whom no agent is free: {to[1]}",
            )
        ]
    inside = _sent_on(rule.overflow_wait_s, rule.overflow_length, to)
    if not inside:
        return [(f"{when[0]}：不因等待时间和人数转走", f"{_capital(when[1])}: nobody is sent on for wait or length")]
    return [(f"{when[0]} 改为：{zh}", f"{_capital(when[1])} instead: {en}") for zh, en in inside]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _announced(queue: QueueConfig) -> list[Pair]:
    first, every = duration(queue.announce_first_s), duration(queue.announce_every_s)
    return [
        (
            f"等满 {first[0]}起播报位次和预计等待，之后每 {every[0]}一次",
            f"Place and expected wait are told after {first[1]}, then every {every[1]}",
        )
    ]


def _callback(rules: CallbackRules | None, call_back: Sequence[str]) -> list[Pair]:
    zh, en = joined(KINDS.get(kind, (kind, kind)) for kind in call_back)
    numbers = (f"可以回拨的号码：{zh}", f"Numbers that may be called back: {en}") if call_back else _NO_NUMBERS
    if rules is None:
        return [
            (
                "按 2 登记回拨，由坐席在“回拨任务”里拨打",
                "2 asks for a call-back, which agents make from their list",
            ),
            numbers,
        ]
    found = [_FIRST[rules.first], numbers]
    offered = [duration(seconds) for seconds in (rules.offer_after_s, rules.offer_predicted_s) if seconds is not None]
    if offered:
        after = [] if rules.offer_after_s is None else [(f"等满 {offered[0][0]}", f"have waited {offered[0][1]}")]
        if rules.offer_predicted_s is not None:
            after.append((f"预计要等 {offered[-1][0]}以上", f"are foretold {offered[-1][1]} or more"))
        words = "或".join(one[0] for one in after), " or ".join(one[1] for one in after)
        found.append((f"{words[0]}的，再提醒一次可以回拨", f"Callers who {words[1]} are told of it once more"))
    windows = joined(time_of_day(window) for window in rules.windows)
    found.append(
        (
            f"只在{windows[0]} 拨打，其余时间保留位置",
            f"Citizens are dialled {windows[1]} only; outside, the place is kept",
        )
    )
    retry, age = duration(rules.retry_s), duration(rules.max_age_s)
    found.append(
        (
            f"最多拨 {rules.attempts} 次，间隔 {retry[0]}；{age[0]}内没有联系上就停止，由班长处理",
            f"{rules.attempts} attempts at most, {retry[1]} apart; given up after {age[1]}, for a supervisor to decide",
        )
    )
    return found


_NO_NUMBERS: Pair = ("没有可以回拨的号码", "No number may be called back")
_FIRST: Mapping[CallbackFirst, Pair] = {
    CallbackFirst.AGENT: (
        "按 2 登记回拨，轮到时系统自动拨打：先接通坐席，再拨市民",
        "2 asks for a call-back; the queue dials when the turn comes: the agent first, then the citizen",
    ),
    CallbackFirst.CITIZEN: (
        "按 2 登记回拨，轮到时系统自动拨打：先拨市民，接通后在原位置等坐席",
        "2 asks for a call-back; the queue dials when the turn comes: the citizen first, who waits at the old place",
    ),
}
