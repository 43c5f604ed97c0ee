"""The confidential part of a talk (T9): both sides of the recording are silent, for a limited time.

The end stands on the channel: a core that starts anew takes the pause over, and the dialplan asks before it lets a
recording that begins in a room hear anything. What was paused, by whom and how it ended is told to the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from app.errors import BadInput
from cti_bridge.ami import ActionFailed, AmiError
from cti_bridge.asterisk import Action, hush, redirect, setvar
from cti_bridge.core import Core
from cti_bridge.marks import Marks
from cti_bridge.model import Call, Pause, Phase, Role
from cti_bridge.refusals import refused, telephone_away
from cti_bridge.rooms import ROOM

log = structlog.get_logger(__name__)

AGAIN_S = 5.0


class Pauses:
    """See the module's text. `over(call_id, how)` ends a pause by itself, in turn with other steps of the call."""

    def __init__(self, core: Core, marks: Marks, over: Callable[[str, str], Coroutine[Any, Any, None]]) -> None:
        self._core, self._marks, self._over = core, marks, over
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def length(self, seconds: object) -> int:
        """How long a pause shall be, in seconds. Raises BadInput."""
        longest = self._core.settings.pause_longest_s
        if seconds is None:
            return self._core.settings.pause_default_s
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= longest:
            raise BadInput(fields={"seconds": f"请填写 1–{longest} 之间的秒数。"})
        return seconds

    async def begin(self, call: Call, agent_id: str, seconds: int) -> None:
        """Silence the recording, or move the end of a pause that goes on. Raises Refused: then nothing is paused.

        No pause is longer than the longest, however often its end is moved.
        """
        now, before = self._core.now_ms(), call.pause
        since = before.since_ms if before else now
        until = min(now + seconds * 1000, since + self._core.settings.pause_longest_s * 1000)
        pause = Pause(since, until, before.by if before else agent_id)
        call.pause = pause
        channels = _channels(call)
        marks = [setvar(channel, "HOTLINE_PAUSE", pause.text()) for channel in channels.values()]
        try:
            answers = await self._core.asterisk.each(*marks, *(hush(channel, True) for channel in channels.values()))
        except AmiError as error:
            call.pause = before
            raise telephone_away(error) from error
        silent = dict(zip(channels, answers[len(marks) :], strict=True))
        carrier = _carrier(call)
        if call.ended_ms is not None or (carrier is not None and silent.get(carrier) is not None):
            call.pause = before
            if before is None:
                await self._core.asterisk.each(*_clear(channels), *_sound(channels))
            raise refused(
                "cannot_pause",
                "录音未能暂停,请勿让来电人说出保密内容。",
                "The recording could not be paused: nothing confidential may be said now.",
            )
        self._tell(call)

    async def end(self, call: Call, how: str) -> None:
        """The recording goes on. Raises AmiError when Asterisk cannot be told: then the pause goes on as well."""
        if call.pause is None:
            return
        if call.ended_ms is None:
            channels = _channels(call)
            answers = await self._core.asterisk.each(*_clear(channels), *_sound(channels))
            if trouble := next((one for one in answers if one and not isinstance(one, ActionFailed)), None):
                raise trouble
            citizen = call.leg(Role.citizen)
            in_room = citizen is not None and citizen.in_room
            if citizen is not None and in_room and answers[len(channels)] is not None:
                # The recording was not begun, because nobody could silence it: it begins when they enter again.
                await self._core.asterisk.each(redirect(citizen.channel, ROOM))
        self._told_over(call, how)

    def ended(self, call: Call) -> None:
        """The call is over."""
        if call.pause is not None:
            self._told_over(call, "call_end")

    def segment(self, call: Call, channel: str, mix: str) -> None:
        """A recording has begun in the room of a paused talk: the dialplan waits to hear that it may go on."""
        if mix:
            silent = [hush(channel, True)] if call.pause is not None else []
            answer = self._core.asterisk.each(*silent, setvar(channel, "HOTLINE_HUSHED", mix))
            self._core.spawn(answer, f"hush-{call.call_id}")

    def adopt(self, call: Call) -> None:
        """A core that starts anew, or sees Asterisk again: the pause goes on, or ends when it is due.

        One that Asterisk knows no more of was ended by a core that could not say so.
        """
        if call.pause is None:
            self._cancel(call.call_id)
            if call.talked:
                self._core.facts.put("pause", call.call_id, {"over": self._core.now_ms()})
        elif call.agent_leg is None:
            self._core.spawn(self._over(call.call_id, "left"), f"pause-left-{call.call_id}")
        else:
            self._tell(call)

    def again(self, call_id: str, how: str) -> None:
        """Asterisk could not be told of the end: a little later it is."""
        self._at(AGAIN_S, call_id, how)

    def _tell(self, call: Call) -> None:
        assert call.pause is not None
        self._at(max(0, call.pause.until_ms - self._core.now_ms()) / 1000, call.call_id, "time")
        self._core.facts.put("pause", call.call_id, _facts(call.pause))
        self._marks.tell(call)

    def _at(self, seconds: float, call_id: str, how: str) -> None:
        self._cancel(call_id)
        self._timers[call_id] = asyncio.get_running_loop().call_later(seconds, self._due, call_id, how)

    def _due(self, call_id: str, how: str) -> None:
        self._core.spawn(self._over(call_id, how), f"pause-over-{call_id}")

    def _told_over(self, call: Call, how: str) -> None:
        assert call.pause is not None
        self._cancel(call.call_id)
        until = call.ended_ms or self._core.now_ms()
        self._core.facts.put("pause", call.call_id, _facts(call.pause) | {"until": until, "ended_by": how})
        call.pause = None
        self._marks.tell(call)
        log.info("a confidential pause is over", call=call.call_id, how=how)

    def _cancel(self, call_id: str) -> None:
        if (timer := self._timers.pop(call_id, None)) is not None:
            timer.cancel()


def _channels(call: Call) -> dict[Role, str]:
    """Who may carry the recording, and the mark of the pause: the citizen's channel first, the agent's after it."""
    legs = (call.leg(Role.citizen), call.agent_leg)
    return {leg.role: leg.channel for leg in legs if leg is not None and leg.channel}


def _carrier(call: Call) -> Role | None:
    """On whose channel a recording must be running now; None while none need be, as on hold."""
    citizen = call.leg(Role.citizen)
    if call.phase is Phase.talk:
        return Role.agent
    return Role.citizen if citizen is not None and citizen.in_room else None


def _clear(channels: dict[Role, str]) -> list[Action]:
    return [setvar(channel, "HOTLINE_PAUSE", "") for channel in channels.values()]


def _sound(channels: dict[Role, str]) -> list[Action]:
    return [hush(channel, False) for channel in channels.values()]


def _facts(pause: Pause) -> dict[str, Any]:
    return {"since": pause.since_ms, "due": pause.until_ms, "by_agent": pause.by}
