"""How long it takes to offer known places for an address that is typed, over 100,000 cases, beside LIKE '%…%' on them.

Run: make bench-places (python -m tests.bench.places [--cases 100000] [--database sqlite|postgresql]).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import func, select, text

from app.actor import Actor
from app.auth.model import Role
from app.db import Database
from app.demo.cases.fill import fill
from app.demo.cases.matters import AREAS, ESTATES, ROADS
from app.paging import like
from app.places import service
from app.places.tables import Place
from app.settings import Settings
from app.starting import settled
from tests.bench._load import quantile
from tests.bench.card import databases

ASKED, ASKED_LIKE = 400, 20
GOAL_MS = 50.0
AGENT = Actor(user_id=1, roles=frozenset({Role.agent}), agent_id="1001", name="1001")
LIKE = """
SELECT address, area, count(*) FROM case_file WHERE address LIKE :q ESCAPE '\\' AND registered_at IS NOT NULL
GROUP BY address, area ORDER BY count(*) DESC LIMIT 6
"""
console = Console(stderr=True)


def questions(count: int) -> list[tuple[str, str]]:
    """What is typed of an address, two characters to a whole one, and the area if it is known."""
    dice = random.Random(7)
    found = []
    for _ in range(count):
        place = dice.choice([*ROADS, *ESTATES])
        typed = place[: dice.choice((2, 3, len(place)))] + dice.choice(("", "", f"{dice.randint(1, 99)}号"))
        found.append((typed, dice.choice(("", *AREAS))))
    return found


def by_places(db: Database, typed: str, area: str) -> int:
    """What the page's question costs the server; how many places it was told."""
    with db.read() as session:
        return len(service.offers(session, AGENT, typed, area))


def by_like(db: Database, typed: str, area: str) -> int:
    """What one would write first: it tells houses as well."""
    with db.read() as session:
        return len(session.execute(text(LIKE), {"q": like(typed)}).all())


def measured(
    db: Database, ask: Callable[[Database, str, str], int], asked: Sequence[tuple[str, str]]
) -> tuple[list[float], list[float], float]:
    """Milliseconds of each question, our processor's milliseconds of each, and the part that found something."""
    taken, busy, found = [], [], 0
    for typed, area in asked:
        began, cpu = time.perf_counter(), time.process_time()
        found += ask(db, typed, area) > 0
        taken.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - cpu) * 1000)
    return taken, busy, found / len(taken)


def bench(kind: str, cases: int) -> dict[str, float]:
    """One database."""
    with ExitStack() as stack:
        db = databases(kind, stack)("places")
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(f"{kind}: {cases:,} cases", total=cases)
            fill(
                db,
                Settings(),
                cases,
                now=datetime.now(UTC),
                progress=lambda done, total: bar.update(task, completed=done),
            )
        settled()
        figures: dict[str, float] = {}
        with db.read() as session:
            figures["places"] = int(session.execute(select(func.count()).select_from(Place)).scalar_one())
        measured(db, by_places, questions(20))
        for way, ask, count in (("places", by_places, ASKED), ("like", by_like, ASKED_LIKE)):
            taken, busy, found = measured(db, ask, questions(count))
            for part in (0.5, 0.95, 0.99):
                figures[f"{way}_p{part * 100:.0f}_ms"] = round(quantile(taken, part), 2)
            figures[f"{way}_cpu_p95_ms"] = round(quantile(busy, 0.95), 2)
            figures[f"{way}_found"] = round(found, 3)
        db.dispose()
    return figures


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    table = Table(
        "database",
        "places",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU p95 ms",
        "found",
        "LIKE p50 ms",
        "LIKE p95 ms",
        "p95 ratio",
    )
    figures: dict[str, float] = {}
    met = True
    for kind in kinds:
        of = bench(kind, chosen.cases)
        ratio = of["places_p95_ms"] / max(0.01, of["like_p95_ms"])
        names = (
            "places_p50_ms",
            "places_p95_ms",
            "places_p99_ms",
            "places_cpu_p95_ms",
            "places_found",
            "like_p50_ms",
            "like_p95_ms",
        )
        table.add_row(kind, f"{of['places']:,}", *(f"{of[name]:.2f}" for name in names), f"{ratio:.3f}")
        figures |= {f"{kind}_{name}": value for name, value in of.items()} | {f"{kind}_p95_ratio": round(ratio, 3)}
        met &= of["places_p95_ms"] <= GOAL_MS
    Console(width=120).print(table)
    print(json.dumps({"name": "places", "figures": figures, "goals": {"places_p95_ms": GOAL_MS}, "met": bool(met)}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
