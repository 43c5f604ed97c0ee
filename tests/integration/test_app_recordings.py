"""The recording store: both sides in one file, chained, never lost, gone when its time is over."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa
from sqlmodel import select

from app import spool
from app.actor import Actor
from app.alarms.service import open_alarms
from app.audio import write_wav
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.calls.service import record
from app.db import Database
from app.errors import Busy, Forbidden, NotFound, StorageFull
from app.settings import Settings
from recordings import service
from recordings.retention import prune
from recordings.store import FaultKind, Store
from recordings.tables import Recording

RATE = 8000
People = Callable[..., Actor]


def tone(hz: int, seconds: float = 1.0) -> np.ndarray:
    return (12000 * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)


def legs(settings: Settings, call_id: str = "h-1.1", segment: int = 1, seconds: float = 1.0) -> tuple[Path, Path]:
    """Two legs as MixMonitor leaves them: the citizen at 440 Hz, what they heard at 880 Hz and shorter."""
    base = settings.paths.record_spool / f"{call_id}-{segment}"
    paths = base.with_name(base.name + "-r.wav"), base.with_name(base.name + "-t.wav")
    write_wav(paths[0], tone(440, seconds), RATE)
    write_wav(paths[1], tone(880, seconds * 0.8), RATE)
    return paths


def loudest(samples: np.ndarray) -> int:
    spectrum = np.abs(np.fft.rfft(samples))
    return round(float(np.argmax(spectrum)) * RATE / len(samples))


@pytest.fixture
def store(settings: Settings, db: Database) -> Store:
    return Store(settings, db)


def adopted(store: Store, settings: Settings, count: int = 1) -> list[Recording]:
    rows = []
    for n in range(count):
        row = store.adopt(f"h-1.{n}", 1, *legs(settings, f"h-1.{n}"))
        assert row is not None
        rows.append(row)
    return rows


def test_both_sides_are_in_one_file_citizen_left_the_rest_right(store: Store, settings: Settings):
    row = adopted(store, settings)[0]
    samples, rate = soundfile.read(store.file_of(row), dtype="int16")
    assert (rate, samples.shape, row.duration_ms) == (RATE, (8000, 2), 1000)
    assert loudest(samples[:, 0]) == 440
    assert loudest(samples[:6400, 1]) == 880
    assert not samples[6400:, 1].any()
    assert list(settings.paths.record_spool.iterdir()) == []


def test_adopting_again_changes_nothing_and_clears_the_spool(store: Store, settings: Settings, db: Database):
    first = adopted(store, settings)[0]
    again = store.adopt("h-1.0", 1, *legs(settings, "h-1.0", seconds=2))
    assert again is not None
    assert (again.seq, again.sha256) == (first.seq, first.sha256)
    assert list(settings.paths.record_spool.iterdir()) == []
    with db.read() as session:
        assert len(session.exec(select(Recording)).all()) == 1


def test_an_offer_without_a_talk_leaves_no_recording(store: Store, settings: Settings):
    paths = legs(settings)
    for path in paths:
        path.write_bytes(path.read_bytes()[:44])
    assert store.adopt("h-1.1", 1, *paths) is None
    assert not any(path.exists() for path in paths)


@pytest.mark.parametrize("missing", [0, 1])
def test_one_missing_leg_becomes_silence_and_is_noted(store: Store, settings: Settings, missing: int):
    paths = legs(settings)
    paths[missing].unlink()
    row = store.adopt("h-1.1", 1, *paths)
    assert row is not None
    assert row.partial == ("citizen:missing" if missing == 0 else "heard:missing")
    samples, _ = soundfile.read(store.file_of(row), dtype="int16")
    assert not samples[:, missing].any()
    assert samples[:, 1 - missing].any()


def test_legs_that_nobody_can_read_are_kept_as_they_are(store: Store, settings: Settings):
    paths = legs(settings)
    paths[0].write_bytes(b"\x01" * 5000)
    paths[1].unlink()
    row = store.adopt("h-1.1", 1, *paths)
    assert row is not None
    assert store.file_of(row).read_bytes() == b"\x01" * 5000
    assert "unreadable" in row.partial


def test_the_chain_holds_and_lies_beside_the_files_too(store: Store, settings: Settings):
    rows = adopted(store, settings, 5)
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == ["", *(row.chain for row in rows[:-1])]
    assert store.verify_chain() == []
    sidecar = json.loads(store.file_of(rows[2]).with_suffix(".json").read_text())
    assert (sidecar["chain"], sidecar["previous"], sidecar["sha256"]) == (
        rows[2].chain,
        rows[1].chain,
        rows[2].sha256,
    )


def test_a_changed_file_a_missing_file_and_a_changed_sidecar_are_found(store: Store, settings: Settings):
    rows = adopted(store, settings, 4)
    paths = [store.file_of(row) for row in rows]
    data = bytearray(paths[0].read_bytes())
    data[1000] ^= 1
    paths[0].write_bytes(data)
    paths[1].unlink()
    paths[2].with_suffix(".json").write_text("{}")
    found = [(fault.kind, fault.seq) for fault in store.verify_chain()]
    assert found == [(FaultKind.file_changed, 1), (FaultKind.file_missing, 2), (FaultKind.sidecar_changed, 3)]
    assert not store.chain_ok(rows[0])
    assert store.chain_ok(rows[3])


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM recording WHERE seq = 2", "UPDATE recording SET sha256 = 'x'", "UPDATE recording SET agent_id = '9'"],
)
def test_the_database_itself_refuses_to_change_the_chain(
    store: Store, settings: Settings, db: Database, statement: str
):
    adopted(store, settings, 3)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
        session.connection().exec_driver_sql(statement)
    assert store.verify_chain() == []


def unguarded(db: Database, *statements: str) -> None:
    """What somebody with all rights over the database can do."""
    with db.session() as session:
        connection = session.connection()
        if db.dialect == "postgresql":
            connection.exec_driver_sql("ALTER TABLE recording DISABLE TRIGGER ALL")
        else:
            connection.exec_driver_sql("DROP TRIGGER recording_no_delete")
            connection.exec_driver_sql("DROP TRIGGER recording_no_update")
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_row_taken_out_is_found_in_the_middle_and_at_the_end(store: Store, settings: Settings, db: Database):
    adopted(store, settings, 5)
    unguarded(db, "DELETE FROM recording WHERE seq IN (2, 5)")
    found = [(fault.kind, fault.seq) for fault in store.verify_chain()]
    assert found == [(FaultKind.gap, 2), (FaultKind.link_broken, 3), (FaultKind.gap, 5)]


def test_a_changed_row_is_found(store: Store, settings: Settings, db: Database):
    adopted(store, settings, 3)
    unguarded(db, "UPDATE recording SET agent_id = '1009' WHERE seq = 2")
    assert [(f.kind, f.seq) for f in store.verify_chain()] == [
        (FaultKind.link_broken, 2),
        (FaultKind.sidecar_changed, 2),
    ]


class Killed(BaseException):
    """Stands for kill -9."""


@pytest.mark.parametrize("where", ["mixed", "stored", "committed"])
def test_killed_at_any_step_the_segment_is_stored_once(
    store: Store, settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch, where: str
):
    def die(*_: object, **__: object) -> None:
        raise Killed

    paths = legs(settings)
    with monkeypatch.context() as patch:
        if where == "mixed":
            patch.setattr("recordings.store.write_wav", die)
        elif where == "stored":
            patch.setattr(Store, "_commit", die)
        else:
            patch.setattr(Store, "_write_sidecar", die)
        with pytest.raises(Killed):
            store.adopt("h-1.1", 1, *paths)
    assert all(path.exists() for path in paths)
    row = store.adopt("h-1.1", 1, *paths)
    assert row is not None
    assert store.verify_chain() == []
    assert len(list(settings.paths.recordings.rglob("*.wav"))) == 1
    assert store.file_of(row).with_suffix(".json").exists()
    with db.read() as session:
        assert len(session.exec(select(Recording)).all()) == 1


def test_with_a_full_disk_the_legs_wait_with_an_alarm_and_are_adopted_later(
    store: Store, settings: Settings, db: Database
):
    full = Store(settings.model_copy(update={"min_free_mb": 10**9}), db)
    paths = legs(settings)
    with pytest.raises(StorageFull):
        full.adopt("h-1.1", 1, *paths)
    with db.read() as session:
        assert [alarm.code for alarm in open_alarms(session)] == ["recordings_disk_full"]
    assert all(path.exists() for path in paths)
    assert store.adopt("h-1.1", 1, *paths) is not None
    with db.read() as session:
        assert open_alarms(session) == []


def test_a_disk_that_fills_up_while_writing_loses_nothing(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    def no_space(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    paths = legs(settings)
    monkeypatch.setattr("recordings.store.write_wav", no_space)
    with pytest.raises(StorageFull):
        store.adopt("h-1.1", 1, *paths)
    monkeypatch.undo()
    assert [path for path in settings.paths.recordings.rglob("*") if path.is_file()] == []
    assert store.adopt("h-1.1", 1, *paths) is not None
    assert store.verify_chain() == []


def test_a_busy_database_leaves_the_legs_in_the_spool(settings: Settings, db: Database):
    impatient = Database(db.url.render_as_string(hide_password=False), wait_s=0.3)
    paths = legs(settings)
    with db.session() as session:
        session.connection().exec_driver_sql("UPDATE recording_chain SET seq = 0")
        with pytest.raises(Busy):
            Store(settings, impatient).adopt("h-1.1", 1, *paths)
    impatient.dispose()
    assert all(path.exists() for path in paths)
    assert Store(settings, db).adopt("h-1.1", 1, *paths) is not None


def aged(paths: tuple[Path, Path], age: timedelta) -> None:
    moment = (datetime.now(UTC) - age).timestamp()
    for path in paths:
        os.utime(path, (moment, moment))


def test_the_scan_adopts_what_the_bridge_left_and_never_a_talk_that_goes_on(
    store: Store, settings: Settings, db: Database
):
    ended = datetime.now(UTC) - timedelta(minutes=5)
    record(db, "h-over", started_at=ended, ended_at=ended)
    record(db, "h-held", started_at=ended)
    for call_id in ("h-over", "h-held", "h-unknown"):
        aged(legs(settings, call_id), timedelta(minutes=4))
    aged(legs(settings, "h-forgotten"), timedelta(hours=3))
    assert spool.scan(db, settings) == 2
    with db.read() as session:
        assert {row.call_id for row in session.exec(select(Recording)).all()} == {"h-over", "h-forgotten"}
    assert len(list(settings.paths.record_spool.iterdir())) == 4


def test_retention_removes_the_sound_keeps_the_chain_and_spares_what_is_held(
    store: Store, settings: Settings, db: Database
):
    old, held, young = adopted(store, settings, 3)
    with db.session() as session:
        session.get(Recording, held.seq).hold = True  # type: ignore[union-attr]
    later = datetime.now(UTC) + timedelta(days=settings.retention_days + 1)
    paths = [store.file_of(row) for row in (old, held, young)]
    assert prune(db, settings, now=later - timedelta(days=2)) == 0
    assert prune(db, settings, now=later) == 2
    assert [path.exists() for path in paths] == [False, True, False]
    assert not paths[0].with_suffix(".json").exists()
    assert store.verify_chain() == []
    with db.read() as session:
        assert session.exec(select(AuditEntry).where(AuditEntry.action == "recording.expired")).all()
        row = session.get(Recording, old.seq)
        assert row is not None
    with pytest.raises(NotFound):
        store.file_of(row)


def test_a_path_that_leaves_the_home_is_never_served(store: Store, settings: Settings):
    row = adopted(store, settings)[0]
    row.path = "../../../../etc/passwd"
    with pytest.raises(NotFound):
        store.file_of(row)


def test_who_may_listen(store: Store, settings: Settings, db: Database, person: People):
    mine, other, chief, admin = (
        person(agent_id="1001"),
        person(agent_id="1002"),
        person(Role.quality),
        person(Role.admin),
    )
    record(db, "h-1.0", number="13800138000", agent_id="1001", started_at=datetime.now(UTC))
    row = adopted(store, settings)[0]
    assert row.agent_id == "1001"
    with db.read() as session:
        assert service.for_listening(session, mine, row.seq).seq == row.seq
        assert service.for_listening(session, chief, row.seq).seq == row.seq
        for actor in (other, admin):
            with pytest.raises(Forbidden):
                service.for_listening(session, actor, row.seq)
        with pytest.raises(Forbidden):
            service.for_listening(session, chief, row.seq, export=True)


def test_a_confidential_talk_is_heard_by_its_agent_and_by_those_who_may_know(
    store: Store, settings: Settings, db: Database, person: People
):
    from app.actor import SYSTEM
    from app.citizens.service import create

    mine, chief, leader = person(agent_id="1001"), person(Role.quality), person(Role.duty_leader)
    with db.session() as session:
        create(session, SYSTEM, numbers=["13800138000"], flags=["confidential"])
    record(db, "h-1.0", number="13800138000", agent_id="1001", started_at=datetime.now(UTC))
    row = adopted(store, settings)[0]
    with db.read() as session:
        assert service.for_listening(session, mine, row.seq)
        assert service.for_listening(session, leader, row.seq)
        with pytest.raises(Forbidden):
            service.for_listening(session, chief, row.seq)


def test_sidecars_that_a_full_disk_prevented_are_written_later(store: Store, settings: Settings):
    row = adopted(store, settings)[0]
    store.file_of(row).with_suffix(".json").unlink()
    assert store.repair_sidecars() == 1
    assert store.repair_sidecars() == 0
    assert store.verify_chain() == []
    shutil.rmtree(settings.paths.recordings)
    assert [fault.kind for fault in store.verify_chain()] == [FaultKind.file_missing]
