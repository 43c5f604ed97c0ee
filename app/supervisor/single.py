"""One supervisor per home: the lock that says so, and what another command can learn from it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.supervisor import identity as ids
from app.supervisor.identity import Identity

NAME = "supervisor"


class AlreadyRunning(RuntimeError):
    """Another supervisor has this home. `pid` is its process, None if it has not said so yet."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(f"a hotline is already running here (process {pid if pid is not None else 'unknown'})")
        self.pid = pid


@contextmanager
def only_supervisor(run: Path) -> Iterator[None]:
    """Holds the home for the body; the kernel frees it however the holder dies. Raises AlreadyRunning."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / f"{NAME}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found = ids.recall(run, NAME)
            raise AlreadyRunning(found.pid if found else None) from None
        own = ids.identify(os.getpid())
        if own:
            ids.remember(run, NAME, own)
        try:
            yield
        finally:
            ids.forget(run, NAME)


def running_supervisor(run: Path) -> Identity | None:
    """The supervisor of this home, or None."""
    return ids.recall(run, NAME)


def status(run: Path) -> dict[str, Any]:
    """What the supervisor wrote last into status.json; {} if there is nothing readable."""
    try:
        found = json.loads((run / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def stop_supervisor(run: Path, timeout: float = 40.0) -> bool | None:
    """Asks this home's supervisor to stop and waits: True when it has, False after `timeout`, None if none runs."""
    found = running_supervisor(run)
    if found is None:
        return None
    found.send(signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while found.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
