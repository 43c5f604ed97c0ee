"""The queue engine's vocabulary in one place: events in, decisions out.

What each name means stands where it is defined: `acd.events`, `acd.decisions`, `acd.reasons`, `acd.states`,
`acd.config`. What the engine shows of itself is in `acd.views`.
"""

from __future__ import annotations

from acd.config import (
    EngineConfig,
    OverflowTo,
    QueueConfig,
)
from acd.decisions import (
    AgentStateChanged,
    Announce,
    CancelOffer,
    Decision,
    Offer,
    Overflow,
    QueueChanged,
    Queued,
    Refused,
)
from acd.events import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentSignedIn,
    AgentSignedOut,
    CallJoined,
    CallLeft,
    Event,
    NextState,
    OfferAnswered,
    OfferFailed,
    PhoneChanged,
    QueueConfigured,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    Unknown,
    WrapUpDone,
    WrapUpExtended,
)
from acd.reasons import (
    Reason,
    ReasonCode,
    Why,
)
from acd.states import (
    NOT_READY_REASONS,
    AgentState,
    CallState,
    FailCause,
)

__all__ = [
    "NOT_READY_REASONS",
    "AgentBusyOutside",
    "AgentNotReady",
    "AgentReady",
    "AgentRestored",
    "AgentSignedIn",
    "AgentSignedOut",
    "AgentState",
    "AgentStateChanged",
    "Announce",
    "CallJoined",
    "CallLeft",
    "CallState",
    "CancelOffer",
    "Decision",
    "EngineConfig",
    "Event",
    "FailCause",
    "NextState",
    "Offer",
    "OfferAnswered",
    "OfferFailed",
    "Overflow",
    "OverflowTo",
    "PhoneChanged",
    "QueueChanged",
    "QueueConfig",
    "QueueConfigured",
    "Queued",
    "Reason",
    "ReasonCode",
    "Refused",
    "TalkAdopted",
    "TalkEnded",
    "TelephoneLink",
    "Tick",
    "Unknown",
    "Why",
    "WrapUpDone",
    "WrapUpExtended",
]
