"""vosk in processes of its own, one for each model: what it dies of, or hangs in, costs those words and nothing else.

A process is started when something is to be heard first, asked one question at a time, killed when an answer takes
longer than `speech_limit` seconds for each second of sound, and started again for the next question; not at once if it
keeps dying. Its pipe is inherited: when this process is gone, so is that one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import structlog

from app.settings import REPO, Settings
from app.speech.model import Samples, grammar_of
from app.speech.recognizer import Hearing, NotHeard, SoFar, Trouble

log = structlog.get_logger(__name__)

LOAD_S = 120.0  # a large model on a busy machine
GRACE_S = 5.0  # for an answer, besides its time for the sound
MOST_WAITING = 16
REST_S = (0.0, 0.0, 5.0, 60.0)  # before it is started again, the more often it has died
BAD_REST_S = 30.0  # before a model that could not be read is looked at again

Starter = Callable[[Connection, Path], "subprocess.Popen[bytes]"]


def start_process(theirs: Connection, folder: Path) -> subprocess.Popen[bytes]:
    """A process that listens with the model in `folder`. Raises OSError."""
    return subprocess.Popen(
        [sys.executable, "-m", "app.speech.listener_main", str(theirs.fileno()), str(folder)],
        pass_fds=[theirs.fileno()],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        cwd=REPO,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # vosk writes there what it is asked to listen for
        start_new_session=True,
    )


@dataclass(slots=True)
class _Life:
    """One process, from its start to its end."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    load_s: float


class Listener:
    """One model's process. `now` and `start` are the clock and the way to start it."""

    def __init__(
        self,
        language: str,
        folder: Path,
        limit: float,
        *,
        now: Callable[[], float] = time.monotonic,
        start: Starter = start_process,
    ) -> None:
        self.language, self.folder, self.limit = language, folder, limit
        self._now, self._start = now, start
        self._turn = threading.Lock()
        self._life: _Life | None = None
        self._closed = False
        self._waiting = 0
        self._deaths = 0
        self._not_before = 0.0
        self._bad = ""
        self._number = 0

    @property
    def pid(self) -> int | None:
        """The process that listens now; None while there is none."""
        life = self._life
        return None if life is None else life.process.pid

    @property
    def load_s(self) -> float:
        """How long the model took to load; 0 while none is."""
        life = self._life
        return 0.0 if life is None else life.load_s

    def open(self, rate: int, grammar: Sequence[str] = ()) -> Hearing:
        """Begin to listen; see the port."""
        phrases = grammar_of(grammar) if grammar else ""
        with self._asking():
            self._number += 1
            number = self._number
            life = self._alive()
            self._ask(life, ("open", number, rate, phrases), GRACE_S)
            return _Hearing(self, life, number, rate)

    def unknown(self, words: Sequence[str]) -> list[str]:
        """Those of `words` that the model has never learnt, and so will never hear. Raises NotHeard."""
        with self._asking():
            return cast(list[str], self._ask(self._alive(), ("unknown", 0, list(words)), GRACE_S))

    def close(self) -> None:
        """Its process ends, and whoever waits for it is told so."""
        self._closed = True
        life = self._life
        if life is not None:
            life.process.kill()
            life.process.wait()

    # -- one question at a time --------------------------------------------------------------------------------------

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self._waiting >= MOST_WAITING:
            raise NotHeard(Trouble.crowded, self.language)
        self._waiting += 1
        try:
            with self._turn:
                if self._closed:
                    raise NotHeard(Trouble.stopping)
                yield
        finally:
            self._waiting -= 1

    def ask(self, life: _Life, question: tuple[Any, ...], seconds: float) -> Any:
        """An answer of the process that was there when the hearing began. Raises NotHeard."""
        with self._asking():
            if self._life is not life:
                raise NotHeard(Trouble.died, "the process that listened is gone")
            return self._ask(life, question, GRACE_S + seconds * self.limit)

    def _ask(self, life: _Life, question: tuple[Any, ...], patience: float) -> Any:
        try:
            life.pipe.send(question)
            if not life.pipe.poll(patience):
                raise self._gone(life, Trouble.frozen, f"no answer in {patience:.0f} s")
            answer = life.pipe.recv()
        except (OSError, EOFError):
            raise self._gone(life, Trouble.died, f"it ended with {_status(life.process)}") from None
        if question[0] == "finish":  # one that dies over every sound answers first, too
            self._deaths = 0
        return answer

    def _alive(self) -> _Life:
        if self._life is not None:
            if self._life.process.poll() is None:
                return self._life
            self._gone(self._life, Trouble.died, f"it ended with {_status(self._life.process)}")
        if self._now() < self._not_before:
            raise NotHeard(Trouble.bad_model if self._bad else Trouble.resting, self._bad or self.language)
        ours, theirs = Pipe()
        try:
            process = self._start(theirs, self.folder)
        except OSError as error:
            ours.close()
            raise NotHeard(Trouble.resting, str(error)) from error
        finally:
            theirs.close()
        life = _Life(process, ours, 0.0)
        self._life = life
        try:
            if not ours.poll(LOAD_S):
                raise self._gone(life, Trouble.frozen, "it did not load its model")
            word, told = ours.recv()
        except (OSError, EOFError):
            raise self._gone(life, Trouble.died, f"loading its model it ended with {_status(process)}") from None
        if word == "bad":
            self._gone(life, Trouble.bad_model, str(told))
            self._bad, self._not_before = str(told), self._now() + BAD_REST_S
            raise NotHeard(Trouble.bad_model, self._bad)
        if self._closed:
            raise self._gone(life, Trouble.stopping, "")
        self._bad = ""
        life.load_s = float(told)
        log.info("a recogniser listens", language=self.language, pid=process.pid, loaded_s=round(life.load_s, 2))
        return life

    def _gone(self, life: _Life, trouble: Trouble, detail: str) -> NotHeard:
        """What is left of it is put away; the next question starts another."""
        self._life = None
        life.process.kill()
        life.process.wait()
        life.pipe.close()
        if self._closed:
            return NotHeard(Trouble.stopping)
        if trouble is not Trouble.bad_model:
            self._deaths += 1
            self._not_before = self._now() + REST_S[min(self._deaths, len(REST_S) - 1)]
        log.warning("a recogniser is gone", language=self.language, why=trouble.value, detail=detail)
        return NotHeard(trouble, detail)


class _Hearing:
    """One hearing of a listener's process."""

    def __init__(self, listener: Listener, life: _Life, number: int, rate: int) -> None:
        self._listener, self._life, self._number, self._rate = listener, life, number, rate

    def feed(self, samples: Samples) -> SoFar:
        sound = samples.astype("<i2", copy=False).tobytes()
        seconds = len(samples) / self._rate
        return cast(SoFar, self._listener.ask(self._life, ("feed", self._number, sound), seconds))

    def finish(self) -> SoFar:
        return cast(SoFar, self._listener.ask(self._life, ("finish", self._number), 1.0))

    def drop(self) -> None:
        try:
            self._listener.ask(self._life, ("drop", self._number), 0.0)
        except NotHeard:
            pass


class Listeners:
    """`recognizer.Recognizer` by a process for each language that the settings name a model for."""

    def __init__(self, settings: Settings, *, start: Starter = start_process) -> None:
        limit = settings.speech_limit
        self.by_language = {
            language: Listener(language, folder, limit, start=start)
            for language, folder in settings.speech_folders.items()
        }

    @property
    def languages(self) -> Sequence[str]:
        return tuple(self.by_language)

    def open(self, rate: int, language: str, grammar: Sequence[str] = ()) -> Hearing:
        listener = self.by_language.get(language)
        if listener is None:
            raise NotHeard(Trouble.no_model, language)
        return listener.open(rate, grammar)

    def close(self) -> None:
        for listener in self.by_language.values():
            listener.close()


def _status(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return "nothing"
    return signal.Signals(-code).name if code < 0 else str(code)
