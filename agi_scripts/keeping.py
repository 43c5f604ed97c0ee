"""Putting files where they survive: nothing that a caller is told is kept may be lost to a power cut a moment later.

A file is kept when its bytes, and its name in the folder, have been forced to the disk. The sidecar is written last,
by its final name, so whoever finds a sidecar finds the whole message.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")


class NotKept(Exception):
    """The disk did not take it; the text says why."""


def spool_file(folder: Path, call: str, suffix: str) -> Path:
    """`folder`/`call``suffix`. Raises NotKept for a call id that could name another place."""
    if not CALL_ID.fullmatch(call) or ".." in call:
        raise NotKept(f"no call id: {call[:64]!r}")
    return folder / f"{call}{suffix}"


def force(path: Path) -> None:
    """Forces the bytes of `path` to the disk. Raises NotKept."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise NotKept(f"{path}: {error}") from error


def write_forced(path: Path, facts: Mapping[str, object]) -> None:
    """Writes `facts` as JSON to `path`, whole or not at all, and forces file and folder to the disk. Raises NotKept."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(facts, ensure_ascii=True, sort_keys=True).encode())
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o600)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotKept(f"{path}: {error}") from error
    force(path.parent)
