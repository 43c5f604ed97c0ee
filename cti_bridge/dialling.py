"""Calls that begin with us: which numbers an agent may dial, click to dial, and third parties for a talk."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

import structlog

from acd.model import AgentBusyOutside
from app.destinations import Destinations
from app.errors import BadInput
from cti_bridge import facts, rooms
from cti_bridge.agents import Agent
from cti_bridge.ami import AmiError
from cti_bridge.changes import OutboundEnded
from cti_bridge.core import Core
from cti_bridge.model import Attempt, Call, Leg, LegState, Phase, Role, ThirdKind
from cti_bridge.refusals import refused, telephone_away
from cti_bridge.talks import Talks
from cti_bridge.thirds import Thirds

log = structlog.get_logger(__name__)

NUMBER = re.compile(r"\+?[0-9*#]{2,32}")


class Dialling:
    """See the module's text."""

    def __init__(self, core: Core, talks: Talks, thirds: Thirds) -> None:
        self._core, self._talks, self._thirds = core, talks, thirds
        self._outside: dict[str, str] = {}  # call that we dial → agent
        self.destinations = Destinations.of(core.settings)

    def target(self, agent_id: str, to: str, *, callback: bool = False) -> str:
        """The number as it will be dialled; `callback`: a citizen has asked for it. Raises BadInput, Refused."""
        number = re.sub(r"[\s()-]", "", to)
        if not NUMBER.fullmatch(number):
            raise BadInput(fields={"to": "请输入电话号码或工号。"})
        if number == agent_id:
            raise refused("own_number", "不能呼叫自己。", "That is your own number.")
        if number in self._core.book.records or self.may_dial(agent_id, number, callback=callback):
            return number
        raise refused("not_permitted", "您没有呼叫此号码的权限。", "You may not dial this number.")

    def may_dial(self, agent_id: str, number: str, *, callback: bool = False) -> bool:
        """Whether this agent may call outside there, by their permission or because a citizen has asked for it."""
        record = self._core.book.records.get(agent_id)
        may_dial_out = record is not None and record.may_dial_out
        return self.destinations.may_dial(number, may_dial_out=may_dial_out) or (
            callback and self.destinations.may_call_back(number)
        )

    async def dial(self, agent: Agent, to: str, *, callback: Attempt | None = None) -> dict[str, Any]:
        """Click to dial: the agent's telephone rings, then the number is dialled. Raises BadInput, Refused.

        `callback`: a citizen has asked for it, so what counts is which numbers may be called back.
        """
        number = self.target(agent.agent_id, to, callback=callback is not None)
        if callback is None and number not in self._core.book.records:
            await self._check_wanted(number)
        self.check_free(agent.agent_id)
        # The call is a call of the node at which the telephone is registered.
        unique_id = f"{self._core.phone_node(agent.endpoint)}-{self._core.now_ms() // 1000}.d{secrets.randbelow(10**6)}"
        call = Call(unique_id, "", Phase.outbound, outbound=True, number=number, started_ms=self._core.now_ms())
        call.agent_id, call.attempt_of = agent.agent_id, callback
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
                variables={
                    "HOTLINE_AGENT": agent.agent_id,
                    "HOTLINE_LEG": "agent",
                    "HOTLINE_DIALS": "1",
                    "HOTLINE_TO": number,
                    **({"HOTLINE_CALLBACK": callback.text()} if callback else {}),
                },
                timeout_s=20,
            )
        except AmiError as error:
            self._core.telephony.forget(unique_id)
            self.ended(call)
            raise telephone_away(error) from error
        self._talks.began(unique_id, agent.agent_id)
        self._core.facts.put("call", unique_id, facts.arrived(call))
        return {"call_id": unique_id}

    async def _check_wanted(self, number: str) -> None:
        """Raises Refused for somebody who does not want to be called by anybody of the hotline, Busy."""
        if await asyncio.to_thread(self._core.domain.never_called, number):
            raise refused(
                "do_not_call",
                "对方已登记“不再呼叫”，不能拨打。",
                "They have said that they do not want to be called.",
            )

    async def third(self, call: Call, agent_id: str, number: str, kind: ThirdKind) -> None:
        """Have a third party join the room of a call. Raises Refused."""
        unique_id = f"third-{call.call_id}-{secrets.randbelow(10**6)}"
        colleague = number if number in self._core.book.records else ""
        leg = Leg("", unique_id, Role.third, colleague, number, LegState.dialing, self._core.now_ms())
        leg.kind, leg.by_agent = kind.value, agent_id
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
                    "HOTLINE_THIRD": kind.value,
                },
            )
        except AmiError as error:
            self._core.telephony.detach(unique_id)
            raise telephone_away(error) from error
        self._thirds.dialled(call, leg)
        if colleague:
            self._talks.show_card(call, colleague, own=False)

    def adopt(self, call: Call) -> None:
        """A call that we dialled before a restart goes on."""
        if call.call_id not in self._outside:
            self._outside[call.call_id] = call.agent_id
            self._talks.began(call.call_id, call.agent_id)
            self._core.queue.feed(AgentBusyOutside(call.agent_id, True))

    def not_reached(self, change: OutboundEnded) -> None:
        """Somebody who was dialled did not answer, was busy, or may not be dialled."""
        data = {"level": "warning", "code": "not_reached", "call_id": change.call_id, "number": change.number}
        text = {"BUSY": "对方正忙", "REFUSED": "没有呼叫此号码的权限"}.get(change.status, "对方无人接听或无法接通")
        self._core.hub.to_agent(change.agent_id, "notice", {**data, "text": text, "status": change.status})

    def ended(self, call: Call) -> None:
        """The call is over: an agent who dialled it is free for the queue again."""
        agent_id = self._outside.pop(call.call_id, None)
        if agent_id is not None:
            self._core.queue.feed(AgentBusyOutside(agent_id, False))

    def check_free(self, agent_id: str) -> None:
        """Raises Refused when the agent is in a call."""
        telephony = self._core.telephony
        if telephony.talks_of(agent_id) or agent_id in self._outside.values() or telephony.spy_by(agent_id):
            raise refused("in_a_call", "您正在通话中。", "You are in a call.")
