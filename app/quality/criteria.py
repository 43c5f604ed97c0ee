"""The five criteria of 篇4, their weights and levels, and the score that they give. Pure: tables and one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PASS_MARK = 60
MOST = 100


@dataclass(frozen=True)
class Level:
    """How well one criterion was met. `fails`: the talk is not passed, whatever the rest is worth."""

    code: str
    zh: str
    en: str
    points: int
    fails: bool = False


@dataclass(frozen=True)
class Criterion:
    """One of the things a talk is judged by; `optional`: it may not have come up."""

    code: str
    zh: str
    en: str
    weight: int
    asks_zh: str
    asks_en: str
    levels: tuple[Level, ...]
    optional: bool = False

    def level(self, code: str) -> Level | None:
        """The level of that code."""
        return next((one for one in self.levels if one.code == code), None)


NOT_ASKED = "none"  # the criterion did not come up in the talk
_LEVELS = (
    Level("excellent", "优秀", "excellent", 100),
    Level("good", "良好", "good", 85),
    Level("fair", "合格", "fair", 65),
    Level("poor", "不合格", "poor", 30),
)
_GRAVE = Level("grave", "严重", "grave", 0, fails=True)

CRITERIA: Sequence[Criterion] = (
    Criterion(
        "timely", "及时接听", "answered in time", 15,
        "来电派到后是否及时接听（15 秒内），开头是否报出热线和工号。",
        "Answered within 15 s of the ring, beginning with the hotline's name and the staff number.",
        _LEVELS, optional=True,
    ),
    Criterion(
        "skilled", "业务熟练", "knows the business", 30,
        "是否听清诉求、问全要素，答复是否准确，工单与所说是否一致。",
        "Understood and asked for what matters; the answer is right; the case says what was said.",
        (*_LEVELS, _GRAVE),
    ),
    Criterion(
        "first_asked", "首问负责", "owns the matter", 20,
        "是否先接下来再找承办单位，没有推给市民自己去问。",
        "Took the matter on and did not send the citizen away to ask elsewhere.",
        (*_LEVELS, _GRAVE), optional=True,
    ),
    Criterion(
        "warm", "态度热情", "friendly", 20,
        "语气是否平和耐心，是否不打断、不争执。",
        "Calm and patient; neither interrupts nor argues.",
        (*_LEVELS, _GRAVE),
    ),
    Criterion(
        "polite", "文明用语", "polite words", 15,
        "是否使用文明用语，有无忌语。",
        "Polite phrases, and none of the forbidden ones.",
        (*_LEVELS, _GRAVE),
    ),
)  # fmt: skip


class Grade(StrEnum):
    """How 篇4 groups scores; D is not passed."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True)
class Score:
    """What a form is worth. `total` is from 0 to 100, rounded half up; `grave` are the criteria that fail it alone."""

    total: int
    passed: bool
    grave: tuple[str, ...] = ()

    @property
    def grade(self) -> Grade:
        """A from 90, B from 75, C from the pass mark on; D is failed."""
        if not self.passed:
            return Grade.D
        return Grade.A if self.total >= 90 else Grade.B if self.total >= 75 else Grade.C


def faults(given: Mapping[str, str], criteria: Sequence[Criterion] = CRITERIA) -> dict[str, str]:
    """What keeps this from being a complete form, by criterion (fields scores.CODE); {} if nothing does."""
    wrong = {f"scores.{code}": "没有这项标准 (no such criterion)" for code in given.keys() - {c.code for c in criteria}}
    for one in criteria:
        chosen = given.get(one.code, "")
        if not chosen:
            wrong[f"scores.{one.code}"] = f"给“{one.zh}”评级 (choose a level)"
        elif chosen == NOT_ASKED:
            if not one.optional:
                wrong[f"scores.{one.code}"] = f"“{one.zh}”必须评级 (a level is needed)"
        elif one.level(chosen) is None:
            wrong[f"scores.{one.code}"] = "没有这一级 (no such level)"
    if not wrong and all(given[one.code] == NOT_ASKED for one in criteria):
        wrong["scores"] = "至少评一项 (at least one)"
    return wrong


def score(given: Mapping[str, str], criteria: Sequence[Criterion] = CRITERIA) -> Score:
    """The weighted mean of what came up in the talk. `given` is level by criterion, complete (`faults` is empty)."""
    points = weights = 0
    grave = []
    for one in criteria:
        level = one.level(given[one.code])
        if level is None:  # did not come up: the others weigh the more
            continue
        points += one.weight * level.points
        weights += one.weight
        if level.fails:
            grave.append(one.code)
    total = (2 * points + weights) // (2 * weights)
    return Score(total, total >= PASS_MARK and not grave, tuple(grave))
