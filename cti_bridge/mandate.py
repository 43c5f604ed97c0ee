"""One activity's right to act on Asterisk, and its word to the other core (docs/adr/0010-warm-standby.md).

A core that takes over says so in Asterisk itself before it reads anything: whoever else still thinks that it acts hears
it there and stops, even if the database has told it nothing. Then it waits a moment, so that whatever the other one has
asked of Asterisk has been done and is part of the picture that is read next.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from cti_bridge.asterisk import Asterisk
from cti_bridge.event import Event, text

EVENT = "HotlineCore"
SETTLE_S = 1.0


class Mandate:
    """Made anew for every activity. `may_act` is asked before each action, `on_displaced` hears of another core."""

    def __init__(
        self, may_act: Callable[[], bool], on_displaced: Callable[[], None], *, settle_s: float = SETTLE_S
    ) -> None:
        self.may_act, self._on_displaced, self._settle_s = may_act, on_displaced, settle_s
        self._ident = secrets.token_hex(8)
        self._settled = False

    async def announce(self, asterisk: Asterisk) -> None:
        """Say to one node that this core acts; the first time, wait until the other one has heard it. Raises AmiError.

        Whoever hears it at any node stops, so the wait after the first one is for all.
        """
        await asterisk.announce_core(EVENT, self._ident)
        if not self._settled:
            await asyncio.sleep(self._settle_s)
            self._settled = True

    def hear(self, event: Event) -> None:
        """An event of Asterisk; all but another core's word are of no interest."""
        if text(event, "UserEvent") == EVENT and text(event, "Core") != self._ident:
            self._on_displaced()
