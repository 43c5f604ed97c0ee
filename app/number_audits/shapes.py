"""What routes of number audits are asked and answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.http.schema import Answer, Body, Listing, Version, Word
from app.http.shapes import RecordingOut
from app.number_audits.model import LONGEST_NOTE, MOST_AT_ONCE, Mode, Result, RoundState, RoundStep, TargetState
from app.quality.criteria import Grade


class RoundIn(Body):
    """A round as somebody wants it; without areas it is about all numbers in use."""

    title: str = Field(max_length=200)
    mode: Mode
    first_day: date
    last_day: date
    hours: str = Field(max_length=200)
    at_once: int = Field(default=4, ge=1, le=MOST_AT_ONCE)
    areas: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=500)

    @field_validator("first_day", "last_day")
    @classmethod
    def _countable(cls, value: date) -> date:
        if not 2000 <= value.year <= 2200:
            raise ValueError("out of range")
        return value


class RoundOut(Answer):
    """A round; `numbers` is how many of its numbers are in which state, `steps` what the asker can do about it."""

    id: int
    title: str
    state: RoundState
    mode: Mode
    first_day: str
    last_day: str
    hours: str
    at_once: int
    version: int
    numbers: dict[str, int]
    steps: list[RoundStep]
    published_at: str | None


class RoundMade(RoundOut):
    """A new round; `left_out`: how many numbers have no hour in it at which they may be called."""

    left_out: int


class StepIn(Body):
    """A step in the life of a round."""

    step: RoundStep
    version: Version


class AreaOut(Answer):
    """A row of the table: numbers, grades, the share of A and B in percent, the mean score."""

    area: str
    n: int
    grades: dict[str, int]
    passed: float
    mean: float


class TableOut(Answer):
    """The table by areas; `overall` has the mean of the areas' means."""

    rows: list[AreaOut]
    overall: AreaOut | None


class TargetFilter(Listing):
    """Which numbers of a round."""

    state: TargetState | None = None
    result: Result | None = None
    grade: Grade | None = None


class TargetSearch(TargetFilter):
    """Which numbers of a round, also by words: `q` is digits of the number or a part of its unit's name."""

    area: str = Field(default="", max_length=64)
    q: Word = ""


class TargetRow(Answer):
    """A number in a round."""

    id: int
    unit_id: int
    unit_name: str
    number: str
    area: str
    place: str
    state: TargetState
    result: Result | None
    total: int | None
    grade: Grade | None
    case_id: int | None


class OwnRow(TargetRow):
    """A number of one's own unit in a published round."""

    round_title: str
    published_at: str | None
    scores: dict[str, str]
    note: str


class AttemptOut(Answer):
    """A call, made or to come. `signs` are [sign, start_ms, end_ms]; `mine`: the asker is about to make it."""

    id: int
    ordinal: int
    state: str
    planned_at: str
    dialled_at: str | None
    waited_s: float | None
    lasted_s: float | None
    cause: int | None
    outcome: str | None
    signs: list[tuple[str, int, int]]
    recording: RecordingOut | None
    mine: bool


class TargetOut(TargetRow):
    """A number in a round with its calls and its form."""

    version: int
    round_id: int
    round_title: str
    round_state: RoundState
    mode: Mode
    office_hours: str
    heard: Result | None
    scores: dict[str, str]
    note: str
    reviewer_name: str
    graded_at: str | None
    attempts: list[AttemptOut]
    may_grade: bool
    may_call: bool


class Judgement(Body):
    """What a reviewer heard, and how well each criterion was met."""

    version: Version
    result: Literal["answered", "no_answer", "busy", "vacant", "intercepted", "fax", "silent", "wrong", "untried"]
    scores: dict[Annotated[str, Field(max_length=16)], Annotated[str, Field(max_length=16)]] = Field(
        default_factory=dict, max_length=10
    )
    note: str = Field(default="", max_length=LONGEST_NOTE)
