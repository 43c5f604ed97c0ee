"""How long the work on cases takes with ten thousand and with a million of them: to create one, to leaf through boards
and inboxes, to find words of two characters, to look for duplicates while typing, to sweep the clocks.

Run: make bench-cases (python -m tests.bench.cases [--cases 1000000] [--database sqlite|postgresql] [--keep FOLDER]).
A million cases are invented first, which takes some minutes; with --keep an SQLite file is used again the next time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments.inbox import Box, inbox
from app.assignments.tables import Assignment
from app.auth.model import Role
from app.cases import service
from app.cases.boards import Board, board, counts
from app.cases.duplicates import candidates
from app.cases.likeness import Matter
from app.cases.tables import Case
from app.clocks.service import due, to_warn
from app.db import Database
from app.demo.cases.fill import fill
from app.demo.cases.matters import AREAS, ROADS, TITLES, Teller
from app.migrations.run import upgrade
from app.settings import Settings
from app.starting import settled
from tests.bench._load import quantile
from tests.bench.card import databases

SMALL = 10_000
GOALS = {"create": 15.0, "board": 50.0, "inbox": 50.0, "search": 50.0, "unit_search": 50.0, "duplicates": 50.0,
         "sweep": 2_000.0}  # p95, milliseconds  # fmt: skip
SETTINGS = Settings()
AGENT = Actor(user_id=1, roles=frozenset({Role.agent}), agent_id="1001", name="1001")
LEADER = Actor(user_id=2, roles=frozenset({Role.duty_leader, Role.section_head}), name="leader")
console = Console(stderr=True)


@dataclass
class Taken:
    """What one kind of work took: milliseconds each time, processor milliseconds of ours altogether."""

    each: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def measure(self, do: Callable[[], object]) -> None:
        """Do it once."""
        began, cpu = time.perf_counter(), time.process_time()
        do()
        self.each.append((time.perf_counter() - began) * 1000)
        self.cpu += (time.process_time() - cpu) * 1000


class Office:
    """What people of an office do on one database."""

    def __init__(self, db: Database, now: datetime) -> None:
        self.db, self.now, self.dice = db, now, random.Random(7)
        self.teller = Teller(self.dice)
        with db.read() as session:
            busiest = select(col(Assignment.unit_id)).group_by(col(Assignment.unit_id))
            units = session.execute(busiest.order_by(func.count().desc()).limit(5)).scalars().all()
            self.citizens = int(session.execute(select(func.max(Case.citizen_id))).scalar() or 1)
        self.handlers = [
            Actor(user_id=3, roles=frozenset({Role.unit_handler}), name="unit", unit_ids=frozenset({unit}))
            for unit in units
        ]
        self.boards, self.boxes = itertools.cycle(Board), itertools.cycle(itertools.product(self.handlers, Box))
        self.words = self._words()
        self.found = 0

    def read(self, do: Callable[[Session], object]) -> None:
        """In a view of its own, as a request does."""
        with self.db.read() as session:
            do(session)

    def create(self) -> None:
        """A case is opened and registered."""
        told = self.teller.tell()
        fields = {"type": told.type, "title": told.title, "content": told.content, "area": told.area,
                  "address": told.address, "caller_number": self.number(), "caller_name": "王小明"}  # fmt: skip
        with self.db.session() as session:
            case = service.create_manual(session, AGENT, fields, now=self.now)
            service.register(session, AGENT, case.id or 0, {}, case.version, now=self.now)

    def board(self) -> None:
        """The first page of the next board."""
        self.read(lambda session: board(session, LEADER, next(self.boards)))

    def board_counts(self) -> None:
        """How much is on every board."""
        self.read(lambda session: counts(session, LEADER, self.now))

    def inbox(self) -> None:
        """The first page of the next box of one of the busiest units."""
        actor, box = next(self.boxes)
        self.read(lambda session: inbox(session, actor, box))

    def listed(self) -> None:
        """The newest cases."""
        self.read(lambda session: service.list_cases(session, AGENT, SETTINGS.zone))

    def search(self) -> None:
        """An agent types two characters."""
        self._find(AGENT)

    def unit_search(self) -> None:
        """Somebody of a unit types two characters."""
        self._find(self.dice.choice(self.handlers))

    def duplicates(self) -> None:
        """A matter is being typed."""
        told = self.teller.tell()
        matter = Matter(told.title, told.content, told.address)
        number = self.number()
        self.read(lambda session: candidates(session, AGENT, matter, number, self.now))

    def sweep(self) -> None:
        """What has become due within a quarter of an hour is found and marked, and what is to be warned of."""
        later = self.now + timedelta(minutes=15)
        with self.db.session() as session:
            self.found += len(due(session, later)) + len(to_warn(session, later))
            session.rollback()

    def number(self) -> str:
        """A known citizen's number."""
        return f"170{self.dice.randint(1, self.citizens):08d}"

    def _find(self, actor: Actor) -> None:
        words = next(self.words)
        self.read(lambda session: service.list_cases(session, actor, SETTINGS.zone, q=words))

    def _words(self) -> Iterator[str]:
        titles = [word[at : at + 2] for words in TITLES.values() for word in words for at in (0, len(word) - 2)]
        while True:
            yield self.dice.choice(titles) if self.dice.random() < 0.7 else self.dice.choice([*ROADS, *AREAS])[:2]


WORK: dict[str, tuple[Callable[[Office], None], int]] = {
    "create": (Office.create, 200),
    "board": (Office.board, 140),
    "board_counts": (Office.board_counts, 20),
    "inbox": (Office.inbox, 150),
    "list": (Office.listed, 50),
    "search": (Office.search, 300),
    "unit_search": (Office.unit_search, 200),
    "duplicates": (Office.duplicates, 200),
    "sweep": (Office.sweep, 20),
}


def bench(kind: str, cases: int, keep: Path | None) -> dict[str, Taken]:
    """Everything on one database of one size."""
    with ExitStack() as stack:
        now = datetime.now(UTC)
        db = _kept(keep, cases) if keep and kind == "sqlite" else databases(kind, stack)(f"cases_{cases}")
        with db.read() as session:
            empty = session.execute(select(func.max(Case.created_at))).scalar()
        if empty is None:
            with Progress(console=console, transient=True) as bar:
                task = bar.add_task(f"{kind}: {cases:,} cases", total=cases)
                fill(db, SETTINGS, cases, now=now, progress=lambda done, total: bar.update(task, completed=done))
        else:
            now = empty
        office, taken = Office(db, now), {}
        settled()  # as the backend does when it has started
        for name, (do, times) in WORK.items():
            for _ in range(max(5, times // 10)):
                do(office)
            taken[name] = Taken()
            for _ in range(times):
                taken[name].measure(lambda do=do: do(office))  # type: ignore[misc]
        db.dispose()
    return taken


def _kept(folder: Path, cases: int) -> Database:
    url = f"sqlite:///{folder.resolve() / f'cases-{cases}.sqlite3'}"
    upgrade(url)
    return Database(url)


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--keep", type=Path, default=None)
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    table = Table("database", "cases", "work", "median ms", "p95 ms", "p99 ms", "CPU ms", "median, large ÷ small")
    figures: dict[str, float] = {}
    met = True
    for kind in kinds:
        small: dict[str, Taken] = {}
        for size in dict.fromkeys([min(SMALL, chosen.cases), chosen.cases]):
            taken = bench(kind, size, chosen.keep)
            for name, one in taken.items():
                told = {
                    "p50": quantile(one.each, 0.5),
                    "p95": quantile(one.each, 0.95),
                    "p99": quantile(one.each, 0.99),
                }
                cpu = one.cpu / len(one.each)
                growth = told["p50"] / max(0.01, quantile(small[name].each, 0.5)) if small else 1.0
                table.add_row(kind, f"{size:,}", name, *(f"{ms:.1f}" for ms in told.values()), f"{cpu:.1f}",
                              f"{growth:.1f}" if small else "")  # fmt: skip
                figures |= {f"{kind}_{size}_{name}_{what}_ms": round(ms, 2) for what, ms in told.items()}
                figures[f"{kind}_{size}_{name}_cpu_ms"] = round(cpu, 2)
                if small:
                    figures[f"{kind}_{name}_growth"] = round(growth, 2)
                met &= told["p95"] <= GOALS.get(name, float("inf"))
            small = taken
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    Console(width=130).print(table)
    goals = {f"{name}_p95_ms": ms for name, ms in GOALS.items()}
    print(json.dumps({"name": "cases", "figures": figures, "goals": goals, "met": bool(met)}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
