"""Are these rules of a queue, or about a caller, what they should be? Nothing here raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acd.config import (
    CallbackFirst,
    CallbackRules,
    Choice,
    GroupStep,
    HourRule,
    NuisanceAction,
    NuisanceRule,
    OverflowTo,
    QueueConfig,
    RelaxRule,
    RelaxStep,
    Window,
)
from acd.values import MAX_SECONDS, is_caller_key, is_id, is_int, is_skills, is_text

_MOST_STEPS = 16
_DAY_MIN = 1_440


def is_queue_config(value: Any) -> bool:
    if not isinstance(value, QueueConfig):
        return False
    optional = (value.offer_timeout_s, value.overflow_wait_s, value.overflow_unstaffed_s, value.overflow_length)
    return (
        is_id(value.queue)
        and is_int(value.priority, -1000, 1000)
        and all(item is None or is_int(item, 0, 10**6) for item in (*optional, value.wrapup_s))
        and _is_one_of(value.overflow_to, OverflowTo)
        and is_int(value.overflow_below_priority)
        and is_int(value.announce_first_s, 0, MAX_SECONDS)
        and is_int(value.announce_every_s, 0, MAX_SECONDS)
        and _all(value.hours, _is_hour_rule)
        and _all(value.relax, is_relax_rule)
        and (value.choice is None or _is_one_of(value.choice, Choice))
        and (value.level_band is None or is_int(value.level_band, 1, 5))
        and _all(value.groups, _is_group_step)
        and is_int(value.last_agent_s, 0, MAX_SECONDS)
        and (value.callback is None or _is_callback_rules(value.callback))
    )


def _is_one_of(value: Any, kind: type[OverflowTo | Choice | NuisanceAction | CallbackFirst]) -> bool:
    return isinstance(value, str) and value in tuple(kind)


def _all(values: Any, is_right: Callable[[Any], bool]) -> bool:
    return isinstance(values, tuple) and len(values) <= _MOST_STEPS and all(is_right(value) for value in values)


def _is_window(value: Any) -> bool:
    return (
        isinstance(value, Window)
        and is_int(value.from_minute, 0, _DAY_MIN)
        and is_int(value.to_minute, 0, _DAY_MIN)
        and _all(value.weekdays, lambda day: is_int(day, 1, 7))
    )


def _is_hour_rule(value: Any) -> bool:
    return (
        isinstance(value, HourRule)
        and _is_window(value.window)
        and all(item is None or is_int(item, 0, 10**6) for item in (value.overflow_wait_s, value.overflow_length))
        and _is_one_of(value.overflow_to, OverflowTo)
        and isinstance(value.closed, bool)
    )


def is_relax_rule(value: Any) -> bool:
    return isinstance(value, RelaxRule) and is_id(value.skill) and _all(value.steps, _is_relax_step)


def _is_relax_step(value: Any) -> bool:
    return isinstance(value, RelaxStep) and is_int(value.after_s, 0, MAX_SECONDS) and is_skills(value.skills)


def _is_group_step(value: Any) -> bool:
    return isinstance(value, GroupStep) and is_text(value.group) and is_int(value.after_s, 0, MAX_SECONDS)


def _is_callback_rules(value: Any) -> bool:
    return (
        isinstance(value, CallbackRules)
        and all(item is None or is_int(item, 0, 10**6) for item in (value.offer_after_s, value.offer_predicted_s))
        and _is_one_of(value.first, CallbackFirst)
        and _all(value.windows, _is_window)
        and len(value.windows) > 0
        and is_int(value.attempts, 1, 100)
        and is_int(value.retry_s, 1, 10 * MAX_SECONDS)
        and is_int(value.max_age_s, 60, 100 * MAX_SECONDS)
        and is_int(value.dial_timeout_s, 1, 600)
    )


def is_rule(value: Any) -> bool:
    """A nuisance rule names its caller, its end and who answers for it."""
    return (
        isinstance(value, NuisanceRule)
        and is_id(value.rule_id)
        and is_caller_key(value.caller_key)
        and _is_one_of(value.action, NuisanceAction)
        and is_int(value.until_ms, 0)
        and is_id(value.by)
        and is_text(value.why)
        and is_int(value.value, 0, 1000)
    )
