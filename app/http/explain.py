"""Why a call was served as it was, from the queue engine's journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.settings import Settings

MOST_BYTES = 32_000_000  # a busy day; older calls are explained by `hotline calls explain`


def from_journal(settings: Settings) -> Callable[[str, str], list[str]]:
    """A function (call id, language) → sentences; [] when the journal no longer knows the call."""

    def explain(call_id: str, language: str) -> list[str]:
        from acd.explain import explain_call

        files: list[Path] = []
        size = 0
        for file in sorted(settings.paths.journal.glob("acd-*.jsonl"), reverse=True):
            size += file.stat().st_size
            if size > MOST_BYTES:
                break
            files.insert(0, file)
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
        if not any(call_id in line for line in lines):
            return []
        return explain_call(lines, call_id, language)

    return explain
