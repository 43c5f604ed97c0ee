"""A supervisor listens, whispers to the agent, or talks with all: their telephone rings and is joined to a talk (T13).

Listening and whispering is ChanSpy on the agent's channel. Whoever is to be heard by all joins the call's room, so that
third parties hear them too and the recording has their voice (docs/adr/0024). Written to the audit before it rings.
What is overseen stands on the supervisor's channel, so a core that starts anew finds it, and the dialplan alone ends it
with the agent's channel.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import structlog

from acd.model import AgentBusyOutside, AgentState
from app.actor import Actor
from app.auth.model import Permission
from app.errors import BadInput, NotFound
from cti_bridge.ami import AmiError
from cti_bridge.asterisk import Action, hangup, redirect, setvar
from cti_bridge.control import Control
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.marks import Marks
from cti_bridge.model import TALKING, Call, Leg, LegState, Phase, Spy, SpyMode, spy_mode
from cti_bridge.refusals import no_talk, refused, telephone_away
from cti_bridge.views import agent_view

log = structlog.get_logger(__name__)

CONTEXT = "acd-oversee"
RING_S = 20


class Overseeing:
    """See the module's text."""

    def __init__(self, core: Core, control: Control, dialling: Dialling, marks: Marks) -> None:
        self._core, self._control, self._dialling, self._marks = core, control, dialling, marks
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._dropped: set[str] = set()  # telephones that are being hung up on purpose

    # -- commands ---------------------------------------------------------------------------------------------------

    async def oversee(self, actor: Actor, call_id: str, mode: str) -> dict[str, Any]:
        """Take part in a talk, or in another way than before. Raises Forbidden, BadInput, NotFound, Refused, Busy."""
        actor.require(Permission.agents_control)
        wanted, me = spy_mode(mode), actor.agent_id
        if wanted is None:
            raise BadInput(fields={"mode": "只能选择 listen、whisper 或 barge。"})
        if not me:
            raise refused("no_staff_number", "您没有工号,不能监听。", "You have no staff number to be rung at.")
        async with self._turns[me]:
            spy = self._core.telephony.spy_by(me)
            if spy is None:
                await self._begin(actor, me, call_id, wanted)
            elif spy.call_id != call_id:
                raise refused(
                    "overseeing", "您正在监听另一通电话,请先结束。", "You oversee another call: end it first."
                )
            elif spy.mode is not wanted:
                await self._change(actor, spy, wanted)
        return agent_view(self._core, me)

    async def end(self, actor: Actor) -> dict[str, Any]:
        """Take part no longer; what is over already is no error."""
        actor.require(Permission.agents_control)
        me = actor.agent_id or ""
        async with self._turns[me]:
            if (spy := self._core.telephony.spy_by(me)) is not None:
                self._dropped.add(spy.unique_id)
                await self._do([hangup(spy.handle)], lenient=True)
        return agent_view(self._core, me)

    async def _begin(self, actor: Actor, me: str, call_id: str, mode: SpyMode) -> None:
        self._telephone(me)
        watched = self._watched(me, call_id)
        await self._audit(actor, call_id, watched, mode)
        endpoint = self._telephone(me)  # a call may have come while it was written down,
        if self._watched(me, call_id) is not watched:
            raise no_talk()  # or the talk may be over
        core, node = self._core, self._core.nodes.of(call_id)
        unique_id = f"{node}-{core.now_ms() // 1000}.o{secrets.randbelow(10**6)}"
        spy = Spy(unique_id, me, call_id, watched.agent_id, watched.unique_id, mode)
        core.telephony.spies[unique_id] = spy
        self._busy(spy, True)
        try:
            await core.asterisk.originate(
                f"PJSIP/{core.way(endpoint, call_id)}",
                unique_id=unique_id,
                context=CONTEXT,
                exten="s",
                caller_id=f'"" <{watched.agent_id}>',
                variables={
                    "HOTLINE_SPY_CALL": call_id,
                    "HOTLINE_SPY_BY": me,
                    "HOTLINE_SPY_AGENT": watched.agent_id,
                    "HOTLINE_SPY_LEG": watched.unique_id,
                    "HOTLINE_SPY_MODE": mode.value,
                },
                timeout_s=RING_S,
            )
        except AmiError as error:
            core.telephony.spies.pop(unique_id, None)
            self._busy(spy, False)
            raise telephone_away(error) from error
        log.info("a talk is overseen", call=call_id, by=me, mode=mode.value)
        self._tell(spy)

    async def _change(self, actor: Actor, spy: Spy, mode: SpyMode) -> None:
        watched = self._watched(spy.by, spy.call_id)
        await self._audit(actor, spy.call_id, watched, mode)
        before, spy.mode = spy.mode, mode
        steps = [setvar(spy.handle, "HOTLINE_SPY_MODE", mode.value)]
        if spy.up and not (mode is SpyMode.barge and watched.in_room):
            steps.append(redirect(spy.handle, CONTEXT))  # until the talk is in the room, they are heard by the agent
        try:
            await self._do(steps)
        except BaseException:
            spy.mode = before
            raise
        if mode is not SpyMode.barge:
            spy.in_room = False
        self._join_in(spy)
        self._tell(spy)

    def _telephone(self, me: str) -> str:
        """The telephone at which a supervisor can be rung now. Raises Refused."""
        core = self._core
        self._dialling.check_free(me)
        agent, record = core.book.get(me), core.book.records.get(me)
        if agent is not None and agent.state in (AgentState.OFFERED, AgentState.TALKING):
            raise refused("in_a_call", "您正在通话中。", "You are in a call.")
        chosen = agent.endpoint if agent is not None else (record.endpoint if record else "") or me
        phones = [core.telephony.phones.get(one) for one in dict.fromkeys((chosen, me, f"{me}w"))]
        there = [phone for phone in phones if phone is not None and phone.reachable]
        if not there:
            raise refused("no_phone", "您的话机没有注册,不能监听。", "None of your telephones is registered.")
        if there[0].in_use:
            raise refused("in_a_call", "您的话机正在使用。", "Your telephone is in use.")
        return there[0].endpoint

    def _watched(self, me: str, call_id: str) -> Leg:
        """The agent's leg that is overseen. Raises NotFound, Refused."""
        call = self._core.call(call_id)
        if call is None:
            raise NotFound("没有这个通话,或已结束。", "There is no such call, or it is over.")
        leg = call.agent_leg
        if call.phase not in TALKING or call.ended_ms is not None or leg is None or leg.state is not LegState.up:
            raise no_talk()
        if any(one.agent_id == me for one in call.legs.values()):
            raise refused("own_call", "不能监听自己的通话。", "You are in this call yourself.")
        return leg

    async def _audit(self, actor: Actor, call_id: str, watched: Leg, mode: SpyMode) -> None:
        domain = self._core.domain
        await asyncio.to_thread(domain.audit_oversight, actor, call_id, watched.agent_id, mode.value)

    # -- what happens -----------------------------------------------------------------------------------------------

    def changed(self, spy: Spy, *, gone: bool) -> None:
        """A supervisor's telephone was picked up, or is gone."""
        if gone:
            self._busy(spy, False)
            if not spy.up and spy.unique_id not in self._dropped:
                text = "您的话机没有接听,监听未开始。"
                told = {"level": "warning", "code": "oversee_failed", "text": text, "at_ms": self._core.now_ms()}
                self._core.hub.to_agent(spy.by, "notice", told)
            self._dropped.discard(spy.unique_id)
        else:
            self._join_in(spy)
            if (call := self._core.call(spy.call_id)) is not None:
                self._control.help_over(call)
            if call is None or spy.leg not in call.legs:
                self._drop(spy)  # the talk ended while it rang
        self._tell(spy)

    def follow(self, call: Call) -> None:
        """Somebody came or left: whoever talks with all goes with the talk, and nobody stays longer than the agent."""
        for spy in self._core.telephony.spies_on(call.call_id):
            if spy.leg not in call.legs:
                self._drop(spy)
            else:
                self._join_in(spy)

    def adopt(self, nodes: Collection[str], before: Collection[Spy]) -> None:
        """After a restart or a cut line: what still makes sense goes on, the rest is ended, never left hanging."""
        core = self._core
        now = core.telephony.spies
        for spy in list(now.values()):
            if core.nodes.of(spy.unique_id) not in nodes:
                continue
            call = core.call(spy.call_id)
            if call is None or spy.leg not in call.legs:
                self._drop(spy)
            self._busy(spy, True)
            self._tell(spy)
        for spy in before:
            if core.nodes.of(spy.unique_id) in nodes and spy.unique_id not in now:
                self.changed(spy, gone=True)

    def _join_in(self, spy: Spy) -> None:
        """Whoever is to be heard by all goes into the room, as soon as the talk is there."""
        call = self._core.call(spy.call_id)
        if call is None or not spy.up or spy.mode is not SpyMode.barge or spy.in_room:
            return
        agent = call.legs.get(spy.leg)
        if agent is not None and agent.in_room:
            spy.in_room = True
            self._soon([redirect(spy.handle, CONTEXT, "barge")])
        elif call.phase is Phase.talk:
            self._core.spawn(self._control.gather(call.call_id), f"gather-{call.call_id}")

    def _drop(self, spy: Spy) -> None:
        if spy.unique_id not in self._dropped:
            self._dropped.add(spy.unique_id)
            self._soon([hangup(spy.handle)])

    def _busy(self, spy: Spy, busy: bool) -> None:
        """A supervisor who oversees is offered no calls."""
        if self._core.book.get(spy.by) is not None:
            self._core.queue.feed(AgentBusyOutside(spy.by, busy))

    def _tell(self, spy: Spy) -> None:
        self._core.hub.to_agent(spy.by, "agent.state", agent_view(self._core, spy.by))
        if (call := self._core.call(spy.call_id)) is not None:
            self._marks.tell(call)
        self._core.board_changed()

    def _soon(self, steps: list[Action]) -> None:
        self._core.spawn(self._do(steps, lenient=True), "oversee")

    async def _do(self, steps: list[Action], *, lenient: bool = False) -> None:
        try:
            answers = await self._core.asterisk.each(*steps)
        except AmiError as error:
            if lenient:
                return
            raise telephone_away(error) from error
        if not lenient and (trouble := next((one for one in answers if one is not None), None)) is not None:
            raise telephone_away(trouble)
