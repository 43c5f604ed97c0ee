"""Drill: 317 published numbers of 21 areas are audited by real calls, and the graded outcomes reproduce 篇4's table.

Every number behaves in a way of its own on the second Asterisk: people who answer, numbers that are not allocated,
busy, unanswered, out of service, fax machines, and such that answer and stay silent. The calendar is simulated (a
round of a week takes minutes), the calls are real, several at a time. The process that places them is killed with
-9 again and again; no number may be called more often than attempts were made, nor twice on a day.

    make drill-audit      (or: python -m tests.drills.audit [--short])
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import col, select

from app.actor import Actor
from app.auth.model import Role
from app.cases.tables import Case
from app.clock import to_ms
from app.db import Database
from app.migrations.run import upgrade
from app.number_audits import corrections, intake, judging, register, rounds
from app.number_audits.attempts import lose, of_target
from app.number_audits.grading import AreaRow
from app.number_audits.model import DEAD, Mode, Result, RoundState, RoundStep, TargetState
from app.number_audits.planning import CUSHION, Hours, working_days
from app.number_audits.rounds import Wanted
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget
from app.quality.criteria import Grade
from app.settings import REPO, Settings
from app.sheets import write
from app.units import service as units
from app.workdays.service import calendar
from tests.audit_kit.published import AREAS, OVERALL, Area, forms, scores_of
from tests.audit_kit.sounds import BEHAVIOURS, FOUND, write_all
from tests.case_kit.world import World
from tests.drills._report import Report
from tests.peers.agi import AgiChannel
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork

AT_ONCE = 20
KILLS = 6
HOURS = "09:00-11:30,14:00-17:00"
FIRST = date(2026, 12, 7)  # a Monday
LAST = FIRST + timedelta(days=4)
NOBODY = ("vacant", "no_answer", "busy", "intercepted", "fax", "silent", "unanswered")
"""What numbers with 0 points do, in turn: which of them did what is not handed down."""
HEADS = ("单位编码", "公布电话", "地区", "公布位置", "公布的接听时间", "在用")
QUICK = {"audit_ring_s": 5, "audit_listen_s": 3, "min_free_mb": 0}
WINDOW_S = 240.0  # of real time for the calls of half a day
STUCK_S = 5.0  # of nothing happening: what is in hand then was never begun


class CountingNetwork(PublicNetwork):
    """A public network that notes how often each number was called."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.called: Counter[str] = Counter()
        self._counting = threading.Lock()

    def _ring(self, channel: AgiChannel, number: str) -> None:
        with self._counting:
            self.called[number] += 1
        super()._ring(channel, number)


@dataclass(frozen=True)
class Number:
    """A published number: what it does, and what its calls are worth (0: nobody is reached)."""

    number: str
    area: str
    score: int
    behaves: str


def numbers_of(areas: Sequence[Area]) -> list[Number]:
    """The numbers of these areas."""
    made: list[Number] = []
    for at, area in enumerate(areas):
        for n, score in enumerate(scores_of(area)):
            behaves = "answered" if score else NOBODY[len(made) % len(NOBODY)]
            made.append(Number(f"8{at + 10:02d}1{n + 1:04d}", area.name, score, behaves))
    return made


class Placing:
    """The process that places calls; it is killed, and started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.kills = 0

    def look(self, now: datetime) -> None:
        """Have it look once, at this simulated time."""
        process = self._process or self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{to_ms(now)}\n")
        process.stdin.flush()
        process.stdout.readline()

    def killed_while_it_looks(self, now: datetime, after_s: float) -> None:
        """Have it look, and kill it in the middle."""
        process = self._process or self._begin()
        assert process.stdin is not None
        process.stdin.write(f"{to_ms(now)}\n")
        process.stdin.flush()
        time.sleep(after_s)
        self.end()
        self.kills += 1

    def end(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _begin(self) -> subprocess.Popen[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")} | self._settings.environment()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit_kit.placer"],
            cwd=REPO, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        return self._process


class Audit:
    """One round, from the register to the cases."""

    def __init__(self, report: Report, settings: Settings, network: CountingNetwork, numbers: Sequence[Number]) -> None:
        self.report, self.settings, self.network = report, settings, network
        self.numbers = {one.number: one for one in numbers}
        upgrade(settings.url)
        self.db = Database(settings.url)
        self.world = World(self.db)
        self.head, self.reviewer = self.world.people["head"], self.world.somebody(Role.quality)
        self.now = datetime.combine(FIRST, datetime.min.time(), settings.zone)
        self.placing = Placing(settings)
        self.round_id = self.most_at_once = 0

    def plan(self) -> None:
        """The register from a table, and a round over all of it."""
        codes = {area: f"A{n:02d}" for n, area in enumerate(dict.fromkeys(one.area for one in self.numbers.values()))}
        with self.db.session() as session:
            for area, code in codes.items():
                values = {"code": code, "kind": "district", "name": f"{area}区政府", "areas": [area]}
                units.create(session, self.world.people["dispatcher"], values, parent_id=self.world.units["C"])
        rows = [(codes[one.area], one.number, one.area, "政府网站", "", "是") for one in self.numbers.values()]
        with self.db.session() as session:
            outcome = register.bring_in(
                session, self.head, write(HEADS, rows), self.settings, dry_run=False, now=self.now
            )
        assert not outcome.faults, outcome.faults
        with self.db.session() as session:
            wanted = Wanted("四季度暗访", Mode.automatic, FIRST, LAST, HOURS, AT_ONCE)
            made = rounds.create(session, self.head, wanted, self.settings, now=self.now)
            self.round_id = made.round.id or 0
        self.step(RoundStep.start)
        self.report.figure("numbers", len(self.numbers) - len(made.left_out))

    def step(self, what: RoundStep) -> None:
        """Take the round further."""
        with self.db.session() as session:
            row = session.get(NumberAuditRound, self.round_id)
            assert row is not None
            rounds.step(session, self.head, self.round_id, row.version, what, now=self.now)

    def call(self) -> None:
        """Every half-day of the round in turn, as if it were its end; the calls are real."""
        with self.db.read() as session:
            days = working_days(calendar(session, FIRST), FIRST, LAST)
        windows = [(day, end) for day in days for _, end in Hours.both(HOURS, "").spans]
        for n, (day, end) in enumerate(windows):
            minute = end - CUSHION - 1
            self.now = datetime.combine(day, datetime.min.time(), self.settings.zone) + timedelta(minutes=minute)
            if n and self.placing.kills < KILLS:
                self.placing.killed_while_it_looks(self.now, 0.02 + 0.4 * (self.placing.kills % 3))
            self._half_day()
            left = self.left()
            self.report.progress(
                f"{day} {end // 60}:00: {sum(self.network.called.values())} calls, {left} numbers left"
            )
            if not left:
                break
        rounds.close_finished(self.db, self.settings, self.now)

    def _half_day(self) -> None:
        """Until nothing is due and nothing goes on."""
        deadline, quiet_since, before = time.monotonic() + WINDOW_S, time.monotonic(), -1
        while time.monotonic() < deadline:
            self.placing.look(self.now)
            done, hand = intake.scan(self.db, self.settings, self.now), self._in_hand()
            if done or hand != before:
                quiet_since, before = time.monotonic(), hand
            if time.monotonic() - quiet_since > STUCK_S:
                # What was written down as dialled when the process was killed, and never was, is found after its time;
                # it is due again in the next half-day.
                lose(self.db, self.settings, self.now + timedelta(seconds=50))
                quiet_since = time.monotonic()
            if not hand:
                return
            time.sleep(0.2)
        raise TimeoutError("the calls of half a day do not end")

    def _in_hand(self) -> int:
        statement = select(NumberAuditAttempt.id).where(NumberAuditAttempt.state == "dialling")
        with self.db.read() as session:
            count = len(session.exec(statement).all())
        self.most_at_once = max(self.most_at_once, count)
        return count

    def left(self) -> int:
        """Numbers with calls to come."""
        with self.db.read() as session:
            return rounds.counted_in(session, self.round_id, TargetState.calling)

    def targets(self) -> list[NumberAuditTarget]:
        """Every number of the round."""
        statement = select(NumberAuditTarget).where(NumberAuditTarget.round_id == self.round_id)
        with self.db.read() as session:
            return list(session.exec(statement.order_by(col(NumberAuditTarget.id))))

    def grade(self) -> None:
        """The reviewer listens, and fills in the forms."""
        for row in self.targets():
            score = self.numbers[row.number].score
            if row.state != TargetState.to_grade.value:
                continue
            result = Result.answered if score and row.result == Result.answered.value else Result(row.result or "")
            form: Mapping[str, str] = forms()[score] if score else {}
            with self.db.session() as session:
                judging.judge(session, self.reviewer, row.id or 0, row.version, result, form, now=self.now)

    def publish(self) -> None:
        """From now on units read it, and dead numbers become cases."""
        self.step(RoundStep.publish)
        while corrections.open_missing(self.db, self.settings, self.now):
            continue


def told(row: AreaRow) -> tuple[Any, ...]:
    """A row of the table as figures."""
    return (row.n, *(row.grades[grade] for grade in Grade), row.passed, row.mean)


def judge(report: Report, audit: Audit, areas: Sequence[Area], whole: bool) -> None:
    """What was found against what was published."""
    auditor = Actor(None, frozenset({Role.auditor}))
    with audit.db.read() as session:
        rows, overall = judging.table(session, auditor, audit.round_id)
        cases = list(session.exec(select(Case)))
    wrong = [
        f"{one.number} did {audit.numbers[one.number].behaves}, found {one.result}"
        for one in audit.targets()
        if one.result != FOUND[audit.numbers[one.number].behaves]
    ]
    for text in wrong[:10]:
        report.progress(text)
    report.figure("outcomes_wrong", len(wrong))
    report.goal("outcomes_wrong", "==", 0)
    for row in (*rows, *([overall] if overall else [])):
        grades = "/".join(str(row.grades[grade]) for grade in Grade)
        report.progress(f"{row.area or '合计'} {row.n} {grades} {row.passed / 10} % {row.mean / 10}")
    published = {area.name: (area.n, *area.grades, area.passed, area.mean) for area in areas}
    report.figure("areas_as_published", sum(told(row) == published[row.area] for row in rows))
    report.goal("areas_as_published", "==", len(areas))
    report.figure("ranked_as_published", [row.area for row in rows] == [area.name for area in areas])
    report.goal("ranked_as_published", "==", True)
    if whole and overall is not None:
        report.figure("overall_mean_tenths", overall.mean)
        report.goal("overall_mean_tenths", "==", OVERALL.mean)
        report.figure("overall_grades", [overall.grades[grade] for grade in Grade])
        report.goal("overall_grades", "==", list(OVERALL.grades))
    _each_once(report, audit)
    dead = [one for one in audit.targets() if one.result in DEAD]
    report.figure("cases", len(cases))
    report.goal("cases", "==", len(dead))
    report.figure("cases_without_a_deadline", sum(case.due_at is None for case in cases))
    report.goal("cases_without_a_deadline", "==", 0)
    with audit.db.read() as session:
        row = session.get(NumberAuditRound, audit.round_id)
    report.figure("published", row is not None and row.state == RoundState.published.value)
    report.goal("published", "==", True)


def _each_once(report: Report, audit: Audit) -> None:
    """No number was called more often than attempts on it were made; none has more than two that count."""
    more = 0
    with audit.db.read() as session:
        for one in audit.targets():
            made = [attempt for attempt in of_target(session, one.id or 0) if attempt.state in ("done", "lost")]
            more += max(0, audit.network.called[one.number] - len(made))
    report.figure("calls", sum(audit.network.called.values()))
    report.figure("calls_too_many", more)
    report.goal("calls_too_many", "==", 0)
    report.figure("most_calls_of_a_number", max(audit.network.called.values()))
    report.goal("most_calls_of_a_number", "<=", 2)
    report.figure("kills", audit.placing.kills)
    report.figure("calls_at_once", audit.most_at_once)
    report.goal("calls_at_once", "<=", AT_ONCE)


def drill(short: bool) -> dict[str, Any]:
    """The audit; the report's last line as an object."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    report = Report("audit")
    areas = AREAS[-1:] if short else AREAS
    folder = Path(tempfile.mkdtemp(prefix="audit-drill-"))
    hotline = AsteriskUnderTest(folder / "home", **QUICK)
    network = CountingNetwork(folder / "network", hotline.settings)
    hotline.settings = hotline.settings.model_copy(update={"trunk_out": network.address})
    audit: Audit | None = None
    began = time.monotonic()
    try:
        network.start()
        hotline.start()
        write_all(folder)
        numbers = numbers_of(areas)
        for one in numbers:
            BEHAVIOURS[one.behaves](network, one.number, folder)
        audit = Audit(report, hotline.settings, network, numbers)
        audit.plan()
        report.progress(f"{len(numbers)} numbers of {len(areas)} areas are planned")
        audit.call()
        audit.grade()
        audit.publish()
        judge(report, audit, areas, whole=not short)
        report.figure("seconds", time.monotonic() - began)
    finally:
        if audit is not None:
            audit.placing.end()
            audit.db.dispose()
        network.stop()
        hotline.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return report.finish()


def main() -> None:
    """Exit status 0 only if every goal is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills.audit")
    parser.add_argument("--short", action="store_true", help="one area")
    result = drill(parser.parse_args().short)
    sys.exit(0 if result["met"] else 1)


if __name__ == "__main__":
    main()
