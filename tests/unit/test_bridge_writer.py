"""Facts reach the database in order, whatever the database, the disk or a crash does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import Busy, StorageFull
from cti_bridge import writer as writer_module
from cti_bridge.writer import Fact, FactWriter, unapplied

LANE_OF = {"call": "facts", "recording": "files"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_S", (0.005,))
    monkeypatch.setattr(writer_module, "GATHER_S", 0.0)
    monkeypatch.setattr(writer_module, "APART_S", 0.0)


class Store:
    """A database that can be locked."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.batches: list[list[str]] = []
        self.locked: type[Exception] | None = None
        self.tried = threading.Event()
        self.poison = ""

    def __call__(self, facts: list[Fact]) -> None:
        self.tried.set()
        if self.locked:
            raise self.locked()
        if any(fact.key == self.poison for fact in facts):
            raise ValueError("this can never be stored")
        self.applied += [fact.key for fact in facts]
        self.batches.append([fact.key for fact in facts])


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def files() -> Store:
    return Store()


@pytest.fixture
def writer(tmp_path: Path, store: Store, files: Store) -> Iterator[FactWriter]:
    writer = FactWriter(tmp_path, lambda: 1_795_521_600_000, {"facts": store, "files": files}, LANE_OF)
    yield writer
    writer.stop(0.2)


def test_facts_are_applied_in_the_order_they_were_put(writer: FactWriter, store: Store) -> None:
    writer.start()
    for n in range(500):
        writer.put("call", f"c{n}", {"number": "1"})
    assert writer.settle()
    assert store.applied == [f"c{n}" for n in range(500)]


def test_transactions_keep_their_distance_so_that_facts_of_a_busy_time_share_them(
    writer: FactWriter, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "APART_S", 0.5)
    writer.start()
    writer.put("call", "first", {})
    assert writer.settle(5.0)
    store.tried.clear()
    writer.put("call", "second", {})
    assert not store.tried.wait(0.2), "the second transaction came at once"
    writer.put("call", "third", {})
    assert writer.settle(5.0)
    assert store.batches == [["first"], ["second", "third"]]


@pytest.mark.parametrize("trouble", [Busy, StorageFull])
def test_a_locked_database_or_a_full_disk_delays_facts_and_loses_none(
    writer: FactWriter, store: Store, trouble: type[Exception]
) -> None:
    store.locked = trouble
    writer.start()
    for n in range(20):
        writer.put("call", f"c{n}", {})
    assert store.tried.wait(2)
    assert store.applied == []
    assert writer.waiting()["facts"] == 20
    store.locked = None
    assert writer.settle()
    assert store.applied == [f"c{n}" for n in range(20)]
    assert writer.troubles() == {}


def test_recordings_that_wait_for_room_do_not_hold_up_facts(writer: FactWriter, store: Store, files: Store) -> None:
    files.locked = StorageFull
    writer.start()
    writer.put("recording", "r1", {})
    writer.put("call", "c1", {})
    assert writer._lanes["facts"].idle(2)
    assert store.applied == ["c1"]
    assert files.tried.wait(2)
    assert writer.troubles() == {"files": "storage_full"}


def test_a_fact_that_can_never_be_stored_is_put_aside_and_the_next_goes_on(
    writer: FactWriter, store: Store, tmp_path: Path
) -> None:
    store.poison = "bad"
    writer.start()
    for key in ("a", "bad", "b"):
        writer.put("call", key, {"x": 1})
    assert writer.settle()
    assert store.applied == ["a", "b"]
    writer.stop()
    (refused,) = tmp_path.glob("refused-*.jsonl")
    assert '"key": "bad"' in refused.read_text()


def test_what_a_killed_process_had_not_applied_is_applied_by_the_next_one_once(
    tmp_path: Path, store: Store, files: Store
) -> None:
    clock = lambda: 1_795_521_600_000  # noqa: E731
    first = FactWriter(tmp_path, clock, {"facts": store, "files": files}, LANE_OF)
    first.start()
    first.put("call", "a", {})
    first.put("recording", "r", {})
    assert first.settle()
    store.locked = Busy
    first.put("call", "b", {"outcome": "answered"})
    first.put("call", "c", {})
    assert first._journal.flush()  # and then it is killed

    after = Store()
    second = FactWriter(tmp_path, clock, {"facts": after, "files": files}, LANE_OF)
    assert second.start() == 2
    number = second.put("call", "d", {})
    assert second.settle()
    second.stop()
    assert after.applied == ["b", "c", "d"]
    assert files.applied == ["r"]
    assert number == 5  # numbers go on
    assert unapplied(tmp_path, LANE_OF)[0] == []
    first.stop(0)


def test_a_journal_with_a_torn_last_line_is_read_all_the_same(tmp_path: Path) -> None:
    fact = Fact(1, 0, "call", "a", {"name": "张三"})
    (tmp_path / "facts-20261124.jsonl").write_text(fact.line() + '\n{"n":2,"at":0,"kind":"call","ke')
    left, highest, _ = unapplied(tmp_path, LANE_OF)
    assert left == [fact]
    assert highest == 1


def test_an_empty_home_has_nothing_to_apply(tmp_path: Path) -> None:
    assert unapplied(tmp_path / "nowhere", LANE_OF) == ([], 0, {})
