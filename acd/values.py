"""What is an id, a text, a time? Shared by the checks of events and of configuration; nothing here raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_ID = 128
MAX_TEXT = 64
MAX_SKILLS = 32
MAX_TIME_MS = 10**14
MAX_SECONDS = 86_400


def is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and (value == "" or value.isprintable())


def is_int(value: Any, low: int = -(10**9), high: int = MAX_TIME_MS) -> bool:
    return (type(value) is int or (isinstance(value, int) and not isinstance(value, bool))) and low <= value <= high


def clamped(value: int, low: int, high: int) -> int:
    """The value, or the bound it lies beyond: `min(max(value, low), high)` for a fifth of the time."""
    return value if low <= value <= high else low if value < low else high


def is_time(value: Any) -> bool:
    return is_int(value, 0)


def is_skills(value: Any) -> bool:
    if not isinstance(value, (dict, Mapping)) or len(value) > MAX_SKILLS:
        return False
    for skill, level in value.items():
        if not is_id(skill) or len(skill) > MAX_TEXT or not is_int(level, 1, 5):
            return False
    return True


def is_caller_key(value: Any) -> bool:
    """An opaque key. What looks like a telephone number is none: it would stand in journals for ever."""
    return is_id(value) and not str(value).lstrip("+").replace("-", "").replace(" ", "").isdigit()
