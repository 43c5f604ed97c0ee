"""The journal on disk: ordered, torn lines skipped, and a full disk survived."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from cti_bridge import journal_file
from cti_bridge.journal_file import JournalFile, newest_first, prune

NOON = 1_795_521_600_000  # 2026-11-24T12:00Z
DAY = 86_400_000


def opened(folder: Path, clock: Callable[[], int] = lambda: NOON, **more: object) -> JournalFile:
    return JournalFile(folder, "facts", clock, group_s=0, **more)  # type: ignore[arg-type]


def test_lines_are_kept_in_order_and_read_from_the_last_backwards(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for n in range(5000):
        journal.append(f'{{"n":{n},"text":"水管爆裂"}}')
    assert journal.flush()
    journal.close()
    lines = list(newest_first(tmp_path, "facts"))
    assert lines[0] == '{"n":4999,"text":"水管爆裂"}'
    assert list(reversed(lines)) == [f'{{"n":{n},"text":"水管爆裂"}}' for n in range(5000)]


def test_each_day_has_its_file_and_reading_goes_back_through_them(tmp_path: Path) -> None:
    now = [NOON]
    journal = opened(tmp_path, lambda: now[0])
    journal.append("yesterday")
    now[0] += DAY
    journal.append("today")
    assert journal.flush()
    journal.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts-20261124.jsonl", "facts-20261125.jsonl"]
    assert list(newest_first(tmp_path, "facts")) == ["today", "yesterday"]


def test_a_line_torn_by_a_crash_is_skipped_and_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "facts-20261124.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2,"half')
    assert list(newest_first(tmp_path, "facts")) == ['{"n":1}']
    journal = opened(tmp_path)
    journal.append('{"n":3}')
    assert journal.flush()
    journal.close()
    assert list(newest_first(tmp_path, "facts")) == ['{"n":3}', '{"n":2,"half', '{"n":1}']


def test_a_line_break_inside_a_line_cannot_make_two(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append('{"n":1}\n{"applied":{"facts":999}}')
    assert journal.flush()
    journal.close()
    assert len(list(newest_first(tmp_path, "facts"))) == 1


def test_a_full_disk_costs_no_line_once_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    said: list[str] = []
    troubled, well = threading.Event(), threading.Event()

    def trouble(text: str) -> None:
        said.append(text)
        (troubled if text else well).set()

    full = [True]
    write = os.write

    def stingy(fd: int, data: bytes) -> int:
        if full[0]:
            write(fd, bytes(data)[:3])  # some of it fits
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(journal_file.os, "write", stingy)
    journal = opened(tmp_path, on_trouble=trouble)
    for n in range(10):
        journal.append(f"line {n}")
    assert troubled.wait(2)
    assert "No space" in said[0]
    assert not journal.flush(timeout=0.05)
    full[0] = False
    assert journal.flush()
    assert well.wait(2)
    journal.close()
    assert list(reversed(list(newest_first(tmp_path, "facts")))) == [f"line {n}" for n in range(10)]


def test_memory_is_bounded_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "RETRY_S", 0.01)
    full = [True]
    write = os.write

    def stingy(fd: int, data: bytes) -> int:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(journal_file.os, "write", stingy)
    journal = opened(tmp_path, ring=5)
    for n in range(20):
        journal.append(f"line {n}")
    full[0] = False
    assert journal.flush()
    journal.close()
    kept = list(newest_first(tmp_path, "facts"))
    assert kept == ["line 19", "line 18", "line 17", "line 16", "line 15"]


def test_old_days_are_deleted(tmp_path: Path) -> None:
    for name in ("facts-20260101.jsonl", "facts-20261120.jsonl", "other-20200101.jsonl"):
        (tmp_path / name).write_text("x\n")
    assert prune(tmp_path, "facts", date(2026, 11, 24), keep_days=30) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts-20261120.jsonl", "other-20200101.jsonl"]
