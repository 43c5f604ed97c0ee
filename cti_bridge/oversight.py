"""A supervisor sets an agent's state: ready, not ready with a reason, signed out. Audited, and the agent is told.

It follows the agent's own rules: nobody is torn out of a talk, what cannot be at once is queued for after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from acd.model import AgentNotReady, AgentReady, AgentState, Event, NextState
from app.actor import Actor
from app.auth.model import Permission
from app.errors import BadInput
from cti_bridge.agents import Agent
from cti_bridge.core import Core
from cti_bridge.refusals import not_now, refused
from cti_bridge.views import agent_view

WORDS = {AgentState.READY: "示闲", AgentState.NOT_READY: "示忙", AgentState.SIGNED_OUT: "签出"}


class Oversight:
    """See the module's text."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def set_state(self, actor: Actor, agent_id: str, state: str, reason: str) -> dict[str, Any]:
        """Give another agent a state. Raises Forbidden, BadInput, Refused, Busy: nothing is done that is not audited.

        What is so already (a double click) is done once.
        """
        actor.require(Permission.agents_control)
        wanted = self._wanted(state)
        if agent_id == actor.agent_id:
            raise refused("own_state", "请在自己的页面上更改本人状态。", "Change your own state on your own page.")
        agent = self._core.book.get(agent_id)
        if agent is None:
            raise refused("not_signed_in", "该坐席未签入。", "This agent has not signed in for a shift.")
        reason = (reason or "other") if wanted is AgentState.NOT_READY else ""
        if _is_so(agent, wanted, reason):
            return agent_view(self._core, agent_id)
        await asyncio.to_thread(self._core.domain.audit_agent_state, actor, agent_id, wanted.value, reason)
        by = actor.display_name or actor.name
        was, agent.set_by = agent.set_by, by
        by_id = actor.agent_id or f"user:{actor.user_id}"
        if (answer := self._core.queue.ask(_event(agent_id, wanted, reason, by=by_id))) is not None:
            agent.set_by = was
            raise not_now(answer.why.value)
        view = agent_view(self._core, agent_id)
        self._tell(agent_id, wanted, reason, by, later=view["state"] != wanted.value)
        return view

    def _wanted(self, state: str) -> AgentState:
        wanted = next((one for one in WORDS if one.value == state), None)
        if wanted is None:
            raise BadInput(fields={"state": "只能设为 ready、not_ready 或 signed_out。"})
        return wanted

    def _tell(self, agent_id: str, wanted: AgentState, reason: str, by: str, *, later: bool) -> None:
        text = f"{by} 已将您设为{WORDS[wanted]}{',本次通话处理完后生效' if later else ''}。"
        told: Mapping[str, Any] = {
            "level": "warning",
            "code": "state_set",
            "text": text,
            "by": by,
            "state": wanted.value,
            "reason": reason,
            "later": later,
            "at_ms": self._core.now_ms(),
        }
        self._core.hub.to_agent(agent_id, "notice", told)


def _is_so(agent: Agent, wanted: AgentState, reason: str) -> bool:
    if agent.next_state:
        return (agent.next_state, agent.next_reason) == (wanted.value, reason)
    return agent.state is wanted and agent.not_ready_reason == reason


def _event(agent_id: str, wanted: AgentState, reason: str, *, by: str) -> Event:
    if wanted is AgentState.READY:
        return AgentReady(agent_id, by)
    if wanted is AgentState.NOT_READY:
        return AgentNotReady(agent_id, reason, by)
    return NextState(agent_id, AgentState.SIGNED_OUT, "", by)
