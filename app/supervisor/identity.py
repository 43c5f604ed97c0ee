"""Which process is ours: a pid alone may belong to another program by now, so its start time is kept with it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A process as it can be recognised later: its pid, when it started (kernel ticks since boot), and which boot."""

    pid: int
    start_ticks: int
    boot: str

    def is_alive(self) -> bool:
        """True if exactly this process still runs (a zombie does not)."""
        return self.boot == _boot_id() and _start_ticks(self.pid) == self.start_ticks

    def send(self, signal_number: int) -> bool:
        """Signals exactly this process; False if it is gone."""
        if not self.is_alive():
            return False
        try:
            os.kill(self.pid, signal_number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def identify(pid: int) -> Identity | None:
    """The identity of a running process, or None if there is none with this pid."""
    ticks = _start_ticks(pid)
    return None if ticks is None else Identity(pid, ticks, _boot_id())


def remember(run: Path, name: str, identity: Identity) -> None:
    """Writes `<name>.pid` (the number, for people) and `<name>.process` (the whole identity) in one step each."""
    _replace(run / f"{name}.process", json.dumps(asdict(identity)) + "\n")
    _replace(run / f"{name}.pid", f"{identity.pid}\n")


def recall(run: Path, name: str) -> Identity | None:
    """The process remembered under `name` if it still runs; None for a stale, broken or missing file."""
    try:
        stored = json.loads((run / f"{name}.process").read_text())
        identity = Identity(int(stored["pid"]), int(stored["start_ticks"]), str(stored["boot"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return identity if identity.is_alive() else None


def forget(run: Path, name: str) -> None:
    """Removes what `remember` wrote."""
    for suffix in ("pid", "process"):
        with contextlib.suppress(FileNotFoundError):
            (run / f"{name}.{suffix}").unlink()


def waited_for_cpu_s(pid: int) -> float:
    """Seconds that a process's main thread has been ready to run while others had the processors.

    0 where the kernel does not count it. It is what a busy machine, not the process, adds to its start.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def threads_waited_for_cpu_s(pid: int) -> float:
    """The same of all threads that a process has now, added up: one that reads modules holds the others up."""
    try:
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return 0.0
    return sum(waited_for_cpu_s(thread) for thread in threads)


def _start_ticks(pid: int) -> int | None:
    """When the process started; None if it does not run or is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in parentheses and may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in "ZXx":
        return None
    return int(fields[19])


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.write_text(text)
    temporary.replace(path)
