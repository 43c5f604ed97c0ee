"""What the routes of campaigns take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.campaigns.model import (
    LONGEST_NAME,
    LONGEST_TEXT,
    AtNight,
    CampaignState,
    Channel,
    Kind,
    Mode,
    OnMachine,
    Outcome,
    TargetState,
)
from app.campaigns.service import Wanted
from app.cases.routes import CaseSearch
from app.http.schema import Answer, Body, Listing, Version

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$")]
Language = Literal["zh", "yue", "en"]


class TextsIn(Body):
    """What is said in one language: why we call, the message, and a question."""

    purpose: str = Field(default="", max_length=200)
    message: str = Field(default="", max_length=LONGEST_TEXT * 2)
    question: str = Field(default="", max_length=LONGEST_TEXT * 2)


class CampaignIn(Body):
    """A campaign as it is to be."""

    name: str = Field(max_length=LONGEST_NAME * 2)
    kind: Kind
    mode: Mode = Mode.lines
    queue: str = Field(default="general", max_length=32)
    priority: int = Field(default=0, ge=-100, le=90)
    texts: dict[Language, TextsIn] = Field(max_length=3)
    answers: dict[str, str] = Field(default_factory=dict, max_length=7)
    on_machine: OnMachine = OnMachine.message
    channel: Channel = Channel.phone
    at_night: AtNight = AtNight.wait
    windows: list[tuple[Clock, Clock]] = Field(min_length=1, max_length=4)
    workdays: bool = False
    most_attempts: int = Field(default=3, ge=1, le=10)
    spacing: dict[str, int] = Field(default_factory=dict, max_length=20)
    ring_s: int = Field(default=25, ge=10, le=60)
    most_lines: int = Field(default=5, ge=1, le=100)
    gathers: bool = False

    def wanted(self) -> Wanted:
        """What the use case takes."""
        told = self.model_dump(exclude={"version", "windows"})
        return Wanted(**told, windows=tuple(self.windows))


class CampaignEdit(CampaignIn):
    """… and the version that the editor saw."""

    version: Version


class TextsOut(Answer):
    """What is said in one language."""

    purpose: str
    message: str
    question: str


class CampaignOut(Answer):
    """A campaign; `targets`: state → how many numbers; `recordings`: languages whose message is a recording."""

    id: int
    name: str
    kind: Kind
    state: CampaignState
    mode: Mode
    queue: str
    priority: int
    texts: dict[str, TextsOut]
    recordings: list[str]
    answers: dict[str, str]
    on_machine: OnMachine
    channel: Channel
    at_night: AtNight
    windows: list[list[str]]
    workdays: bool
    most_attempts: int
    spacing: dict[str, int]
    ring_s: int
    most_lines: int
    gathers: bool
    targets: dict[str, int]
    version: int
    created_at: str
    created_by_name: str | None
    started_at: str | None
    ended_at: str | None


class CampaignFilter(Listing):
    """Which campaigns."""

    state: CampaignState | None = None


class TargetFilter(Listing):
    """Which numbers of a list."""

    state: TargetState | None = None
    outcome: Outcome | None = None


class TargetOut(Answer):
    """A number on a list; masked for those who may not see it. `why` says what forbids calling it."""

    id: int
    number: str
    language: str
    channel: str
    case_id: int | None
    state: TargetState
    attempts: int
    next_at: str | None
    outcome: str
    answer: str
    person: bool
    why: str
    ended_at: str | None


class CaseSelection(CaseSearch):
    """The callers of which cases; tried only unless `dry_run` is false."""

    dry_run: bool = True


class FromCasesOut(Answer):
    """What a selection of cases gives; `left_out`: why → how many."""

    found: int
    added: int
    known: int
    without_number: int
    left_out: dict[str, int]
    written: bool


class ResultsOut(Answer):
    """Attempts by outcome; of the people, where they stand, what they answered, and how many wanted a person."""

    attempts: int
    on_their_way: int
    outcomes: dict[str, int]
    states: dict[str, int]
    answers: dict[str, int]
    persons: int


class Heard(Body):
    """Which part of a campaign somebody wants to hear."""

    language: Language
    part: Literal["who", "keys", "message", "question", "refused", "thanks", "through"]
