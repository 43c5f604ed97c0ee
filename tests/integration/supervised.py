"""Runs a real supervisor over small processes whose behaviour a test chooses.

As a program (`python -m tests.integration.supervised FOLDER`) it is that supervisor; as a module it is the test's side.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.supervisor.child import ChildSpec
from app.supervisor.loop import Supervisor
from app.supervisor.model import Timing
from app.supervisor.single import AlreadyRunning, only_supervisor

REPO = Path(__file__).resolve().parents[2]
TIMING = Timing(
    beat_stale=0.8,
    first_beat_grace=4.0,
    probe_every=0.1,
    probe_stale=0.8,
    probe_grace=4.0,
    pauses=(0.0, 0.0, 0.4, 0.8),
    forget_deaths_after=60.0,
    spare_after=0.1,
    spare_again=0.6,
    tick=0.05,
)

# The dummies touch no library of ours: starting one takes milliseconds. They log what happens to them by name and time.
DUMMY = """
import json, os, signal, socket, subprocess, sys, time
name, folder, *habits = sys.argv[1:]
def note(what, pid=os.getpid()):
    with open(f"{folder}/events", "a") as log:
        log.write(f"{time.monotonic()} {name} {what} {pid}\\n")
if line := os.environ.get("HOTLINE_SPARE_LINE"):
    note("spare")
    if "unready" in habits:
        time.sleep(600)
    with socket.socket(fileno=int(line)) as ours:
        ours.sendall(b"ready\\n")
        told = ours.makefile("rb").readline()
    if not told:
        note("unwanted")
        sys.exit(0)
    note("begin:" + json.loads(told)["WORD"])
note("start")
def term(*_):
    note("term")
    if "deaf" not in habits:
        sys.exit(0)
signal.signal(signal.SIGTERM, term)
if "dies" in habits:
    print("first a few words")
    print("then the reason", flush=True)
    sys.exit(7)
if "child" in habits:
    note("helper", subprocess.Popen(["sleep", "600"]).pid)
if "socket" in habits:
    import threading
    door = socket.create_server(("127.0.0.1", int(open(f"{folder}/port").read())))
    def answer():
        while True:
            line, _ = door.accept()
            line.sendall(b"here")
            line.close()
    threading.Thread(target=answer, daemon=True).start()
if "crowded" in habits:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    hog = "import time; end = time.monotonic() + 30; all(iter(lambda: time.monotonic() < end, False))"
    hogs = [subprocess.Popen([sys.executable, "-SEc", hog]) for _ in range(3)]
    os.nice(15)
    while int(open("/proc/self/schedstat").read().split()[1]) < 4.6e9:
        pass
    for one in hogs:
        one.kill()
        one.wait()
if "late" in habits:
    time.sleep(6)
while True:
    if "silent" not in habits:
        open(f"{folder}/{name}.beat", "w").close()
    time.sleep(0.1)
"""


def main() -> int:
    """The supervisor's side."""
    folder = Path(sys.argv[1])
    wanted: dict[str, list[str]] = json.loads((folder / "wanted.json").read_text())

    def spec(name: str, habits: list[str]) -> ChildSpec:
        missing = "missing" in habits
        argv = ["/nonexistent/program"] if missing else [sys.executable, "-SEc", DUMMY, name, str(folder), *habits]
        probed = "socket" in habits
        return ChildSpec(
            name,
            lambda: (argv, {**os.environ, "WORD": _word(folder), **_long(folder)}, folder),
            beats=not probed and not missing,
            probe=(lambda: _answers(int((folder / "port").read_text()))) if probed else None,
            survives="survives" in habits,
            grace_s=1.0,
            spare=(lambda: True) if "spare" in habits else None,
        )

    try:
        with only_supervisor(folder):
            Supervisor(
                [spec(name, habits) for name, habits in wanted.items()],
                folder,
                folder / "log",
                TIMING,
                say=lambda line: print(line, flush=True),
            ).run()
    except AlreadyRunning as error:
        print(error, flush=True)
        return 1
    return 0


def _long(folder: Path) -> dict[str, str]:
    return {f"LONG{number}": "x" * 100_000 for number in range(10)} if (folder / "long").exists() else {}


def _word(folder: Path) -> str:
    """A setting that a test may change while children run."""
    try:
        return (folder / "word").read_text()
    except OSError:
        return "first"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.4) as line:
            line.settimeout(0.4)
            return line.recv(10) == b"here"
    except OSError:
        return False


class Supervised:
    """The test's side: starts supervisors over `folder`, sees what their children do, leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.supervisors: list[subprocess.Popen[str]] = []

    def start(self, **children: str) -> subprocess.Popen[str]:
        """Starts a supervisor over `name="habit habit"` children and waits until each has started."""
        before = len(self.events("start"))
        process = self.launch(**children)
        expected = sum("missing" not in habits for habits in children.values())
        self.until(lambda: len(self.events("start")) >= before + expected or process.poll() is not None)
        return process

    def launch(self, **children: str) -> subprocess.Popen[str]:
        """Starts a supervisor and returns at once."""
        if not (self.folder / "port").exists():
            with socket.create_server(("127.0.0.1", 0)) as probe:
                (self.folder / "port").write_text(str(probe.getsockname()[1]))
        (self.folder / "wanted.json").write_text(json.dumps({name: words.split() for name, words in children.items()}))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.supervised", str(self.folder)],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.supervisors.append(process)
        return process

    def events(self, what: str = "", name: str = "") -> list[tuple[float, str, str, int]]:
        """What the children noted: (time, child, what, pid), filtered."""
        try:
            lines = (self.folder / "events").read_text().splitlines()
        except OSError:
            return []
        found = [(float(at), who, did, int(pid)) for at, who, did, pid in (line.split() for line in lines)]
        return [entry for entry in found if what in ("", entry[2]) and name in ("", entry[1])]

    def pid(self, name: str) -> int | None:
        """The child's pid by its pid file."""
        try:
            return int((self.folder / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None

    def status(self, name: str) -> dict[str, Any]:
        """The child's part of status.json."""
        try:
            return dict(json.loads((self.folder / "status.json").read_text())["processes"][name])
        except (OSError, KeyError):
            return {}

    def until(self, condition: Callable[[], Any], timeout: float = 10.0) -> Any:
        """Waits until `condition()` is true and returns it; fails the test after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not (result := condition()):
            assert time.monotonic() < deadline, f"did not happen within {timeout:g} s; children did {self.events()}"
            time.sleep(0.01)
        return result

    def replaced(self, name: str, old: int, timeout: float = 10.0) -> int:
        """Waits until the child runs under another pid than `old`, and returns that."""
        return int(self.until(lambda: (new := self.pid(name)) not in (None, old) and new, timeout))

    def stop(self, process: subprocess.Popen[str], number: int = signal.SIGINT, timeout: float = 10.0) -> str:
        """Stops a supervisor; returns what it said."""
        process.send_signal(number)
        return process.communicate(timeout=timeout)[0]

    def clean_up(self) -> None:
        """Ends every supervisor, child and child's helper that is left."""
        for process in self.supervisors:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        # One that has just been born has not noted its start yet: it is known by its pid file only.
        born = {int(file.read_text() or 0) for file in self.folder.glob("*.pid")}
        for pid in born | {pid for _, _, _, pid in self.events("start")}:
            if _is_dummy(pid):
                # The leader of a session of its own, as the supervisor starts it: with it goes what it has started.
                os.killpg(pid, signal.SIGKILL)


def _is_dummy(pid: int) -> bool:
    try:
        return b"note(" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def is_running(pid: int) -> bool:
    """True if a process with this pid runs and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
