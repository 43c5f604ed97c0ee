"""The rules of each queue and of the engine. Frozen; a queue's rules change by the event `QueueConfigured`.

docs/queue.md is the reference for supervisors: every field, its unit and what it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class OverflowTo(StrEnum):
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"


class Choice(StrEnum):
    """Which of several free agents who fit?"""

    LONGEST_IDLE = "longest_idle"  # levels and rare skills do not matter
    BEST_BAND = "best_band"  # the longest idle of those who fit best


class Prediction(StrEnum):
    """How is the wait of a caller foretold?"""

    PLACES = "places"  # place × handling time ÷ agents
    FLOW = "flow"  # from how agents become free and callers give up
    REMAINING = "remaining"  # from what each agent who can serve the caller is doing at the moment


class NuisanceAction(StrEnum):
    LOWER_PRIORITY = "lower_priority"  # by `value` points
    LIMIT = "limit"  # no more than `value` calls at a time
    ANNOUNCEMENT = "announcement"  # an announcement instead of a person


class CallbackFirst(StrEnum):
    """Who is on the line first when a call-back's turn has come?"""

    AGENT = "agent"  # the agent accepts, then the citizen is dialled
    CITIZEN = "citizen"  # the citizen is dialled, then waits at the head of the line


@dataclass(frozen=True, slots=True)
class RelaxStep:
    """After `after_s` seconds in line these skills also do instead of the one the rule speaks of."""

    after_s: int
    skills: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RelaxRule:
    """What a caller who needs `skill` may be given when nobody who has it becomes free in time."""

    skill: str
    steps: tuple[RelaxStep, ...]


@dataclass(frozen=True, slots=True)
class GroupStep:
    """A group of agents (a centre or sub-centre) and the seconds in line after which it serves the queue too."""

    group: str
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day, in minutes after midnight in the hotline's zone. It may pass midnight; `from` = `to` is all day.

    weekdays: 1 (Monday) to 7 on which it begins; none named means every day.
    """

    from_minute: int
    to_minute: int
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HourRule:
    """While the window lasts these limits stand in for the queue's own; `closed` sends every newcomer on at once."""

    window: Window
    overflow_wait_s: int | None = None
    overflow_length: int | None = None
    overflow_to: OverflowTo = OverflowTo.VOICEMAIL
    closed: bool = False


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """Call-back instead of waiting.

    offer_after_s, offer_predicted_s: who has waited this long, or is foretold at least this wait, is asked once.
    windows: when citizens may be dialled; outside, a call-back rests and keeps its place.
    attempts, retry_s: how often a citizen is dialled, and the rest between. max_age_s: when it is given up.
    dial_timeout_s: how long the telephone may take to say what became of dialling.
    """

    offer_after_s: int | None = 120
    offer_predicted_s: int | None = None
    first: CallbackFirst = CallbackFirst.AGENT
    windows: tuple[Window, ...] = (Window(8 * 60, 21 * 60),)
    attempts: int = 3
    retry_s: int = 900
    max_age_s: int = 172_800
    dial_timeout_s: int = 60


@dataclass(frozen=True, slots=True)
class NuisanceRule:
    """What is done about a caller who misuses the hotline, until when, by whom and why. Never in an emergency."""

    rule_id: str
    caller_key: str
    action: NuisanceAction
    until_ms: int
    by: str
    why: str = ""
    value: int = 0


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """One queue. `None` for a limit means: no such limit; for a time or a choice: the engine's default.

    overflow_wait_s: a caller who has waited this long goes to `overflow_to`.
    overflow_length: a new caller who finds this many waiting goes there at once.
    overflow_unstaffed_s: callers whom nobody signed in could serve (for this long) go there.
    overflow_below_priority: calls of this priority or more never overflow (emergencies).
    hours: other limits by time of day; the first whose window it is holds.
    relax: relaxation of required skills over time, in addition to the engine's (a rule here hides the engine's for
        the same skill). groups: who serves the queue and from when; none named means everybody.
    last_agent_s: how long a caller is kept for the agent who spoke with them last; 0 means not at all.
    """

    queue: str
    priority: int = 0
    offer_timeout_s: int | None = None
    wrapup_s: int | None = None
    overflow_to: OverflowTo = OverflowTo.VOICEMAIL
    overflow_wait_s: int | None = 900
    overflow_length: int | None = None
    overflow_unstaffed_s: int | None = 60
    overflow_below_priority: int = 100
    announce_first_s: int = 15
    announce_every_s: int = 45
    hours: tuple[HourRule, ...] = ()
    relax: tuple[RelaxRule, ...] = ()
    choice: Choice | None = None
    level_band: int | None = None
    groups: tuple[GroupStep, ...] = ()
    last_agent_s: int = 0
    callback: CallbackRules | None = None


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What holds for all queues.

    offer_grace_s: how long after an offer's deadline the engine waits for the telephone's own word before it ends it;
        a phone picked up in the last second is reported answered only after the staff number has been spoken.
    return_s: how long a caller may need from a failed offer back into the hold loop.
    rest_s: how long an agent rests after an offer that failed through nobody's fault.
    late_wake_s: when the engine is woken later than this after a timer was due, timers stand still over that stretch: a
        frozen process or a clock that jumped ends no wrap-up and sends no caller away.
    behaviour: 4; a journal of an earlier time is replayed with 1 (the first release), 2 (waits foretold without those
        who give up) or 3 (what is foretold worked out anew more often), by the rules of that time.
    ageing_per_minute: points of priority a caller gains for every minute in line, so that nobody starves; 0 is none.
    emergency_priority: from here on priority neither ages nor can be reached by ageing and flags, and no nuisance rule
        applies.
    flag_priority: points for a flag of the call (elderly, accessibility); of several the highest counts.
    choice, level_band, rare_skills: which of several free agents; see `acd.reach`.
    redial_s: who hung up in line and calls again within this time gets the old place back, once; 0 is never.
    zone_offset_min: minutes the hotline's clock is ahead of UTC, for hours and windows.
    ready_max_s, not_ready_max_s, talk_max_s, hold_max_s, forget_after_s: how long an agent may stay in a state; see
        `acd.limits`. not_ready_limits: the same for single reasons of not ready.
    """

    queues: tuple[QueueConfig, ...] = (QueueConfig("general"),)
    default_queue: str = "general"
    offer_timeout_s: int = 20
    wrapup_s: int = 30
    wrapup_extra_max_s: int = 600
    offer_grace_s: int = 10
    return_s: int = 2
    rest_s: int = 1
    late_wake_s: int = 10
    expected_handling_s: int = 180
    behaviour: int = 4
    ageing_per_minute: int = 1
    emergency_priority: int = 100
    flag_priority: Mapping[str, int] = field(default_factory=dict)
    relax: tuple[RelaxRule, ...] = ()
    choice: Choice = Choice.BEST_BAND
    level_band: int = 2
    rare_skills: tuple[str, ...] = ()
    redial_s: int = 600
    nuisance: tuple[NuisanceRule, ...] = ()
    zone_offset_min: int = 480
    prediction: Prediction = Prediction.FLOW
    ready_max_s: int | None = 43_200
    not_ready_max_s: int | None = 43_200
    not_ready_limits: Mapping[str, int] = field(default_factory=dict)
    talk_max_s: int | None = 14_400
    hold_max_s: int | None = 600
    forget_after_s: int | None = 86_400


def in_force(config: EngineConfig) -> EngineConfig:
    """The configuration as the engine applies it: an earlier behaviour knows nothing of what came later."""
    if config.behaviour >= 3:
        return config
    if config.behaviour == 2:
        flow = config.prediction is Prediction.FLOW
        return replace(config, prediction=Prediction.REMAINING) if flow else config
    return replace(
        config,
        ageing_per_minute=0,
        choice=Choice.LONGEST_IDLE,
        redial_s=0,
        prediction=Prediction.PLACES,
        ready_max_s=None,
        not_ready_max_s=None,
        talk_max_s=None,
        hold_max_s=None,
        forget_after_s=None,
    )
