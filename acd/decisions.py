"""What the engine decides, each time with its reason. Units and ids as in `acd.events`."""

from __future__ import annotations

from dataclasses import dataclass

from acd.config import OverflowTo
from acd.reasons import Reason, Why
from acd.states import AgentState


@dataclass(frozen=True, slots=True)
class Queued:
    """A call took a place. `position` counts from 1 over all callers of the queue who have no agent yet."""

    call_id: str
    queue: str
    position: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring this agent for this call. The telephone's own limit should be `deadline_ms`."""

    offer_id: str
    call_id: str
    agent_id: str
    deadline_ms: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class CancelOffer:
    """Stop ringing. `recall`: the caller must be brought back to the hold loop (false when they are there or gone)."""

    offer_id: str
    call_id: str
    agent_id: str
    reason: Reason
    recall: bool = True


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """The agent's state, or one of the flags beside it, is now this.

    unreachable, in_use, busy_outside: why a ready agent gets no offers. not_ready_reason: in state not_ready.
    until_ms: end of wrap-up or of the offer. next_state, next_reason: queued for after the call, cancellable.
    """

    agent_id: str
    state: AgentState
    since_ms: int
    reason: Reason
    unreachable: bool = False
    in_use: bool = False
    busy_outside: bool = False
    not_ready_reason: str = ""
    until_ms: int | None = None
    next_state: AgentState | None = None
    next_reason: str = ""


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell the caller. Neither position nor wait ever rises for one call. The wait is a range in seconds, or None and
    None while nobody is there to serve it."""

    call_id: str
    position: int
    wait_low_s: int | None
    wait_high_s: int | None


@dataclass(frozen=True, slots=True)
class Overflow:
    """Send the caller there, then report `CallLeft`; if that is impossible report `CallJoined`: the place is kept."""

    call_id: str
    to: OverflowTo
    reason: Reason


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """`depth`: callers without an agent, those being offered included. `oldest_joined_ms` is None when it is empty."""

    queue: str
    depth: int
    oldest_joined_ms: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The event did not fit and changed nothing. `event` is its name, `subject` the call or agent it spoke of."""

    event: str
    why: Why
    subject: str = ""


Decision = Queued | Offer | CancelOffer | AgentStateChanged | Announce | Overflow | QueueChanged | Refused
