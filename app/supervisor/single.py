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


def leftovers(run: Path) -> dict[str, Identity]:
    """Processes by name that a supervisor which was killed has left running, newest part of the system first."""
    names = [file.stem for file in run.glob("*.process") if file.stem != NAME]
    found = {name: identity for name in sorted(names, key=_stop_order) if (identity := ids.recall(run, name))}
    return {} if running_supervisor(run) else found


def _stop_order(name: str) -> tuple[int, str]:
    # Asterisk carries the calls, so it goes last, as when its supervisor stops it.
    return ({"asterisk": 2, "voice": 1}.get(name, 0), name)


def end_leftovers(run: Path, timeout: float = 10.0) -> list[str]:
    """Ends what `leftovers` finds, one after the other, and returns their names."""
    found = leftovers(run)
    for name, identity in found.items():
        identity.send(signal.SIGTERM)
        identity.send(signal.SIGCONT)
        deadline = time.monotonic() + timeout
        while identity.is_alive():
            if time.monotonic() > deadline:
                identity.send(signal.SIGKILL)
            time.sleep(0.02)
        ids.forget(run, name)
    return list(found)


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
