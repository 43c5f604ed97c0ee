"""What has changed in the picture of calls and telephones: the vocabulary between `calls.py` and the dispatcher."""

from __future__ import annotations

from dataclasses import dataclass

from cti_bridge.model import Leg, Phase, Phone, Role, Spy


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A citizen's call has arrived, or one of ours is being dialled."""

    call_id: str


@dataclass(frozen=True, slots=True)
class MenuEnded:
    """The voice menu is over; `next` says where the caller goes."""

    call_id: str
    next: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The caller is in the hold loop, for the first time or again."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Ringing:
    """A telephone rings for the call."""

    call_id: str
    agent_id: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Agent and caller are connected."""

    call_id: str
    agent_id: str
    offer_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class AgentWaits:
    """The agent of a call-back has picked up; the citizen may be dialled now."""

    call_id: str
    agent_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class CitizenAnswered:
    """The citizen of a call-back has answered; `agent_id` waits for them, or nobody does."""

    call_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class CampaignHeard:
    """It is known who has answered a campaign's call: human, machine, fax; or they refuse further ones."""

    call_id: str
    heard: str
    why: str


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """A campaign's call is over, as the dialplan tells it; all but the cause is empty when nobody answered."""

    call_id: str
    heard: str
    said: str
    answer: str
    wish: str
    cause: int


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """The dialplan's dialling of the agent is over; status ANSWER means that a talk has ended."""

    call_id: str
    agent_id: str
    offer_id: str
    status: str
    cause: int


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A party's channel is gone. `cause` is Q.850: 16 is a normal hang-up."""

    call_id: str
    role: Role
    agent_id: str
    number: str
    cause: int


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """Somebody entered or left the call, or answered."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Alone:
    """The citizen is the last one in the room."""

    call_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key while waiting: 1 = voicemail, 2 = call-back."""

    call_id: str
    key: str


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The call has gone where no queue or agent is (voicemail, fax, survey, transfer, failsafe)."""

    call_id: str
    phase: Phase
    detail: str = ""


@dataclass(frozen=True, slots=True)
class InFailsafeQueue:
    """The caller waits in Asterisk's own queue."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Rated:
    """The caller has rated the talk."""

    call_id: str
    agent_id: str
    rating: int


@dataclass(frozen=True, slots=True)
class OutboundEnded:
    """An attempt to dial somebody is over."""

    call_id: str
    agent_id: str
    number: str
    status: str
    cause: int


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The citizen's channel is gone (for a call of ours: the last leg)."""

    call_id: str
    cause: int
    phase: Phase


@dataclass(frozen=True, slots=True)
class PhoneSeen:
    """A telephone's state is now this."""

    phone: Phone


@dataclass(frozen=True, slots=True)
class ThirdLeft:
    """A third party's channel is gone, or never came up: `leg` as it was last."""

    call_id: str
    leg: Leg


@dataclass(frozen=True, slots=True)
class SegmentBegun:
    """The citizen's line is being recorded in a room from now on; the dialplan waits to be told whether in silence."""

    call_id: str
    channel: str
    mix: str


@dataclass(frozen=True, slots=True)
class SpyChanged:
    """A supervisor's telephone has been picked up, or is gone (`spy` as it was last)."""

    spy: Spy
    gone: bool = False


@dataclass(frozen=True, slots=True)
class OriginateFailed:
    """A leg that we dialled never came up."""

    call_id: str
    unique_id: str
    role: Role
    agent_id: str
    number: str
    cause: str


Change = (
    CallStarted
    | MenuEnded
    | Joined
    | Ringing
    | Answered
    | AgentWaits
    | CitizenAnswered
    | CampaignHeard
    | CampaignEnded
    | OfferEnded
    | LegEnded
    | MembersChanged
    | Alone
    | KeyPressed
    | PhaseChanged
    | InFailsafeQueue
    | Rated
    | OutboundEnded
    | CallEnded
    | PhoneSeen
    | OriginateFailed
    | ThirdLeft
    | SegmentBegun
    | SpyChanged
)
