"""An append-only daily file of lines: appending never waits, a thread writes and syncs groups of lines.

Promises: lines reach the disk in order, within about `group_s` seconds; a line torn by a crash is skipped by readers
and never merges with the next one; while the disk is full or broken lines wait in memory (the newest `ring` of them)
and are written once it is well again, and `on_trouble` hears of both.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

RETRY_S = 1.0
DAY_MS = 86_400_000
_BLOCK = 64 * 1024


@lru_cache(maxsize=4)
def _day_of(number: int) -> date:
    """The date of a day counted from the epoch; asked for every line, and the same all day."""
    return date(1970, 1, 1) + timedelta(days=number)


class JournalFile:
    """`<folder>/<prefix>-YYYYMMDD.jsonl`; the day is UTC's, by `clock` (epoch milliseconds)."""

    def __init__(
        self,
        folder: Path,
        prefix: str,
        clock: Callable[[], int],
        *,
        group_s: float = 0.05,
        ring: int = 200_000,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._folder, self._prefix, self._clock = folder, prefix, clock
        self._group_s = group_s
        self._pending: deque[tuple[date, bytes]] = deque(maxlen=ring)
        self._changed = threading.Condition()
        self._appended = 0
        self._durable = 0
        self._closing = False
        self._idle = False
        self._on_trouble = on_trouble
        self.trouble = ""
        self.lost = 0
        self._fd: int | None = None
        self._day: date | None = None
        self._size = 0
        self._thread = threading.Thread(target=self._write_groups, name=f"journal-{prefix}", daemon=True)
        self._thread.start()

    def append(self, line: str) -> None:
        """Add one line (without its end; a line break inside becomes a space). Never blocks, never raises."""
        data = line.replace("\n", " ").encode() + b"\n"
        day = _day_of(self._clock() // DAY_MS)
        with self._changed:
            if len(self._pending) == self._pending.maxlen:
                self.lost += 1
            self._pending.append((day, data))
            self._appended += 1
            if self._idle:  # else the thread looks by itself when its group is full
                self._changed.notify()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything appended so far is on the disk; whether it is."""
        with self._changed:
            target = self._appended
            return self._changed.wait_for(lambda: self._durable >= target, timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is left, if the disk lets us within `timeout`, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)

    # -- the writing thread -----------------------------------------------------------------------------------------

    def _write_groups(self) -> None:
        while True:
            with self._changed:
                self._idle = True
                self._changed.wait_for(lambda: self._pending or self._closing)
                self._idle = False
                if not self._pending:
                    break
                day = self._pending[0][0]
                group = []
                while self._pending and self._pending[0][0] == day:
                    group.append(self._pending.popleft()[1])
                closing = self._closing
            if not self._put(day, b"".join(group)):
                with self._changed:
                    self._restore(day, group)
                    if closing:
                        break
                    self._changed.wait_for(lambda: self._closing, RETRY_S)
                continue
            with self._changed:
                self._durable += len(group) + self._take_lost()
                self._changed.notify_all()
                if not self._closing:
                    self._changed.wait_for(lambda: self._closing, self._group_s)
        if self._fd is not None:
            os.close(self._fd)

    def _take_lost(self) -> int:
        lost, self.lost = self.lost, 0
        return lost

    def _restore(self, day: date, group: list[bytes]) -> None:
        room = (self._pending.maxlen or 0) - len(self._pending)
        self.lost += max(0, len(group) - room)
        for data in reversed(group[max(0, len(group) - room) :]):
            self._pending.appendleft((day, data))

    def _put(self, day: date, data: bytes) -> bool:
        try:
            if self._fd is None or self._day != day:
                self._open(day)
            assert self._fd is not None
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            os.fsync(self._fd)
            self._size += len(data)
        except OSError as error:
            self._undo()
            self._say(f"the journal cannot be written: {error.strerror or error}")
            return False
        self._say("")
        return True

    def _open(self, day: date) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._prefix}-{day:%Y%m%d}.jsonl"
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._fd).st_size
        if self._size and os.pread(self._fd, 1, self._size - 1) != b"\n":
            self._size += os.write(self._fd, b"\n")  # what a crash tore stays a line of its own
        self._day = day

    def _undo(self) -> None:
        """Take back the part of a group that was written before the disk refused the rest."""
        if self._fd is None:
            return
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            pass
        os.close(self._fd)
        self._fd = None

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            if self._on_trouble is not None:
                self._on_trouble(trouble)


def days(folder: Path, prefix: str) -> list[Path]:
    """The journal's files, newest first."""
    return sorted(folder.glob(f"{prefix}-????????.jsonl"), reverse=True)


def newest_first(folder: Path, prefix: str) -> Iterator[str]:
    """All whole lines from the last one backwards, through every day; reads only as far as it is asked to."""
    for path in days(folder, prefix):
        yield from _backwards(path)


def _backwards(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        rest = b""
        torn = True  # what follows the last line break was never finished
        while at > 0:
            size = min(_BLOCK, at)
            at -= size
            file.seek(at)
            parts = (file.read(size) + rest).split(b"\n")
            rest = parts[0]
            for part in reversed(parts[1:]):
                if not torn and part:
                    yield part.decode("utf-8", "replace")
                torn = False
        if rest and not torn:
            yield rest.decode("utf-8", "replace")


def between(folder: Path, prefix: str, since_ms: int, until_ms: int) -> list[Path]:
    """The files that may hold lines of this time (epoch milliseconds, the end excluded), oldest first."""
    first, last = (
        f"{prefix}-{datetime.fromtimestamp(at / 1000, UTC):%Y%m%d}.jsonl"
        for at in (since_ms, max(since_ms, until_ms - 1))
    )
    return sorted(path for path in days(folder, prefix) if first <= path.name <= last)


def whole_lines(path: Path) -> Iterator[tuple[int, str]]:
    """A file's lines with their numbers (from 1), blank ones left out; a last line that no line break ends as well:
    it may still be being written."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n") and line.strip():
                yield number, line.decode("utf-8", "replace").rstrip("\n")


def prune(folder: Path, prefix: str, today: date, keep_days: int) -> int:
    """Delete days older than `keep_days`; how many."""
    oldest = f"{prefix}-{today - timedelta(days=keep_days):%Y%m%d}.jsonl"
    old = [path for path in days(folder, prefix) if path.name < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
