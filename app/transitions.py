"""Transition tables, which every state machine of the domain is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from app.errors import Refused

P = TypeVar("P")
T = TypeVar("T")


def step_in(table: Mapping[P, T], pair: P, zh: str, en: str) -> T:
    """What the table says of a state and what happens in it. Raises Refused (wrong_state), saying this, for a pair that
    is not in the table."""
    try:
        return table[pair]
    except KeyError:
        raise Refused(zh, en, code="wrong_state") from None
