"""The queue's heartbeat: a global variable of Asterisk that grows old when we do, so that the dialplan helps itself.

It beats only while it is true: the AMI session is up and the picture of the calls is complete. Every node has a heart
of its own, so that one that hangs does not stop the others'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from cti_bridge.ami import AmiError
from cti_bridge.core import Core

log = structlog.get_logger(__name__)


class Beat:
    """One node's; see the module's text."""

    def __init__(self, core: Core, node: str) -> None:
        self._core, self._node = core, node
        self._last_ms = 0
        self.on_return: Callable[[], None] = lambda: None

    def fresh(self) -> bool:
        """Whether the dialplan trusts us at this moment."""
        return self._core.now_ms() - self._last_ms < self._core.settings.beat_stale_s * 500

    async def once(self) -> None:
        """One beat. Raises AmiError."""
        now = self._core.now_ms()
        await self._core.at(self._node).beat(now // 1000)
        self._last_ms = now

    async def run(self) -> None:
        """Beat for ever. `on_return` is called when the heart beats again after it had stood still."""
        while True:
            if self._node in self._core.nodes.known:
                stood_still = not self.fresh()
                try:
                    await self.once()
                except AmiError as error:
                    log.warning("a heartbeat did not arrive", node=self._node, problem=str(error))
                else:
                    if stood_still:
                        self.on_return()
            await asyncio.sleep(self._core.settings.beat_s)
