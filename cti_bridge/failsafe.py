"""Asterisk's own queue is kept ready for the day we die: its members are the agents on shift, paused when not ready.

One task compares what should be with what is and tells Asterisk the difference; a change of mind on the way costs
nothing, and after any interruption the truth is read again. Every node has such a queue with all agents for members:
the telephones that are registered there, now or later, are those that it can ring.
"""

from __future__ import annotations

import asyncio

import structlog

from acd.model import AgentState
from cti_bridge.agents import Agent
from cti_bridge.ami import AmiError
from cti_bridge.core import Core

log = structlog.get_logger(__name__)

RETRY_S = 1.0


class FailsafeQueue:
    """One node's; see the module's text."""

    def __init__(self, core: Core, node: str) -> None:
        self._core, self._node = core, node
        self._known: dict[str, bool] = {}
        self._told: dict[str, tuple[str, bool] | None] = {}
        self._changed = asyncio.Event()
        self.settled = asyncio.Event()

    async def read(self) -> None:
        """Learn from Asterisk who is a member now. Raises AmiError."""
        self._known = await self._core.at(self._node).failsafe_members()
        self.touch()

    def touch(self) -> None:
        """Compare anew."""
        self.settled.clear()
        self._changed.set()

    def note(self, agent: Agent) -> None:
        """An agent's state has changed; most changes are none for us."""
        want = None
        if agent.state is not AgentState.SIGNED_OUT:
            want = (agent.endpoint, agent.state is AgentState.NOT_READY)
        if self._told.get(agent.agent_id) != want:
            self._told[agent.agent_id] = want
            self.touch()

    def wanted(self) -> dict[str, tuple[str, bool]]:
        """Interface → (agent, paused). Wrap-up and talk are no pause: should we die meanwhile, nobody could lift it."""
        return {
            f"PJSIP/{agent.endpoint}": (agent.agent_id, agent.state is AgentState.NOT_READY)
            for agent in self._core.book.on_shift.values()
            if agent.state is not AgentState.SIGNED_OUT
        }

    async def run(self) -> None:
        """Keep the members right, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._node not in self._core.nodes.known:
                continue  # the next session begins with `read`
            wanted = self.wanted()
            changes: dict[str, tuple[str, bool] | None] = {
                interface: want for interface, want in wanted.items() if self._known.get(interface) is not want[1]
            }
            changes |= {interface: None for interface in self._known if interface not in wanted}
            if changes:
                try:
                    await self._core.at(self._node).failsafe_set(changes, self._known)
                except AmiError as error:
                    log.warning("the failsafe queue could not be told", problem=str(error))
                    await asyncio.sleep(RETRY_S)
                    self._changed.set()
                    continue
                self._known = {interface: want[1] for interface, want in wanted.items()}
            if not self._changed.is_set():
                self.settled.set()
