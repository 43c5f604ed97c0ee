"""What the reviews of a quarter come to, and what several quarters mean (篇6). Pure.

Two quarters failed within a year: off duty until trained; three: the year is failed; three times among the first
three of a quarter: 优秀. A quarter in progress is shown and means nothing yet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.errors import BadInput
from app.quality.criteria import PASS_MARK

LEAST_REVIEWS = 3  # fewer say nothing of a person
FIRST_PLACES = 3
OFF_DUTY_AFTER, YEAR_FAILED_AFTER, EXCELLENT_AFTER = 2, 3, 3
_QUARTER = re.compile(r"(20[0-9]{2})Q([1-4])")


@dataclass(frozen=True, order=True)
class Quarter:
    """Three months of a year, 1 to 4."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        following = Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)
        return following.first - timedelta(days=1)


def quarter_of(day: date) -> Quarter:
    """The quarter of that day."""
    return Quarter(day.year, (day.month + 2) // 3)


def parse_quarter(text: str) -> Quarter:
    """ "2026Q4". Raises BadInput."""
    found = _QUARTER.fullmatch(text)
    if found is None:
        raise BadInput(fields={"quarter": "写作 2026Q4 (written 2026Q4)"})
    return Quarter(int(found[1]), int(found[2]))


@dataclass(frozen=True)
class Judged:
    """One review that counts: the talk's score from 0 to 100."""

    review_id: int
    total: int


@dataclass(frozen=True)
class Result:
    """An agent's quarter. `mean` is in tenths, rounded half up; `passed` None: too few reviews; `place` among those
    who passed, equal means equal places, None for the others. `of` are the reviews it came from."""

    agent_id: str
    reviews: int
    mean: int | None
    passed: bool | None
    place: int | None = None
    of: tuple[int, ...] = ()


def results(judged: Mapping[str, Sequence[Judged]], least: int = LEAST_REVIEWS) -> list[Result]:
    """Everybody's quarter, by agent."""
    made = [_result(agent_id, of, least) for agent_id, of in sorted(judged.items())]
    means = sorted((one.mean for one in made if one.passed and one.mean is not None), reverse=True)
    return [
        replace(one, place=means.index(one.mean) + 1) if one.passed and one.mean is not None else one for one in made
    ]


def _result(agent_id: str, of: Sequence[Judged], least: int) -> Result:
    count, ids = len(of), tuple(sorted(one.review_id for one in of))
    if not count:
        return Result(agent_id, 0, None, None)
    mean = (20 * sum(one.total for one in of) + count) // (2 * count)
    return Result(agent_id, count, mean, mean >= 10 * PASS_MARK if count >= least else None, of=ids)


@dataclass(frozen=True)
class Confirmed:
    """A quarter's result as it was confirmed, and when."""

    quarter: Quarter
    passed: bool | None
    place: int | None
    at: datetime


@dataclass(frozen=True)
class Standing:
    """What an agent's year means so far."""

    failed: tuple[Quarter, ...] = ()
    first: tuple[Quarter, ...] = ()
    off_duty: bool = False
    year_failed: bool = False
    excellent: bool = False


def standing(year: int, confirmed: Iterable[Confirmed], trained: Collection[datetime] = ()) -> Standing:
    """Two failed quarters of a year: off duty until a training that came after the last of them was confirmed."""
    of_year = sorted((one for one in confirmed if one.quarter.year == year), key=lambda one: one.quarter)
    failed = [one for one in of_year if one.passed is False]
    first = [one for one in of_year if one.place is not None and one.place <= FIRST_PLACES]
    bars = max((one.at for one in failed), default=None) if len(failed) >= OFF_DUTY_AFTER else None
    return Standing(
        failed=tuple(one.quarter for one in failed),
        first=tuple(one.quarter for one in first),
        off_duty=bars is not None and not any(at > bars for at in trained),
        year_failed=len(failed) >= YEAR_FAILED_AFTER,
        excellent=len(first) >= EXCELLENT_AFTER,
    )
