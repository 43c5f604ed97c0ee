"""What the engine decides, each time with its reason. Units and ids as in `acd.events`."""

from __future__ import annotations

from acd.config import NuisanceAction, OverflowTo
from acd.reasons import Reason, Why
from acd.record import record
from acd.states import AgentState


@record(frozen=True, slots=True)
class Queued:
    """A call took a place. `position` counts from 1 over all callers of the queue who have no agent yet."""

    call_id: str
    queue: str
    position: int
    reason: Reason


@record(frozen=True, slots=True)
class Offer:
    """Ring this agent for this call. The telephone's own limit should be `deadline_ms`.

    `callback`: nobody is on the line yet; the citizen is dialled when the agent has accepted.
    """

    offer_id: str
    call_id: str
    agent_id: str
    deadline_ms: int
    reason: Reason
    callback: bool = False


@record(frozen=True, slots=True)
class CancelOffer:
    """Stop ringing. `recall`: the caller must be brought back to the hold loop (false when they are there or gone)."""

    offer_id: str
    call_id: str
    agent_id: str
    reason: Reason
    recall: bool = True


@record(frozen=True, slots=True)
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


@record(frozen=True, slots=True)
class Announce:
    """Tell the caller. Neither position nor wait ever rises for one call. The wait is a range in seconds, or None and
    None while nobody is there to serve it."""

    call_id: str
    position: int
    wait_low_s: int | None
    wait_high_s: int | None


@record(frozen=True, slots=True)
class Overflow:
    """Send the caller there, then report `CallLeft`; if that is impossible report `CallJoined`: the place is kept."""

    call_id: str
    to: OverflowTo
    reason: Reason


@record(frozen=True, slots=True)
class Widened:
    """More agents may serve this call from now on."""

    call_id: str
    reason: Reason


@record(frozen=True, slots=True)
class WaitPredicted:
    """What was foretold when the caller was first told a wait, for comparison with what came of it.

    Eight of ten waits should end between `low_s` and `high_s` from now; half of them before `middle_s`.
    """

    call_id: str
    low_s: int
    middle_s: int
    high_s: int
    position: int
    agents: int


@record(frozen=True, slots=True)
class TurnedAway:
    """A nuisance rule: play the announcement to this caller instead of letting them wait, then report `CallLeft`."""

    call_id: str
    rule_id: str
    action: NuisanceAction
    reason: Reason


@record(frozen=True, slots=True)
class NuisanceRuleChanged:
    """A rule began or ended; with the event that led to it this is its audit trail."""

    rule_id: str
    active: bool
    reason: Reason


@record(frozen=True, slots=True)
class CallbackOffered:
    """Ask the caller whether they would rather be called back; the answer yes is `CallbackRequested`. Once per call."""

    call_id: str
    reason: Reason


@record(frozen=True, slots=True)
class CallbackResting:
    """The call-back keeps its place and is looked at again at `until_ms`."""

    callback_id: str
    until_ms: int
    attempts: int
    reason: Reason


@record(frozen=True, slots=True)
class DialCitizen:
    """Dial the citizen of this call-back. `agent_id` waits on the line, or is empty: then the citizen comes first."""

    callback_id: str
    agent_id: str
    attempt: int
    deadline_ms: int
    reason: Reason


@record(frozen=True, slots=True)
class CallbackClosed:
    """The call-back is over without a talk; a person should look at it, unless it was cancelled."""

    callback_id: str
    attempts: int
    reason: Reason


@record(frozen=True, slots=True)
class QueueChanged:
    """`depth`: callers without an agent, those being offered included. `oldest_joined_ms` is None when it is empty."""

    queue: str
    depth: int
    oldest_joined_ms: int | None


@record(frozen=True, slots=True)
class Refused:
    """The event did not fit and changed nothing. `event` is its name, `subject` the call or agent it spoke of."""

    event: str
    why: Why
    subject: str = ""


Decision = (
    Queued
    | Offer
    | CancelOffer
    | AgentStateChanged
    | Announce
    | Overflow
    | QueueChanged
    | Refused
    | Widened
    | WaitPredicted
    | TurnedAway
    | NuisanceRuleChanged
    | CallbackOffered
    | CallbackResting
    | DialCitizen
    | CallbackClosed
)
