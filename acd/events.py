"""What the engine is told.

Times are integer epoch milliseconds and named `*_ms`; durations in seconds are named `*_s`. Ids are strings: a call id
is the unique id of the citizen's channel, an agent id is the staff number. Everything is frozen (see `acd.record`);
mappings are treated as read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from acd.config import NuisanceRule, QueueConfig
from acd.record import record
from acd.states import AgentState, FailCause


@record(frozen=True, slots=True)
class CallJoined:
    """A caller is in the hold loop, for the first time or again.

    The first `joined_ms` ever seen is the call's place; the same call joining again keeps it. `skills` are required
    levels, 1 to 5. `attempt` counts entries into the hold loop (AcdJoin's Attempt): a number not higher than one seen
    before is a duplicate and changes nothing; 0 means unknown, and then a call that is offered or talking is taken to
    be back. `language` and `caller` are carried for the view only.

    `flags` (elderly, accessibility) may be worth points of priority. `last_agent` spoke with this caller before.
    `caller_key` tells callers apart without saying who they are (never a telephone number; one is dropped): it is what
    redials, nuisance rules and call-backs go by. `place_ms` is the place (`WaitingSeen.joined_ms`) that a caller had
    before a restart when that was earlier than `joined_ms`.

    `rank` orders those who joined in the same millisecond, lower first, the same after a restart; 0: as they came.
    """

    call_id: str
    queue: str = "general"
    joined_ms: int = 0
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    language: str = "zh"
    caller: str = ""
    attempt: int = 0
    flags: tuple[str, ...] = ()
    last_agent: str = ""
    caller_key: str = ""
    place_ms: int = 0
    rank: int = 0


@record(frozen=True, slots=True)
class CallLeft:
    """The caller is gone from queue and talk: hung up, or went to voicemail, call-back, transfer (`reason`)."""

    call_id: str
    reason: str = ""


@record(frozen=True, slots=True)
class OfferAnswered:
    call_id: str
    agent_id: str
    offer_id: str


@record(frozen=True, slots=True)
class OfferFailed:
    """An offer ended without a talk. The call is offered again once `CallJoined` says it is back in the hold loop
    (or after `EngineConfig.return_s`), with its old place."""

    call_id: str
    agent_id: str
    offer_id: str
    cause: FailCause


@record(frozen=True, slots=True)
class TalkEnded:
    """This agent is no longer in the talk; the caller may still be connected."""

    call_id: str
    agent_id: str


@record(frozen=True, slots=True)
class TalkAdopted:
    """Agent and caller are found talking: after a restart, or joined through a consult. Both may be unknown."""

    call_id: str
    agent_id: str
    started_ms: int


@record(frozen=True, slots=True)
class AgentSignedIn:
    """The agent's shift begins. For an agent already signed in: new skills and queues, the state stays."""

    agent_id: str
    skills: Mapping[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ("general",)
    ready: bool = False
    group: str = ""


@record(frozen=True, slots=True)
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
    group: str = ""


@record(frozen=True, slots=True)
class AgentSignedOut:
    """The shift ends; during a talk it ends with the talk."""

    agent_id: str


@record(frozen=True, slots=True)
class AgentReady:
    """示闲. During offer and talk: cancels a queued next state. During wrap-up: ends it."""

    agent_id: str
    by: str = "agent"


@record(frozen=True, slots=True)
class AgentNotReady:
    """示忙 with a reason. During offer and talk it is queued as the next state; during wrap-up it ends it."""

    agent_id: str
    reason: str = "other"
    by: str = "agent"


@record(frozen=True, slots=True)
class NextState:
    """What the agent wants to be after this call and its wrap-up: not_ready with a reason, signed_out, or ready, which
    cancels. Outside offer, talk and wrap-up it acts at once."""

    agent_id: str
    state: AgentState
    reason: str = ""
    by: str = "agent"


@record(frozen=True, slots=True)
class PhoneChanged:
    """The telephone's state. May come before the agent signs in. A phone never reported counts as reachable."""

    agent_id: str
    reachable: bool
    in_use: bool = False


@record(frozen=True, slots=True)
class WrapUpDone:
    agent_id: str


@record(frozen=True, slots=True)
class WrapUpExtended:
    agent_id: str
    seconds: int


@record(frozen=True, slots=True)
class AgentBusyOutside:
    """The agent is on a call that is not the queue's (click to dial, consult): no offers meanwhile."""

    agent_id: str
    busy: bool


@record(frozen=True, slots=True)
class AgentRinging:
    """The telephone of the agent who was offered the call rings."""

    call_id: str
    agent_id: str
    offer_id: str


@record(frozen=True, slots=True)
class CallHeld:
    """The agent has put the caller on music, or (`held` false) taken them back."""

    agent_id: str
    held: bool


@record(frozen=True, slots=True)
class NuisanceRuleSet:
    """A rule about a caller begins, or replaces the one with the same id. `rule.by` and `rule.why` are its audit."""

    rule: NuisanceRule


@record(frozen=True, slots=True)
class NuisanceRuleLifted:
    """A rule ends before its time: an appeal was granted."""

    rule_id: str
    by: str


@record(frozen=True, slots=True)
class CallOutOfReach:
    """A caller in line waits where nothing can be told or seen at the moment, while others can: offered to nobody, the
    place is kept. Ends with `CallJoined` (within reach again), `TalkAdopted` (served meanwhile) or `CallLeft`.

    A call-back in line rests for half a minute: nobody can be dialled. To be said again while that lasts.
    """

    call_id: str


@record(frozen=True, slots=True)
class CallbackChoosing:
    """A caller in line is saying whether and where to be called back: offered to nobody, the place is kept. Ends with
    `CallbackRequested`, with `CallJoined` (back in the hold loop after all), or with `CallLeft`."""

    call_id: str


@record(frozen=True, slots=True)
class CallbackRequested:
    """A caller in line would rather be called back. The place goes over to `callback_id`; the caller may hang up."""

    call_id: str
    callback_id: str
    caller_key: str = ""


@record(frozen=True, slots=True)
class CallbackRestored:
    """A call-back from before a restart, with its place and the attempts made. Rests until `not_before_ms`.

    `dialling`: the citizen is being dialled at this moment, an attempt that is counted already; `agent_id` waits for
    them on the line, or nobody does.
    """

    callback_id: str
    queue: str
    joined_ms: int
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    caller_key: str = ""
    attempts: int = 0
    not_before_ms: int = 0
    requested_ms: int = 0
    dialling: bool = False
    agent_id: str = ""


@record(frozen=True, slots=True)
class CitizenReached:
    """The citizen answered the call-back. From now on the call-back is a call like others, with the same id: in talk
    with the agent who waits on the line, or in the hold loop at its old place."""

    callback_id: str


@record(frozen=True, slots=True)
class CitizenNotReached:
    """Dialling ended without the citizen."""

    callback_id: str


@record(frozen=True, slots=True)
class CallbackCancelled:
    """The citizen does not want to be called any more, or somebody (`by`) ended it."""

    callback_id: str
    by: str = ""


@record(frozen=True, slots=True)
class QueueConfigured:
    config: QueueConfig


@record(frozen=True, slots=True)
class TelephoneLink:
    """Whether the telephone can be told anything. While it cannot, no offer is made or ended and nobody is sent on;
    places, states and wrap-up go on. What has become possible meanwhile is decided when the link is up again."""

    up: bool


@record(frozen=True, slots=True)
class Tick:
    """Nothing happened but time. Due at `Engine.next_wake_ms()`; more often does no harm."""


@record(frozen=True, slots=True)
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
    | AgentRinging
    | CallHeld
    | NuisanceRuleSet
    | NuisanceRuleLifted
    | CallOutOfReach
    | CallbackChoosing
    | CallbackRequested
    | CallbackRestored
    | CitizenReached
    | CitizenNotReached
    | CallbackCancelled
    | QueueConfigured
    | TelephoneLink
    | Tick
)
