"""How often the likeness of two matters is right, on pairs that people have judged (data/matter_pairs.csv).

The threshold was chosen on the pairs in even rows; the figures that count are those of the odd ones, which had no part
in it. Hard pairs on purpose: the same place with another matter, the same matter at another place, 停水 beside 停电.

Run: make bench-duplicates (python -m tests.bench.duplicates).
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.cases.likeness import LIKE, Matter, likeness

PAIRS = Path(__file__).parent / "data/matter_pairs.csv"
GOALS = {"held_out_precision": 0.8, "held_out_recall": 0.75}


@dataclass(frozen=True)
class Pair:
    """Two matters, and whether a person calls them one."""

    one: Matter
    other: Matter
    same: bool


def pairs() -> list[Pair]:
    """The judged pairs."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        return [
            Pair(
                Matter(row["title"], row["content"], row["place"]),
                Matter(row["other_title"], row["other_content"], row["other_place"]),
                row["same"] == "1",
            )
            for row in csv.DictReader(file)
        ]


def judged(some: Sequence[Pair], threshold: float = LIKE) -> tuple[float, float]:
    """Precision and recall at a threshold."""
    called = [likeness(pair.one, pair.other) >= threshold for pair in some]
    right = sum(yes and pair.same for yes, pair in zip(called, some, strict=True))
    return right / max(1, sum(called)), right / max(1, sum(pair.same for pair in some))


def main() -> int:
    """Print a table and one JSON line; 0 when the goals are met."""
    known = pairs()
    halves = {"chosen_on": known[::2], "held_out": known[1::2], "all": known}
    table = Table("pairs", "count", "the same", "precision", "recall")
    figures: dict[str, float] = {"threshold": LIKE, "pairs": len(known)}
    for name, some in halves.items():
        precision, recall = judged(some)
        figures[f"{name}_precision"], figures[f"{name}_recall"] = round(precision, 3), round(recall, 3)
        same = str(sum(pair.same for pair in some))
        table.add_row(name, str(len(some)), same, f"{precision:.2f}", f"{recall:.2f}")
    began = time.perf_counter()
    for pair in known:
        likeness(Matter(pair.one.title, pair.one.content), Matter(pair.other.title, pair.other.content))
    figures["us_a_pair"] = round((time.perf_counter() - began) * 1e6 / len(known))
    Console().print(table)
    met = all(figures[name] >= goal for name, goal in GOALS.items())
    print(json.dumps({"name": "duplicates", "figures": figures, "goals": GOALS, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
