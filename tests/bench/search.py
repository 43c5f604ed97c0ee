"""How long the knowledge base takes to find what an agent types, beside the usual LIKE '%…%', over 100,000 articles.

Run: make bench-search (python -m tests.bench.search [--articles 100000] [--database sqlite|postgresql]).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import text

from app.actor import SYSTEM
from app.db import Database
from app.knowledge import views
from app.knowledge.finding import search
from app.paging import like
from app.search.tokens import sought
from tests.bench._articles import fill, queries
from tests.bench._load import quantile
from tests.bench.card import databases

KINDS = ("two", "four", "long")
ASKED, ASKED_LIKE = 300, 20
GOAL_MS = 50.0
TODAY = date(2026, 11, 24)
LIKE = """
SELECT a.id FROM knowledge_article a JOIN knowledge_version v ON v.id = a.current_id
WHERE v.title LIKE :q ESCAPE '\\' OR v.question LIKE :q ESCAPE '\\'
   OR v.phone_answer LIKE :q ESCAPE '\\' OR v.letter_answer LIKE :q ESCAPE '\\'
ORDER BY a.used DESC, a.id DESC LIMIT 20
"""
console = Console(stderr=True)


def by_index(db: Database, words: str) -> int:
    """All that the page's question costs the server: articles found, read, and marked; how many there were."""
    wanted = sought(words)
    with db.read() as session:
        return len([views.hit(one, wanted, TODAY) for one in search(session, SYSTEM, words)])


def by_like(db: Database, words: str) -> int:
    """What one would write first; how many it found."""
    with db.read() as session:
        return len(session.execute(text(LIKE), {"q": like(words)}).all())


def measured(db: Database, ask: Callable[[Database, str], int], asked: Iterable[str]) -> tuple[list[float], float]:
    """Milliseconds of each question, and the part of them that found something."""
    taken, found = [], 0
    for words in asked:
        began = time.perf_counter()
        found += ask(db, words) > 0
        taken.append((time.perf_counter() - began) * 1000)
    return taken, found / len(taken)


def bench(kind: str, articles: int) -> dict[str, float]:
    """All kinds of questions on one kind of database."""
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        db = databases(kind, stack)("knowledge")
        began = time.perf_counter()
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(f"{kind}: {articles:,} articles", total=articles)
            fill(db, articles, lambda done, total: bar.update(task, completed=done))
        figures[f"{kind}_fill_s"] = round(time.perf_counter() - began, 1)
        for name in KINDS:
            measured(db, by_index, queries(name, 20))
            for way, ask, count in (("index", by_index, ASKED), ("like", by_like, ASKED_LIKE)):
                taken, found = measured(db, ask, queries(name, count))
                figures[f"{kind}_{name}_{way}_p50_ms"] = round(quantile(taken, 0.5), 2)
                figures[f"{kind}_{name}_{way}_p99_ms"] = round(quantile(taken, 0.99), 2)
                figures[f"{kind}_{name}_{way}_found"] = round(found, 3)
        if kind == "sqlite":
            figures["sqlite_mb"] = round(Path(str(db.url.database)).stat().st_size / 1e6)
        db.dispose()
    return figures


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    figures: dict[str, float] = {}
    for kind in kinds:
        figures |= bench(kind, chosen.articles)
    table = Table("database", "question", "p50 ms", "p99 ms", "found", "LIKE p50 ms", "LIKE p99 ms", "LIKE found")
    met = True
    for kind in kinds:
        for name in KINDS:
            cells = [
                f"{figures[f'{kind}_{name}_{way}_{what}']:.2f}"
                for way in ("index", "like")
                for what in ("p50_ms", "p99_ms", "found")
            ]
            table.add_row(kind, name, *cells)
            met &= figures[f"{kind}_{name}_index_p99_ms"] <= GOAL_MS
    Console().print(table)
    print(json.dumps({"name": "search", "figures": figures, "goals": {"index_p99_ms": GOAL_MS}, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
