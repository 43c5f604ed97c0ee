"""Progress lines for work that several threads do at once: a line at the start, a sign of life, a line at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGN_OF_LIFE_S = 5.0
_start = time.monotonic()
_print_lock = threading.Lock()


class SetupError(Exception):
    """Set-up can't go on. The text says what happened and, after "Remedy:", what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n  Remedy: {remedy}")


def say(text: str) -> None:
    """Prints one line with the seconds since set-up began."""
    with _print_lock:
        print(f"[{time.monotonic() - _start:6.1f} s] {text}", file=sys.stderr, flush=True)


@contextmanager
def step(title: str, detail: Callable[[], str] | None = None) -> Iterator[None]:
    """Announces `title`, repeats it with `detail()` every few seconds during the body, and closes with its duration."""
    began = time.monotonic()
    done = threading.Event()
    say(f"{title} …")

    def sign_of_life() -> None:
        while not done.wait(SIGN_OF_LIFE_S):
            extra = f" ({detail()})" if detail else ""
            say(f"{title} … still at it after {time.monotonic() - began:.0f} s{extra}")

    watcher = threading.Thread(target=sign_of_life, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
    say(f"{title}: done in {time.monotonic() - began:.1f} s")
