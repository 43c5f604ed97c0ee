"""Drill: fifty people of two units save their replies at once for a minute, and the backend is killed in the middle.

Every assignment has two people who write into the same reply, so that versions clash all the time. Nothing that the
backend acknowledged may be lost or stored twice, nobody may see a 5xx, and what the kill interrupted is done or not
done, never half: the assignments' rows are what their history says.

    make drill-cases      (or: python -m tests.drills.cases [--short])
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import select

from app.assignments.tables import Assignment, Reply
from app.cases.history import events_of
from app.cases.tables import Case
from app.db import Database, migrate
from app.settings import REPO, Settings
from app.units.model import MemberRole
from tests.case_kit.world import World
from tests.drills._handlers import Handler, Ledger, open_session
from tests.drills._report import Report
from tests.integration.postgres_server import PostgresServer
from tests.peers.ports import port_block

PEOPLE, SECONDS = 50, 60.0  # of work, half of it before the kill
SHORT_PEOPLE, SHORT_SECONDS = 12, 8.0
UP_S, BACK_S = 30.0, 20.0
UNITS = ("WATER", "CITY")
ANSWER_S = 5.0


class Backend:
    """The pages' process of an instance, which can be killed and started again."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings, self.log = settings, log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.settings.http_port}"

    def start(self) -> float:
        """Start it and wait until it answers; how long that took (seconds)."""
        began = time.monotonic()
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")} | self.settings.environment()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.backend", "web"],
                cwd=REPO, env=env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - began > UP_S:
                raise RuntimeError(f"the backend did not come up: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return time.monotonic() - began

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.base}/livez", timeout=1.0).status_code == 200
        return False

    def kill(self) -> None:
        """kill -9, if it runs."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextlib.contextmanager
def database_url(kind: str, folder: Path) -> Iterator[str]:
    """An empty database of that kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'hotline.sqlite3'}"
        return
    server = PostgresServer()
    try:
        server.create("drill")
        yield server.url("drill")
    finally:
        server.stop()


def drill(short: bool) -> dict[str, Any]:
    """Both databases, one after the other; the report's last line as an object."""
    report = Report("cases")
    for kind in ("sqlite", "postgresql"):
        folder = Path(tempfile.mkdtemp(prefix="cases-drill-"))
        block = port_block()
        try:
            with database_url(kind, folder) as url:
                settings = Settings(home=folder / "home", database_url=url, http_port=block.take(), min_free_mb=0)
                settings.ensure_dirs()
                migrate(settings)
                house(report, kind, settings, short)
        finally:
            block.release()
            shutil.rmtree(folder, ignore_errors=True)
    return report.finish()


def house(report: Report, kind: str, settings: Settings, short: bool) -> None:
    """One minute of work on one database."""
    people, seconds = (SHORT_PEOPLE, SHORT_SECONDS) if short else (PEOPLE, SECONDS)
    report.progress(f"{kind}: {people} people, {people} assignments")
    database = Database(settings.url)
    world = World(database)
    works = []
    for number in range(people):
        _, [work_id] = world.dispatched(UNITS[number % 2])
        works.append(work_id)
    tokens = []
    for number in range(people):
        role = MemberRole.leader if number % 10 < 2 else MemberRole.handler
        tokens.append(open_session(database, world.member(UNITS[number % 2], role)))
    backend = Backend(settings, settings.home / "backend.log")
    try:
        at_work(report, kind, backend, tokens, works, seconds, database)
    finally:
        backend.kill()
        database.dispose()


def at_work(
    report: Report,
    kind: str,
    backend: Backend,
    tokens: list[str],
    works: list[int],
    seconds: float,
    database: Database,
) -> None:
    """Everybody saves, the backend is killed, everybody saves, and what is stored is judged."""
    people = len(works)
    report.figure(f"{kind}.first_start_s", backend.start())
    ledger, over = Ledger(), threading.Event()
    shared = [[works[number], works[(number + 2) % people]] for number in range(people)]  # of the same unit
    crowd = [
        Handler(backend.base, token, mine, ledger, lambda: not over.is_set(), number)
        for number, (token, mine) in enumerate(zip(tokens, shared, strict=True))
    ]
    for one in crowd:
        one.start()
    time.sleep(seconds / 2)
    acknowledged = len(ledger.saved)
    report.progress(f"{kind}: killed after {acknowledged} saves")
    backend.kill()
    report.figure(f"{kind}.back_after_s", backend.start())
    time.sleep(seconds / 2)
    over.set()
    for one in crowd:
        one.join(60)
    judge(report, kind, database, works, ledger, acknowledged)
    report.goal(f"{kind}.saves", ">=", people)
    report.goal(f"{kind}.saves_after_the_kill", ">=", people // 3)


def judge(report: Report, kind: str, database: Database, works: list[int], ledger: Ledger, before: int) -> None:
    """What is stored against what was acknowledged."""
    lost, torn, missing = [], [], []
    with database.read() as session:
        for work_id in works:
            work = session.get(Assignment, work_id)
            assert work is not None
            reply = session.exec(select(Reply).where(Reply.assignment_id == work_id)).one_or_none()
            told = {version: text for (ident, version), text in ledger.saved.items() if ident == work_id}
            stored = reply.version if reply else 0
            newest = max(told, default=0)
            if stored < newest or (stored == newest and reply is not None and reply.result != told.get(newest)):
                lost.append(work_id)
            lines = [one for one in events_of(session, work.case_id) if one.detail.get("assignment") == work_id]
            case = session.get(Case, work.case_id)
            states = [one.detail["to"] for one in lines]
            chained = all(two.detail.get("from") == one.detail["to"] for one, two in itertools.pairwise(lines))
            in_review = reply is not None and reply.state == "submitted"
            if not chained or states[-1] != work.state or in_review != (work.state == "in_review") or case is None:
                torn.append(work_id)
            done = {(one.event.removeprefix("unit."), one.detail.get("version")) for one in lines}
            counted = len([one for one in lines if one.detail.get("version") is not None])
            if counted != len({one for one in done if one[1] is not None}):
                torn.append(work_id)
            missing += [one for one in ledger.acts if one[0] == work_id and one[1:] not in done]
    figures = {
        "saves": len(ledger.saved),
        "saves_after_the_kill": len(ledger.saved) - before,
        "acts": len(ledger.acts),
        "refused_because_somebody_was_quicker": ledger.refused,
        "turns_without_a_backend": ledger.broken,
        "saved_twice_under_one_version": len(ledger.twice),
        "lost": len(lost),
        "acts_lost": len(missing),
        "half_written": len(torn),
        "server_errors": len(ledger.faults),
    }
    for name, value in figures.items():
        report.figure(f"{kind}.{name}", value)
    report.samples(f"{kind}.answer_s", ledger.took)
    for name in ("saved_twice_under_one_version", "lost", "acts_lost", "half_written", "server_errors"):
        report.goal(f"{kind}.{name}", "==", 0)
    report.goal(f"{kind}.acts", ">=", len(works) // 3)
    report.goal(f"{kind}.back_after_s", "<=", BACK_S)
    report.goal(f"{kind}.answer_s_p99", "<=", ANSWER_S)
    for fault in ledger.faults[:5]:
        report.progress(fault)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer people; what `make test` runs")
    sys.exit(0 if drill(parser.parse_args().short)["met"] else 1)
