"""What makes set-up safe to repeat, to interrupt and to start twice at the same moment: a lock and content stamps."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .progress import say

STAMP = ".complete.json"


@contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Holds `lock_file` for the body; a second set-up waits for the first and says so."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            say(f"another set-up is running here (process {handle.read().strip() or '?'}); waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def digest(value: Any) -> str:
    """A stable fingerprint of anything JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digest_files(root: Path, files: list[Path]) -> str:
    """A fingerprint of the names (relative to `root`) and contents of `files`, in whatever order they come."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(str(file.relative_to(root)).encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def is_stamped(folder: Path, fingerprint: str) -> bool:
    """True if `folder` was completed for exactly this `fingerprint`."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get("fingerprint") == fingerprint


def stamp(folder: Path, fingerprint: str, **facts: Any) -> None:
    """Marks `folder` as complete for `fingerprint`; written last and atomically."""
    temporary = folder / (STAMP + ".new")
    temporary.write_text(json.dumps({"fingerprint": fingerprint, **facts}, indent=1, sort_keys=True) + "\n")
    temporary.replace(folder / STAMP)


def build_folder(target: Path, fingerprint: str, fill: Callable[[Path], dict[str, Any]]) -> bool:
    """Makes `target` by letting `fill` populate a temporary neighbour, which is renamed only when complete.

    Returns False at once if `target` already carries `fingerprint`. An interrupted run leaves the old `target`
    (or none) and a temporary folder that the next run removes.
    """
    if is_stamped(target, fingerprint):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    temporary.chmod(0o755)
    try:
        stamp(temporary, fingerprint, **fill(temporary))
        old = target.parent / f".{target.name}.old.tmp"
        if target.exists():
            target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def write_if_changed(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes `text` atomically unless `path` holds it already."""
    try:
        if path.read_text() == text and path.stat().st_mode & 0o777 == mode:
            return
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.write_text(text)
    temporary.chmod(mode)
    temporary.replace(path)
