"""What became of every script: a line in the log, counts, and the times of its commands.

A script that ended as it should is written down with others that ended in the same half second, by a thread of its own:
the work is the same, but a processor that has just done it does it again at a fraction of the price, which shows at a
hundred calls a second. A script that failed is written down at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from . import metrics

log = structlog.get_logger(__name__)

AS_IT_SHOULD = ("done", "hangup")
GATHER_S = 0.5
KEPT_TIMES = 50_000


class Ended(NamedTuple):
    """A script that has ended. `quick_s`: seconds of those of its commands that wait for nobody."""

    script: str
    call: str
    outcome: str
    detail: str
    seconds: float
    commands: int
    quick_s: list[float]
    at: float
    """Epoch seconds."""


class Ledger:
    """Safe to use from every call's thread. `running` tells how many scripts run."""

    def __init__(self, running: Callable[[], int]) -> None:
        self._running = running
        self._new: deque[Ended] = deque()
        self._news = threading.Event()
        self._writing = threading.Lock()
        self._closed = False
        self._writer: threading.Thread | None = None
        self.quick_times: deque[float] = deque(maxlen=KEPT_TIMES)
        """Seconds of the latest commands that wait for nobody, as far as they are written down."""

    def open(self) -> None:
        """Starts the writing thread."""
        self._closed = False
        self._writer = threading.Thread(target=self._write_on, name="agi-ledger", daemon=True)
        self._writer.start()

    def note(self, ended: Ended) -> None:
        """Takes note: half a second later it is written down, at once if the script failed."""
        self._new.append(ended)
        if ended.outcome not in AS_IT_SHOULD or self._writer is None:
            self.write()
        elif not self._news.is_set():
            self._news.set()

    def write(self) -> None:
        """Writes down what there is."""
        with self._writing:
            while self._new:
                self._record(self._new.popleft())
            metrics.RUNNING.set(self._running())

    def close(self) -> None:
        """Writes down the rest and ends the thread."""
        self._closed = True
        self._news.set()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.join(2)
        self.write()

    def _write_on(self) -> None:
        while not self._closed:
            self._news.wait()
            if not self._closed:
                time.sleep(GATHER_S)
            self._news.clear()
            try:
                self.write()
            except Exception:
                log.exception("ended scripts could not be written down")

    def _record(self, one: Ended) -> None:
        metrics.CALLS.labels(one.script, one.outcome).inc()
        metrics.CALL_SECONDS.observe(one.seconds)
        for seconds in one.quick_s:
            metrics.COMMAND_SECONDS.observe(seconds)
        self.quick_times.extend(one.quick_s)
        tell = log.info if one.outcome in AS_IT_SHOULD else log.error
        facts = {"detail": one.detail[:200]} if one.detail else {}
        tell(
            "script ended",
            script=one.script,
            call=one.call,
            outcome=one.outcome,
            ended=datetime.fromtimestamp(one.at, UTC).isoformat(timespec="milliseconds"),
            ms=round(one.seconds * 1000),
            commands=one.commands,
            **facts,
        )
