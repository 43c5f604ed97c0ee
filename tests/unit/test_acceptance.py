"""docs/acceptance.md answers every row, of bad input too, and what it names as proof exists."""

from __future__ import annotations

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
ROWS = 39
PROOF = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
MEASURED = re.compile(r"`make (bench|drill)-([a-z-]+)`")


BAD_INPUT = "abcdefghijkl"


def rows() -> list[tuple[str, str]]:
    """What each row is called (a number; a letter for bad input), and what stands under "proved by"."""
    text = (REPO / "docs/acceptance.md").read_text(encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| (\d+|[a-z]) \|", line)]
    return [(name, proof) for name, _, proof in cells]


def test_every_row_is_answered_once():
    assert [name for name, _ in rows()] == [*map(str, range(1, ROWS + 1)), *BAD_INPUT]
    silent = [name for name, proof in rows() if not PROOF.search(proof) and "not yet" not in proof]
    assert silent == []


def test_every_test_that_is_named_exists():
    missing = []
    for number, proof in rows():
        for part in proof.split(";"):
            for file, test in PROOF.findall(part):
                path = REPO / file
                found = path.is_file() and re.search(rf"^(async )?def {test}\(", path.read_text(encoding="utf-8"), re.M)
                if not test or not found:
                    missing.append((number, file, test))
        for kind, name in MEASURED.findall(proof):
            folder = "bench" if kind == "bench" else "drills"
            if not (REPO / "tests" / folder / f"{name.replace('-', '_')}.py").is_file():
                missing.append((number, kind, name))
    assert missing == []
