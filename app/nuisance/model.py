"""The life of a nuisance rule, which follows from its times alone, and what makes one that can be set."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_WHY = 200
LONGEST = timedelta(days=365)  # nobody is restricted for ever: who goes on is looked at again after a year
EARLIER_SHOWN = timedelta(days=1)  # so long after its end the queue may still have to be told of one ended early


class NuisanceAction(StrEnum):
    """What is done about the caller; the queue engine's words (`acd.config.NuisanceAction`)."""

    lower_priority = "lower_priority"  # by `value` points
    limit = "limit"  # no more than `value` calls at a time
    announcement = "announcement"  # an announcement instead of a person; `value` is 0


class NuisanceState(StrEnum):
    """Where a rule stands."""

    active = "active"
    ended = "ended"  # by a person, before its time
    expired = "expired"


VALUES = {
    NuisanceAction.lower_priority: range(1, 101),
    NuisanceAction.limit: range(1, 11),
    NuisanceAction.announcement: range(0, 1),
}


def state_of(until: datetime, ended_at: datetime | None, now: datetime) -> NuisanceState:
    """The end itself is past."""
    if ended_at is not None:
        return NuisanceState.ended
    return NuisanceState.active if now < until else NuisanceState.expired


def faults(action: NuisanceAction, value: int, until: datetime, why: str, now: datetime) -> dict[str, str]:
    """What keeps such a rule from being set, by field; {} if nothing does."""
    wrong = {}
    allowed = VALUES[action]
    if value not in allowed:
        wrong["value"] = f"须为 {allowed[0]} 到 {allowed[-1]} ({allowed[0]} to {allowed[-1]})"
    if not now < until <= now + LONGEST:
        wrong["until"] = f"结束时间须晚于现在，最长 {LONGEST.days} 天 (later than now, at most {LONGEST.days} days)"
    if not why:
        wrong["why"] = "须写明原因 (say why)"
    return wrong
