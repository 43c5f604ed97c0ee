"""Seats of the duty roster at which nobody is (空机): the core says who is at the telephones, the domain compares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from acd.model import AgentState
from app.errors import HotlineError
from cti_bridge.core import Core

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 30.0
AWAY = frozenset({AgentState.SIGNED_OUT, AgentState.NOT_READY})


class Seats:
    """Looks for ever; tells the wallboard when a seat has become empty."""

    def __init__(self, core: Core, notice: Callable[..., None]) -> None:
        self._core, self._notice = core, notice

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Compare once; a domain that cannot be asked is asked again the next time."""
        at_work = {one.agent_id: one.state not in AWAY for one in self._core.book.on_shift.values()}
        try:
            empty = await asyncio.to_thread(self._core.domain.look_at_seats, at_work, self._core.now_ms())
        except HotlineError as error:
            log.info("the duty roster cannot be looked at yet", problem=error.code)
            return
        except Exception:
            log.exception("the duty roster could not be compared")
            return
        for post in empty:
            self._notice("warning", "empty_seat", f"值班岗位 {post} 无人应答（空机），请立即安排。", post=post)
