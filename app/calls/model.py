"""What is known of a call, and how it may end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CallOutcome(StrEnum):
    """What became of a call, from the citizen's point of view."""

    answered = "answered"  # spoke with an agent
    abandoned = "abandoned"  # hung up while waiting
    voicemail = "voicemail"
    callback = "callback"
    transferred = "transferred"  # sent on without an agent, e.g. to 110
    fax = "fax"
    self_service = "self_service"  # heard what they wanted from the menu
    failsafe = "failsafe"  # served by Asterisk alone
    failed = "failed"


class ThirdOutcome(StrEnum):
    """What came of ringing a third party for a talk."""

    talked = "talked"
    busy = "busy"
    no_answer = "no_answer"
    unreachable = "unreachable"
    refused = "refused"  # not permitted
    cancelled = "cancelled"  # given up before they answered


class PauseEnd(StrEnum):
    """What ended a confidential pause."""

    agent = "agent"
    time = "time"  # it was due
    left = "left"  # no agent was there any more
    call_end = "call_end"
    unseen = "unseen"  # while nobody looked: the call ended, or the pause alone


@dataclass(frozen=True)
class CallFacts:
    """The facts of one call. Times are aware UTC; `path` holds menu node ids joined by ">".

    `number` is "" when withheld. `joined_at` is the first time in the queue and never changes. At `foretold_at` the
    caller was told for the first time how much longer it would take: between low and high seconds, half of the time no
    longer than the middle. `held_s`: for how many seconds in all the caller was put on music during the talk.
    """

    call_id: str
    number: str = ""
    name: str = ""
    line: str = ""
    language: str = "zh"
    path: str = ""
    queue: str = ""
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0
    started_at: datetime | None = None
    joined_at: datetime | None = None
    offered_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    agent_id: str | None = None
    outcome: CallOutcome | None = None
    cause: str | None = None
    failsafe_cause: str | None = None
    rating: int | None = None
    held_s: int | None = None
    direction: str = "in"
    foretold_at: datetime | None = None
    foretold_low_s: int | None = None
    foretold_middle_s: int | None = None
    foretold_high_s: int | None = None
    citizen_id: int | None = None

    @property
    def waited_s(self) -> int | None:
        """Whole seconds from the first join to the answer, or to the end of a call never answered."""
        until = self.answered_at or self.ended_at
        if self.joined_at is None or until is None:
            return None
        return max(0, int((until - self.joined_at).total_seconds()))

    @property
    def talk_s(self) -> int | None:
        """Whole seconds from the answer to the end."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return max(0, int((self.ended_at - self.answered_at).total_seconds()))


# How facts merge: the field's longest text; times of which the earliest stays true.
TEXTS: Mapping[str, int] = {
    "number": 32,
    "name": 64,
    "line": 32,
    "language": 8,
    "path": 500,
    "queue": 32,
    "agent_id": 16,
    "cause": 64,
    "failsafe_cause": 64,
    "direction": 3,
}
EARLIEST = frozenset({"started_at", "joined_at", "answered_at"})
