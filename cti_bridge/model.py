"""Calls, legs and telephones as the events of Asterisk tell them: plain state, no I/O, no clock.

A call is keyed by the unique id of the citizen's channel (for a call that we dial: of the agent's channel). A leg is
one party's channel. Times are epoch milliseconds (`*_ms`), 0 or None when not yet known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """Where a call is; the values are those of the channel variable HOTLINE_PHASE, and two of our own."""

    menu = "menu"
    hold = "hold"
    connect = "connect"
    talk = "talk"
    held = "held"
    room = "room"
    voicemail = "voicemail"
    fax = "fax"
    survey = "survey"
    failsafe = "failsafe"
    transfer = "transfer"
    outbound = "outbound"  # dialled by an agent
    callback = "callback"  # the queue calls a citizen back, who has not answered yet
    campaign = "campaign"  # a campaign calls somebody, who has not been put through to a person
    ended = "ended"


def phase_of(value: str, default: Phase) -> Phase:
    """The phase that a channel variable names."""
    try:
        return Phase(value)
    except ValueError:
        return default


TALKING = frozenset({Phase.talk, Phase.held, Phase.room})


class Role(StrEnum):
    """Whose leg it is."""

    citizen = "citizen"
    agent = "agent"
    third = "third"


class LegState(StrEnum):
    """How far a leg has come."""

    dialing = "dialing"
    ringing = "ringing"
    up = "up"


class ThirdKind(StrEnum):
    """What a third party was rung for."""

    consult = "consult"
    conference = "conference"
    emergency = "emergency"


@dataclass(slots=True)
class Leg:
    """One party's channel in a call. `agent_id` also for a third party who is a colleague.

    `muted_ms`: since when they are not heard. `held`: a third party who hears music while agent and citizen talk.
    `segment`: the recording in which a third party met the citizen, 0 while they have not.
    """

    channel: str
    unique_id: str
    role: Role
    agent_id: str = ""
    number: str = ""
    state: LegState = LegState.dialing
    since_ms: int = 0
    in_room: bool = False
    joined_ms: int | None = None
    muted_ms: int | None = None
    held: bool = False
    kind: str = ""  # a ThirdKind of third parties
    by_agent: str = ""  # who had them rung
    unit_id: int | None = None
    unit_name: str = ""
    failure: str = ""  # how dialling them went, when it went wrong (DIALSTATUS)
    segment: int = 0

    @property
    def handle(self) -> str:
        """What Asterisk knows the leg by: its channel, or its unique id while it is being dialled."""
        return self.channel or self.unique_id


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of an agent to call somebody back: the task and when it was taken (the same time = the same try)."""

    callback_id: int
    taken_ms: int

    def text(self) -> str:
        """As the channel that dials carries it."""
        return f"{self.callback_id}:{self.taken_ms}"


def attempt_of(text: str) -> Attempt | None:
    """The attempt that a channel variable names; None when it names none."""
    found = re.fullmatch(r"([0-9]{1,15}):([0-9]{1,15})", text)
    return Attempt(int(found[1]), int(found[2])) if found else None


_CALLBACK = re.compile(r"[A-Za-z0-9._-]+-cb([0-9]{1,15})\.0")


def callback_call(node: str, promise: int) -> str:
    """The id of the call with which the queue keeps a promise: the citizen's channel has it at every attempt.

    No id of a channel may be the beginning of another's: Asterisk takes the two for one, so this ends with a mark.
    """
    return f"{node}-cb{promise}.0"


def promise_of(call_id: str) -> int:
    """The promise that a call with this id keeps; 0 for a call that keeps none."""
    found = _CALLBACK.fullmatch(call_id)
    return int(found[1]) if found else 0


_CAMPAIGN = re.compile(r"[A-Za-z0-9._-]+-cp([0-9]{1,15})\.0")


def campaign_attempt(call_id: str) -> int:
    """The attempt of a campaign that a call with this id is; 0 for every other call."""
    found = _CAMPAIGN.fullmatch(call_id)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class Pause:
    """A part of a talk in which the recording is silent (T9). Times are epoch milliseconds."""

    since_ms: int
    until_ms: int
    by: str

    def text(self) -> str:
        """As the citizen's channel carries it; the dialplan reads the second part, in seconds."""
        return f"{self.since_ms}:{-(-self.until_ms // 1000)}:{self.by}"


def pause_of(text: str) -> Pause | None:
    """The pause that a channel variable tells of; None when it tells of none."""
    found = re.fullmatch(r"([0-9]{1,15}):([0-9]{1,12}):([0-9]{0,8})", text)
    return Pause(int(found[1]), int(found[2]) * 1000, found[3]) if found else None


class SpyMode(StrEnum):
    """How a supervisor takes part in a talk; each is heard by more people than the one before."""

    listen = "listen"
    whisper = "whisper"
    barge = "barge"


def spy_mode(text: object) -> SpyMode | None:
    """The mode of this name; None when there is none."""
    try:
        return SpyMode(str(text))
    except ValueError:
        return None


@dataclass(slots=True)
class Spy:
    """A supervisor's telephone at a talk. `leg` is the unique id of the agent's channel that is overseen."""

    unique_id: str
    by: str  # the supervisor's staff number
    call_id: str
    agent_id: str
    leg: str
    mode: SpyMode
    channel: str = ""
    up: bool = False
    in_room: bool = False

    @property
    def handle(self) -> str:
        """What Asterisk knows the telephone by."""
        return self.channel or self.unique_id


@dataclass(slots=True)
class Call:
    """Everything known about one call. `attempt` is the dialplan's count of entries into the hold loop."""

    call_id: str
    channel: str = ""
    phase: Phase = Phase.menu
    outbound: bool = False
    number: str = ""
    name: str = ""
    line: str = ""
    language: str = "zh"
    queue: str = "general"
    skills: dict[str, int] = field(default_factory=dict)
    priority: int = 0
    path: str = ""
    started_ms: int = 0
    joined_ms: int = 0
    attempt: int = 0
    answered_ms: int | None = None
    ended_ms: int | None = None
    held_since_ms: int = 0
    held_ms: int = 0
    agent_id: str = ""
    offer_id: str = ""
    warn: bool = False
    case_number: str = ""
    recording: str = ""
    recordings: set[str] = field(default_factory=set)
    legs: dict[str, Leg] = field(default_factory=dict)  # by unique id
    talked: bool = False
    dialled: bool = False  # a call of ours: the number has been rung
    place_ms: int = 0  # the earlier place that a caller who rang again was given; 0 means none
    flags: tuple[str, ...] = ()
    last_agent: str = ""
    asked: bool = False  # the domain has been asked about the caller
    attempt_of: Attempt | None = None  # a call of ours: the call-back whose outcome is not yet told
    pause: Pause | None = None
    help_ms: int | None = None  # since when the agent asks for a supervisor
    kept_agent: str = ""  # who is kept for a campaign's call
    news: str = ""  # the announcements that the caller has heard, as the voice menu has noted it
    marks_told: dict[str, dict[str, Any]] = field(default_factory=dict)  # agent → what they were told last (`marks`)

    @property
    def promise(self) -> int:
        """The promise that this call keeps, when the queue calls a citizen back; 0 for every other call."""
        return promise_of(self.call_id)

    @property
    def begun_by_us(self) -> bool:
        """Whether the hotline itself has called the citizen, for the queue or for a campaign."""
        return bool(self.promise or campaign_attempt(self.call_id))

    def leg(self, role: Role) -> Leg | None:
        """The first leg of this role, if there is one."""
        return next((leg for leg in self.legs.values() if leg.role is role), None)

    @property
    def agent_leg(self) -> Leg | None:
        """The leg of the agent who has the call."""
        own = [leg for leg in self.legs.values() if leg.role is Role.agent]
        return next((leg for leg in own if leg.agent_id == self.agent_id), own[0] if own else None)

    @property
    def thirds(self) -> list[Leg]:
        """The legs of third parties."""
        return [leg for leg in self.legs.values() if leg.role is Role.third]

    @property
    def segment(self) -> int:
        """The number of the recording that is being made, 0 when none is known."""
        return number_or(self.recording.rpartition("-")[2])

    @property
    def citizen_here(self) -> bool:
        """Whether the citizen is still connected."""
        return self.leg(Role.citizen) is not None


@dataclass(frozen=True, slots=True)
class Phone:
    """One telephone line of an agent, by Asterisk's device state. `node` is where it is registered, "" for our own."""

    endpoint: str
    reachable: bool
    in_use: bool
    node: str = ""


@dataclass(slots=True)
class Telephony:
    """All calls and telephones. `by_channel` finds a call by the unique id of any of its legs.

    `phones` is what is known of each telephone as a whole, `phones_at` what each node says of it.
    """

    calls: dict[str, Call] = field(default_factory=dict)
    by_channel: dict[str, str] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    phones_at: dict[str, dict[str, Phone]] = field(default_factory=dict)  # endpoint → node → telephone
    names: dict[str, str] = field(default_factory=dict)  # channel name → unique id of a leg
    spies: dict[str, Spy] = field(default_factory=dict)  # supervisors' telephones, by unique id; no legs of the calls

    def spies_on(self, call_id: str) -> list[Spy]:
        """The supervisors who take part in a call, or are being rung for it."""
        return [spy for spy in self.spies.values() if spy.call_id == call_id]

    def spy_by(self, agent_id: str) -> Spy | None:
        """What this supervisor oversees."""
        return next((spy for spy in self.spies.values() if spy.by == agent_id), None)

    def call_of(self, unique_id: str) -> Call | None:
        """The call that this channel belongs to."""
        call_id = self.by_channel.get(unique_id)
        return None if call_id is None else self.calls.get(call_id)

    def talks_of(self, agent_id: str) -> list[Call]:
        """The calls in which this agent has a leg or that they were given last, newest first."""
        own = [c for c in self.calls.values() if any(leg.agent_id == agent_id for leg in c.legs.values())]
        return sorted(own, key=lambda call: call.answered_ms or call.started_ms, reverse=True)

    def attach(self, call: Call, leg: Leg) -> Leg:
        """Make `leg` part of `call`."""
        call.legs[leg.unique_id] = leg
        self.by_channel[leg.unique_id] = call.call_id
        if leg.channel:
            self.names[leg.channel] = leg.unique_id
        return leg

    def detach(self, unique_id: str) -> tuple[Call, Leg] | None:
        """Take the leg out of its call."""
        call = self.call_of(unique_id)
        self.by_channel.pop(unique_id, None)
        if call is None:
            return None
        leg = call.legs.pop(unique_id, None)
        if leg is None:
            return None
        if self.names.get(leg.channel) == unique_id:
            del self.names[leg.channel]
        return call, leg

    def forget(self, call_id: str) -> None:
        """Drop a call and all its legs."""
        call = self.calls.pop(call_id, None)
        for unique_id in list(call.legs) if call else ():
            self.by_channel.pop(unique_id, None)
        self.names = {name: uid for name, uid in self.names.items() if uid in self.by_channel}

    # -- telephones, which may be registered at any node ------------------------------------------------------------

    def saw(self, phone: Phone) -> bool:
        """A node tells a telephone's state; whether what is known of it as a whole has changed."""
        self.phones_at.setdefault(phone.endpoint, {})[phone.node] = phone
        return self._sum_up(phone.endpoint)

    def lost_sight(self, node: str) -> list[Phone]:
        """A node can't tell anything any more; the telephones of which something else is known now."""
        seen = [endpoint for endpoint, at in self.phones_at.items() if at.pop(node, None) is not None]
        return [self.phones[endpoint] for endpoint in seen if self._sum_up(endpoint)]

    def where(self, endpoint: str, here: str = "") -> str:
        """The node at which a telephone can be rung: `here` if it can, or if it can be nowhere."""
        there = [node for node, phone in self.phones_at.get(endpoint, {}).items() if phone.reachable]
        return here if here in there or not there else there[0]

    def _sum_up(self, endpoint: str) -> bool:
        at = list(self.phones_at[endpoint].values())
        there = [phone for phone in at if phone.reachable]
        node = there[0].node if there else ""
        whole = Phone(endpoint, bool(there), any(phone.in_use for phone in there or at), node)
        before, self.phones[endpoint] = self.phones.get(endpoint), whole
        return before != whole

    # -- several nodes ----------------------------------------------------------------------------------------------

    def join(self, other: Telephony, wanted: Callable[[str], bool], nodes: Callable[[str], bool]) -> None:
        """Take over the calls of `other` that are wanted, and what the wanted nodes say there of telephones."""
        for call_id, call in other.calls.items():
            if wanted(call_id):
                self.calls[call_id] = call
                for leg in call.legs.values():
                    self.attach(call, leg)
        self.spies |= {ident: spy for ident, spy in other.spies.items() if wanted(spy.call_id)}
        for at in other.phones_at.values():
            for node, phone in at.items():
                if nodes(node):
                    self.saw(phone)


BETWEEN = "node-"  # telephones of other nodes are dialled through endpoints named so

_NAMED = re.compile(r"([a-z0-9]{1,32}):(.+)")


def split(name: str) -> tuple[str, str]:
    """(node, name within the node) of a channel or device; the node is "" for the hotline's own."""
    found = _NAMED.fullmatch(name)
    return (found[1], found[2]) if found else ("", name)


_ENDPOINT = re.compile(r"(?:[a-z0-9]{1,32}:)?PJSIP/([0-9A-Za-z_-]+?)(?:-[0-9a-f]{8})?")
_AGENT_ENDPOINT = re.compile(r"([0-9]{2,8})w?")


def endpoint_of(channel: str) -> str:
    """The endpoint of a PJSIP channel or device name, "" for other technologies."""
    found = _ENDPOINT.fullmatch(channel)
    return found[1] if found else ""


def agent_of(channel: str) -> str:
    """The agent whose telephone this channel is, "" when it is none."""
    found = _AGENT_ENDPOINT.fullmatch(endpoint_of(channel))
    return found[1] if found else ""


def skills_of(text: str) -> dict[str, int]:
    """Skills as channel variables write them, "yue:3,water:1"; what is not understood is left out.

    A skill without a level counts as 1; levels outside 1 to 5 are brought inside.
    """
    out: dict[str, int] = {}
    for part in text.split(","):
        name, _, level = part.strip().partition(":")
        if re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name):
            out[name] = max(1, min(5, int(level))) if level.isdigit() and len(level) < 4 else 1
    return out


def number_or(text: str, default: int = 0) -> int:
    """A whole number from a header, `default` when it is none."""
    text = text.strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else default


def members(call: Call) -> list[dict[str, str | int | None]]:
    """The parties of a call as screens see them, citizen first."""
    order = {Role.citizen: 0, Role.agent: 1, Role.third: 2}
    legs: Iterable[Leg] = sorted(call.legs.values(), key=lambda leg: (order[leg.role], leg.since_ms))
    return [
        {
            "role": leg.role.value,
            "agent_id": leg.agent_id,
            "number": leg.number,
            "state": leg.state.value,
            "joined_ms": (leg.joined_ms or leg.since_ms) if leg.state is LegState.up else None,
            "unit_id": leg.unit_id,
            "unit_name": leg.unit_name,
            "kind": leg.kind,
        }
        for leg in legs
    ]


def talks_with(call: Call) -> str:
    """With whom the agent talks: "citizen", "third" or "all"."""
    there = [leg for leg in call.thirds if not leg.held]
    if call.phase is Phase.held and there:
        return "third"
    return "all" if any(leg.state is LegState.up for leg in there) else "citizen"
