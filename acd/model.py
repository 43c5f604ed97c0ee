"""The queue engine's vocabulary: events in, decisions out.

Times are integer epoch milliseconds and named `*_ms`; durations in seconds are named `*_s`. Ids are strings: a call id
is the unique id of the citizen's channel, an agent id is the staff number. Everything is frozen; mappings are treated
as read-only. What the engine shows of itself is in `acd.views`, its configuration in `acd.config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from acd.config import EngineConfig as EngineConfig
from acd.config import OverflowTo as OverflowTo
from acd.config import QueueConfig as QueueConfig

# ------------------------------------------------------------------------------------------------------------- states


class AgentState(StrEnum):
    """What an agent is doing. Whether calls may be offered also depends on the phone; see `AgentStateChanged`."""

    SIGNED_OUT = "signed_out"
    READY = "ready"
    OFFERED = "offered"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    NOT_READY = "not_ready"


class CallState(StrEnum):
    """Where a call is, seen from the queue."""

    WAITING = "waiting"
    RETURNING = "returning"  # an offer ended; the caller is on the way back to the hold loop
    OFFERED = "offered"
    TALKING = "talking"
    OVERFLOWED = "overflowed"  # sent to voicemail or call-back; its place is kept until it has left
    FINISHED = "finished"  # the talk is over, the caller still connected (rating, transfer)


class FailCause(StrEnum):
    """Why an offer ended without a talk."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"  # nobody's fault: the agent stays ready
    DESKTOP_SILENT = "desktop_silent"  # the agent's page never confirmed the pop


# Reasons for not ready that agents choose; others are accepted and shown as they are.
NOT_READY_REASONS = ("break", "meal", "busy", "training", "meeting", "follow_up", "other")


# ------------------------------------------------------------------------------------------------------------- reason


class ReasonCode(StrEnum):
    """Why the engine decided so; `acd.explain.words` says it in Chinese and English."""

    # a call joins
    NEW_CALL = "new_call"
    PLACE_KEPT = "place_kept"
    ADOPTED = "adopted"
    # an offer
    LONGEST_IDLE = "longest_idle"
    NEXT_IN_LINE = "next_in_line"
    # an offer ends
    CALLER_LEFT = "caller_left"
    BACK_IN_HOLD = "back_in_hold"
    OFFER_TIMEOUT = "offer_timeout"
    AGENT_SIGNED_OUT = "agent_signed_out"
    PHONE_LOST = "phone_lost"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    # an overflow
    WAITED_TOO_LONG = "waited_too_long"
    QUEUE_FULL = "queue_full"
    NOBODY_SIGNED_IN = "nobody_signed_in"
    # an agent's state
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    RESTORED = "restored"
    AGENT_CHOSE = "agent_chose"
    SET_BY_OTHER = "set_by_other"
    OFFERED = "offered"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    PHONE_BUSY = "phone_busy"
    REJECTED = "rejected"
    PHONE_UNREACHABLE = "phone_unreachable"
    PHONE_REACHABLE = "phone_reachable"
    PHONE_IN_USE = "phone_in_use"
    PHONE_FREE = "phone_free"
    BUSY_OUTSIDE = "busy_outside"
    FREE_AGAIN = "free_again"
    DESKTOP_SILENT = "desktop_silent"
    OFFER_CANCELLED = "offer_cancelled"
    TALK_ENDED = "talk_ended"
    WRAPUP_DONE = "wrapup_done"
    WRAPUP_EXTENDED = "wrapup_extended"
    WRAPUP_OVER = "wrapup_over"
    NEXT_STATE = "next_state"
    NEXT_STATE_CANCELLED = "next_state_cancelled"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and the facts it rests on (numbers and ids, never a caller's number or name)."""

    code: ReasonCode
    facts: Mapping[str, int | str] = field(default_factory=dict)


class Why(StrEnum):
    """Why an event was refused."""

    UNKNOWN_EVENT = "unknown_event"
    BAD_VALUE = "bad_value"
    UNKNOWN_CALL = "unknown_call"
    UNKNOWN_AGENT = "unknown_agent"
    UNKNOWN_OFFER = "unknown_offer"
    STALE_OFFER = "stale_offer"
    NOT_NOW = "not_now"
    NOT_THEIR_CALL = "not_their_call"
    TOO_LONG = "too_long"


# ------------------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class CallJoined:
    """A caller is in the hold loop, for the first time or again.

    The first `joined_ms` ever seen is the call's place; the same call joining again keeps it. `skills` are required
    levels, 1 to 5. `attempt` counts entries into the hold loop (AcdJoin's Attempt): a number not higher than one seen
    before is a duplicate and changes nothing; 0 means unknown, and then a call that is offered or talking is taken to
    be back. `language` and `caller` are carried for the view only.
    """

    call_id: str
    queue: str = "general"
    joined_ms: int = 0
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    language: str = "zh"
    caller: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class CallLeft:
    """The caller is gone from queue and talk: hung up, or went to voicemail, call-back, transfer (`reason`)."""

    call_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    call_id: str
    agent_id: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """An offer ended without a talk. The call is offered again once `CallJoined` says it is back in the hold loop
    (or after `EngineConfig.return_s`), with its old place."""

    call_id: str
    agent_id: str
    offer_id: str
    cause: FailCause


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """This agent is no longer in the talk; the caller may still be connected."""

    call_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class TalkAdopted:
    """Agent and caller are found talking: after a restart, or joined through a consult. Both may be unknown."""

    call_id: str
    agent_id: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    """The agent's shift begins. For an agent already signed in: new skills and queues, the state stays."""

    agent_id: str
    skills: Mapping[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ("general",)
    ready: bool = False


@dataclass(frozen=True, slots=True)
class AgentRestored:
    """An agent who was signed in before the engine restarted, as they were then: ready, not_ready (with `reason`) or
    wrap_up (until `until_ms`). Who talks is restored by `TalkAdopted`. For an agent already signed in it only brings
    skills and queues, as `AgentSignedIn` does."""

    agent_id: str
    skills: Mapping[str, int]
    queues: tuple[str, ...]
    state: AgentState
    since_ms: int
    idle_since_ms: int
    until_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AgentSignedOut:
    """The shift ends; during a talk it ends with the talk."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class AgentReady:
    """示闲. During offer and talk: cancels a queued next state. During wrap-up: ends it."""

    agent_id: str
    by: str = "agent"


@dataclass(frozen=True, slots=True)
class AgentNotReady:
    """示忙 with a reason. During offer and talk it is queued as the next state; during wrap-up it ends it."""

    agent_id: str
    reason: str = "other"
    by: str = "agent"


@dataclass(frozen=True, slots=True)
class NextState:
    """What the agent wants to be after this call and its wrap-up: not_ready with a reason, signed_out, or ready, which
    cancels. Outside offer, talk and wrap-up it acts at once."""

    agent_id: str
    state: AgentState
    reason: str = ""
    by: str = "agent"


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    """The telephone's state. May come before the agent signs in. A phone never reported counts as reachable."""

    agent_id: str
    reachable: bool
    in_use: bool = False


@dataclass(frozen=True, slots=True)
class WrapUpDone:
    agent_id: str


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    agent_id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class AgentBusyOutside:
    """The agent is on a call that is not the queue's (click to dial, consult): no offers meanwhile."""

    agent_id: str
    busy: bool


@dataclass(frozen=True, slots=True)
class QueueConfigured:
    config: QueueConfig


@dataclass(frozen=True, slots=True)
class TelephoneLink:
    """Whether the telephone can be told anything. While it cannot, no offer is made or ended and nobody is sent on;
    places, states and wrap-up go on. What has become possible meanwhile is decided when the link is up again."""

    up: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened but time. Due at `Engine.next_wake_ms()`; more often does no harm."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that was no event when it was journalled; refused again on replay."""

    name: str


Event = (
    CallJoined
    | CallLeft
    | OfferAnswered
    | OfferFailed
    | TalkEnded
    | TalkAdopted
    | AgentSignedIn
    | AgentRestored
    | AgentSignedOut
    | AgentReady
    | AgentNotReady
    | NextState
    | PhoneChanged
    | WrapUpDone
    | WrapUpExtended
    | AgentBusyOutside
    | QueueConfigured
    | TelephoneLink
    | Tick
)

# ---------------------------------------------------------------------------------------------------------- decisions


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
