"""Some public-service desktops still run Chromium 90 (UX 39): the pages hold nothing that it cannot read."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.browser.fake_backend import DIST

FRONTEND = DIST.parent
OLDEST = "chrome90"
YOUNGER = {
    "script": r"\.at\(-|structuredClone\(|\.findLast(Index)?\(|\.to(Sorted|Reversed|Spliced)\("
    r"|Object\.(hasOwn|groupBy)\(|randomUUID|AbortSignal\.(timeout|any)|withResolvers|fromAsync|showPopover",
    "style": r":has\(|@container|@layer|@scope|color-mix\(|oklch\(|\d[dsl]v[hw]\b|subgrid|text-wrap|@property",
}
"""Interfaces and rules that came after it, which no build can bring."""


def as_read_by(target: str, folder: Path) -> dict[str, bytes]:
    """The built scripts and styles, rewritten for a browser: the same as they were, when it can read them."""
    files = sorted(str(one) for one in (DIST / "assets").glob("*") if one.suffix in (".js", ".css"))
    assert files
    command = [FRONTEND / "node_modules/.bin/esbuild", *files, f"--outdir={folder}", f"--target={target}"]
    told = subprocess.run([*command, "--log-level=warning"], capture_output=True, text=True, check=True, timeout=60)
    assert not told.stderr, told.stderr
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_no_syntax_is_younger_than_the_oldest_browser(tmp_path: Path) -> None:
    old, new = (as_read_by(target, tmp_path / target) for target in (OLDEST, "esnext"))
    assert [name for name in new if old[name] != new[name]] == []


@pytest.mark.parametrize(("kind", "endings"), [("script", {".ts", ".vue"}), ("style", {".css", ".vue"})])
def test_no_interface_is_younger_than_the_oldest_browser(kind: str, endings: set[str]) -> None:
    wrong = [
        f"{file.relative_to(FRONTEND)}: {found[0]}"
        for file in (FRONTEND / "src").rglob("*")
        if file.suffix in endings and not file.name.endswith(".test.ts")
        for found in re.finditer(YOUNGER[kind], file.read_text(encoding="utf-8"))
    ]
    assert wrong == []
