"""How often the suggested unit is the right one, against a search for keywords on the same matters, and what it takes.

Run: make bench-suggest (python -m tests.bench.suggest). The labelled matters that come with the hotline are split by a
fixed seed: what is suggested for one part was learned from the other alone.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from app.units.exchange import UNIT_COLUMNS
from app.units.model import split_words
from app.units.suggest import Example, Suggester, UnitWords, by_keyword
from app.units.suggestions import NETWORK, examples

SEED, LEARNED = 12345, 12  # of each topic's matters
TIMES = 2_000
Ranked = Callable[[str], Sequence[int]]


def network() -> list[UnitWords]:
    """The units that the centre may hand work to, or name to a citizen, in the starting network."""
    head = {column.name: column.head for column in UNIT_COLUMNS}
    with NETWORK.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    centre = next(row[head["code"]] for row in rows if row[head["kind"]] == "热线中心")
    near = [row for row in rows if row[head["parent"]] == centre or row[head["kind"]] == "友邻单位"]
    words = [[tuple(split_words(row[head[name]])) for name in ("keywords", "topics", "areas")] for row in near]
    return [UnitWords(at, row[head["duties"]], *words[at]) for at, row in enumerate(near)]


def split(matters: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """What is learned from and what is asked about: of every topic LEARNED matters, and the others."""
    topics: dict[str, list[Example]] = defaultdict(list)
    for example in matters:
        topics[example.topic].append(example)
    drawn = random.Random(SEED)
    learned: list[Example] = []
    asked: list[Example] = []
    for topic in sorted(topics):
        drawn.shuffle(topics[topic])
        learned += topics[topic][:LEARNED]
        asked += topics[topic][LEARNED:]
    return learned, asked


def shares(units: Sequence[UnitWords], asked: Sequence[Example], ranked: Ranked) -> tuple[float, float]:
    """The shares of matters whose unit is the first, and one of the first three."""
    hits = [[example.topic in units[unit].topics for unit in ranked(example.text)[:3]] for example in asked]
    return sum(hit[:1] == [True] for hit in hits) / len(asked), sum(any(hit) for hit in hits) / len(asked)


def main() -> int:
    """Run, print a table and one JSON line; 0 when the goals are met."""
    units = network()
    learned, asked = split(examples())
    began = time.perf_counter()
    suggester = Suggester(units, learned)
    figures = {
        "units": len(units),
        "topics": len({example.topic for example in asked}),
        "learned": len(learned),
        "asked": len(asked),
        "learning_ms": round((time.perf_counter() - began) * 1000, 1),
    }
    told = {
        "baseline": shares(units, asked, lambda text: by_keyword(units, text)),
        "suggested": shares(units, asked, lambda text: [one.unit_id for one in suggester.suggest(text)]),
    }
    taken = []
    for n in range(TIMES):
        began = time.perf_counter()
        suggester.suggest(asked[n % len(asked)].text)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    table = Table("", "first is right", "one of three is right")
    for name, (first, three) in told.items():
        table.add_row(name, f"{first:.1%}", f"{three:.1%}")
        figures |= {f"{name}_top1": round(first, 3), f"{name}_top3": round(three, 3)}
    figures |= {"median_ms": round(taken[TIMES // 2], 3), "p99_ms": round(taken[int(TIMES * 0.99)], 3)}
    Console().print(table)
    met = told["suggested"][0] > told["baseline"][0] and told["suggested"][1] > told["baseline"][1]
    met &= figures["p99_ms"] <= 10
    goals = {"top1_and_top3": "above the baseline", "p99_ms": 10}
    print(json.dumps({"name": "suggest", "figures": figures, "goals": goals, "met": met}, ensure_ascii=False))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
