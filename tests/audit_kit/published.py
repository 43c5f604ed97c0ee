"""篇4's table: 317 published numbers in 21 areas, their grades, the share that passed, and the mean score.

The single scores are not handed down. `scores_of` finds, for each area, scores that forms can give and that come to
exactly the published figures, with as many numbers at which nobody could be reached (0 points) as these allow.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from app.number_audits.grading import AUDITED
from app.quality.criteria import Grade, score


@dataclass(frozen=True)
class Area:
    """A row: how many numbers got each grade, 合格率 and mean score in tenths."""

    name: str
    grades: tuple[int, int, int, int]
    passed: int
    mean: int

    @property
    def n(self) -> int:
        """How many numbers."""
        return sum(self.grades)


AREAS = (
    Area("济宁", (1, 10, 3, 4), 611, 653), Area("海淀", (1, 8, 0, 6), 600, 600), Area("济南", (0, 8, 2, 4), 571, 616),
    Area("皇姑", (1, 7, 1, 6), 533, 522), Area("新华", (0, 8, 0, 7), 533, 444), Area("商河", (0, 7, 5, 3), 467, 691),
    Area("海城", (0, 7, 3, 5), 467, 583), Area("和平", (1, 6, 2, 6), 467, 515), Area("北辰", (0, 7, 0, 8), 467, 455),
    Area("保定", (0, 6, 3, 6), 400, 539), Area("历下", (0, 6, 2, 7), 400, 459), Area("秦皇岛", (0, 5, 3, 7), 333, 593),
    Area("石家庄", (0, 4, 5, 6), 267, 510), Area("平谷", (0, 4, 4, 7), 267, 489), Area("朝阳", (1, 3, 3, 8), 267, 485),
    Area("青岛", (2, 2, 2, 9), 267, 474), Area("烟台", (0, 3, 6, 6), 200, 498), Area("大连", (0, 3, 3, 9), 200, 488),
    Area("唐山", (0, 3, 3, 9), 200, 484), Area("沈阳", (0, 2, 1, 12), 133, 221), Area("滨海", (0, 1, 4, 10), 67, 282),
)  # fmt: skip
OVERALL = Area("", (7, 110, 55, 145), 369, 505)
"""All 317; the mean is the mean of the areas' means (篇4: 50.5), the share follows from the grades."""
_ORDER = (Grade.A, Grade.B, Grade.C, Grade.D)


@cache
def forms() -> Mapping[int, Mapping[str, str]]:
    """For each total that a form can come to, one form that does."""
    found: dict[int, dict[str, str]] = {}
    levels = [[level.code for level in one.levels if not level.fails] for one in AUDITED]
    for chosen in itertools.product(*levels):
        form = {one.code: code for one, code in zip(AUDITED, chosen, strict=True)}
        found.setdefault(score(form, AUDITED).total, form)
    return found


@cache
def scores_of(area: Area) -> tuple[int, ...]:
    """Scores of the numbers of an area, the best first: of each grade as many as were published, with the published
    mean. 0 stands for a number at which nobody could be reached. Raises ValueError where no scores do."""
    low, high = _sums(area)
    for unreached in range(area.grades[3], -1, -1):
        bins = [*zip(_ORDER, area.grades, strict=True)]
        bins[3] = (Grade.D, area.grades[3] - unreached)
        for total in range(low, high + 1):
            made = _fill(tuple(bins), total)
            if made is not None:
                return (*made, *([0] * unreached))
    raise ValueError(f"no scores come to {area}")


def _sums(area: Area) -> tuple[int, int]:
    """The smallest and the largest sum whose mean rounds (half up) to the published one."""
    low = -(-(2 * area.mean - 1) * area.n // 20)
    high = ((2 * area.mean + 1) * area.n - 1) // 20
    return low, high


def _fill(bins: tuple[tuple[Grade, int], ...], total: int) -> tuple[int, ...] | None:
    """Scores of these grades, so many of each, that sum up to `total`; None if there are none."""
    reach = [(min(_totals(grade)), max(_totals(grade))) for grade, _ in bins]
    made: list[int] = []
    left = total
    for at, (grade, count) in enumerate(bins):
        for n in range(count):
            rest = count - n - 1
            others = list(zip(reach[at + 1 :], bins[at + 1 :], strict=True))
            least = rest * reach[at][0] + sum(one[0] * many for one, (_, many) in others)
            most = rest * reach[at][1] + sum(one[1] * many for one, (_, many) in others)
            fits = [one for one in _totals(grade) if least <= left - one <= most]
            if not fits:
                return None
            middle = (left - (least + most) / 2) if rest or others else left
            chosen = min(fits, key=lambda one: abs(one - middle))
            made.append(chosen)
            left -= chosen
    return tuple(sorted(made, reverse=True)) if left == 0 else None


@cache
def _totals(grade: Grade) -> tuple[int, ...]:
    return tuple(sorted(total for total, form in forms().items() if score(form, AUDITED).grade is grade))
