"""How the call-backs went that agents dialled: told to the domain once for each attempt, whatever is restarted.

The attempt is written on the channel that dials (HOTLINE_CALLBACK = task and moment of taking), so a bridge that starts
anew still knows it, and into the journal with its outcome. The domain ignores an attempt that it has dealt with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from app.callbacks.model import NOT_ALLOWED, AttemptOutcome
from app.errors import HotlineError
from cti_bridge.agents import Agent
from cti_bridge.changes import OutboundEnded
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.model import Attempt, Call
from cti_bridge.refusals import refused

log = structlog.get_logger(__name__)


class Callbacks:
    """See the module's text. `out_of_line(callback, agent)`: the queue does not call there any more."""

    def __init__(self, core: Core, dialling: Dialling, out_of_line: Callable[[int, str], None]) -> None:
        self._core, self._dialling, self._out_of_line = core, dialling, out_of_line

    async def start(self, agent: Agent, callback_id: int) -> dict[str, Any]:
        """Take the task and dial its number. Raises NotFound, Refused; then nobody is called and no attempt counts.

        A number that may not be called ends the promise, for a supervisor to see.
        """
        self._dialling.check_free(agent.agent_id)
        taken = await asyncio.to_thread(self._core.domain.take_callback, callback_id, agent.agent_id)
        self._out_of_line(callback_id, agent.agent_id)
        attempt = Attempt(callback_id, taken.taken_ms)
        if not self._dialling.may_dial(agent.agent_id, taken.number, callback=True):
            self._put("", attempt, AttemptOutcome.refused, NOT_ALLOWED)
            raise refused(
                "callback_refused",
                "该号码不在可回拨范围内，任务已停止，由班长处理。",
                "This number may not be called back. The task has ended; a supervisor sees it.",
            )
        try:
            return await self._dialling.dial(agent, taken.number, callback=attempt)
        except HotlineError:
            self._put("", attempt, AttemptOutcome.not_dialled)
            raise

    def answered(self, call: Call) -> None:
        """Somebody answered at the number that we dialled."""
        self._settle(call, AttemptOutcome.reached)

    def not_answered(self, call: Call, change: OutboundEnded) -> None:
        """The number was dialled, in vain."""
        ours = change.status == "REFUSED"  # by our own dialplan: nobody was rung
        self._settle(call, AttemptOutcome.not_dialled if ours else AttemptOutcome.missed, change.status.lower())

    def ended(self, call: Call) -> None:
        """The call is over. Whoever was rung and had not answered by then was missed."""
        if call.answered_ms is not None:
            self.answered(call)
        else:
            self._settle(call, AttemptOutcome.missed if call.dialled else AttemptOutcome.not_dialled, "hung up")

    def _settle(self, call: Call, outcome: AttemptOutcome, why: str = "") -> None:
        attempt, call.attempt_of = call.attempt_of, None
        if attempt is not None:
            self._put(call.call_id, attempt, outcome, why)

    def _put(self, call_id: str, attempt: Attempt, outcome: AttemptOutcome, why: str = "") -> None:
        data = {"callback_id": attempt.callback_id, "taken_ms": attempt.taken_ms, "outcome": outcome.value, "why": why}
        self._core.facts.put("callback", call_id, data)
