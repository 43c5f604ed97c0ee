"""The menu that callers walk: the version that holds, taken in anew when another one is published.

A call goes on with the walks that it began with. What cannot be used (broken, half a file, a disk that does not answer)
changes nothing: the last good one stays, the log and an alarm tell why. At a start there is none yet in memory, so what
was taken in is kept in a file of its own; without that the project's menu is walked.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from ivr import flow as flow_module
from ivr.flow import FlowError
from ivr.model import Flow
from ivr.walks import Walks

log = structlog.get_logger(__name__)

GOOD = "flow/good.yaml"
"""Below the home: the menu that was taken in last."""
LOOK_AGAIN_S = 1.0
"""How soon a published menu is walked."""
LONGEST_TOLD = 200


class Menu:
    """One for a process, for any number of calls. `tell` is given what is wrong ("" once it is well); it must not wait.

    `fixed`: this file, whatever holds in `home` (benches).
    """

    def __init__(
        self,
        home: Path,
        tell: Callable[[str], None],
        fixed: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home, self._tell, self._fixed, self._clock = home, tell, fixed, clock
        self._lock = threading.Lock()
        self._walks: Walks | None = None
        self._stamp: object = None
        self._looked = 0.0
        self._trouble = False

    def walks(self) -> Walks:
        """The walks of the menu that holds, for a call that begins. Only one call waits for a new one to be read."""
        walks = self._walks
        if walks is None:
            with self._lock:
                return self._walks or self._look()
        if self._clock() - self._looked >= LOOK_AGAIN_S and self._lock.acquire(blocking=False):
            try:
                return self._look()
            finally:
                self._lock.release()
        return walks

    def settle(self) -> Walks:
        """As `walks`, for a process that starts: what was told before it is well now, unless it is told again."""
        walks = self.walks()
        if not self._trouble:
            self._tell("")
        return walks

    def _look(self) -> Walks:
        self._looked = self._clock()
        path = self._fixed or flow_module.path_in(self._home)
        stamp = _stamp(path)
        if self._walks is not None and stamp == self._stamp:
            return self._walks
        self._stamp = stamp
        try:
            # The text that is kept is the one that was read, also if the file has been replaced by now.
            text = path.read_text(encoding="utf-8")
            flow = flow_module.shipped() if path == flow_module.SHIPPED else flow_module.read(text, path)
        except (FlowError, OSError, ValueError) as error:
            self._refused(path, error)
            if self._walks is None:
                self._walks = Walks(self._last_good())
            return self._walks
        if self._walks is not None:
            log.info("another menu is walked", file=path.name, nodes=len(flow.nodes))
        self._walks = Walks(flow)
        if self._trouble:
            self._trouble = False
            self._tell("")
        if path != flow_module.SHIPPED and self._fixed is None:
            self._keep(text)
        return self._walks

    def _refused(self, path: Path, error: Exception) -> None:
        if isinstance(error, OSError):
            self._stamp = None  # it may be well the next time, without having been changed
            if self._trouble:
                return
        self._trouble = True
        log.error("menu can't be used; the one before stays", file=path.name, problem=str(error)[:LONGEST_TOLD])
        self._tell(f"{path.name}: {type(error).__name__}")

    def _last_good(self) -> Flow:
        try:
            return flow_module.load(self._home / GOOD)
        except (FlowError, OSError, ValueError):
            return flow_module.shipped()

    def _keep(self, text: str) -> None:
        """For a start while the file that holds is broken."""
        kept = self._home / GOOD
        aside = kept.with_suffix(f".{os.getpid()}")
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(text, encoding="utf-8")
            os.replace(aside, kept)
        except OSError as error:
            log.warning("menu can't be kept for a later start", error=str(error))


def _stamp(path: Path) -> object:
    try:
        seen = path.stat()
    except OSError:
        return path
    return path, seen.st_mtime_ns, seen.st_size, seen.st_ino
