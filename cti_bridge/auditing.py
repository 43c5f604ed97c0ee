"""Calls of number audits (暗访): placed for the domain while no citizen waits, and ended and written down by Asterisk.

Which calls are due is the domain's matter; here it is known whether it is calm, whether an auditor's telephone is free,
and how one dials. A call that was placed needs the core no more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from acd.model import AgentBusyOutside
from app.errors import HotlineError
from app.number_audits.dialling import Dial
from cti_bridge.ami import ActionTimeout, AmiError
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.model import Phase

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
CONTEXT = "number-audit"
VALID_S = 30  # so long after it was asked for, a call may begin
RING_AUDITOR_S = 20
WAITING = frozenset({Phase.hold, Phase.connect, Phase.failsafe})


class Auditing:
    """See the module's text."""

    def __init__(self, core: Core, dialling: Dialling) -> None:
        self._core, self._dialling = core, dialling
        self._busy: frozenset[str] = frozenset()  # auditors whose telephones are in a call of an audit

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Place what is due; a domain that can't be asked is asked again the next time."""
        if not self._core.connected:
            return
        now = self._core.now_ms()
        try:
            dials, agents = await asyncio.to_thread(self._core.domain.audit_calls, now, self.calm())
        except HotlineError as error:
            log.info("number audits cannot be looked at yet", problem=error.code)
            return
        except Exception:
            log.exception("number audits could not be looked at")
            return
        self._mark(agents)
        await self._place(dials)

    def calm(self) -> bool:
        """Whether no citizen waits for a person: they come first, on the line and at the telephones."""
        return not any(call.phase in WAITING for call in self._core.telephony.calls.values())

    def _mark(self, agents: frozenset[str]) -> None:
        """An auditor who speaks with a unit is rung for nobody else."""
        for agent_id in agents - self._busy:
            self._core.queue.feed(AgentBusyOutside(agent_id, True))
        for agent_id in self._busy - agents:
            self._core.queue.feed(AgentBusyOutside(agent_id, False))
        self._busy = agents

    async def _place(self, dials: Sequence[Dial]) -> None:
        for one in dials:
            try:
                await self._dial(one)
            except ActionTimeout:
                log.warning("nobody knows whether a call of an audit was placed", call=one.call_id)
            except (AmiError, HotlineError) as error:
                log.info("a call of an audit could not be placed", call=one.call_id, problem=str(error))
                await self._release(one)

    async def _dial(self, one: Dial) -> None:
        channel = f"Local/hold@{CONTEXT}/n"
        if one.agent_id:
            self._dialling.check_free(one.agent_id)
            record = self._core.book.records.get(one.agent_id)
            channel = f"PJSIP/{(record and record.endpoint) or one.agent_id}"
        await self._core.asterisk.originate(
            channel,
            unique_id=one.call_id,
            context=CONTEXT,
            exten="dial",
            caller_id=f'"" <{one.number}>',
            variables={
                "HOTLINE_AUDIT": one.call_id,
                "HOTLINE_AUDIT_MODE": "person" if one.agent_id else "automatic",
                "HOTLINE_AUDIT_UNTIL": str(int(time.time()) + VALID_S),
                "HOTLINE_TO": one.number,
            },
            timeout_s=RING_AUDITOR_S,
        )

    async def _release(self, one: Dial) -> None:
        try:
            await asyncio.to_thread(self._core.domain.release_audit_call, one.call_id, self._core.now_ms())
        except HotlineError as error:  # it is found again: nothing was begun
            log.info("a call that was not placed could not be put back", call=one.call_id, problem=error.code)
