"""One way to wait in tests that deal with real processes: ask until it is so, with a deadline and a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(ask: Callable[[], T | None], timeout: float, what: str | Callable[[], str], every: float = 0.05) -> T:
    """The first true answer of `ask`. Raises AssertionError naming `what` after `timeout` seconds.

    A description that takes work is a function: it is asked only when the wait was in vain.
    """
    deadline = time.monotonic() + timeout
    while True:
        if answer := ask():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(every)
