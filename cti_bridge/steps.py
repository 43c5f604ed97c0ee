"""Steps of call control, taken: told to Asterisk in order, waited for while channels are on their way, mutes kept."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

from cti_bridge.ami import ActionFailed, AmiError
from cti_bridge.asterisk import Action, mute
from cti_bridge.core import Core
from cti_bridge.model import Call
from cti_bridge.refusals import refused, telephone_away

MOVING = "channel not up."  # what Asterisk says of a channel that a redirect has not moved yet
MOVING_TRIES, MOVING_S = 5, 0.1


class Steps:
    """What is to be done to the channels of a call, by `rooms.py`, is done here."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def do(self, call: Call, steps: list[Action], *, lenient: bool = False, notify: str = "") -> None:
        """Take the steps. `lenient`: a channel that is gone already is as good as done."""
        ended = {step["Channel"] for step in steps if step["Action"] == "Hangup"}
        for leg in call.thirds:
            if leg.handle in ended and not leg.joined_ms:
                leg.failure = leg.failure or "CANCEL"
        try:
            if notify:
                await self._core.asterisk.notify_talk(notify)
            if steps:
                await self._take(steps)
        except ActionFailed as error:
            if not lenient:
                raise refused("too_late", "通话状态已变化,请重试。", "The call has changed meanwhile.") from error
        except AmiError as error:
            raise telephone_away(error) from error

    async def _take(self, steps: list[Action]) -> None:
        """Take steps in order. A channel that is still on its way from the step before is waited for: what it refused
        is asked for again, and of what went well only mutes, which hold from the move on. Raises AmiError."""
        left, trouble = steps, list[AmiError]()
        for again in range(MOVING_TRIES, -1, -1):
            answers = await self._core.asterisk.each(*left)
            refused_now = [step for step, answer in zip(left, answers, strict=True) if again and _moving(answer)]
            trouble += [answer for answer in answers if answer is not None and not (again and _moving(answer))]
            if not refused_now:
                break
            left = [*refused_now, *(step for step in steps if step["Action"] == "MuteAudio")]
            await asyncio.sleep(MOVING_S)
        if trouble:
            raise trouble[0]

    async def move(self, call: Call, steps: list[Action]) -> None:
        """Take steps that may move a muted leg: whoever is muted stays so, whatever becomes of their channel."""
        moved = {str(step.get(key)) for step in steps for key in ("Channel", "ExtraChannel") if key in step}
        muted = [leg for leg in call.legs.values() if leg.muted_ms is not None and leg.handle in moved]
        await self.do(call, [*steps, *(mute(leg.handle, True) for leg in muted)])

    def soon(self, call: Call, steps: list[Action]) -> None:
        """Take steps beside the event loop's turn; whoever is gone already is as good as let go."""
        if steps:
            self._core.spawn(self.do(call, steps, lenient=True), f"follow-{call.call_id}")


@asynccontextmanager
async def patience(seconds: float) -> Any:
    """Try for so long, then go on."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        return


def _moving(answer: AmiError | None) -> bool:
    """Whether Asterisk says of a channel that a redirect has not moved it yet."""
    return isinstance(answer, ActionFailed) and answer.message.endswith(MOVING)
