"""The queue's heartbeat: a global variable of Asterisk that grows old when we do, so that the dialplan helps itself.

It beats only while it is true: the AMI session is up and the picture of the calls is complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from cti_bridge.ami import AmiError
from cti_bridge.core import Core

log = structlog.get_logger(__name__)


class Beat:
    """See the module's text."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last_ms = 0
        self.on_return: Callable[[], None] = lambda: None

    def fresh(self) -> bool:
        """Whether the dialplan trusts us at this moment."""
        return self._core.now_ms() - self._last_ms < self._core.settings.beat_stale_s * 500

    async def once(self) -> None:
        """One beat. Raises AmiError."""
        now = self._core.now_ms()
        await self._core.asterisk.beat(now // 1000)
        self._last_ms = now

    async def run(self) -> None:
        """Beat for ever. `on_return` is called when the heart beats again after it had stood still."""
        while True:
            if self._core.connected:
                stood_still = not self.fresh()
                try:
                    await self.once()
                except AmiError as error:
                    log.warning("a heartbeat did not arrive", problem=str(error))
                else:
                    if stood_still:
                        self.on_return()
            await asyncio.sleep(self._core.settings.beat_s)
