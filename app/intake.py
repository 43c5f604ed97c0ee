"""What voicemails and faxes have in common: the sidecar beside a spool file, and moving the file into the store.

A file is copied into the store under a name that contains its hash, then the row is committed, then the spool is
cleared. Killed anywhere in between, the next try finds the same name and the same row: nothing twice, nothing lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.clock import utc_now
from app.errors import BadInput, StorageFull
from app.settings import Settings
from app.text import clean, is_call_id, normal_number

ORPHAN_AGE = timedelta(minutes=10)
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Entry:
    """One spooled message. `complete` is False for a file whose sidecar never came."""

    call_id: str
    kind: str
    number: str = ""
    line: str = ""
    language: str = "zh"
    started_at: datetime = field(default_factory=utc_now)
    status: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True

    def text(self, name: str, limit: int) -> str:
        """A further field of the sidecar as clean text."""
        value = self.facts.get(name)
        return clean(str(value), limit) if isinstance(value, str | int | float) else ""

    def count(self, name: str) -> int | None:
        """A further field as a number that can be one."""
        value = self.facts.get(name)
        try:
            number = int(float(str(value)))
        except (TypeError, ValueError, OverflowError):
            return None
        return number if 0 <= number < 100_000 else None


@dataclass(frozen=True)
class Receipt:
    """What became of a message; `case_number` is "" if it became no case."""

    case_number: str
    status: str


@dataclass(frozen=True)
class Stored:
    """A file in the store; `path` is relative to the instance's home."""

    path: str
    sha256: str
    bytes: int


def read_entry(path: Path, kind: str) -> Entry:
    """The entry whose sidecar is `path` (or, for an orphan, the file itself: its name is all that is known).

    Raises BadInput for a sidecar that does not parse (it is still being written), or a name that is no call id.
    """
    call_id = path.stem
    if not is_call_id(call_id):
        raise BadInput(
            code="bad_spool_name", message_zh="暂存文件名无效。", message_en="The file's name is no call id."
        )
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if path.suffix != ".json":
        return Entry(call_id=call_id, kind=kind, started_at=written, complete=False)
    try:
        facts = json.loads(path.read_bytes().decode("utf-8", "replace"))
        if not isinstance(facts, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise BadInput(
            code="bad_sidecar", message_zh="附属信息文件无法解析。", message_en="The sidecar does not parse."
        ) from error
    return Entry(
        call_id=call_id,
        kind=kind,
        number=normal_number(str(facts.get("number") or "")),
        line=clean(str(facts.get("line") or ""), 32),
        language=clean(str(facts.get("lang") or "zh"), 8) or "zh",
        started_at=_moment(facts.get("started"), written),
        status=clean(str(facts.get("status") or ""), 32),
        facts=facts,
    )


def take_in(
    spool_entry: Path,
    suffix: str,
    kind: str,
    take: Callable[[Entry, Path | None], Receipt],
    known: Callable[[str], Receipt],
) -> Receipt:
    """Have `take` store one spooled message, and clear it from the spool once it is.

    `spool_entry` is the sidecar, or the file (with this suffix) of an orphan; `take` gets None when there is no file.
    When another process has just taken it in, `known` is asked by call id what became of it. Whatever `take` raises
    leaves the spool as it is. Raises what `read_entry` raises.
    """
    file = spool_entry.with_suffix(suffix)
    try:
        receipt = take(read_entry(spool_entry, kind), file if file.exists() else None)
    except FileNotFoundError:
        return known(spool_entry.stem)
    for leftover in (file, spool_entry.with_suffix(".previous"), spool_entry):
        leftover.unlink(missing_ok=True)
    return receipt


def store(settings: Settings, kind: str, call_id: str, source: Path, at: datetime) -> Stored:
    """Copy `source` into home/<kind>/YYYY/MM/DD/, on the disk for good when this returns. The source stays.

    Raises FileNotFoundError, StorageFull.
    """
    return store_bytes(settings, kind, call_id, source.suffix, source.read_bytes(), at)


def store_bytes(settings: Settings, kind: str, call_id: str, suffix: str, data: bytes, at: datetime) -> Stored:
    """Like `store`, for bytes at hand."""
    digest = hashlib.sha256(data).hexdigest()
    day = at.astimezone(settings.zone)
    folder = settings.home / kind / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}"
    target = folder / f"{call_id}.{digest[:12]}{suffix}"
    with full_disk_told():
        require_room(settings, len(data))
        folder.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.stat().st_size != len(data):
            aside = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(3).hex()}")
            try:
                with aside.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(aside, target)
            finally:
                aside.unlink(missing_ok=True)
            sync_folder(folder)
    return Stored(str(target.relative_to(settings.home)), digest, len(data))


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk: a rename can be lost in a power cut otherwise."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_room(settings: Settings, wanted: int = 0, folder: Path | None = None) -> None:
    """Raises StorageFull when fewer than `min_free_mb` would stay free."""
    place = folder or settings.home
    while not place.exists():
        place = place.parent
    if shutil.disk_usage(place).free - wanted < settings.min_free_mb * MEGABYTE:
        raise StorageFull()


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Turns the operating system's "no space", "quota" and "read-only" into StorageFull."""
    import errno

    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG):
            raise StorageFull() from error
        raise


def is_ripe(path: Path, now: datetime) -> bool:
    """Whether nothing has been written to `path` for ten minutes."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - ORPHAN_AGE


def _moment(value: Any, otherwise: datetime) -> datetime:
    """Epoch milliseconds from a sidecar, or the file's own time when that is nonsense."""
    try:
        moment = datetime.fromtimestamp(float(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return otherwise
    return moment if abs(moment - otherwise) < timedelta(days=30) else otherwise
