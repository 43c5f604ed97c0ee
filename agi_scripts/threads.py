"""A thread for every job at once: idle ones are used again, a new one is started when none is idle, no job ever waits.

Starting a thread costs more than everything else that a short call asks of this process, so those that have ended
their call stay for a while. Jobs and answers change threads by the two cheapest means that Python has, a `SimpleQueue`
and a bare lock: at a hundred calls a second a condition variable shows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")
Job = Callable[[], None]
IDLE_S = 30.0


class Threads:
    """Runs jobs, each on a daemon thread that no other job uses meanwhile."""

    def __init__(self, name: str, idle_s: float = IDLE_S) -> None:
        self._name = name
        self._idle_s = idle_s
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        """Threads that wait and are not yet promised a job: each job in the queue has its thread."""
        self._started = 0
        self._closed = False

    def run(self, job: Job) -> None:
        """Runs `job` now. Raises RuntimeError if the system gives no further thread."""
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._jobs.put(job)
                return
            self._started += 1
            name = f"{self._name}-{self._started}"
        threading.Thread(target=self._work, args=(job,), name=name, daemon=True).start()

    def close(self) -> None:
        """Lets idle threads end; running ones end after their job."""
        with self._lock:
            self._closed = True
            for _ in range(self._idle):
                self._jobs.put(None)
            self._idle = 0

    def _work(self, job: Job | None) -> None:
        while job is not None:
            try:
                job()
            except Exception:
                log.exception("a job failed")
            job = self._next()

    def _next(self) -> Job | None:
        """The next job for this idle thread, or None when it shall end."""
        with self._lock:
            if self._closed:
                return None
            self._idle += 1
        while True:
            try:
                return self._jobs.get(timeout=self._idle_s)
            except Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return None
                # Every waiting thread has been promised a job this very moment, so one is for this thread.


class Answer(Generic[T]):
    """What a question will turn out to be: given once by the thread that found it, awaited by the one that asked."""

    __slots__ = ("_error", "_missing", "_value")

    def __init__(self) -> None:
        self._missing = threading.Lock()
        self._missing.acquire()
        self._value: T | None = None
        self._error: Exception | None = None

    def find(self, question: Callable[[], T]) -> None:
        """Asks `question` on this thread; its answer or its error is the answer."""
        try:
            self._value = question()
        except Exception as error:
            self._error = error
        self._missing.release()

    def is_known(self, within_s: float = 0.0) -> bool:
        """True as soon as there is an answer, False if there is none within `within_s` seconds."""
        if not self._missing.acquire(timeout=max(0.0, within_s)):
            return False
        self._missing.release()
        return True

    def get(self, within_s: float) -> T:
        """The answer. Raises TimeoutError if there is none within `within_s` seconds, and what the question raised."""
        if not self.is_known(within_s):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]
