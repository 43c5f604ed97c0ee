"""A thread for every job at once: idle ones are used again, a new one is started when none is idle, no job ever waits.

Starting a thread costs more than everything else that a short call asks of this process, so those that have ended
their call stay for a while.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

Job = Callable[[], None]
IDLE_S = 30.0


class Threads:
    """Runs jobs, each on a daemon thread that no other job uses meanwhile."""

    def __init__(self, name: str, idle_s: float = IDLE_S) -> None:
        self._name = name
        self._idle_s = idle_s
        self._news = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._idle = 0
        self._started = 0
        self._closed = False

    def run(self, job: Job) -> None:
        """Runs `job` now. Raises RuntimeError if the system gives no further thread."""
        with self._news:
            if self._idle > len(self._jobs):
                self._jobs.append(job)
                self._news.notify()
                return
            self._started += 1
            name = f"{self._name}-{self._started}"
        threading.Thread(target=self._work, args=(job,), name=name, daemon=True).start()

    def close(self) -> None:
        """Lets idle threads end; running ones end after their job."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _work(self, job: Job | None) -> None:
        while job is not None:
            try:
                job()
            except Exception:
                log.exception("a job failed")
            job = self._next()

    def _next(self) -> Job | None:
        """The next job for this idle thread, or None when it shall end."""
        with self._news:
            self._idle += 1
            try:
                self._news.wait_for(lambda: self._jobs or self._closed, self._idle_s)
                return self._jobs.popleft() if self._jobs else None
            finally:
                self._idle -= 1
