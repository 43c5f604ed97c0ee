"""What the engine remembers of agents, calls, queues and demands. Mutable, and private to the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from acd.clock import TimerKey
from acd.model import AgentState, CallState, QueueConfig
from acd.order import SortedKeys

PlaceKey = tuple[int, int, int, str]  # -priority, joined (wall), sequence, call id
IdleKey = tuple[int, int, str]  # idle since (wall), sequence, agent id
DemandKey = tuple[str, tuple[tuple[str, int], ...]]  # queue, required skills


@dataclass(slots=True)
class Line:
    """A queue: everybody without an agent, in the order in which they will be served."""

    config: QueueConfig
    handling_ms: int
    order: SortedKeys[PlaceKey] = field(default_factory=SortedKeys)
    by_joined: SortedKeys[tuple[int, int]] = field(default_factory=SortedKeys)
    staffed: int = 0
    shown: tuple[int, int | None] = (0, None)


@dataclass(slots=True)
class Demand:
    """Callers of one queue who need the same skills: whoever can serve one can serve all.

    `capable` counts agents signed in who can serve it, `staffed` those of them who are working.
    """

    key: DemandKey
    name: str
    waiting: SortedKeys[PlaceKey] = field(default_factory=SortedKeys)
    idle: SortedKeys[IdleKey] = field(default_factory=SortedKeys)
    calls: int = 0
    capable: int = 0
    staffed: int = 0
    unstaffed_since: int | None = None
    unstaffed_timer: TimerKey | None = None


@dataclass(slots=True)
class Agent:
    agent_id: str
    sequence: int
    state: AgentState = AgentState.SIGNED_OUT
    since: int = 0
    idle_since: int = 0
    skills: dict[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    not_ready_reason: str = ""
    unreachable: bool = False
    in_use: bool = False
    outside: bool = False
    rest_timer: TimerKey | None = None
    next_state: AgentState | None = None
    next_reason: str = ""
    leaving: bool = False
    call_id: str | None = None
    offer_id: str | None = None
    talk_started: int = 0  # wall
    work_started: int | None = None  # tau at which the talk began, until wrap-up is over
    work_queue: str = ""
    wrapup_timer: TimerKey | None = None
    wrapup_extra_ms: int = 0
    lines: list[Line] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    idle_key: IdleKey | None = None  # set while offers may be made
    counted_capable: bool = False
    counted_staffed: bool = False


@dataclass(slots=True)
class Call:
    call_id: str
    sequence: int
    queue: str
    joined: int  # wall
    priority: int = 0
    skills: dict[str, int] = field(default_factory=dict)
    language: str = "zh"
    caller: str = ""
    state: CallState | None = None
    attempt: int = 0
    key: PlaceKey | None = None
    demand: Demand | None = None
    agents: dict[str, int] = field(default_factory=dict)  # who talks with the caller, since when (wall)
    offer_id: str | None = None
    offer_agent: str | None = None
    offer_deadline: int = 0  # tau
    offer_timer: TimerKey | None = None
    ended_offer: tuple[str, str] | None = None  # the last offer that ended without a talk, and its agent
    faults: int = 0  # offers in a row that failed for technical reasons
    announce_timer: TimerKey | None = None
    overflow_timer: TimerKey | None = None
    return_timer: TimerKey | None = None
    overflow_due: int | None = None  # tau
    overflow_pause: int = 0  # tau before which no overflow is tried again
    newcomer: bool = True
    said: tuple[int, int | None, int | None] | None = None  # last announced position and wait
