"""Disks that are full on demand.

`RealDisk`: small file systems in memory are mounted where recordings are stored, where Asterisk writes them, and where
it writes messages (needs root). `RefusedDisk`: without root, the instance is started with a demand for free space that
no disk meets, so that it refuses to store recordings; making room is a start with the ordinary demand.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.harness.system import HotlineSystem

SIZE_MB = 48
WANTED_FREE_MB = 8
_FILLER = ".filler"


class Disk(Protocol):
    """What the drill does to the place where recordings are stored. `full_at_start`: it begins full."""

    full_at_start: bool

    def fill(self) -> None:
        """No room for recordings any more."""

    def make_room(self) -> None:
        """There is room again."""

    def close(self) -> None:
        """Undo everything."""


class RealDisk:
    """File systems of their own for the stored recordings, for those being written, and for messages."""

    full_at_start = False

    def __init__(self, system: HotlineSystem) -> None:
        paths = system.settings.paths
        self.stored, self.spool, self.messages = paths.recordings, paths.record_spool, paths.voicemail_spool
        self._mounted: list[Path] = []
        for folder in (self.stored, self.spool, self.messages):
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0700", "drill", str(folder)],
                check=True,
                capture_output=True,
            )
            self._mounted.append(folder)

    def fill(self) -> None:
        """The store has less room than the instance wants free."""
        fill(self.stored, leave_mb=2)

    def fill_spool(self) -> None:
        """Asterisk itself cannot write another byte of sound."""
        fill(self.spool, leave_mb=0)

    def fill_messages(self) -> None:
        """No message can be written."""
        fill(self.messages, leave_mb=0)

    def make_room(self) -> None:
        """All are nearly empty again."""
        for folder in self._mounted:
            (folder / _FILLER).unlink(missing_ok=True)

    def close(self) -> None:
        """Unmounts them."""
        for folder in self._mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
        self._mounted.clear()


class RefusedDisk:
    """The instance refuses because it is told to want more free space than there is."""

    full_at_start = True

    def __init__(self, system: HotlineSystem) -> None:
        self._system = system
        self.fill()

    def fill(self) -> None:
        """In force from the next start."""
        self._system._env["HOTLINE_MIN_FREE_MB"] = str(10**9)

    def make_room(self) -> None:
        """Starts the instance again with an ordinary demand."""
        self._system._env["HOTLINE_MIN_FREE_MB"] = str(WANTED_FREE_MB)
        self._system.stop()
        self._system.start()

    def close(self) -> None:
        """Nothing to undo."""


def fill(folder: Path, leave_mb: int) -> None:
    """Writes a file that leaves `leave_mb` megabytes free (0: not one byte)."""
    filler = folder / _FILLER
    # Unbuffered: what does not fit must fail here, not when the file is closed.
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        state = os.statvfs(folder)
        wanted = state.f_bavail * state.f_frsize - leave_mb * 2**20
        block = b"\0" * 4096
        while wanted > 0 or leave_mb == 0:
            file.write(block)
            wanted -= len(block)


def make_disk(system: HotlineSystem) -> Disk:
    """A real one where that is possible."""
    try:
        return RealDisk(system)
    except (OSError, subprocess.CalledProcessError):
        return RefusedDisk(system)
