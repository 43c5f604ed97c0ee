"""One supervised process: how it is started, recognised, watched, signalled and seen to end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.supervisor import identity as ids
from app.supervisor.identity import Identity
from app.supervisor.model import State, Timing, Watch, first_grace
from app.supervisor.process import Command, begin
from app.supervisor.spare import Spare


@dataclass(frozen=True)
class ChildSpec:
    """What to run under which name, and how to tell that it works.

    `command` is asked at every start, so that a restart follows changed settings. A child with `beats` must touch
    `<run>/<name>.beat`; one with `probe` is asked (in a thread; it may take seconds). One with `survives` is left
    running when its supervisor is killed, and adopted by the next supervisor if `probe` says that it works; others
    that were left behind are ended. `grace_s` is how long SIGTERM is given before SIGKILL. While `spare` says so, one
    that has read its modules waits beside the child that beats, to take its place.
    """

    name: str
    command: Callable[[], Command]
    beats: bool = False
    probe: Callable[[], bool] | None = None
    survives: bool = False
    grace_s: float = 8.0
    spare: Callable[[], bool] | None = None


@dataclass
class Child:
    """The running side of a ChildSpec."""

    spec: ChildSpec
    run: Path
    logs: Path
    timing: Timing
    state: State = State.stopped
    process: subprocess.Popen[bytes] | None = None
    identity: Identity | None = None
    adopted: bool = False
    started_at: float | None = None  # wall clock, for people
    restarts: int = 0
    deaths: list[float] = field(default_factory=list)
    in_vain: int = 0  # starts in a row that were given up before the first sign of life
    due: float = 0.0
    overdue: float = 0.0
    last_exit: int | None = None
    last_reason: str = ""
    reason: str = ""  # why the supervisor is ending it, until its end is seen
    watch: Watch | None = None
    watch_fd: int | None = None
    probed: int = 0  # grows with every probe that succeeded
    spare: Spare | None = None
    spare_due: float | None = None  # None until the child has shown that it works

    @property
    def name(self) -> str:
        """The child's name."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """The child's pid while it runs."""
        return self.identity.pid if self.identity else None

    def spawn(self) -> None:
        """Starts the process, or has its spare begin.

        Raises OSError if the program can't be started.
        """
        self.beat_file().unlink(missing_ok=True)
        command = self._command()
        self.process, self.spare_due = None, None
        if self.spare is not None and (took_over := self.spare.begin(command)):
            self.process, self.spare = took_over, None
        else:
            with self._log() as log:
                self.process = begin(command, log)
        self.adopted = False
        self._begin(ids.identify(self.process.pid))

    def _command(self) -> Command:
        argv, env, cwd = self.spec.command()
        return argv, {**env, "HOTLINE_PROCESS": self.name}, cwd

    def keep_spare(self, now: float) -> str:
        """Starts a spare where there should be one, drops one that died; what a person should know of it, or ""."""
        if self.spare is not None:
            if self.spare.alive():
                return ""
            self.spare.end()
            self.spare, self.spare_due = None, now + self.timing.spare_again
            return f"a spare has died; the next one in {self.timing.spare_again:g} s"
        if self.spare_due is None or now < self.spare_due or not (self.spec.spare and self.spec.spare()):
            return ""
        try:
            with self._log() as log:
                self.spare = Spare(self._command(), log)
        except OSError as error:
            self.spare_due = now + self.timing.spare_again
            return f"a spare could not be started: {error}"
        return ""

    def spare_state(self) -> str | None:
        """Whether its spare still reads or is ready; None if it has none."""
        if self.spare is None:
            return None
        return "ready" if self.spare.ready else "reading"

    def drop_spare(self) -> None:
        """Ends the spare, if there is one; there will be no other before the child's next start."""
        self.spare_due = None
        if self.spare is not None:
            self.spare.end()
            self.spare = None

    def adopt(self, found: Identity) -> None:
        """Takes over a process that an earlier supervisor started."""
        self.process = None
        self.adopted = True
        self._begin(found)

    def _begin(self, identity: Identity | None) -> None:
        self.identity = identity
        self.started_at = time.time()
        if identity is not None:  # else it has ended already, which the exit status will tell
            ids.remember(self.run, self.name, identity)
            with contextlib.suppress(OSError):  # old kernels and strict sandboxes lack it; ticks notice then
                self.watch_fd = os.pidfd_open(identity.pid)
        now, timing = time.monotonic(), self.timing
        queued = (
            0.0 if identity is None else ids.threads_waited_for_cpu_s(identity.pid)
        )  # an adopted one: for days perhaps
        if self.spec.beats:
            grace = first_grace(timing.first_beat_grace, self.in_vain, timing)
            self.watch = Watch(grace, timing.beat_stale, now, queued=queued)
        elif self.spec.probe:
            grace = first_grace(timing.probe_grace, self.in_vain, timing)
            self.watch = Watch(grace, timing.probe_stale, now, sign=self.probed, queued=queued)

    def has_exited(self) -> bool:
        """True once the process has ended; its exit status is then in `last_exit` (None for one that was adopted)."""
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return False
            self.last_exit = status
            return True
        if self.identity is not None and self.identity.is_alive():
            return False
        self.last_exit = None
        return True

    def ended(self, now: float) -> None:
        """Notes the end: why, when; and ends whatever the process left in its session."""
        self.deaths = [died for died in self.deaths if now - died <= self.timing.forget_deaths_after] + [now]
        self.last_reason = self.reason or self._describe_exit()
        self.reason = ""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        if self.watch_fd is not None:
            os.close(self.watch_fd)
        ids.forget(self.run, self.name)
        self.watch_fd = self.process = self.identity = self.watch = None

    def _describe_exit(self) -> str:
        if self.last_exit is None:
            return "ended"
        if self.last_exit < 0:
            return f"killed by {signal_name(-self.last_exit)}"
        if self.last_exit and (words := self._last_words()):
            return f"ended with exit status {self.last_exit} ({words})"
        return f"ended with exit status {self.last_exit}"

    def _last_words(self) -> str:
        """The last line of the log, which after a crash names the error."""
        try:
            with (self.logs / f"{self.name}.log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
                lines = log.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].strip()[:200] if lines else ""

    def signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended already."""
        if self.process is not None:
            self.process.send_signal(number)
        elif self.identity is not None:
            self.identity.send(number)

    def observe(self, now: float) -> bool:
        """Looks at the signs of life; True if the process counts as frozen."""
        if self.watch is None:
            return False
        if self.watch.changed is None and self.pid is not None:
            self.watch.queued_so_far(ids.threads_waited_for_cpu_s(self.pid), now)
        self.watch.look(self._beat() if self.spec.beats else self.probed, now)
        frozen = self.watch.is_frozen(now)
        if self.watch.changed is not None:
            self.in_vain = 0
            if self.spare_due is None:
                self.spare_due = now + self.timing.spare_after
        elif frozen:
            self.in_vain += 1
        return frozen

    def beat_file(self) -> Path:
        """The file whose modification time is the process's heartbeat."""
        return self.run / f"{self.name}.beat"

    def _beat(self) -> int | None:
        try:
            return self.beat_file().stat().st_mtime_ns
        except OSError:
            return None

    def _log(self) -> IO[bytes]:
        self.logs.mkdir(parents=True, exist_ok=True)
        return (self.logs / f"{self.name}.log").open("ab")

    def status(self, now: float) -> dict[str, object]:
        """What status.json says about this child."""
        return {
            "state": str(self.state),
            "pid": self.pid,
            "adopted": self.adopted,
            "started_at": self.started_at,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
            "last_reason": self.last_reason,
            "spare": self.spare_state(),
            "spare_pid": self.spare.process.pid if self.spare else None,
            "restart_in_s": round(max(self.due - now, 0.0), 2) if self.state is State.waiting else None,
        }


def signal_name(number: int) -> str:
    """SIGKILL for 9; the number itself for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
