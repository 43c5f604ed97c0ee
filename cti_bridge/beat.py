"""The queue's heartbeat: a global variable of Asterisk that grows old when we do, so that the dialplan helps itself.

It beats only while it is true: the AMI session is up and the picture of the calls is complete.
"""

from __future__ import annotations

import asyncio

import structlog

from cti_bridge.ami import AmiError
from cti_bridge.core import Core

log = structlog.get_logger(__name__)


class Beat:
    """See the module's text."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last_ms = 0
        self._now = asyncio.Event()

    def fresh(self) -> bool:
        """Whether the dialplan trusts us at this moment."""
        return self._core.now_ms() - self._last_ms < self._core.settings.beat_stale_s * 500

    def at_once(self) -> None:
        """Do not wait for the next beat."""
        self._now.set()

    async def once(self) -> None:
        """One beat. Raises AmiError."""
        now = self._core.now_ms()
        await self._core.asterisk.beat(now // 1000)
        self._last_ms = now

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            if self._core.connected:
                try:
                    await self.once()
                except AmiError as error:
                    log.warning("a heartbeat did not arrive", problem=str(error))
            try:
                async with asyncio.timeout(self._core.settings.beat_s):
                    await self._now.wait()
            except TimeoutError:
                pass
            self._now.clear()
