"""Call control from the screen: hold, transfer, three-way, dial, hang up; and what follows when somebody leaves.

One's own calls only. What is done twice in a row is done once (`commands.py`), and steps on one call never overlap.
Parties may leave at any step and the rest stay connected (UX 22): `rooms.py` says how.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from app.errors import NotFound
from cti_bridge import rooms
from cti_bridge.ami import ActionFailed, AmiError
from cti_bridge.asterisk import TEMPORARY_FAILURE, Action, hangup
from cti_bridge.changes import LegEnded
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.model import TALKING, Call, Leg, LegState, Phase, Role, endpoint_of
from cti_bridge.refusals import no_talk, refused, telephone_away
from cti_bridge.talks import Talks
from cti_bridge.views import parties

log = structlog.get_logger(__name__)

ANSWER_S = 2.0
CONNECTING_S = 6.0  # longer than the sentence with the staff number, shorter than a page's patience
JOIN_S = 2.0
NORMAL = 16  # Q.850: somebody hung up


class Control:
    """All use cases of call control. `agent_id` is who asks."""

    def __init__(self, core: Core, talks: Talks, dialling: Dialling) -> None:
        self._core, self._talks, self._dialling = core, talks, dialling
        self._left: dict[str, tuple[Role, int]] = {}  # call → who left last, and how
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

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
            await self._do(call, [], notify=leg.handle)
            async with _patience(ANSWER_S):
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
            await self._do(call, steps)
            if steps:
                call.phase = Phase.held
                self._tell(call, "call.held")
            return {"call_id": call.call_id}

    async def resume(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Citizen and agent talk again."""
        async with self._own(agent_id, call_id) as call:
            steps = rooms.resume(call, agent_id)
            await self._do(call, steps)
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
        await self._do(call, [hangup(leg.handle) for leg in own])
        return {"call_id": call.call_id}

    async def lost(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """The agent's telephone is gone without a word (a browser that crashed): its leg ends as a fault does, not by
        the agent's wish, and the citizen is served again before the others."""
        call = self._find(agent_id, call_id)
        own = [leg for leg in call.legs.values() if leg.agent_id == agent_id]
        if not own:
            raise no_talk()
        await self._do(call, [hangup(leg.handle, TEMPORARY_FAILURE) for leg in own])
        return {"call_id": call.call_id}

    async def transfer_blind(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Citizen to another number, agent out."""
        number = self._dialling.target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            self._talks.wishes.add(call.call_id)
            await self._do(call, rooms.blind(call, agent_id, number))
            return {"call_id": call.call_id}

    async def consult(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Speak with somebody while the citizen hears music."""
        number = self._dialling.target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            await self._do(call, rooms.consult(call, agent_id))
            call.phase = Phase.held
            self._tell(call, "call.held")
            await self._dialling.third(call, agent_id, number)
            self._tell(call, "call.room")
            return {"call_id": call.call_id}

    async def conference(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Citizen, agent and a third party in one talk."""
        number = self._dialling.target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            await self._do(call, rooms.conference(call, agent_id))
            call.phase = Phase.room
            await self._dialling.third(call, agent_id, number)
            self._tell(call, "call.room")
            return {"call_id": call.call_id}

    async def complete_transfer(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Citizen and third party talk on, the agent leaves."""
        async with self._own(agent_id, call_id) as call:
            citizen, agent = rooms.legs(call, agent_id)
            await self._do(call, rooms.complete(call))
            async with _patience(JOIN_S):
                while not citizen.in_room and call.citizen_here:
                    await asyncio.sleep(0.01)
            # Only now: a room that the agent leaves before the citizen is there is closed by the dialplan.
            self._talks.wishes.add(call.call_id)
            await self._do(call, [hangup(agent.handle)], lenient=True)
            return {"call_id": call.call_id}

    async def cancel_consult(self, agent_id: str, call_id: str | None) -> dict[str, Any]:
        """Third party out, citizen and agent talk again."""
        async with self._own(agent_id, call_id) as call:
            steps = rooms.cancel(call, agent_id)
            await self._do(call, steps, lenient=True)
            if call.phase is Phase.held:
                call.phase = Phase.room
                self._tell(call, "call.resumed")
            return {"call_id": call.call_id}

    # ------------------------------------------------------------------------------------------- what happened to us

    def left(self, call: Call, change: LegEnded) -> None:
        """Somebody's leg has ended while the call may go on."""
        if change.role is not Role.citizen:
            self._left[call.call_id] = (change.role, change.cause)
        if change.role is Role.agent and not call.outbound:
            self._talks.hand_over(call)
        if change.role is Role.agent and call.phase in (Phase.held, Phase.room) and not call.outbound:
            by_wish = self._by_wish(call, change.cause)
            what, steps = rooms.after_agent_left(call, by_wish=by_wish, say=self._returning(call))
            log.info("an agent left a call", call=call.call_id, then=what)
            self._soon(call, steps)
        elif change.role is Role.agent and call.outbound and call.phase in (Phase.held, Phase.room):
            self._soon(call, rooms.after_agent_left(call, by_wish=True)[1])
        elif change.role is Role.citizen and call.phase in TALKING:
            self._close_room(call)

    def alone(self, call: Call) -> None:
        """The citizen is the last one in the room: survey, or a new agent."""
        self._core.spawn(self._decide_alone(call), f"alone-{call.call_id}")

    def ended(self, call: Call) -> None:
        """The call is over; forget what was noted about it."""
        self._talks.wishes.discard(call.call_id)
        self._left.pop(call.call_id, None)
        self._locks.pop(call.call_id, None)
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
        async with _patience(CONNECTING_S):
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

    async def _do(self, call: Call, steps: list[Action], *, lenient: bool = False, notify: str = "") -> None:
        """Take the steps. `lenient`: a channel that is gone already is as good as done."""
        try:
            if notify:
                await self._core.asterisk.notify_talk(notify)
            if steps:
                await self._core.asterisk.do(*steps)
        except ActionFailed as error:
            if not lenient:
                raise refused("too_late", "通话状态已变化,请重试。", "The call has changed meanwhile.") from error
        except AmiError as error:
            raise telephone_away(error) from error

    def _soon(self, call: Call, steps: list[Action]) -> None:
        if steps:
            self._core.spawn(self._do(call, steps, lenient=True), f"follow-{call.call_id}")

    def _tell(self, call: Call, event: str) -> None:
        data = parties(call)
        for agent_id in {leg.agent_id for leg in call.legs.values() if leg.agent_id}:
            self._core.hub.to_agent(agent_id, event, data)

    def _by_wish(self, call: Call, cause: int) -> bool:
        return call.call_id in self._talks.wishes or cause == NORMAL

    def _returning(self, call: Call) -> str:
        """The sound with which a citizen is told that the line broke and somebody else will come."""
        sound = f"{self._core.settings.paths.prompts}/{call.language}/hold_returning"
        return sound if Path(f"{sound}.wav").exists() else ""

    async def _decide_alone(self, call: Call) -> None:
        """The room may tell of the lonely citizen before the others' channels are gone: wait a moment for those."""
        async with _patience(0.5):
            while any(leg.role is not Role.citizen and leg.state is LegState.up for leg in call.legs.values()):
                await asyncio.sleep(0.02)
        if call.ended_ms is not None or call.phase is not Phase.room:
            return
        role, cause = self._left.get(call.call_id, (Role.agent, 0))
        by_wish = role is Role.third or self._by_wish(call, cause)
        self._soon(call, rooms.over(call) if by_wish else rooms.again(call, self._returning(call)))

    def _close_room(self, call: Call) -> None:
        """The citizen has gone: an agent who waits alone is let go; two who talk talk on."""
        others = [leg for leg in call.legs.values() if leg.role is not Role.citizen]
        if len([leg for leg in others if leg.state is LegState.up]) < 2:
            self._soon(call, [hangup(leg.handle) for leg in others])


@asynccontextmanager
async def _patience(seconds: float) -> Any:
    """Try for so long, then go on."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        return


def _is_up(leg: Leg) -> bool:
    """Whether the leg talks by now: its state is changed by events while somebody waits."""
    return leg.state is LegState.up
