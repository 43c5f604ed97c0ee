"""The life of a call-back, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.transitions import step_in


class CallbackState(StrEnum):
    """Where a call-back stands."""

    open = "open"
    taken = "taken"  # an agent is calling
    dialling = "dialling"  # the queue is calling
    done = "done"
    given_up = "given_up"  # reached nobody in several tries
    cancelled = "cancelled"


class CallbackEvent(StrEnum):
    """What happens to it."""

    take = "take"
    dial = "dial"
    reach = "reach"
    miss = "miss"
    give_up = "give_up"
    release = "release"  # put back without a call
    reopen = "reopen"  # a supervisor has it tried once more
    cancel = "cancel"


class AttemptOutcome(StrEnum):
    """How one attempt of an agent went."""

    reached = "reached"
    missed = "missed"  # rung in vain: the attempt counts
    not_dialled = "not_dialled"  # it did not come to that: the attempt does not count
    refused = "refused"  # the number may not be called: nobody shall try again unless a supervisor says so


class LineStep(StrEnum):
    """What the queue tells of a promise that it keeps."""

    entered = "entered"
    rests = "rests"
    left = "left"  # for people to deal with
    reached = "reached"
    given_up = "given_up"
    withdrawn = "withdrawn"  # the citizen does not want it any more


S, E = CallbackState, CallbackEvent
TRANSITIONS: Mapping[tuple[CallbackState, CallbackEvent], CallbackState] = {
    (S.open, E.take): S.taken,
    (S.open, E.cancel): S.cancelled,
    (S.open, E.reach): S.done,  # the citizen called again meanwhile and was answered
    (S.open, E.dial): S.dialling,
    (S.open, E.give_up): S.given_up,  # the queue has kept it for as long as it may
    (S.taken, E.take): S.taken,  # the same agent presses again; another one is refused by the service
    (S.taken, E.reach): S.done,
    (S.taken, E.miss): S.open,
    (S.taken, E.give_up): S.given_up,
    (S.taken, E.release): S.open,
    (S.taken, E.cancel): S.cancelled,
    (S.dialling, E.reach): S.done,
    (S.dialling, E.miss): S.open,
    (S.dialling, E.give_up): S.given_up,
    (S.dialling, E.release): S.open,
    (S.dialling, E.cancel): S.cancelled,
    (S.given_up, E.reopen): S.open,
    (S.given_up, E.cancel): S.cancelled,
}
del S, E
OPEN = (CallbackState.open, CallbackState.taken, CallbackState.dialling)
MOST_ATTEMPTS = 3
NOT_ALLOWED = "not_allowed"  # the result of a promise whose number may not be called back (any more)
RETRY_AFTER = timedelta(minutes=15)  # between two tries: whoever did not answer is busy for a while


@dataclass(frozen=True)
class Place:
    """Where a caller stands in the queue and whom they need. `since` is aware; None: they never stood there."""

    queue: str = ""
    since: datetime | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0


def next_state(state: CallbackState, event: CallbackEvent) -> CallbackState:
    """The state after `event`. Raises Refused for a pair that is not in the table."""
    return step_in(TRANSITIONS, (state, event), "该回拨请求已处理。", "This call-back has been dealt with already.")
