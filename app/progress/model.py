"""The code of a case, and what its citizen reads of where it stands. Pure.

Nothing here is a word that somebody wrote: stages and steps are names, which pages say in the reader's language.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.cases.states import CaseAct, CaseState

CODE_DIGITS = 8
"""Eight digits are said in two breaths and keyed in on a telephone. With 30 wrong tries in 15 minutes for a case (see
`app.auth.limits`) a guesser needs half a century for one case."""


def code_of(key: str, number: str) -> str:
    """The code of the case with this number: eight digits, the same as long as `key` is. Stored nowhere."""
    digest = hmac.new(key.encode(), f"progress:{number}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest, 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def typed_code(text: str) -> str | None:
    """The code that somebody typed, however grouped or in whatever digits; None if it is none."""
    digits = "".join(char for char in unicodedata.normalize("NFKC", text) if char in "0123456789")
    return digits if len(digits) == CODE_DIGITS else None


class Step(StrEnum):
    """What a citizen is told of what happened."""

    registered = "registered"
    dispatched = "dispatched"  # given to a unit
    accepted = "accepted"  # a unit has signed for it
    handling = "handling"
    answered = "answered"  # the unit has replied, the centre looks at it
    follow_up = "follow_up"  # the centre found the result right
    redo = "redo"
    returned = "returned"  # another unit is looked for
    deferred = "deferred"
    merged = "merged"  # handled with the same matter of somebody else
    reopened = "reopened"
    refused = "refused"
    closed = "closed"


@dataclass(frozen=True)
class Told:
    """A step and when it was."""

    step: Step
    at: datetime


@dataclass(frozen=True)
class Line:
    """A line of a case's history, as far as it moves the case."""

    event: str
    at: datetime
    moved: bool


STEPS: Mapping[CaseAct, Step] = {
    CaseAct.registered: Step.registered,
    CaseAct.answered: Step.closed,
    CaseAct.guided: Step.closed,
    CaseAct.referred: Step.closed,
    CaseAct.transferred: Step.closed,
    CaseAct.declined: Step.refused,
    CaseAct.reopened: Step.reopened,
    CaseAct.dispatched: Step.dispatched,
    CaseAct.signed: Step.accepted,
    CaseAct.started: Step.handling,
    CaseAct.replied: Step.answered,
    CaseAct.accepted: Step.follow_up,
    CaseAct.redo: Step.redo,
    CaseAct.returned: Step.returned,
    CaseAct.return_refused: Step.dispatched,
    CaseAct.deferred: Step.deferred,
    CaseAct.resumed: Step.handling,
    CaseAct.closed: Step.closed,
    CaseAct.merged: Step.merged,
    CaseAct.unmerged: Step.reopened,
}
"""Acts that a citizen is told of; the rest is the offices' own affair (篇6 第16条 keeps all of it)."""


def steps_of(lines: Iterable[Line]) -> list[Told]:
    """What a citizen is told, oldest first. What was taken back has not been."""
    told: list[Told] = []
    for line in lines:
        if line.event == CaseAct.taken_back.value:
            del told[-1:]
        elif line.moved and line.event in CaseAct.__members__ and (step := STEPS.get(CaseAct(line.event))):
            told.append(Told(step, line.at))
    return told


class Withheld(StrEnum):
    """Why an answer that there is stays unsaid here."""

    confidential = "confidential"  # the citizen asked for secrecy
    merged = "merged"  # it was written for somebody else


ANSWERED_AT_ONCE = frozenset({CaseState.answered, CaseState.guided, CaseState.transferred})
WITH_RESULT = frozenset({CaseState.to_follow_up, CaseState.closed, CaseState.archived})
"""A unit's result is public once the centre has accepted it, and no longer when it is to be done again."""
