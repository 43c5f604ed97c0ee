"""`scripts/tests [arguments of pytest]`: every tier of tests.

Calls, browsers and drills are real, and a busy machine makes one of them late now and then: what failed is tried once
more at the end, alone, and named, so that a second try is never mistaken for a clean run.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from . import plan, processes
from .plan import Lane, Run

REPO = Path(__file__).resolve().parents[2]
DURATIONS = Path("tests/durations.json")
MOST_TRIED_AGAIN = 12
FAILED, INTERRUPTED, NOTHING_RAN = 1, 2, 5
"""Statuses of pytest."""
STOPS_EARLY = {"-x", "--exitfirst"}


def files(repo: Path) -> list[str]:
    """The test files of every tier. Exits when a tier has none: a broken checkout must not look like a clean run."""
    found: list[str] = []
    for tier in plan.TIERS:
        of_tier = sorted(str(file.relative_to(repo)) for file in (repo / "tests" / tier).glob("test_*.py"))
        if not of_tier:
            sys.exit(f"make test: the tier tests/{tier} has no tests here. Remedy: git checkout -- tests/{tier}")
        found += of_tier
    return found


def with_telephones(repo: Path, found: Sequence[str]) -> frozenset[str]:
    """The files of the browser tier that start an Asterisk."""
    signs = ("tests.browser.real", "tests.harness", "tests.peers")
    browser = [file for file in found if file.startswith("tests/browser/")]
    return frozenset(file for file in browser if any(sign in (repo / file).read_text() for sign in signs))


class Tests:
    """One run of all lanes; `given` goes to every pytest."""

    def __init__(self, repo: Path, given: Sequence[str], notes: Path) -> None:
        self.repo, self.given, self.notes = repo, list(given), notes
        # The tests start backends by the dozen. Where Python may not keep what it has compiled (some container images
        # say so), each of them would compile the whole project again.
        self.env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.statuses: dict[Run, int] = {}
        self.running: dict[subprocess.Popen[bytes], bool] = {}
        self.stopped = False

    def work(self, lane: Lane, output: IO[bytes] | None) -> None:
        """The runs of a lane, one after the other."""
        for run in lane.runs:
            if self.stopped:
                return
            beside = ["-n", str(run.at_a_time), "--dist", "loadfile", "--no-loadscope-reorder"]
            note = ["-o", "junit_family=xunit1", f"--junitxml={self.notes / run.name}.xml"]
            how = [*note, "--cache-clear", *(beside if run.at_a_time > 1 else []), *self.given]
            self.statuses[run] = self.pytest(run, how, output, lane.niceness)

    def pytest(self, run: Run, how: Sequence[str], output: IO[bytes] | None = None, niceness: int = 0) -> int:
        """One pytest; its status."""
        argv = [sys.executable, "-m", "pytest", "-o", f"cache_dir={self.cache(run)}", *run.files, *how]
        process = processes.start(argv, self.repo, self.env, output, niceness)
        self.running[process] = output is not None
        if self.stopped:
            self.end()
        status = process.wait()
        del self.running[process]
        return status

    def cache(self, run: Run) -> str:
        """Where that pytest notes what has failed."""
        return f".pytest_cache/{run.name}"

    def failed(self, run: Run) -> list[str]:
        """What failed in a run."""
        note = self.repo / self.cache(run) / "v/cache/lastfailed"
        return sorted(json.loads(note.read_text())) if note.exists() else []

    def end(self, *_: object) -> None:
        """Ends everything that runs, and begins nothing more."""
        self.stopped = True
        for process, whole_session in list(self.running.items()):
            processes.end(process, whole_session)

    def second_try(self) -> None:
        """Tries what has failed once more, alone; changes `statuses`. Not where pytest was told to stop at the first
        failure: nobody knows of the rest."""
        if STOPS_EARLY & set(self.given):
            return
        again = {run: self.failed(run) for run, status in self.statuses.items() if status == FAILED}
        count = sum(map(len, again.values()))
        if count > MOST_TRIED_AGAIN:
            print(f"tests: {count} tests failed; that is no coincidence, so nothing is tried again", flush=True)
            return
        for run, failed in again.items():
            if not failed:
                continue  # it failed as a whole
            print(f"\ntests: second try of {len(failed)}:", *failed, "", sep="\n", flush=True)
            only = [*self.given, "--last-failed", "--last-failed-no-failures", "none"]
            tried = self.pytest(run, only)
            self.statuses[run] = FAILED if tried == NOTHING_RAN else tried

    def status(self) -> int:
        """What to exit with. A narrowed run (-k) may leave a run without tests, an error only if all say so."""
        wrong = [status for status in self.statuses.values() if status not in (0, NOTHING_RAN)]
        if wrong or self.stopped:
            return wrong[0] if wrong else 1
        return 0 if 0 in self.statuses.values() else NOTHING_RAN


def take_lanes(tests: Tests, lanes: Sequence[Lane]) -> None:
    """All lanes beside each other; what those that yield have to say follows when the first has ended."""
    tests.statuses = {run: INTERRUPTED for lane in lanes for run in lane.runs}  # until it has ended
    with contextlib.ExitStack() as stack:
        beside = {lane: stack.enter_context(tempfile.NamedTemporaryFile()) for lane in lanes if lane.niceness}
        threads = [threading.Thread(target=tests.work, args=(lane, file)) for lane, file in beside.items()]
        for thread in threads:
            thread.start()
        for lane in lanes:
            if not lane.niceness:
                tests.work(lane, None)
        for thread, (lane, file) in zip(threads, beside.items(), strict=True):
            print(f"\ntests: beside these ran {', '.join(run.name for run in lane.runs)}:", flush=True)
            follow(Path(file.name), thread)


def follow(file: Path, writer: threading.Thread) -> None:
    """Prints a growing file until its writer has ended."""
    with file.open("rb") as said:
        while True:
            ended = not writer.is_alive()
            shutil.copyfileobj(said, sys.stdout.buffer)
            sys.stdout.flush()
            if ended:
                return
            writer.join(0.5)


def seconds(notes: Path) -> Iterator[tuple[str, float]]:
    """File → seconds, as pytest has noted them."""
    found: dict[str, float] = {}
    for note in sorted(notes.glob("*.xml")):
        for case in ElementTree.parse(note).iter("testcase"):
            file = case.get("file", "")
            found[file] = found.get(file, 0.0) + float(case.get("time", 0))
    yield from sorted(found.items())


def main() -> int:
    """Status 0 if every test passed, at its second try at the latest."""
    given = sys.argv[1:]
    noting = "--note-durations" in given
    given = [one for one in given if one != "--note-durations"]
    durations = json.loads((REPO / DURATIONS).read_text()) if (REPO / DURATIONS).exists() else {}
    found = files(REPO)
    lanes = plan.lanes(found, with_telephones(REPO, found), durations)
    with tempfile.TemporaryDirectory() as notes:
        tests = Tests(REPO, given, Path(notes))
        signal.signal(signal.SIGTERM, tests.end)
        signal.signal(signal.SIGINT, tests.end)
        began = time.monotonic()
        take_lanes(tests, lanes)
        if noting:
            known = {file: round(took, 1) for file, took in seconds(Path(notes))}
            (REPO / DURATIONS).write_text(json.dumps(known, indent=0, sort_keys=True) + "\n")
        if not tests.stopped:
            tests.second_try()
        print(f"\ntests: {time.monotonic() - began:.0f} s", flush=True)
        return tests.status()
