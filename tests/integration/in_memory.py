"""Where databases of tests lie: in memory where there is room, since thousands of commits need not reach a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
ROOM_MB = 2048  # three servers at a time, a few copies of a small database in each; containers often have 64 MB


def in_memory() -> str | None:
    """A folder in memory for temporary files, None (the usual place) where there is none or it is small."""
    if not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        return None
    return str(SHARED_MEMORY) if shutil.disk_usage(SHARED_MEMORY).free > ROOM_MB * 2**20 else None
