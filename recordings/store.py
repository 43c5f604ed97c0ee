"""The recording store: two legs become one stereo file, chained by hash to the one before (T9).

Order of an adoption: mix → file on disk under a name with its hash → row and chain head in one transaction → sidecar
→ spool cleared. Killed anywhere, the next try ends in the same file and the same row.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app.alarms.service import clear_alarm, raise_alarm
from app.audio import Sound, read_wav, stereo, write_wav
from app.calls.tables import Call
from app.clock import utc_now
from app.db import Database
from app.errors import BadInput, NotFound, StorageFull
from app.intake import full_disk_told, require_room, sync_folder
from app.settings import Settings
from app.speech.jobs import note
from app.speech.model import JobKind
from app.text import is_call_id
from recordings.chain import GENESIS, Link, moment
from recordings.tables import ChainHead, Recording

log = structlog.get_logger(__name__)

DISK_FULL = "recordings_disk_full"
_HEADER = 44
_adopting = threading.Lock()  # mixing is short; one at a time keeps two adopters of one segment apart


class FaultKind(StrEnum):
    """What `verify_chain` can find."""

    link_broken = "link_broken"  # a row was changed
    gap = "gap"  # a row is missing, at the end too
    file_missing = "file_missing"
    file_changed = "file_changed"
    sidecar_changed = "sidecar_changed"


@dataclass(frozen=True)
class Fault:
    """One place where the chain does not hold."""

    kind: FaultKind
    seq: int
    call_id: str
    detail: str = ""


class Store:
    """Recordings of one instance. Every method is safe on any thread."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db

    def adopt(self, call_id: str, segment: int, citizen: Path | None, heard: Path | None) -> Recording | None:
        """Take one segment in: `citizen` is the citizen's voice (left), `heard` what the citizen heard (right).

        Idempotent: a segment that is stored already only has its spool cleared. One missing or damaged leg becomes
        silence and is noted; legs that hold no sound at all are deleted and None is returned (an offer without talk).
        Raises Busy, StorageFull (with an alarm; the legs stay in the spool), BadInput for an impossible id.
        """
        if not is_call_id(call_id) or segment < 0:
            raise BadInput(fields={"call_id": "通话编号格式错误 (not a call id)"})
        legs = [leg for leg in (citizen, heard) if leg is not None]
        with _adopting:
            known = self._find(call_id, segment)
            if known is None:
                if all(not leg.exists() or leg.stat().st_size <= _HEADER for leg in legs):
                    for leg in legs:
                        leg.unlink(missing_ok=True)
                    return None
                try:
                    known = self._adopt(call_id, segment, citizen, heard)
                except StorageFull:
                    free = _free_mb(self._settings.paths.recordings)
                    raise_alarm(self._db, DISK_FULL, {"free_mb": free, "needed_mb": self._settings.min_free_mb})
                    raise
                clear_alarm(self._db, DISK_FULL)
            self._write_sidecar(known)
            for leg in legs:
                leg.unlink(missing_ok=True)
        return known

    def file_of(self, recording: Recording) -> Path:
        """Where the audio is. Raises NotFound when retention has removed it or the row points outside the store."""
        path = (self._settings.home / recording.path).resolve()
        if recording.expired_at is not None or not path.is_relative_to(self._settings.home.resolve()):
            raise NotFound()
        if not path.is_file():
            raise NotFound()
        return path

    def verify_chain(self, *, files: bool = True) -> list[Fault]:
        """Every fault in the chain, oldest first; [] when all is as it was stored. Reads every file if `files`."""
        faults: list[Fault] = []
        previous, expected = GENESIS, 1
        for row in self._rows():
            while expected < row.seq:
                faults.append(Fault(FaultKind.gap, expected, "", "no such row"))
                expected += 1
            link = link_of(row)
            if link.digest() != row.chain or row.previous != previous:
                faults.append(Fault(FaultKind.link_broken, row.seq, row.call_id))
            if files and row.expired_at is None:
                faults.extend(self._file_faults(row))
            previous, expected = row.chain, row.seq + 1
        with self._db.read() as session:
            head = session.get(ChainHead, 1)
        if head is not None and head.seq >= expected:
            faults.extend(Fault(FaultKind.gap, seq, "", "no such row") for seq in range(expected, head.seq + 1))
        elif head is None or (head.seq, head.chain) != (expected - 1, previous):
            faults.append(Fault(FaultKind.link_broken, expected - 1, "", "the head does not match"))
        return faults

    def chain_ok(self, row: Recording) -> bool:
        """Whether this one recording is what was stored: its link and its file."""
        return link_of(row).digest() == row.chain and (row.expired_at is not None or not list(self._file_faults(row)))

    def _adopt(self, call_id: str, segment: int, citizen: Path | None, heard: Path | None) -> Recording:
        left, left_fault = _leg(citizen)
        right, right_fault = _leg(heard)
        faults = [f"{side}:{why}" for side, why in (("citizen", left_fault), ("heard", right_fault)) if why]
        started = self._started(citizen, heard, max((s.duration_s for s in (left, right) if s), default=0.0))
        day = started.astimezone(self._settings.zone)
        folder = self._settings.paths.recordings / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}"
        if left is None and right is None:
            # Nothing to mix: what there is stays as it is, for whoever can read it one day.
            source = next(leg for leg in (citizen, heard) if leg is not None and leg.exists())
            return self._keep(folder, call_id, segment, source.read_bytes(), 0, started, ";".join(faults))
        with full_disk_told():
            samples, rate = stereo(left, right)
            require_room(self._settings, samples.nbytes, self._settings.paths.recordings)
            folder.mkdir(parents=True, exist_ok=True)
            aside = folder / f".{call_id}-{segment}.{os.getpid()}.{os.urandom(3).hex()}"
            try:
                write_wav(aside, samples, rate)
                data_hash = _sha256(aside)
                target = folder / f"{call_id}-{segment}.{data_hash[:12]}.wav"
                os.replace(aside, target)
            finally:
                aside.unlink(missing_ok=True)
            sync_folder(folder)
        duration_ms = round(len(samples) * 1000 / rate)
        return self._commit(target, data_hash, call_id, segment, duration_ms, started, ";".join(faults))

    def _keep(
        self, folder: Path, call_id: str, segment: int, data: bytes, duration_ms: int, started: datetime, partial: str
    ) -> Recording:
        digest = hashlib.sha256(data).hexdigest()
        target = folder / f"{call_id}-{segment}.{digest[:12]}.raw"
        with full_disk_told():
            require_room(self._settings, len(data), self._settings.paths.recordings)
            folder.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(folder)
        return self._commit(target, digest, call_id, segment, duration_ms, started, partial or "unreadable")

    def _commit(
        self, target: Path, digest: str, call_id: str, segment: int, duration_ms: int, started: datetime, partial: str
    ) -> Recording:
        started = datetime.fromisoformat(moment(started))
        try:
            with self._db.session() as session:
                head = session.execute(select(ChainHead).where(col(ChainHead.id) == 1).with_for_update()).scalar_one()
                known = _by_segment(session, call_id, segment)
                if known is not None:
                    return known
                call = session.get(Call, call_id)
                row = Recording(
                    seq=head.seq + 1,
                    call_id=call_id,
                    segment=segment,
                    agent_id=call.agent_id if call else None,
                    started_at=started,
                    adopted_at=utc_now(),
                    duration_ms=duration_ms,
                    path=str(target.relative_to(self._settings.home)),
                    bytes=target.stat().st_size,
                    sha256=digest,
                    partial=partial[:64],
                    previous=head.chain,
                    chain="",
                )
                row.chain = link_of(row).digest()
                head.seq, head.chain = row.seq, row.chain
                session.add(row)
                if duration_ms:
                    note(session, self._settings, JobKind.recording, row.seq, call.language if call else "zh")
        except IntegrityError:  # another process adopted this segment
            found = self._find(call_id, segment)
            if found is None:
                raise
            return found
        log.info("recording stored", call=call_id, segment=segment, seq=row.seq, seconds=duration_ms // 1000)
        return row

    def _started(self, citizen: Path | None, heard: Path | None, duration_s: float) -> datetime:
        """When the segment began: the files were last written at its end."""
        ends = [leg.stat().st_mtime for leg in (citizen, heard) if leg is not None and leg.exists()]
        return datetime.fromtimestamp(max(ends) - duration_s, UTC) if ends else utc_now()

    def _write_sidecar(self, row: Recording) -> None:
        path = (self._settings.home / row.path).with_suffix(".json")
        text = link_of(row).sidecar()
        try:
            if not path.exists() and path.parent.exists():
                aside = path.with_name(f".{path.name}.{os.getpid()}")
                aside.write_text(text)
                os.replace(aside, path)
        except OSError as error:  # the chain is in the database; the sidecar is made good by `repair_sidecars`
            log.warning("sidecar not written", seq=row.seq, why=error.strerror)

    def repair_sidecars(self, *, newest: int = 1000) -> int:
        """Write the sidecars that a full disk or a kill prevented, among the newest recordings; how many."""
        with self._db.read() as session:
            kept = select(Recording).where(col(Recording.expired_at).is_(None)).order_by(col(Recording.seq).desc())
            rows = list(session.execute(kept.limit(newest)).scalars())
        paths = [(row, self._settings.home / row.path) for row in rows]
        missing = [row for row, path in paths if path.exists() and not path.with_suffix(".json").exists()]
        for row in missing:
            self._write_sidecar(row)
        return len(missing)

    def _file_faults(self, row: Recording) -> Iterator[Fault]:
        path = self._settings.home / row.path
        if not path.is_file():
            yield Fault(FaultKind.file_missing, row.seq, row.call_id)
            return
        if path.stat().st_size != row.bytes or _sha256(path) != row.sha256:
            yield Fault(FaultKind.file_changed, row.seq, row.call_id)
        sidecar = path.with_suffix(".json")
        if sidecar.exists() and sidecar.read_text(errors="replace") != link_of(row).sidecar():
            yield Fault(FaultKind.sidecar_changed, row.seq, row.call_id)

    def _rows(self) -> Iterator[Recording]:
        last = 0
        while True:
            with self._db.read() as session:
                statement = select(Recording).where(col(Recording.seq) > last).order_by(col(Recording.seq)).limit(500)
                rows = list(session.execute(statement).scalars())
            if not rows:
                return
            yield from rows
            last = rows[-1].seq

    def _find(self, call_id: str, segment: int) -> Recording | None:
        with self._db.read() as session:
            return _by_segment(session, call_id, segment)


def link_of(row: Recording) -> Link:
    """The link that a row stands for."""
    return Link(
        seq=row.seq,
        call_id=row.call_id,
        segment=row.segment,
        agent_id=row.agent_id,
        started_at=moment(row.started_at),
        duration_ms=row.duration_ms,
        path=row.path,
        bytes=row.bytes,
        sha256=row.sha256,
        partial=row.partial,
        previous=row.previous,
    )


def recording_json(row: Recording, *, chain_ok: bool | None = None) -> dict[str, Any]:
    """One recording as the pages read it."""
    from app.clock import iso

    return {
        "id": row.seq,
        "call_id": row.call_id,
        "segment": row.segment,
        "agent_id": row.agent_id,
        "started_at": iso(row.started_at),
        "duration_s": round(row.duration_ms / 1000),
        "bytes": row.bytes,
        "sha256": row.sha256,
        "partial": row.partial or None,
        "hold": row.hold,
        "chain_ok": chain_ok,
        "audio_url": f"/api/recordings/{row.seq}/audio" if row.expired_at is None else None,
    }


def _by_segment(session: Session, call_id: str, segment: int) -> Recording | None:
    statement = select(Recording).where(col(Recording.call_id) == call_id, col(Recording.segment) == segment)
    return session.execute(statement).scalar_one_or_none()


def _leg(path: Path | None) -> tuple[Sound | None, str]:
    """The sound of a leg and what is wrong with it."""
    if path is None or not path.exists():
        return None, "missing"
    try:
        sound = read_wav(path)
    except BadInput:
        return None, "unreadable" if path.stat().st_size else "missing"
    return sound, "interrupted" if sound.repaired else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _free_mb(folder: Path) -> int:
    import shutil

    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // 1_000_000
