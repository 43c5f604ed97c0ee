"""The clerk: a process beside the core that asks and fills the database for it.

Cards and facts are most of what a call costs in Python. Done on threads of the core they hold its interpreter, and the
event loop, which every telephone and every page waits for, gets its turn late (docs/adr/0011-the-clerk.md). So the
core hands them to a process of its own, one question at a time on each of a few pipes, from the threads that would
have done the work themselves.

The clerk may die or freeze at any moment. Everything that it is asked may be done twice, so what a dead clerk has not
answered, and what is asked while there is none, is done by the core as if there were no clerk. It is started again at
once, later and later if it keeps dying. When the core dies its pipes break, and the clerk ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import Empty, LifoQueue
from typing import Any, cast

import structlog

from app.db import Database
from app.settings import REPO, Settings
from cti_bridge.domain import AppDomain

log = structlog.get_logger(__name__)

QUESTIONS = ("record", "card", "open_drafts")
"""The functions of `AppDomain` that are asked of the clerk. Each may be done twice without harm."""
PIPES = 8  # as many questions at once; more are answered by the core itself
PING_S = 1.0
SILENT_S = 4.0  # a clerk that does not answer a ping for so long is frozen
START_S = 30.0  # for the first answer, on a machine that is busy starting
REST_S = (0.0, 1.0, 5.0, 30.0)  # before it is started again, the more often it has died young
YOUNG_S = 20.0


class Away(Exception):
    """There is no clerk, or it died over the question; nobody knows whether it was done."""


class ClerkFailed(Exception):
    """The domain raised something that is not for people; the text names it, and the clerk's log has the rest."""


@dataclass(slots=True)
class _Life:
    """One process of the clerk, from its start to its end."""

    process: subprocess.Popen[bytes]
    pulse: Connection
    pipes: list[Connection]
    began: float
    # The one that was used last comes first: behind it the database is warm.
    free: LifoQueue[Connection] = field(default_factory=LifoQueue)


class Clerk:
    """Keeps the clerk alive, and asks it. Safe to use from every thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._life: _Life | None = None
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="clerk-keeper", daemon=True)

    def start(self) -> None:
        """Begin; the clerk is there a second or two later."""
        self._keeper.start()

    def stop(self) -> None:
        """Let it end. Questions that are asked meanwhile raise Away."""
        self._stopping.set()
        if self._keeper.ident is not None:
            self._keeper.join(5.0)

    @property
    def pid(self) -> int | None:
        """The process that answers now; None while there is none."""
        life = self._life
        return None if life is None else life.process.pid

    def ask(self, name: str, *args: Any) -> Any:
        """What `AppDomain.<name>(*args)` returns, or raises, in the clerk's process. Raises Away."""
        life = self._life
        if life is None:
            raise Away
        try:
            pipe = life.free.get_nowait()
        except Empty:
            raise Away from None
        try:
            pipe.send((name, args))
            error, answer = pipe.recv()
        except (OSError, EOFError) as gone:
            raise Away from gone
        # A pipe that broke between question and answer is not put back: its next answer would be another's.
        life.free.put(pipe)
        if error is not None:
            raise cast(BaseException, error)
        return answer

    # -- the keeper's thread ----------------------------------------------------------------------------------------

    def _keep(self) -> None:
        deaths = 0
        while not self._stopping.wait(REST_S[min(deaths, len(REST_S) - 1)]):
            try:
                life = self._begin()
            except OSError as error:
                log.error("the clerk cannot be started; the core does its work itself", problem=str(error))
                deaths += 1
                continue
            why = self._watch(life)
            self._life = None
            self._end(life)
            if self._stopping.is_set():
                return
            deaths = deaths + 1 if time.monotonic() - life.began < YOUNG_S else 0
            log.warning("the clerk is gone; the core does its work itself until it is back", why=why)

    def _begin(self) -> _Life:
        ours, theirs = zip(*(Pipe() for _ in range(PIPES + 1)), strict=True)
        try:
            handles = [pipe.fileno() for pipe in theirs]
            process = subprocess.Popen(
                [sys.executable, "-m", "cti_bridge.clerk_main", *map(str, handles)],
                pass_fds=handles,
                env=os.environ | self.settings.environment() | {"HOTLINE_PROCESS": "clerk"},
                cwd=REPO,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            for pipe in ours:
                pipe.close()
            raise
        finally:
            for pipe in theirs:
                pipe.close()
        return _Life(process, ours[0], list(ours[1:]), time.monotonic())

    def _watch(self, life: _Life) -> str:
        """Until the clerk is gone, frozen or not wanted any more; which of them."""
        patience = START_S
        while not self._stopping.is_set():
            try:
                life.pulse.send(None)
                if not life.pulse.poll(patience):
                    return "it does not answer"
                life.pulse.recv()
            except (OSError, EOFError):
                return f"it has ended with {life.process.poll()}"
            if self._life is None:
                patience = SILENT_S
                for pipe in life.pipes:
                    life.free.put(pipe)
                self._life = life
                log.info("the clerk is at work", pid=life.process.pid, after_s=round(time.monotonic() - life.began, 1))
            self._stopping.wait(PING_S)
        return "stopped"

    def _end(self, life: _Life) -> None:
        """Whoever still waits for an answer is told that there is none."""
        if not self._stopping.is_set():
            life.process.send_signal(signal.SIGKILL)
        life.pulse.close()
        try:
            life.process.wait(3.0)  # for what it has in hand
        except subprocess.TimeoutExpired:
            life.process.kill()
            life.process.wait()


class ClerkDomain(AppDomain):
    """The domain with its frequent and costly work done by the clerk, whenever there is one."""

    def __init__(self, settings: Settings, db: Database, clerk: Clerk) -> None:
        super().__init__(settings, db)
        self._clerk = clerk

    def record(self, facts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        try:
            self._clerk.ask("record", facts)
        except Away:
            super().record(facts)

    def card(self, call: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
        try:
            return cast(dict[str, Any], self._clerk.ask("card", call, agent_id))
        except Away:
            return super().card(call, agent_id)

    def open_drafts(self, offers: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        try:
            self._clerk.ask("open_drafts", offers)
        except Away:
            super().open_drafts(offers)
