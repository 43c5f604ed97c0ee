"""What the engine remembers of agents, calls, queues and demands. Mutable, and private to the engine.

Fields that every announcement and every forecast reads stand together: they lie together in memory, too.
A record is equal only to itself: two agents are never the same agent, and to compare all of them would go in circles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from acd.clock import TimerKey
from acd.config import NuisanceRule, QueueConfig
from acd.freeing import Work
from acd.order import SortedKeys
from acd.patience import Patience
from acd.reach import Reach, Rules, Stage
from acd.reasons import Reason
from acd.record import record
from acd.states import AgentState, CallState

if TYPE_CHECKING:
    from acd.outlook import Outlook
    from acd.prediction import Handling, Profile

PlaceKey = tuple[int, int, int, str]  # class, moment (wall), rank, call id; see `Floor.place_key`
IdleKey = tuple[int, int, str]  # idle since (wall), sequence, agent id
ChoiceKey = tuple[int, int, int, str]  # band of the agent for the demand, then as IdleKey


@dataclass(slots=True, eq=False)
class Line:
    """A queue: everybody without an agent, in the order in which they will be served."""

    config: QueueConfig
    handling_ms: int
    rules: Rules
    recent: list[int] = field(default_factory=list)  # the last handling times (ms), the newest last
    learned: int = 0
    handling: Handling | None = None  # what follows from them, made when it is asked for
    work: Work = field(default_factory=Work)
    patience: Patience = field(default_factory=Patience)
    overtakers: deque[tuple[int, int]] = field(default_factory=deque)  # when (tau) and with which priority
    overtaking: list[tuple[int, int]] | None = None  # priority → how many of them; made when it is asked for
    plans: dict[tuple[tuple[str, int], ...], tuple[Stage, ...]] = field(default_factory=dict)
    order: SortedKeys[PlaceKey] = field(default_factory=SortedKeys)
    by_joined: SortedKeys[tuple[int, int]] = field(default_factory=SortedKeys)
    staffed: int = 0
    shown: tuple[int, int | None] = (0, None)
    hours_timer: TimerKey | None = None


class Shared(NamedTuple):
    """Which other demands share the agents of one, and how many of them; good until one of the first three changes."""

    serving: int
    looked_at: Sequence[Agent]
    links: Sequence[int]  # theirs
    others: list[Demand]
    agents: list[float]


@dataclass(slots=True, eq=False)
class Demand:
    """Callers of one queue whom the same agents may be given to: whoever can serve one can serve all.

    `agents` are those signed in who can serve it, each with the band of how well; `capable` counts those who are not
    about to leave, `staffed` those of them who are working.
    """

    key: Reach
    name: str
    waiting: SortedKeys[PlaceKey] = field(default_factory=SortedKeys)
    idle: SortedKeys[ChoiceKey] = field(default_factory=SortedKeys)
    agents: dict[str, Agent] = field(default_factory=dict)
    profile: Profile | Outlook | None = None
    shared: Shared | None = None
    calls: int = 0
    capable: int = 0
    staffed: int = 0
    pressure: float = 0.0  # callers who wait for each agent who works; 0 while nobody does
    unstaffed_since: int | None = None
    unstaffed_timer: TimerKey | None = None

    def enter(self, key: PlaceKey) -> None:
        """A caller waits who may be offered."""
        self.waiting.add(key)
        self.weigh()

    def leave(self, key: PlaceKey) -> None:
        self.waiting.remove(key)
        self.weigh()

    def weigh(self) -> None:
        self.pressure = self.waiting.size / self.staffed if self.staffed else 0.0


@dataclass(slots=True, eq=False)
class Agent:
    agent_id: str
    sequence: int
    state: AgentState = AgentState.SIGNED_OUT
    work_started: int | None = None  # tau at which the talk began, until wrap-up is over
    counted_staffed: bool = False
    next_state: AgentState | None = None
    since: int = 0
    idle_since: int = 0
    skills: dict[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    group: str = ""
    not_ready_reason: str = ""
    unreachable: bool = False
    in_use: bool = False
    outside: bool = False
    rest_timer: TimerKey | None = None
    next_reason: str = ""
    leaving: bool = False
    call_id: str | None = None
    offer_id: str | None = None
    talk_started: int = 0  # wall
    work_queue: str = ""
    wrapup_timer: TimerKey | None = None
    wrapup_extra_ms: int = 0
    lines: list[Line] = field(default_factory=list)
    listed: tuple[str, ...] = ()  # the skills under which `Demands` finds the agent
    demands: dict[Demand, int] = field(default_factory=dict)  # with the agent's band for each
    links: int = 0  # how many times `demands` has changed
    idle_key: IdleKey | None = None  # set while offers may be made
    indexed: bool = False  # whether `idle_key` is in the demands' sets; see `Floor.settle`
    entered: int = 0  # tau at which the present state was entered
    watch_timer: TimerKey | None = None  # the longest time in this state; see `acd.limits`
    counted_capable: bool = False


@dataclass(slots=True)
class NuisanceRules:
    """The rules in force, by id, and each caller's."""

    by_id: dict[str, NuisanceRule] = field(default_factory=dict)
    by_key: dict[str, dict[str, NuisanceRule]] = field(default_factory=dict)
    timers: dict[str, TimerKey] = field(default_factory=dict)


@dataclass(slots=True)
class Callback:
    """What belongs to a call that is a call-back."""

    requested: int  # wall
    attempts: int = 0
    not_before: int = 0  # wall
    away_until: int = 0  # wall; nobody can be dialled until then


@record(frozen=True, slots=True)
class Forecast:
    """A wait that was foretold at `at` (tau) to a caller at this place in line, and is good until `until`, as long as
    so many agents work."""

    at: int
    until: int
    staffed: int
    position: int
    low_s: int
    high_s: int


@dataclass(slots=True, eq=False)
class Call:
    call_id: str
    sequence: int
    queue: str
    joined: int  # wall; the place
    began: int = 0  # wall; as `joined`, but a place resumed after a redial does not count
    rank: int = 0  # among those of the same moment; `sequence` unless the telephone has said another
    state: CallState | None = None
    key: PlaceKey | None = None
    demand: Demand | None = None
    priority: int = 0  # what the place goes by
    announce_timer: TimerKey | None = None
    foretold: Forecast | None = None
    said: tuple[int, int | None, int | None] | None = None  # last announced position and wait
    predicted: bool = False
    asked_priority: int = 0  # as the event said
    flags: tuple[str, ...] = ()
    caller_key: str = ""
    last_agent: str = ""
    penalty: int = 0  # points a nuisance rule takes away
    turned_away: bool = False
    redialled: bool = False
    skills: dict[str, int] = field(default_factory=dict)
    language: str = "zh"
    caller: str = ""
    attempt: int = 0
    stages: tuple[Stage, ...] = ()
    stage: int = 0
    widen_timer: TimerKey | None = None
    agents: dict[str, int] = field(default_factory=dict)  # who talks with the caller, since when (wall)
    offer_id: str | None = None
    offer_agent: str | None = None
    offered: int = 0  # tau
    offer_deadline: int = 0  # tau
    offer_timer: TimerKey | None = None
    ended_offer: tuple[str, str] | None = None  # the last offer that ended without a talk, and its agent
    faults: int = 0  # offers in a row that failed for technical reasons
    overflow_timer: TimerKey | None = None
    return_timer: TimerKey | None = None
    overflow_due: int | None = None  # tau
    overflow_pause: int = 0  # tau before which no overflow is tried again
    newcomer: bool = True
    callback: Callback | None = None
    callback_offered: bool = False
    handed_to: str = ""  # the call-back that its place went over to
    callback_timer: TimerKey | None = None  # for a call-back: its next moment; for a caller: when to ask
    turn_away: tuple[str, Reason] | None = None  # rule and reason, until it has been decided aloud
