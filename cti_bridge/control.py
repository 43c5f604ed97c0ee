"""Call control from the screen: hold, transfer, three-way, dial, hang up.

One's own calls only. What is done twice in a row is done once (`commands.py`), and steps on one call never overlap; how
they are taken says `steps.py`, what follows when somebody leaves `leaving.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import Any

import structlog

from app.destinations import EMERGENCY
from app.errors import BadInput, NotFound
from cti_bridge import facts, rooms
from cti_bridge.ami import AmiError
from cti_bridge.asterisk import TEMPORARY_FAILURE, hangup, mute, setvar
from cti_bridge.changes import LegEnded
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.leaving import Leaving
from cti_bridge.marks import Marks
from cti_bridge.model import Call, Leg, LegState, Phase, Role, ThirdKind, endpoint_of
from cti_bridge.pauses import Pauses
from cti_bridge.refusals import no_talk, refused, telephone_away
from cti_bridge.steps import Steps, patience
from cti_bridge.talks import Talks
from cti_bridge.views import parties

log = structlog.get_logger(__name__)

ANSWER_S = 2.0
CONNECTING_S = 6.0  # longer than the sentence with the staff number, shorter than a page's patience
JOIN_S = 2.0


class Control:
    """All use cases of call control. `agent_id` is who asks."""

    def __init__(self, core: Core, talks: Talks, dialling: Dialling, marks: Marks) -> None:
        self._core, self._talks, self._dialling, self._marks = core, talks, dialling, marks
        self._steps = Steps(core)
        self._leaving = Leaving(core, talks, self._steps)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.pauses = Pauses(core, marks, self._pause_over)

    # ----------------------------------------------------------------------------------------------------- commands

    async def answer(self, agent_id: str, call_id: str) -> dict[str, Any]:
        """Have the ringing telephone answer by itself. Raises Refused when it cannot."""
        call = self._core.call(call_id)
        leg = next((one for one in call.legs.values() if one.agent_id == agent_id), None) if call else None
        if call is None or leg is None:
            raise refused("not_ringing", "话机没有振铃。", "The telephone does not ring.")
        if _is_up(leg):
            return {"call_id": call_id}
        if await self._obeys(leg):
            await self._steps.do(call, [], notify=leg.handle)
            async with patience(ANSWER_S):
                while not _is_up(leg) and leg.unique_id in call.legs:
                    await asyncio.sleep(0.05)
        if not _is_up(leg):
            raise refused(
                "phone_cannot", "话机不支持屏幕接听,请拿起话机。", "Pick the telephone up: it cannot be told to."
            )
        return {"call_id": call_id}

    async def _obeys(self, leg: Leg) -> bool:
        """Whether the leg's telephone is known to understand that it should answer."""
        patterns = self._core.settings.talk_event_phones
        if not patterns:
            return False
        try:
            agents = await self._core.at(self._core.nodes.of(leg.unique_id)).user_agents(endpoint_of(leg.channel))
        except AmiError as error:
            raise telephone_away(error) from error
        return bool(agents) and all(any(re.match(one, agent) for one in patterns) for agent in agents)

    async def hold(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Citizen to music."""
        async with self._own(agent_id, call_id) as call:
            steps = rooms.hold(call, agent_id)
            await self._steps.move(call, steps)
            if steps:
                call.phase = Phase.held
                self._tell(call, "call.held")
            return {"call_id": call.call_id}

    async def resume(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Citizen and agent talk again."""
        async with self._own(agent_id, call_id) as call:
            steps = rooms.resume(call, agent_id)
            await self._steps.move(call, steps)
            if steps:
                call.phase = Phase.room
                self._tell(call, "call.resumed")
            return {"call_id": call.call_id}

    async def hang_up(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """The agent leaves; a citizen left alone goes to the survey, others stay connected."""
        call = self._find(agent_id, call_id)
        own = [leg for leg in call.legs.values() if leg.agent_id == agent_id]
        if not own:
            raise no_talk()
        if own[0].role is Role.agent:
            self._talks.wishes.add(call.call_id)
        await self._steps.do(call, [hangup(leg.handle) for leg in own])
        return {"call_id": call.call_id}

    async def lost(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """The agent's telephone is gone without a word (a browser that crashed): its leg ends as a fault does, not by
        the agent's wish, and the citizen is served again before the others."""
        call = self._find(agent_id, call_id)
        own = [leg for leg in call.legs.values() if leg.agent_id == agent_id]
        if not own:
            raise no_talk()
        await self._steps.do(call, [hangup(leg.handle, TEMPORARY_FAILURE) for leg in own])
        return {"call_id": call.call_id}

    async def transfer_blind(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Citizen to another number, agent out."""
        number = self._dialling.target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            self._talks.wishes.add(call.call_id)
            steps = rooms.blind(call, agent_id, number)
            leave = [step for step in steps if step["Action"] == "Hangup"]
            await self._steps.do(call, [step for step in steps if step not in leave])
            # Only now: a citizen who is still on their way from the step before is not left alone meanwhile.
            await self._steps.do(call, leave, lenient=True)
            return {"call_id": call.call_id}

    async def consult(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Speak with somebody while the citizen hears music."""
        number = self._dialling.target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            await self._steps.move(call, rooms.consult(call, agent_id))
            call.phase = Phase.held
            self._tell(call, "call.held")
            await self._dialling.third(call, agent_id, number, ThirdKind.consult)
            self._tell(call, "call.room")
            return {"call_id": call.call_id}

    async def conference(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Citizen, agent and a third party in one talk."""
        number = self._dialling.target(agent_id, to)
        return await self._join_third(agent_id, call_id, number, ThirdKind.conference)

    async def emergency(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """An emergency line joins at once, whatever the talk is doing (T4)."""
        number = self._dialling.target(agent_id, to)
        if number not in EMERGENCY:
            raise BadInput(fields={"to": "只能选择 110、119、120、122。"})
        return await self._join_third(agent_id, call_id, number, ThirdKind.emergency)

    async def _join_third(self, agent_id: str, call_id: str | None, number: str, kind: ThirdKind) -> dict[str, Any]:
        async with self._own(agent_id, call_id) as call:
            emergency = number if kind is ThirdKind.emergency else ""
            await self._steps.move(call, rooms.conference(call, agent_id, emergency))
            call.phase = Phase.room
            await self._dialling.third(call, agent_id, number, kind)
            self._tell(call, "call.room")
            return {"call_id": call.call_id}

    async def swap(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """In a consultation: talk with the citizen while the third party hears music, and back."""
        async with self._own(agent_id, call_id) as call:
            steps = rooms.swap(call, agent_id)
            with_citizen = call.phase is Phase.held  # before they move: the citizen may be there before the answer is
            await self._steps.move(call, steps)
            call.phase = Phase.room if with_citizen else Phase.held
            for leg in call.thirds:
                leg.held = with_citizen and leg.state is LegState.up
            self._tell(call, "call.resumed" if with_citizen else "call.held")
            return {"call_id": call.call_id}

    async def mute(self, agent_id: str, call_id: str | None, on: bool) -> dict[str, Any]:
        """The agent is heard by nobody, or is again; of a colleague who was asked for advice likewise."""
        call = self._find(agent_id, call_id)
        async with self._locks[call.call_id]:
            leg = next((one for one in call.legs.values() if one.agent_id == agent_id), None)
            if leg is None or not _is_up(leg) or call.ended_ms is not None:
                raise no_talk()
            since = (leg.muted_ms or self._core.now_ms()) if on else None
            await self._steps.do(call, [setvar(leg.handle, "HOTLINE_MUTED", since or ""), mute(leg.handle, on)])
            leg.muted_ms = since
        self._marks.tell(call)
        return {"call_id": call.call_id, "muted_ms": since}

    async def complete_transfer(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Citizen and third party talk on, the agent leaves."""
        async with self._own(agent_id, call_id) as call:
            _citizen, agent = rooms.legs(call, agent_id)
            await self._steps.move(call, rooms.complete(call))
            async with patience(JOIN_S):
                while not rooms.met(call) and call.citizen_here:
                    await asyncio.sleep(0.01)
            facts.end_hold(call, self._core.now_ms())
            # Only now: a room that the agent leaves before the citizen is there is closed by the dialplan.
            self._talks.wishes.add(call.call_id)
            await self._steps.do(call, [hangup(agent.handle)], lenient=True)
            return {"call_id": call.call_id}

    async def cancel_consult(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Third party out, citizen and agent talk again."""
        async with self._own(agent_id, call_id) as call:
            steps = rooms.cancel(call, agent_id)
            await self._steps.do(call, steps, lenient=True)
            if call.phase is Phase.held:
                call.phase = Phase.room
                self._tell(call, "call.resumed")
            return {"call_id": call.call_id}

    async def pause(self, agent_id: str, call_id: str | None, seconds: object) -> dict[str, Any]:
        """A confidential part begins: both sides of the recording are silent, or go on being so (T9)."""
        length = self.pauses.length(seconds)
        async with self._own(agent_id, call_id) as call:
            await self.pauses.begin(call, agent_id, length)
            return {"call_id": call.call_id, "until_ms": call.pause.until_ms if call.pause else None}

    async def pause_end(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """The recording goes on."""
        async with self._own(agent_id, call_id) as call:
            try:
                await self.pauses.end(call, "agent")
            except AmiError as error:
                raise telephone_away(error) from error
            return {"call_id": call.call_id}

    async def _pause_over(self, call_id: str, how: str) -> None:
        """The pause's time has come, or there is nobody any more who could end it."""
        async with self._locks[call_id]:
            call = self._core.call(call_id)
            if call is None or call.pause is None:
                return
            by = call.pause.by
            try:
                await self.pauses.end(call, how)
            except AmiError as error:
                log.warning("a pause ends when Asterisk can be told again", call=call_id, problem=str(error))
                self.pauses.again(call_id, how)
                return
        if how == "time":
            text = "保密时段已到时,录音已恢复。"
            told = {"level": "warning", "code": "pause_over", "text": text, "call_id": call_id}
            self._core.hub.to_agent(by, "notice", told | {"at_ms": self._core.now_ms()})

    async def help(self, agent_id: str, call_id: str | None, on: bool) -> dict[str, Any]:
        """Ask a supervisor to come (求助), or no longer. The boards are told once."""
        call = self._find(agent_id, call_id)
        async with self._locks[call.call_id]:
            leg = call.agent_leg
            if leg is None or leg.agent_id != agent_id or not _is_up(leg) or call.ended_ms is not None:
                raise no_talk()
            if on is not (call.help_ms is not None):
                since = self._core.now_ms() if on else None
                await self._steps.do(call, [setvar(call.channel or call.call_id, "HOTLINE_HELP", since or "")])
                call.help_ms = since
                self._told_help(call, leg)
        return {"call_id": call.call_id, "help_ms": call.help_ms}

    def help_over(self, call: Call) -> None:
        """A supervisor has come, or whoever asked is gone."""
        if call.help_ms is not None:
            call.help_ms = None
            self._steps.soon(call, [setvar(call.channel or call.call_id, "HOTLINE_HELP", "")])
            self._marks.tell(call)
            self._core.board_changed()

    def _told_help(self, call: Call, leg: Leg) -> None:
        self._marks.tell(call)
        self._core.board_changed()
        if call.help_ms is not None:
            agent = self._core.book.get(leg.agent_id)
            who = f"{leg.agent_id} {agent.name if agent is not None else ''}".strip()
            told = {"level": "warning", "code": "help_asked", "text": f"坐席 {who} 请求班长协助。", "agent": who}
            self._core.hub.to_boards("notice", told | {"at_ms": call.help_ms})

    async def gather(self, call_id: str) -> None:
        """A talk of two goes into the room, where somebody else can join it."""
        async with self._locks[call_id]:
            call = self._core.call(call_id)
            agent = call.agent_leg if call is not None else None
            if call is None or agent is None or call.phase is not Phase.talk or not call.talked:
                return
            await self._steps.move(call, rooms.gather(call, agent.agent_id))
            call.phase = Phase.room
            self._tell(call, "call.room")

    # ------------------------------------------------------------------------------------------- what happened to us

    def left(self, call: Call, change: LegEnded) -> None:
        """Somebody's leg has ended while the call may go on."""
        if change.role is Role.agent:
            facts.end_hold(call, self._core.now_ms())
        if change.role is Role.agent and not call.outbound:
            self._talks.hand_over(call)
        if change.role is Role.agent and call.agent_leg is None:
            self.help_over(call)
            if call.pause is not None and call.ended_ms is None:
                self._core.spawn(self._pause_over(call.call_id, "left"), f"pause-left-{call.call_id}")
        self._leaving.left(call, change)

    def alone(self, call: Call) -> None:
        """The citizen is the last one in the room: survey, or a new agent."""
        self._leaving.alone(call)

    def ended(self, call: Call) -> None:
        """The call is over; forget what was noted about it."""
        self._talks.wishes.discard(call.call_id)
        self._leaving.ended(call)
        self._locks.pop(call.call_id, None)
        self.pauses.ended(call)
        call.help_ms = None
        self._dialling.ended(call)

    # ----------------------------------------------------------------------------------------------------- the steps

    @asynccontextmanager
    async def _own(self, agent_id: str, call_id: str | None) -> Any:
        """The agent's own call, for one step at a time.

        A step that is asked for while the staff number is being said is taken as soon as the talk begins.
        """
        found = self._find(agent_id, call_id).call_id
        async with self._locks[found]:
            await self._connected(found, agent_id)
            call = self._find(agent_id, found)
            rooms.legs(call, agent_id)
            yield call

    async def _connected(self, call_id: str, agent_id: str) -> None:
        """Wait for the talk of an agent who has just picked up. Raises Refused when it does not come."""

        def connecting() -> bool:
            call = self._core.call(call_id)
            return call is not None and rooms.connecting(call, agent_id)

        if not connecting():
            return
        async with patience(CONNECTING_S):
            while connecting():
                await asyncio.sleep(0.02)
        if connecting():
            raise refused("connecting", "正在接通中,请稍后再试。", "Still connecting. Try again in a moment.")
        call = self._core.call(call_id)
        if call is None or not call.talked or not any(leg.agent_id == agent_id for leg in call.legs.values()):
            raise refused("not_connected", "通话没有接通,操作未执行。", "There was no talk; nothing was done.")

    def _find(self, agent_id: str, call_id: str | None) -> Call:
        if call_id is None:
            own = self._core.telephony.talks_of(agent_id)
            if not own:
                raise no_talk()
            return own[0]
        call = self._core.call(call_id)
        if call is None or not any(leg.agent_id == agent_id for leg in call.legs.values()):
            raise NotFound("没有这个通话,或不是您的通话。", "There is no such call, or it is not yours.")
        return call

    def _tell(self, call: Call, event: str) -> None:
        facts.note_hold(call, self._core.now_ms())
        data = parties(call)
        for agent_id in {leg.agent_id for leg in call.legs.values() if leg.agent_id}:
            self._core.hub.to_agent(agent_id, event, data)
        self._marks.tell(call)


def _is_up(leg: Leg) -> bool:
    """Whether the leg talks by now: its state is changed by events while somebody waits."""
    return leg.state is LegState.up
