"""Days and times that are spoken of, reckoned from the day of the call: 昨天下午三点, 上周五, 七月十二号. Pure.

A value is 2026-11-23T15:00, 2026-11-23, or 2026-03 where only the month was said. Of what may be two times (三点
without a part of the day) only the day is told; of what happens again and again (每天晚上) nothing.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.understanding.model import Found, Kind
from app.understanding.numerals import number_of

_N = "[0-9〇零一二两三四五六七八九十]"
_PART = "凌晨|清晨|早晨|早上|一早|上午|中午|下午|傍晚|晚上|夜里|夜晚|半夜|深夜"
_RELATIVE: Mapping[str, tuple[int, str]] = {
    "大前天": (-3, ""), "前天": (-2, ""), "前晚": (-2, "晚上"),
    "昨天": (-1, ""), "昨日": (-1, ""), "昨儿": (-1, ""), "昨晚": (-1, "晚上"), "昨夜": (-1, "晚上"),
    "今天": (0, ""), "今日": (0, ""), "今儿": (0, ""), "今早": (0, "早上"), "今晨": (0, "早上"), "今晚": (0, "晚上"),
    "琴日": (-1, ""), "寻日": (-1, ""), "琴晚": (-1, "晚上"), "寻晚": (-1, "晚上"), "听日": (1, ""),
    "今朝": (0, "早上"),
    "明天": (1, ""), "明日": (1, ""), "明早": (1, "早上"), "明晚": (1, "晚上"), "大后天": (3, ""), "后天": (2, ""),
}  # fmt: skip
_WEEKS: Mapping[str, int] = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1}
_WEEKDAYS = {**{char: at for at, char in enumerate("一二三四五六日")}, "天": 6}
_YEARS: Mapping[str, int] = {"今": 0, "去": -1, "前": -2, "明": 1}
_DAY = re.compile(
    rf"(?P<word>{'|'.join(sorted(_RELATIVE, key=len, reverse=True))})"
    rf"|(?:(?P<year>{_N}{{4}}|[今去前明])年)?的?(?P<month>{_N}{{1,3}})月(?:份)?(?:(?P<dom>{_N}{{1,3}})[号日])?"
    rf"|(?P<near>上个?|这个?|本|下个?)月的?(?P<neardom>{_N}{{1,3}})[号日]"
    r"|(?P<week>上上|上|这|本|下)?个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    rf"|(?P<ago>{_N}{{1,3}})(?P<unit>天|周|个?星期|个?礼拜)(?:以|之)?前"
    rf"|(?P<alone>{_N}{{1,3}})号(?=早上|上午|中午|下午|晚上|夜里|凌晨|那天|当天|开始|就|停|之前|以前|报的|办的|交的)"
)
_TIME = re.compile(
    rf"(?:(?P<part>{_PART})(?:大概|差不多|大约|将近|快到?|的)?)?(?P<hour>{_N}{{1,3}})(?:点钟|点整|点|[:：](?=[0-5][0-9]))"
    r"(?:(?P<half>半)|(?P<quarter>[一三])刻"
    r"|(?P<minute>[零〇][一二三四五六七八九]|[一二三四五]?十[一二三四五六七八九]?|[0-5][0-9]?)(?![个多天块元人户次])分?)?"
)
_PART_ALONE = re.compile(_PART)
_BETWEEN = re.compile(r"(?:的|大概|差不多|大约|是|,|，|\s){0,2}")
_AGAIN = re.compile(r"(?:每|每天|每晚|每日|天天|每到|每逢|每个|逢|经常|总是)$")
_RANGE = re.compile(r"(?:到|至|[-—~～])")
_OPENING = re.compile(r"上班|下班|营业|开门|关门|办公|开放")
_WEEK_RANGE = re.compile(r"[到至](?:周|星期|礼拜)")
_PLACE_BEFORE = re.compile(r"[路街巷弄道里村栋楼园区院]$")
FAR = timedelta(days=31)  # a month and day so far ahead were last year's
LONGEST_AGO = 60
LONGEST_GAP = 6  # characters between a day and its time


@dataclass(frozen=True)
class _Day:
    value: date
    start: int
    end: int
    sure: float
    part: str = ""


def find(text: str, at: datetime) -> list[Found]:
    """Every day and time, in order; `at` is the local moment of the call."""
    days = [day for one in _DAY.finditer(text) if not _again(text, one.start()) for day in _day(one, at)]
    months = [month for one in _DAY.finditer(text) if (month := _month(one, at)) is not None]
    ends = {day.end: n for n, day in enumerate(days)}
    found: list[Found] = []
    used: set[int] = set()
    for one in _TIME.finditer(text):
        if _again(text, one.start()):
            continue
        behind = range(one.start(), one.start() - LONGEST_GAP - 1, -1)
        near = next((ends[end] for end in behind if end in ends and _BETWEEN.fullmatch(text, end, one.start())), None)
        moment = _timed(one, days[near] if near is not None else None, text, at)
        if moment is None:
            continue
        if near is not None:
            used.add(near)
        found.append(moment)
    for n, day in enumerate(days):
        if n not in used:
            part = _PART_ALONE.match(text, day.end)
            found.append(
                Found(Kind.moment, day.value.isoformat(), day.start, part.end() if part else day.end, day.sure)
            )
    return sorted([*found, *months], key=lambda one: one.start)


def _again(text: str, start: int) -> bool:
    return _AGAIN.search(text[max(0, start - 3) : start]) is not None


def _day(one: re.Match[str], at: datetime) -> Sequence[_Day]:
    found = _dated(one, at.date())
    if found is None:
        return ()
    value, sure, part = found
    return (_Day(value, one.start(), one.end(), sure, part),)


def _dated(one: re.Match[str], today: date) -> tuple[date, float, str] | None:
    if word := one["word"]:
        by, part = _RELATIVE[word]
        return today + timedelta(days=by), 0.95, part
    if one["weekday"]:
        if _WEEK_RANGE.match(one.string, one.end()) or one.string[max(0, one.start() - 1) : one.start()] in (
            "到",
            "至",
        ):
            return None
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=_WEEKS.get(one["week"] or "", 0))
        day = monday + timedelta(days=_WEEKDAYS[one["weekday"]])
        if one["week"]:
            return day, 0.9, ""
        return (day if day <= today else day - timedelta(weeks=1)), 0.6, ""
    if one["ago"]:
        count = number_of(one["ago"]) or 0
        if not 0 < count <= LONGEST_AGO:
            return None
        return today - (timedelta(days=count) if one["unit"] == "天" else timedelta(weeks=count)), 0.85, ""
    if one["dom"]:
        year = _year(one["year"], today)
        day_of = _date(year or today.year, number_of(one["month"]), number_of(one["dom"]))
        if day_of is not None and year is None and day_of > today + FAR:
            day_of = _date(today.year - 1, day_of.month, day_of.day)
        return None if day_of is None else (day_of, 0.9, "")
    if one["neardom"]:
        months = {"上": -1, "下": 1}.get(one["near"][0], 0)
        return _within(_month_of(today, months), number_of(one["neardom"]), 0.9)
    if one["alone"] and not _PLACE_BEFORE.search(one.string[max(0, one.start() - 1) : one.start()]):
        dom = number_of(one["alone"]) or 0
        ahead = dom > today.day and one.string[one.end() : one.end() + 2] not in ("之前", "以前")
        return _within(_month_of(today, -1 if ahead else 0), dom, 0.5)
    return None


def _month(one: re.Match[str], at: datetime) -> Found | None:
    """A month alone, where its year was said or the word 月份 stands there: 今年三月, 三月份."""
    month = number_of(one["month"] or "")
    if one["dom"] or month is None or not 1 <= month <= 12 or not (one["year"] or one[0].endswith("份")):
        return None
    today = at.date()
    year = _year(one["year"], today)
    if year is None:
        year = today.year if date(today.year, month, 1) <= today + FAR else today.year - 1
    return Found(Kind.moment, f"{year:04d}-{month:02d}", one.start(), one.end(), 0.8) if year else None


def _year(told: str | None, today: date) -> int | None:
    if not told:
        return None
    if told in _YEARS:
        return today.year + _YEARS[told]
    year = number_of(told) or 0
    return year if 1950 <= year <= 2100 else None


def _month_of(today: date, by: int) -> tuple[int, int]:
    months = today.year * 12 + today.month - 1 + by
    return months // 12, months % 12 + 1


def _within(month: tuple[int, int], dom: int | None, sure: float) -> tuple[date, float, str] | None:
    day = _date(*month, dom)
    return None if day is None else (day, sure, "")


def _date(year: int, month: int | None, dom: int | None) -> date | None:
    if month is None or dom is None or not 1 <= month <= 12 or not 1 <= dom <= monthrange(year, month)[1]:
        return None
    return date(year, month, dom)


def _timed(one: re.Match[str], day: _Day | None, text: str, at: datetime) -> Found | None:
    """A time with its day, or of the call's own day where nobody named another; None for what is no time."""
    hour, minute = number_of(one["hour"]), _minute(one)
    part = one["part"] or (day.part if day else "")
    if hour is None or minute is None or hour > 24 or (day is None and not part):
        return None
    start = day.start if day else one.start()
    if day is None and (_RANGE.match(text, one.end()) or _OPENING.search(text[max(0, start - 4) : one.end() + 8])):
        return None
    clock = _clock(hour, part)
    if clock is None:  # it may be morning or afternoon: the day is what is known
        return Found(Kind.moment, day.value.isoformat(), start, one.end(), day.sure) if day else None
    later, hour = clock
    moment = datetime.combine((day.value if day else at.date()) + timedelta(days=later), time(hour, minute))
    if day is None and moment > at.replace(tzinfo=None):
        return None
    sure = day.sure if day else 0.6
    return Found(Kind.moment, moment.isoformat(timespec="minutes"), start, one.end(), sure)


def _minute(one: re.Match[str]) -> int | None:
    if one["half"]:
        return 30
    if one["quarter"]:
        return 15 * (number_of(one["quarter"]) or 0)
    if not one["minute"]:
        end = one.end()
        colon = one.string[end - 1 : end] in (":", "：")
        return None if colon else 0
    minute = number_of(one["minute"])
    return minute if minute is not None and minute < 60 else None


def _clock(hour: int, part: str) -> tuple[int, int] | None:
    """(days later, hour of 24); None where it is not known which half of the day."""
    if hour > 12:
        return (1, 0) if hour == 24 else (0, hour)
    if part in ("晚上", "夜里", "夜晚", "半夜", "深夜"):
        if hour == 12:
            return 1, 0
        return (0, hour + 12) if hour >= 6 else (1 if part in ("晚上", "夜晚") else 0, hour)
    if part in ("下午", "傍晚"):
        return 0, hour if hour == 12 else hour + 12
    if part == "中午":
        return 0, hour if hour >= 10 else hour + 12
    if part:
        return 0, 0 if hour == 12 and part == "凌晨" else hour
    return None
