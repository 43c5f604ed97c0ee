"""What each figure means: its name and formula in Chinese and English, and the two numbers that it divides.

Where the field disagrees (what service level divides by, whether a misdial counts) every common definition has its own
line, so that nobody compares two figures of the same name and different meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from acd.report.tally import Rules, Tally


class Kind(StrEnum):
    COUNT = "count"
    SHARE = "share"  # 0 to 1
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with what it is made of; None when there is nothing to divide by or nobody knows."""

    numerator: float
    denominator: float | None

    @property
    def value(self) -> float | None:
        if self.denominator is None:
            return None
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of a report. `{target}` and `{short}` in a formula are the rules' seconds."""

    key: str
    kind: Kind
    zh: str
    en: str
    formula_zh: str
    formula_en: str
    figure: Callable[[Tally], Figure]

    def formula(self, rules: Rules, lang: str = "zh") -> str:
        """The formula in words."""
        text = self.formula_en if lang.startswith("en") else self.formula_zh
        return text.format(target=rules.target_s, short=rules.short_s)


def _count(number: int) -> Figure:
    return Figure(number, 1)


def _callers(tally: Tally) -> Figure:
    return Figure(len(tally.callers), 1 if tally.callers or not tally.offered else None)


MEASURES: tuple[Measure, ...] = (
    Measure(
        "offered", Kind.COUNT, "呼入量", "offered", "进入队列、要求人工的来电次数", "calls that wanted a person",
        lambda t: _count(t.offered),
    ),
    Measure(
        "callers", Kind.COUNT, "来电人数", "unique callers", "同一号码只计一次，号码不明的来电不计",
        "each number once, calls of unknown origin left out",
        _callers,
    ),
    Measure(
        "answered", Kind.COUNT, "接通量", "answered", "有坐席接听的来电", "calls that an agent spoke with",
        lambda t: _count(t.answered),
    ),
    Measure(
        "abandoned", Kind.COUNT, "放弃量", "abandoned", "排队中自行挂断的来电", "gone by themselves while waiting",
        lambda t: _count(t.abandoned),
    ),
    Measure(
        "short_abandoned", Kind.COUNT, "短放弃量", "short abandons", "不满 {short} 秒即放弃的来电",
        "abandoned in less than {short} s",
        lambda t: _count(t.short),
    ),
    Measure(
        "sent_on", Kind.COUNT, "转留言或回拨", "sent on", "由队列转语音留言或回拨的来电",
        "sent to voicemail or call-back by the queue",
        lambda t: _count(t.sent_on),
    ),
    Measure(
        "connect_rate", Kind.SHARE, "接通率", "connect rate", "接通量 ÷（接通量 + 放弃量 + 转留言或回拨）",
        "answered ÷ (answered + abandoned + sent on)",
        lambda t: Figure(t.answered, t.settled),
    ),
    Measure(
        "answered_in_target", Kind.SHARE, "{target} 秒应答率", "answered in {target} s",
        "{target} 秒内接通 ÷ 已知是否及时的全部来电（GB/T 33358）",
        "answered within {target} s ÷ all of which is known whether they were (GB/T 33358)",
        lambda t: Figure(t.in_target, t.judged),
    ),
    Measure(
        "sl_answered", Kind.SHARE, "服务水平（按接通量）", "service level of answered", "{target} 秒内接通 ÷ 接通量",
        "answered within {target} s ÷ answered",
        lambda t: Figure(t.in_target, t.answered),
    ),
    Measure(
        "sl_short_in", Kind.SHARE, "服务水平（含短放弃）", "service level, short abandons in",
        "{target} 秒内接通 ÷（接通量 + 放弃量）", "answered within {target} s ÷ (answered + abandoned)",
        lambda t: Figure(t.in_target, t.answered + t.abandoned),
    ),
    Measure(
        "sl_short_out", Kind.SHARE, "服务水平（不含短放弃）", "service level, short abandons out",
        "{target} 秒内接通 ÷（接通量 + 放弃量 − 短放弃量），短放弃：不满 {short} 秒",
        "answered within {target} s ÷ (answered + abandoned − short abandons, less than {short} s)",
        lambda t: Figure(t.in_target, t.answered + t.abandoned - t.short),
    ),
    Measure(
        "abandon_rate", Kind.SHARE, "放弃率", "abandon rate", "放弃量 ÷（接通量 + 放弃量 + 转留言或回拨）",
        "abandoned ÷ (answered + abandoned + sent on)",
        lambda t: Figure(t.abandoned, t.settled),
    ),
    Measure(
        "abandon_rate_short_out", Kind.SHARE, "放弃率（不含短放弃）", "abandon rate, short abandons out",
        "（放弃量 − 短放弃量）÷（接通量 + 放弃量 + 转留言或回拨 − 短放弃量）",
        "(abandoned − short) ÷ (answered + abandoned + sent on − short)",
        lambda t: Figure(t.abandoned - t.short, t.settled - t.short),
    ),
    Measure(
        "speed_of_answer", Kind.SECONDS, "平均应答时间", "average speed of answer", "接通来电的等待时间之和 ÷ 接通量",
        "waits of answered calls ÷ answered",
        lambda t: Figure(t.wait_answered_ms / 1000, t.answered),
    ),
    Measure(
        "time_to_abandon", Kind.SECONDS, "平均放弃时间", "average time to abandon", "放弃来电的等待时间之和 ÷ 放弃量",
        "waits of abandoned calls ÷ abandoned",
        lambda t: Figure(t.wait_abandoned_ms / 1000, t.abandoned),
    ),
    Measure(
        "longest_wait", Kind.SECONDS, "最长等待", "longest wait", "全部来电中最长的等待", "of all calls",
        lambda t: Figure(t.longest_wait_ms / 1000, 1 if t.offered else 0),
    ),
    Measure(
        "foretold_held", Kind.SHARE, "预计等待命中率", "foretold waits that held",
        "在播报的预计等待范围内接通 ÷ 听到预计等待后接通的来电",
        "answered within the foretold range ÷ answered after it was told",
        lambda t: Figure(t.foretold_held, t.foretold),
    ),
    Measure(
        "foretold_error", Kind.SECONDS, "预计等待平均偏差", "mean error of foretold waits",
        "｜预计等待（范围中值）− 实际等待｜之和 ÷ 听到预计等待后接通的来电",
        "|middle of the foretold range − what came| ÷ answered after it was told",
        lambda t: Figure(t.foretold_off_s, t.foretold),
    ),
    Measure(
        "handle_time", Kind.SECONDS, "平均处理时长", "average handle time",
        "（通话时间 + 话后整理时间）÷ 已整理完的通话数", "(talk + wrap-up) ÷ talks whose wrap-up is over",
        lambda t: Figure((t.wrapped_talk_ms + t.wrapup_ms) / 1000, t.wrapped),
    ),
    Measure(
        "talk_time", Kind.SECONDS, "平均通话时长", "average talk", "通话时间 ÷ 已结束的通话数",
        "talk ÷ talks that ended",
        lambda t: Figure(t.talk_ms / 1000, t.talks),
    ),
    Measure(
        "wrapup_time", Kind.SECONDS, "平均话后整理", "average wrap-up", "话后整理时间 ÷ 已整理完的通话数",
        "wrap-up ÷ talks whose wrap-up is over",
        lambda t: Figure(t.wrapup_ms / 1000, t.wrapped),
    ),
    Measure(
        "occupancy", Kind.SHARE, "坐席利用率", "occupancy", "（通话 + 话后整理）÷（通话 + 话后整理 + 示闲与振铃）时间",
        "(talk + wrap-up) ÷ (talk + wrap-up + ready and ringing) time",
        lambda t: Figure(t.busy_ms / 1000, (t.busy_ms + t.available_ms) / 1000),
    ),
)  # fmt: skip

BY_KEY = {measure.key: measure for measure in MEASURES}


def name(measure: Measure, rules: Rules, lang: str = "zh") -> str:
    """The measure's name in words."""
    return (measure.en if lang.startswith("en") else measure.zh).format(target=rules.target_s)
