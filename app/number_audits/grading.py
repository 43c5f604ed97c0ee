"""What an audited number is worth: the five criteria of 篇4 as an auditor asks them, and the table by areas. Pure.

The levels, their points and the weights are those of quality review; grades too, since 篇4's own limits between A, B, C
and D are not handed down. What is: 合格率 = (A + B) / n, means of areas unweighted, and a number that nobody answers
is a D.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from app.number_audits.model import Mode, Result
from app.quality.criteria import CRITERIA, NOT_ASKED, Criterion, Grade, Score, faults, score

IN_TIME_S, SOON_S, AT_LAST_S = 15, 30, 45  # of ringing (GB/T 33358 asks for 15)
_ASKS: Mapping[str, tuple[str, str]] = {
    "timely": (
        "工作时间拨打公布的号码，是否及时有人接听（15 秒内）。",
        "Was the published number answered in office hours, within 15 s?",
    ),
    "skilled": (
        "是否清楚本单位职责和政策，答复是否准确。",
        "Knows what the unit does and what holds; the answer is right.",
    ),
    "first_asked": (
        "不属于本处室的事项，是否先接下来再告知或转接，没有一推了之。",
        "Took on what belongs to another desk, and told or passed it on, instead of sending the caller away.",
    ),
    "warm": ("语气是否平和耐心，是否主动询问。", "Calm, patient, asks by themselves."),
    "polite": ("是否报出单位名称，是否使用文明用语，有无忌语。", "Gives the unit's name, polite, no forbidden phrase."),
}
AUDITED: Sequence[Criterion] = tuple(
    # In a call in which nobody was asked anything, only when and how it was answered can be judged.
    replace(one, asks_zh=_ASKS[one.code][0], asks_en=_ASKS[one.code][1], optional=one.code != "timely")
    for one in CRITERIA
)
UNREACHED = Score(0, False)
"""Whoever published a number at which nobody can be reached gets nothing for it (D)."""


def form_faults(result: Result, given: Mapping[str, str]) -> dict[str, str]:
    """What keeps this from being a complete form, by field; a number that nobody answered is not judged further."""
    if result is Result.answered:
        return faults(given, AUDITED)
    return (
        {"scores": "未接通的号码不评五项标准 (nobody answered: there is nothing to judge)"}
        if any(given.values())
        else {}
    )


def worth(result: Result, given: Mapping[str, str]) -> Score:
    """What a complete form is worth."""
    return score(given, AUDITED) if result is Result.answered else UNREACHED


def proposed(result: Result, mode: Mode, waited_s: float | None) -> dict[str, str]:
    """The form as it is laid before the reviewer: how long it rang is known, and what a machine asked nobody."""
    if result is not Result.answered or waited_s is None:
        return {}
    level = "excellent" if waited_s <= IN_TIME_S else "good" if waited_s <= SOON_S else "fair"
    form = {"timely": level if waited_s <= AT_LAST_S else "poor"}
    if mode is Mode.automatic:
        form |= {one.code: NOT_ASKED for one in AUDITED if one.code in ("skilled", "first_asked")}
    return form


@dataclass(frozen=True)
class Marked:
    """A number that was graded."""

    area: str
    grade: Grade
    total: int


@dataclass(frozen=True)
class AreaRow:
    """An area (or all of them): how many numbers, how many of each grade, the share of A and B in tenths of a percent,
    and the mean score in tenths."""

    area: str
    n: int
    grades: Mapping[Grade, int]
    passed: int
    mean: int


def by_area(marked: Iterable[Marked]) -> list[AreaRow]:
    """The areas, the best share first, then the best mean, as 篇4 ranks them."""
    held: dict[str, list[Marked]] = {}
    for one in marked:
        held.setdefault(one.area, []).append(one)
    rows = [_row(area, ones) for area, ones in held.items()]
    return sorted(rows, key=lambda row: (-row.passed, -row.mean, row.area))


def overall(marked: Sequence[Marked]) -> AreaRow | None:
    """All areas together; the mean is the mean of the areas' means, each counting alike (M2). None for nothing."""
    if not marked:
        return None
    whole = _row("", marked)
    areas: dict[str, list[int]] = {}
    for one in marked:
        areas.setdefault(one.area, []).append(one.total)
    means = [Fraction(sum(totals), len(totals)) for totals in areas.values()]
    return replace(whole, mean=tenths(sum(means, Fraction(0)) / len(means)))


def tenths(value: Fraction) -> int:
    """In tenths, rounded half up: 65.25 → 653."""
    exact = Decimal(10 * value.numerator) / Decimal(value.denominator)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _row(area: str, ones: Sequence[Marked]) -> AreaRow:
    counted = Counter(one.grade for one in ones)
    grades = {grade: counted.get(grade, 0) for grade in Grade}
    passed = Fraction(100 * (grades[Grade.A] + grades[Grade.B]), len(ones))
    return AreaRow(area, len(ones), grades, tenths(passed), tenths(Fraction(sum(one.total for one in ones), len(ones))))
