"""Call control from the screen: hold, transfer, three-way, dial, hang up; and what follows when somebody leaves.

One's own calls only. What is done twice in a row is done once (`commands.py`), and steps on one call never overlap.
Parties may leave at any step and the rest stay connected (UX 22): `rooms.py` says how.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from acd.model import AgentBusyOutside, TalkAdopted
from app.errors import BadInput, HotlineError, NotFound
from cti_bridge import rooms
from cti_bridge.agents import Agent
from cti_bridge.ami import ActionFailed, AmiError
from cti_bridge.asterisk import Action, hangup
from cti_bridge.core import Core
from cti_bridge.model import TALKING, Call, Leg, LegEnded, LegState, OutboundEnded, Phase, Role
from cti_bridge.pop import Pops
from cti_bridge.views import parties

log = structlog.get_logger(__name__)

NUMBER = re.compile(r"\+?[0-9*#]{2,32}")
ANSWER_S = 2.0
JOIN_S = 2.0
DRAFT_S = 0.5
NORMAL = 16  # Q.850: somebody hung up


class Control:
    """All use cases of call control. `agent_id` is who asks."""

    def __init__(self, core: Core, pops: Pops) -> None:
        self._core, self._pops = core, pops
        self._talks: set[tuple[str, str]] = set()  # (call, agent): talks whose end the page has not been told
        self._wishes: set[str] = set()  # calls whose agent pressed hang-up
        self._left: dict[str, tuple[Role, int]] = {}  # call → who left last, and how
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._outside: dict[str, str] = {}  # call that we dial → agent

    # ----------------------------------------------------------------------------------------------------- commands

    async def answer(self, agent_id: str, call_id: str) -> dict[str, Any]:
        """Have the ringing telephone answer by itself. Raises Refused when it cannot."""
        call = self._core.call(call_id)
        leg = next((one for one in call.legs.values() if one.agent_id == agent_id), None) if call else None
        if call is None or leg is None:
            raise rooms.refused("not_ringing", "话机没有振铃。", "The telephone does not ring.")
        if _is_up(leg):
            return {"call_id": call_id}
        await self._do(call, [], notify=leg.handle)
        async with _patience(ANSWER_S):
            while not _is_up(leg) and leg.unique_id in call.legs:
                await asyncio.sleep(0.05)
        if not _is_up(leg):
            raise rooms.refused(
                "phone_cannot", "话机不支持屏幕接听,请拿起话机。", "Pick the telephone up: it cannot be told to."
            )
        return {"call_id": call_id}

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
            raise rooms.no_talk()
        if own[0].role is Role.agent:
            self._wishes.add(call.call_id)
        await self._do(call, [hangup(leg.handle) for leg in own])
        return {"call_id": call.call_id}

    async def transfer_blind(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Citizen to another number, agent out."""
        number = self._target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            self._wishes.add(call.call_id)
            await self._do(call, rooms.blind(call, agent_id, number))
            return {"call_id": call.call_id}

    async def consult(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Speak with somebody while the citizen hears music."""
        number = self._target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            await self._do(call, rooms.consult(call, agent_id))
            call.phase = Phase.held
            self._tell(call, "call.held")
            await self._dial_third(call, agent_id, number)
            return {"call_id": call.call_id}

    async def conference(self, agent_id: str, call_id: str | None, to: str) -> dict[str, Any]:
        """Citizen, agent and a third party in one talk."""
        number = self._target(agent_id, to)
        async with self._own(agent_id, call_id) as call:
            await self._do(call, rooms.conference(call, agent_id))
            call.phase = Phase.room
            await self._dial_third(call, agent_id, number)
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
            self._wishes.add(call.call_id)
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

    async def dial(self, agent: Agent, to: str, *, permitted: bool = False) -> dict[str, Any]:
        """Click to dial: the agent's telephone rings, then the number is dialled.

        `permitted`: the hotline itself wants this number called (a call-back that a citizen asked for).
        """
        number = self._target(agent.agent_id, to, permitted=permitted)
        if self._busy(agent.agent_id):
            raise rooms.refused("in_a_call", "您正在通话中。", "You are in a call.")
        unique_id = f"{self._core.settings.node}-{self._core.now_ms() // 1000}.d{secrets.randbelow(10**6)}"
        call = Call(unique_id, "", Phase.outbound, outbound=True, number=number, started_ms=self._core.now_ms())
        call.agent_id = agent.agent_id
        self._core.telephony.calls[unique_id] = call
        self._core.telephony.attach(call, Leg("", unique_id, Role.agent, agent.agent_id, "", LegState.dialing))
        self._outside[unique_id] = agent.agent_id
        self._core.queue.feed(AgentBusyOutside(agent.agent_id, True))
        try:
            await self._core.asterisk.originate(
                f"PJSIP/{agent.endpoint}",
                unique_id=unique_id,
                context="acd-outbound",
                exten=number,
                caller_id=f'"" <{number}>',
                variables={"HOTLINE_AGENT": agent.agent_id, "HOTLINE_LEG": "agent"},
                timeout_s=20,
            )
        except AmiError as error:
            self._core.telephony.forget(unique_id)
            self.ended(call)
            raise self._telephone(error) from error
        self._talks.add((unique_id, agent.agent_id))
        return {"call_id": unique_id}

    # ------------------------------------------------------------------------------------------- what happened to us

    def talk_began(self, call_id: str, agent_id: str) -> None:
        """An agent talks in a call."""
        self._talks.add((call_id, agent_id))
        self._wishes.discard(call_id)
        agent = self._core.book.get(agent_id)
        if agent is not None:
            agent.call_id = call_id

    def adopt_outside(self, call: Call) -> None:
        """A call that we dialled before a restart goes on."""
        if call.call_id not in self._outside:
            self._outside[call.call_id] = call.agent_id
            self._talks.add((call.call_id, call.agent_id))
            self._core.queue.feed(AgentBusyOutside(call.agent_id, True))

    def has_talk(self, call_id: str, agent_id: str) -> bool:
        """Whether the page still believes that the agent talks there."""
        return (call_id, agent_id) in self._talks

    def tell_end(self, call_id: str, agent_id: str, call: Call | None = None) -> None:
        """Tell the page, once, that the agent's part is over, with the draft to finish."""
        if (call_id, agent_id) not in self._talks:
            return
        self._talks.discard((call_id, agent_id))
        call = call or self._core.call(call_id)
        why = "hangup" if call is None or call.ended_ms else "left"
        self._core.spawn(self._say_end(call_id, agent_id, why, self._core.now_ms()), f"end-{call_id}")

    def show_card(self, call: Call, agent_id: str, *, own: bool = True) -> None:
        """Bring the card to an agent who got the call in another way than by an offer.

        Not `own`: a colleague who is only asked for advice sees the card, the draft stays with the agent.
        """
        self._core.spawn(self._send_card(call, agent_id, own), f"card-{call.call_id}")

    def adopt_colleagues(self, call: Call) -> None:
        """A third party who is a colleague on shift talks in this call too."""
        for leg in call.thirds:
            if leg.agent_id and leg.state is LegState.up and (call.call_id, leg.agent_id) not in self._talks:
                self.talk_began(call.call_id, leg.agent_id)
                self._core.queue.feed(TalkAdopted(call.call_id, leg.agent_id, self._core.now_ms()))
                self.show_card(call, leg.agent_id, own=False)

    def left(self, call: Call, change: LegEnded) -> None:
        """Somebody's leg has ended while the call may go on."""
        if change.role is not Role.citizen:
            self._left[call.call_id] = (change.role, change.cause)
        if change.role is Role.agent and not call.outbound:
            self._hand_over(call)
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

    def not_reached(self, change: OutboundEnded) -> None:
        """Somebody who was dialled did not answer, was busy, or may not be dialled."""
        data = {"level": "warning", "code": "not_reached", "call_id": change.call_id, "number": change.number}
        text = {"BUSY": "对方正忙", "REFUSED": "没有呼叫此号码的权限"}.get(change.status, "对方无人接听或无法接通")
        self._core.hub.to_agent(change.agent_id, "notice", {**data, "text": text, "status": change.status})

    def ended(self, call: Call) -> None:
        """The call is over; forget what was noted about it."""
        self._wishes.discard(call.call_id)
        self._left.pop(call.call_id, None)
        self._locks.pop(call.call_id, None)
        agent_id = self._outside.pop(call.call_id, None)
        if agent_id is not None:
            self._core.queue.feed(AgentBusyOutside(agent_id, False))

    # ----------------------------------------------------------------------------------------------------- the steps

    @asynccontextmanager
    async def _own(self, agent_id: str, call_id: str | None) -> Any:
        """The agent's own call, for one step at a time."""
        call = self._find(agent_id, call_id)
        async with self._locks[call.call_id]:
            rooms.legs(call, agent_id)
            yield call

    def _find(self, agent_id: str, call_id: str | None) -> Call:
        if call_id is None:
            own = self._core.telephony.talks_of(agent_id)
            if not own:
                raise rooms.no_talk()
            return own[0]
        call = self._core.call(call_id)
        if call is None or not any(leg.agent_id == agent_id for leg in call.legs.values()):
            raise NotFound("没有这个通话,或不是您的通话。", "There is no such call, or it is not yours.")
        return call

    def _busy(self, agent_id: str) -> bool:
        return bool(self._core.telephony.talks_of(agent_id)) or agent_id in self._outside.values()

    def _target(self, agent_id: str, to: str, *, permitted: bool = False) -> str:
        """The number as it will be dialled. Raises BadInput, Refused."""
        number = re.sub(r"[\s()-]", "", to)
        if not NUMBER.fullmatch(number):
            raise BadInput(fields={"to": "请输入电话号码或工号。"})
        if number == agent_id:
            raise rooms.refused("own_number", "不能呼叫自己。", "That is your own number.")
        record = self._core.book.records.get(agent_id)
        allowed = (
            permitted
            or number in self._core.book.records
            or any(re.fullmatch(pattern, number) for pattern in self._core.settings.outbound_allowed)
        )
        if not allowed and not (record is not None and record.may_dial_out):
            raise rooms.refused("not_permitted", "您没有呼叫此号码的权限。", "You may not dial this number.")
        return number

    async def _dial_third(self, call: Call, agent_id: str, number: str) -> None:
        unique_id = f"third-{call.call_id}-{secrets.randbelow(10**6)}"
        colleague = number if number in self._core.book.records else ""
        leg = Leg("", unique_id, Role.third, colleague, number, LegState.dialing, self._core.now_ms())
        self._core.telephony.attach(call, leg)
        try:
            await self._core.asterisk.originate(
                f"Local/{number}@acd-outbound/n",
                unique_id=unique_id,
                context=rooms.ROOM,
                exten="s",
                caller_id=f'"" <{self._core.settings.main_number}>',
                variables={
                    # Inherited by both halves of the Local channel and by the telephone that is dialled.
                    "__HOTLINE_PEER_CALL": call.call_id,
                    "__HOTLINE_LEG": "third",
                    "__HOTLINE_AGENT": agent_id,
                    "HOTLINE_ROOM": f"room-{call.call_id}",
                },
            )
        except AmiError as error:
            self._core.telephony.detach(unique_id)
            raise self._telephone(error) from error
        if colleague:
            self.show_card(call, colleague, own=False)
        self._tell(call, "call.room")

    async def _do(self, call: Call, steps: list[Action], *, lenient: bool = False, notify: str = "") -> None:
        """Take the steps. `lenient`: a channel that is gone already is as good as done."""
        try:
            if notify:
                await self._core.asterisk.notify_talk(notify)
            if steps:
                await self._core.asterisk.do(*steps)
        except ActionFailed as error:
            if not lenient:
                raise rooms.refused("too_late", "通话状态已变化,请重试。", "The call has changed meanwhile.") from error
        except AmiError as error:
            raise self._telephone(error) from error

    def _telephone(self, error: AmiError) -> HotlineError:
        log.warning("a step could not be taken on the telephone", problem=str(error))
        return rooms.refused(
            "telephone_away", "电话系统暂时没有响应,请稍后重试。", "The telephone system does not answer. Try again."
        )

    def _soon(self, call: Call, steps: list[Action]) -> None:
        if steps:
            self._core.spawn(self._do(call, steps, lenient=True), f"follow-{call.call_id}")

    def _tell(self, call: Call, event: str) -> None:
        data = parties(call)
        for agent_id in {leg.agent_id for leg in call.legs.values() if leg.agent_id}:
            self._core.hub.to_agent(agent_id, event, data)

    def _by_wish(self, call: Call, cause: int) -> bool:
        return call.call_id in self._wishes or cause == NORMAL

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

    def _hand_over(self, call: Call) -> None:
        """A colleague who is still there has the call now, with its draft."""
        colleague = next((leg for leg in call.thirds if leg.agent_id and leg.state is LegState.up), None)
        if colleague is not None and call.citizen_here:
            colleague.role, call.agent_id = Role.agent, colleague.agent_id
            self.show_card(call, colleague.agent_id)

    def _close_room(self, call: Call) -> None:
        """The citizen has gone: an agent who waits alone is let go; two who talk talk on."""
        others = [leg for leg in call.legs.values() if leg.role is not Role.citizen]
        if len([leg for leg in others if leg.state is LegState.up]) < 2:
            self._soon(call, [hangup(leg.handle) for leg in others])

    async def _send_card(self, call: Call, agent_id: str, own: bool) -> None:
        card = None if own else self._core.cards.get(call.call_id)
        if card is None:
            card = await self._pops.card(call, agent_id)
        self._core.hub.to_agent(agent_id, "call.card", {"call_id": call.call_id, "card": card})

    async def _say_end(self, call_id: str, agent_id: str, why: str, at_ms: int) -> None:
        draft: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(DRAFT_S):
                draft = await asyncio.to_thread(self._core.domain.draft, call_id)
        except (TimeoutError, HotlineError):
            card = self._core.cards.get(call_id) or {}
            draft = card.get("draft")
        data = {"call_id": call_id, "at_ms": at_ms, "why": why, "draft": draft}
        self._core.hub.to_agent(agent_id, "call.ended", data)


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
