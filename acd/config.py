"""The rules of each queue and of the engine. Frozen; a queue's rules change by the event `QueueConfigured`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OverflowTo(StrEnum):
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """One queue. `None` for a limit means: no such limit; for a time: the engine's default.

    overflow_wait_s: a caller who has waited this long goes to `overflow_to`.
    overflow_length: a new caller who finds this many waiting goes there at once.
    overflow_unstaffed_s: callers whom nobody signed in could serve (for this long) go there.
    overflow_below_priority: calls of this priority or more never overflow (emergencies).
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


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What holds for all queues.

    offer_grace_s: how long after an offer's deadline the engine waits for the telephone's own word before it ends it;
        a phone picked up in the last second is reported answered only after the staff number has been spoken.
    return_s: how long a caller may need from a failed offer back into the hold loop.
    rest_s: how long an agent rests after an offer that failed through nobody's fault.
    late_wake_s: when the engine is woken later than this after a timer was due, timers stand still over that stretch: a
        frozen process or a clock that jumped ends no wrap-up and sends no caller away.
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
