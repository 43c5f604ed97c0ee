"""The words that sentences about the queues are made of: durations, times of day, skills. Chinese, English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from acd.config import Window

Pair = tuple[str, str]  # Chinese, English

SKILLS: Mapping[str, Pair] = {
    "zh": ("普通话", "Mandarin"),
    "yue": ("粤语", "Cantonese"),
    "en": ("英语", "English"),
    "interpreter": ("译员", "interpreter"),
}
KINDS: Mapping[str, Pair] = {
    "mobile": ("内地手机", "mainland mobile"),
    "fixed": ("内地固定电话", "mainland fixed"),
    "hongkong": ("香港", "Hong Kong"),
    "macau": ("澳门", "Macau"),
    "taiwan": ("台湾", "Taiwan"),
}
FLAGS: Mapping[str, Pair] = {"elderly": ("登记为老年人", "registered as elderly")}
WEEKDAYS: Sequence[Pair] = (
    ("周一", "Monday"),
    ("周二", "Tuesday"),
    ("周三", "Wednesday"),
    ("周四", "Thursday"),
    ("周五", "Friday"),
    ("周六", "Saturday"),
    ("周日", "Sunday"),
)
_UNITS: Sequence[tuple[int, Pair]] = (
    (86_400, ("天", "d")),
    (3_600, ("小时", "h")),
    (60, ("分钟", "min")),
    (1, ("秒", "s")),
)


def duration(seconds: int) -> Pair:
    """90 → 1 分钟 30 秒, 1 min 30 s."""
    parts: list[tuple[int, Pair]] = []
    left = seconds
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append((count, unit))
    parts = parts or [(0, _UNITS[-1][1])]
    return " ".join(f"{count} {unit[0]}" for count, unit in parts), " ".join(
        f"{count} {unit[1]}" for count, unit in parts
    )


def _minute(value: int) -> str:
    return f"{value // 60:02}:{value % 60:02}"


def time_of_day(window: Window) -> Pair:
    """每天 22:00–次日 08:00, every day 22:00–08:00 of the next day."""
    begin, end = window.from_minute, window.to_minute
    if begin == end or (begin == 0 and end == 1440):
        hours = ("全天", "all day")
    else:
        next_day = end < begin
        hours = (
            f"{_minute(begin)}–{'次日 ' if next_day else ''}{_minute(end)}",
            f"{_minute(begin)}–{_minute(end)}{' of the next day' if next_day else ''}",
        )
    if not window.weekdays:
        return f"每天 {hours[0]}", f"every day {hours[1]}"
    zh, en = joined(WEEKDAYS[day - 1] for day in sorted(window.weekdays))
    return f"{zh} {hours[0]}", f"{en} {hours[1]}"


def skill_name(skill: str) -> Pair:
    """What a skill is called; its id if nobody has named it."""
    return SKILLS.get(skill, (skill, skill))


def skill_level(skill: str, level: int) -> Pair:
    """粤语 3 级以上, Cantonese 3 or better."""
    zh, en = skill_name(skill)
    return f"{zh} {level} 级以上", f"{en} {level} or better"


def joined(pairs: Iterable[Pair]) -> Pair:
    """As a list in each language."""
    found = list(pairs)
    return "、".join(one[0] for one in found), ", ".join(one[1] for one in found)
