"""What a backend process reads before it is needed, when it is a spare (`app/supervisor/spare.py`)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from importlib import import_module
from importlib.abc import MetaPathFinder
from typing import Any

from app.supervisor.spare import LINE, told_to_begin

SHARE = 0.25
"""How much of one processor reading may take: beside it people talk."""
AT_ONCE_S = 0.01
MODULES = {
    "voice": (
        "app.compose", "agi_scripts.scripts", "agi_scripts.server", "agi_scripts.voice_menu", "app.voice_services",
        "agi_scripts.ears", "agi_scripts.keypad", "app.speech.listener", "asterisk_conf.instance",
    ),
    "realtime": (
        "app.compose", "app.migrations.newest", "app.workdays.published", "app.tables", "app.web",
        "app.notices.live", "app.speech.listener", "app.queues.source",
        "cti_bridge.bridge", "cti_bridge.clerk", "cti_bridge.core_lock", "cti_bridge.standby",
        "uvicorn.protocols.http.httptools_impl", "uvicorn.protocols.websockets.websockets_sansio_impl",
    ),
    "web": ("app.compose", "app.web", "app.openapi", "app.routers", "app.demo.routes"),
    "worker": (
        "app.compose", "app.tables", "app.worker", "app.pushes.sending", "app.places.filling",
        "app.campaigns.gathering", "app.campaigns.messages", "app.chasing.sweep", "app.notices.post",
        "app.number_audits.corrections", "app.number_audits.intake", "recordings.retention",
    ),
}  # fmt: skip
"""By role, what `compose.py` imports where it is needed (a test looks at what a spare still has to read)."""


class _Gently(MetaPathFinder):
    """Finds nothing; where the next module is looked for, reading rests so long that it keeps to its share."""

    def __init__(self) -> None:
        self._rested = time.process_time()

    def find_spec(self, _name: str, _path: Any = None, _target: Any = None) -> None:
        if (used := time.process_time() - self._rested) > AT_ONCE_S:
            time.sleep(used * (1 / SHARE - 1))
            self._rested = time.process_time()


def wait_if_spare(roles: Iterable[str]) -> None:
    """Returns at once in a process that is to begin; in a spare when its time has come. Ends one that isn't wanted."""
    line = os.environ.pop(LINE, "")
    if not line:
        return
    read(roles)
    if not told_to_begin(int(line)):
        sys.exit(0)


def read(roles: Iterable[str]) -> None:
    """Imports what these roles need, and takes its time."""
    gently = _Gently()
    sys.meta_path.insert(0, gently)
    try:
        for role in roles:
            for name in MODULES[role]:
                import_module(name)
    finally:
        sys.meta_path.remove(gently)
