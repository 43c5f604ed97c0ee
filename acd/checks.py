"""Is this an event at all, and are its values what they should be?

A caller is never turned away because of what decorates the call: of `CallJoined` only the id must be right, the rest is
put right. Everything else that is wrong is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from acd.config_checks import is_queue_config, is_rule
from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentRinging,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    CallbackCancelled,
    CallbackChoosing,
    CallbackRequested,
    CallbackRestored,
    CallHeld,
    CallJoined,
    CallLeft,
    CallOutOfReach,
    CitizenNotReached,
    CitizenReached,
    Event,
    FailCause,
    NextState,
    NuisanceRuleLifted,
    NuisanceRuleSet,
    OfferAnswered,
    OfferFailed,
    PhoneChanged,
    QueueConfigured,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    Why,
    WrapUpDone,
    WrapUpExtended,
)
from acd.values import MAX_SECONDS, MAX_SKILLS, is_caller_key, is_id, is_int, is_skills, is_text, is_time

Check = Callable[[Any], bool]


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_seconds(value: Any) -> bool:
    return is_int(value, 1, MAX_SECONDS)


def _is_queues(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) <= MAX_SKILLS and all(is_id(queue) for queue in value)


def _is_one_of(kind: type[FailCause] | type[AgentState]) -> Check:
    values = {member.value for member in kind}
    return lambda value: isinstance(value, str) and value in values


def _is_key_or_none(value: Any) -> bool:
    return isinstance(value, str) and (value == "" or is_caller_key(value))


def _is_id_or_none(value: Any) -> bool:
    return isinstance(value, str) and (value == "" or is_id(value))


_FIELDS: Mapping[type, Mapping[str, Check]] = {
    CallJoined: {"call_id": is_id},
    CallLeft: {"call_id": is_id, "reason": is_text},
    OfferAnswered: {"call_id": is_id, "agent_id": is_id, "offer_id": is_id},
    OfferFailed: {"call_id": is_id, "agent_id": is_id, "offer_id": is_id, "cause": _is_one_of(FailCause)},
    TalkEnded: {"call_id": is_id, "agent_id": is_id},
    TalkAdopted: {"call_id": is_id, "agent_id": is_id, "started_ms": is_time},
    AgentSignedIn: {"agent_id": is_id, "skills": is_skills, "queues": _is_queues, "ready": _is_bool, "group": is_text},
    AgentRestored: {
        "agent_id": is_id,
        "skills": is_skills,
        "queues": _is_queues,
        "state": _is_one_of(AgentState),
        "since_ms": is_time,
        "idle_since_ms": is_time,
        "until_ms": lambda value: value is None or is_time(value),
        "reason": is_text,
        "group": is_text,
    },
    AgentSignedOut: {"agent_id": is_id},
    AgentReady: {"agent_id": is_id, "by": is_text},
    AgentNotReady: {"agent_id": is_id, "reason": is_text, "by": is_text},
    NextState: {"agent_id": is_id, "state": _is_one_of(AgentState), "reason": is_text, "by": is_text},
    PhoneChanged: {"agent_id": is_id, "reachable": _is_bool, "in_use": _is_bool},
    WrapUpDone: {"agent_id": is_id},
    WrapUpExtended: {"agent_id": is_id, "seconds": _is_seconds},
    AgentBusyOutside: {"agent_id": is_id, "busy": _is_bool},
    AgentRinging: {"call_id": is_id, "agent_id": is_id, "offer_id": is_id},
    CallHeld: {"agent_id": is_id, "held": _is_bool},
    NuisanceRuleSet: {"rule": is_rule},
    NuisanceRuleLifted: {"rule_id": is_id, "by": is_id},
    CallOutOfReach: {"call_id": is_id},
    CallbackChoosing: {"call_id": is_id},
    CallbackRequested: {"call_id": is_id, "callback_id": is_id, "caller_key": _is_key_or_none},
    CallbackRestored: {
        "callback_id": is_id,
        "queue": is_id,
        "joined_ms": is_time,
        "priority": lambda value: is_int(value, -1000, 1000),
        "skills": is_skills,
        "caller_key": _is_key_or_none,
        "attempts": lambda value: is_int(value, 0, 1000),
        "not_before_ms": is_time,
        "requested_ms": is_time,
        "dialling": _is_bool,
        "agent_id": _is_id_or_none,
    },
    CitizenReached: {"callback_id": is_id},
    CitizenNotReached: {"callback_id": is_id},
    CallbackCancelled: {"callback_id": is_id, "by": is_text},
    QueueConfigured: {"config": is_queue_config},
    TelephoneLink: {"up": _is_bool},
    Tick: {},
}


_CHECKS: Mapping[type, tuple[tuple[str, Check], ...]] = {
    kind: tuple(checks.items()) for kind, checks in _FIELDS.items()
}


def check(event: object) -> tuple[Event | None, Why | None]:
    """The event with its values put right, or why it is refused."""
    kind = type(event)
    fields = _CHECKS.get(kind)
    if fields is None:
        return None, Why.UNKNOWN_EVENT
    for name, is_right in fields:
        if not is_right(getattr(event, name)):
            return None, Why.BAD_VALUE
    put_right = _PUT_RIGHT.get(kind)
    return (event if put_right is None else put_right(event)), None  # type: ignore[return-value]


def _joined(event: CallJoined) -> CallJoined:
    wrong: dict[str, Any] = {}
    for name, is_right, default in _JOINED:
        value = getattr(event, name)
        if value is not default and not is_right(value):
            wrong[name] = default
    if not is_skills(event.skills):
        wrong["skills"] = _skills(event.skills)
    if not isinstance(event.flags, tuple) or event.flags:
        wrong["flags"] = _flags(event.flags)
    return replace(event, **wrong) if wrong else event


def _failed(event: OfferFailed) -> OfferFailed:
    return event if isinstance(event.cause, FailCause) else replace(event, cause=FailCause(event.cause))


def _with_state(event: Any) -> Any:
    return event if isinstance(event.state, AgentState) else replace(event, state=AgentState(event.state))


_PUT_RIGHT: Mapping[type, Callable[[Any], Event]] = {
    CallJoined: _joined,
    OfferFailed: _failed,
    NextState: _with_state,
    AgentRestored: _with_state,
}


def _skills(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {
        skill: min(max(level, 1), 5)
        for skill, level in list(value.items())[:MAX_SKILLS]
        if is_text(skill) and skill and is_int(level)
    }


def _is_attempt(value: Any) -> bool:
    return is_int(value, 0, 10**6)


def _is_rank(value: Any) -> bool:
    return is_int(value, 0, 10**15)


# What decorates a call: how it must be, and what it is taken to be otherwise.
_JOINED: tuple[tuple[str, Check, object], ...] = (
    ("queue", is_id, ""),
    ("joined_ms", is_time, 0),
    ("priority", is_int, 0),
    ("language", is_text, ""),
    ("caller", is_text, ""),
    ("attempt", _is_attempt, 0),
    ("last_agent", _is_id_or_none, ""),
    ("caller_key", _is_key_or_none, ""),
    ("place_ms", is_time, 0),
    ("rank", _is_rank, 0),
)


def _flags(value: object) -> tuple[str, ...]:
    if not isinstance(value, tuple | list):
        return ()
    return tuple(flag for flag in value[:MAX_SKILLS] if flag and is_text(flag))


def subject_of(event: object) -> str:
    """The call or agent that an event speaks of, as far as it can be read."""
    for name in ("call_id", "agent_id", "callback_id", "rule_id"):
        value = getattr(event, name, None)
        if is_id(value):
            return str(value)
    return ""
