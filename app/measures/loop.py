"""The measures of the case loop (M1): what each is made of. Pure.

Every rate is over one set of matters: the cases that came in within a period (of a unit: the assignments that it was
given), as they stand now. A numerator is always part of its denominator, so a rate is never above 1; what has no
outcome yet is in neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from app.measures.service import Rate


class Measure(StrEnum):
    """A rate of the loop."""

    closed = "closed"  # 办结率
    closed_in_time = "closed_in_time"  # 限时办结率
    satisfied = "satisfied"  # 满意率
    followed_up = "followed_up"  # 回访率
    contacted = "contacted"  # 响应率
    solved = "solved"  # 解决率
    returned = "returned"  # 退单率
    redone = "redone"  # 重办率
    chased = "chased"  # 催办率


@dataclass(frozen=True)
class Counts:
    """What is counted of one unit, or of the centre, within a period."""

    given: int = 0  # a unit was given; of the centre: handed on to be dispatched
    kept: int = 0  # neither given back nor taken away; of the centre: everything but what was merged into another case
    closed: int = 0  # of those kept: ended
    judged: int = 0  # whose first time to handle has an outcome
    in_time: int = 0  # … and that was met; a redo later does not make it late, nor good
    accepted: int = 0  # whose result was accepted, so that the citizen is to be asked
    asked: int = 0  # … and the citizen was spoken with
    rated: int = 0  # who said how satisfied they are, the last time that they were asked
    satisfied: int = 0  # … and at least fairly (基本满意)
    told_contact: int = 0  # who said whether they were contacted in time
    contacted: int = 0
    told_solved: int = 0  # who said whether it is solved
    solved: int = 0
    returned: int = 0  # given back at least once
    replied: int = 0  # replied to at least once
    redone: int = 0  # … and had to be done again
    chased: int = 0  # chased at least once (催办)

    def __add__(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Counts)})


# Of each measure, its numerator and its denominator.
PARTS: Mapping[Measure, tuple[str, str]] = {
    Measure.closed: ("closed", "kept"),
    Measure.closed_in_time: ("in_time", "judged"),
    Measure.satisfied: ("satisfied", "rated"),
    Measure.followed_up: ("asked", "accepted"),
    Measure.contacted: ("contacted", "told_contact"),
    Measure.solved: ("solved", "told_solved"),
    Measure.returned: ("returned", "given"),
    Measure.redone: ("redone", "replied"),
    Measure.chased: ("chased", "given"),
}


def rates(counts: Counts) -> dict[Measure, Rate]:
    """Every measure with what it is made of."""
    return {one: Rate(getattr(counts, top), getattr(counts, below)) for one, (top, below) in PARTS.items()}


def together(counts: Iterable[Counts]) -> Counts:
    """Many as one: rates of the sum, not the mean of rates."""
    return sum(counts, Counts())
