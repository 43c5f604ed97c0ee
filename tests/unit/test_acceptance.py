"""docs/acceptance.md answers every row, and what it names as proof exists."""

from __future__ import annotations

import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
ROWS = 39
PROOF = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
MEASURED = re.compile(r"`make (bench|drill)-([a-z-]+)`")


def rows() -> list[tuple[int, str]]:
    """Each row's number and what stands under "proved by"."""
    text = (REPO / "docs/acceptance.md").read_text(encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    return [(int(number), proof) for number, _, proof in cells]


def test_every_row_is_answered_once():
    assert [number for number, _ in rows()] == list(range(1, ROWS + 1))
    silent = [number for number, proof in rows() if not PROOF.search(proof) and "not yet" not in proof]
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
