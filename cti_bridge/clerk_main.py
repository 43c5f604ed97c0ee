"""The clerk's process: answers the core's questions to the domain, one at a time on each pipe, until the pipes break.

Started by `clerk.Clerk` with the numbers of inherited pipes as its arguments; the first only asks whether it lives.
"""

# ruff: noqa: E402
from __future__ import annotations

from app import starting

starting.begun()  # before the large imports

import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import structlog

from app import logs
from app.db import Database
from app.errors import HotlineError
from app.settings import get_settings
from cti_bridge.clerk import QUESTIONS, ClerkFailed
from cti_bridge.domain import AppDomain

log = structlog.get_logger(__name__)


def answer(domain: Any, name: str, args: tuple[Any, ...]) -> tuple[Exception | None, Any]:
    """What the core gets: an error and None, or None and a result."""
    try:
        if name not in QUESTIONS:
            raise ClerkFailed(f"no such question: {name}")
        return None, getattr(domain, name)(*args)
    except HotlineError as error:
        return error, None
    except Exception as error:
        log.exception("a question to the domain failed", question=name)
        return ClerkFailed(repr(error)), None


class Desk:
    """Where one pipe is served. `close` waits for the answer in hand, and none is begun afterwards."""

    def __init__(self, pipe: Connection, domain: Any) -> None:
        self._pipe, self._domain = pipe, domain
        self._in_hand = threading.Lock()
        threading.Thread(target=self._serve, name=f"clerk-{pipe.fileno()}", daemon=True).start()

    def close(self) -> None:
        """Nothing is being done when this returns."""
        self._in_hand.acquire()

    def _serve(self) -> None:
        try:
            while True:
                name, args = self._pipe.recv()
                with self._in_hand:
                    self._pipe.send(answer(self._domain, name, args))
        except (EOFError, OSError):
            return


def pulse(pipe: Connection) -> None:
    """Say that this process lives, whenever the core asks, until it hangs up."""
    try:
        while True:
            pipe.send(pipe.recv())
    except (EOFError, OSError):
        return


def main(handles: Sequence[int]) -> None:
    """Until the core is gone."""
    logs.configure("clerk")
    settings = get_settings()
    domain = AppDomain(settings, Database(settings.url))
    starting.settled()
    desks = [Desk(Connection(one), domain) for one in handles[1:]]
    pulse(Connection(handles[0]))
    for desk in desks:
        desk.close()


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]])
