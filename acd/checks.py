"""Is this an event at all, and are its values what they should be?

A caller is never turned away because of what decorates the call: of `CallJoined` only the id must be right, the rest is
put right. Everything else that is wrong is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentRestored,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    CallJoined,
    CallLeft,
    Event,
    FailCause,
    NextState,
    OfferAnswered,
    OfferFailed,
    OverflowTo,
    PhoneChanged,
    QueueConfig,
    QueueConfigured,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    Why,
    WrapUpDone,
    WrapUpExtended,
)

_MAX_ID = 128
_MAX_TEXT = 64
_MAX_SKILLS = 32
_MAX_TIME_MS = 10**14
_MAX_SECONDS = 86_400

Check = Callable[[Any], bool]


def is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_ID and value.isprintable()


def is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT and (value == "" or value.isprintable())


def is_int(value: Any, low: int = -(10**9), high: int = _MAX_TIME_MS) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_time(value: Any) -> bool:
    return is_int(value, 0)


def _is_seconds(value: Any) -> bool:
    return is_int(value, 1, _MAX_SECONDS)


def _is_skills(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) <= _MAX_SKILLS
        and all(is_id(skill) and len(skill) <= _MAX_TEXT and is_int(level, 1, 5) for skill, level in value.items())
    )


def _is_queues(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) <= _MAX_SKILLS and all(is_id(queue) for queue in value)


def _is_one_of(kind: type[FailCause] | type[AgentState]) -> Check:
    values = {member.value for member in kind}
    return lambda value: isinstance(value, str) and value in values


_FIELDS: Mapping[type, Mapping[str, Check]] = {
    CallJoined: {"call_id": is_id},
    CallLeft: {"call_id": is_id, "reason": is_text},
    OfferAnswered: {"call_id": is_id, "agent_id": is_id, "offer_id": is_id},
    OfferFailed: {"call_id": is_id, "agent_id": is_id, "offer_id": is_id, "cause": _is_one_of(FailCause)},
    TalkEnded: {"call_id": is_id, "agent_id": is_id},
    TalkAdopted: {"call_id": is_id, "agent_id": is_id, "started_ms": _is_time},
    AgentSignedIn: {"agent_id": is_id, "skills": _is_skills, "queues": _is_queues, "ready": _is_bool},
    AgentRestored: {
        "agent_id": is_id,
        "skills": _is_skills,
        "queues": _is_queues,
        "state": _is_one_of(AgentState),
        "since_ms": _is_time,
        "idle_since_ms": _is_time,
        "until_ms": lambda value: value is None or _is_time(value),
        "reason": is_text,
    },
    AgentSignedOut: {"agent_id": is_id},
    AgentReady: {"agent_id": is_id, "by": is_text},
    AgentNotReady: {"agent_id": is_id, "reason": is_text, "by": is_text},
    NextState: {"agent_id": is_id, "state": _is_one_of(AgentState), "reason": is_text, "by": is_text},
    PhoneChanged: {"agent_id": is_id, "reachable": _is_bool, "in_use": _is_bool},
    WrapUpDone: {"agent_id": is_id},
    WrapUpExtended: {"agent_id": is_id, "seconds": _is_seconds},
    AgentBusyOutside: {"agent_id": is_id, "busy": _is_bool},
    QueueConfigured: {"config": lambda value: _is_queue_config(value)},
    TelephoneLink: {"up": _is_bool},
    Tick: {},
}


def _is_queue_config(value: Any) -> bool:
    if not isinstance(value, QueueConfig):
        return False
    optional = (value.offer_timeout_s, value.overflow_wait_s, value.overflow_unstaffed_s, value.overflow_length)
    return (
        is_id(value.queue)
        and is_int(value.priority, -1000, 1000)
        and all(item is None or is_int(item, 0, 10**6) for item in (*optional, value.wrapup_s))
        and value.overflow_to in tuple(OverflowTo)
        and is_int(value.overflow_below_priority)
        and is_int(value.announce_first_s, 0, _MAX_SECONDS)
        and is_int(value.announce_every_s, 0, _MAX_SECONDS)
    )


def check(event: object) -> tuple[Event | None, Why | None]:
    """The event with its values put right, or why it is refused."""
    fields = _FIELDS.get(type(event))
    if fields is None:
        return None, Why.UNKNOWN_EVENT
    for name, is_right in fields.items():
        if not is_right(getattr(event, name)):
            return None, Why.BAD_VALUE
    if isinstance(event, CallJoined):
        return _joined(event), None
    if isinstance(event, OfferFailed) and not isinstance(event.cause, FailCause):
        return replace(event, cause=FailCause(event.cause)), None
    if isinstance(event, NextState | AgentRestored) and not isinstance(event.state, AgentState):
        return replace(event, state=AgentState(event.state)), None
    return event, None  # type: ignore[return-value]


def _joined(event: CallJoined) -> CallJoined:
    skills = event.skills if isinstance(event.skills, Mapping) else {}
    right = {
        skill: min(max(level, 1), 5)
        for skill, level in list(skills.items())[:_MAX_SKILLS]
        if is_text(skill) and skill and is_int(level)
    }
    return CallJoined(
        call_id=event.call_id,
        queue=event.queue if is_id(event.queue) else "",
        joined_ms=event.joined_ms if _is_time(event.joined_ms) else 0,
        priority=event.priority if is_int(event.priority) else 0,
        skills=right,
        language=event.language if is_text(event.language) else "",
        caller=event.caller if is_text(event.caller) else "",
        attempt=event.attempt if is_int(event.attempt, 0, 10**6) else 0,
    )


def subject_of(event: object) -> str:
    """The call or agent that an event speaks of, as far as it can be read."""
    for name in ("call_id", "agent_id"):
        value = getattr(event, name, None)
        if is_id(value):
            return str(value)
    return ""
