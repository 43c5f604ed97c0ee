"""Keeps the children's log files from growing for ever, while the children go on writing to them."""

from __future__ import annotations

import shutil
from pathlib import Path

LARGEST = 20 * 1024 * 1024
KEPT = 5


def rotate_all(folder: Path, largest: int = LARGEST, kept: int = KEPT) -> None:
    """Rotates every `*.log` in `folder` larger than `largest` bytes; errors (a full disk) are left for later."""
    for log in folder.glob("*.log"):
        try:
            if log.stat().st_size > largest:
                rotate(log, kept)
        except OSError:
            continue


def rotate(log: Path, kept: int = KEPT) -> None:
    """Moves the content of `log` to `log.1` (and older ones up by one) and empties it.

    The writer holds the file open in append mode, so it is copied and cut rather than renamed: the writer needs no
    signal, and a supervisor that dies leaves no broken pipe behind.
    """
    for number in range(kept - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
