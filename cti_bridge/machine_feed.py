"""What outside systems hear: a tap of the hub for each of their streams, cut to what may be told (docs/cti.md)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from app.machines.model import Machine
from cti_bridge.core import Core
from cti_bridge.hub import Stream, StreamKey, encode
from cti_bridge.machines import Machines, case_of

log = structlog.get_logger(__name__)

MOST_WAITING = 2_000
MOST_FEEDS = 600  # of one account: one for each of its agents, and some


class Feed:
    """One outside system's stream: hears what its agents' pages are told, and passes on what may be, in order.

    It lives as long as somebody may come back to its stream. `over` is called when it ends.
    """

    def __init__(
        self, machines: Machines, machine: Machine, agents: frozenset[str], stream: Stream, core: Core
    ) -> None:
        self.machine, self.stream = machine, stream
        self._machines, self._agents, self._core = machines, agents, core
        self._waiting: deque[tuple[str, str, Any]] = deque()
        self._wake = asyncio.Event()
        core.hub.tap(self)

    def reaches(self, agent_id: str) -> bool:
        """See `hub.Tap`."""
        return self.machine.reaches(agent_id) and (not self._agents or agent_id in self._agents)

    def hear(self, agent_id: str, event: str, data: Any) -> None:
        """See `hub.Tap`."""
        if len(self._waiting) >= MOST_WAITING:
            log.warning("an outside system begins anew: the database does not keep up", machine=self.machine.machine_id)
            self._waiting.clear()
            self._core.hub.give_up(self.stream, 4408, "the database does not keep up")
            self._wake.set()
            return
        self._waiting.append((agent_id, event, data))
        self._wake.set()

    async def run(self, over: Callable[[], None]) -> None:
        """Until nobody can come back."""
        try:
            while self._core.hub.is_kept(self.stream):
                try:
                    async with asyncio.timeout(60):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                self._wake.clear()
                while self._waiting:
                    await self._pass(*self._waiting.popleft())
        finally:
            self._core.hub.untap(self)
            self._core.hub.give_up(self.stream, 4408, "what happened could not be told")  # if anybody still listens
            over()

    async def _pass(self, agent_id: str, event: str, data: Any) -> None:
        call_id = str(data.get("call_id") or "") if isinstance(data, Mapping) else ""
        if call_id:
            # By the time of these two the case has been opened, or changed.
            await self._machines.learn([call_id], anew=event in ("call.answered", "call.ended"))
        about = self._machines.known(call_id)
        told = {"for_agent": agent_id, **self._machines.cut(self.machine, data, about)}
        if event.startswith("call."):
            call = self._core.call(call_id)
            told["case"] = case_of(about)
            told["call"] = None if call is None else self._machines.view(self.machine, call)
        self.stream.push(event, encode(told))


def key_of(machine: Machine, agents: frozenset[str]) -> StreamKey:
    """The stream that all connections of an account with the same agents share; another scope is another stream."""
    scope = ",".join(sorted(one.value for one in machine.scopes)) + "|" + ",".join(sorted(machine.agents))
    return StreamKey(f"machine:{machine.machine_id}:{scope}:{','.join(sorted(agents))}", False)


class Feeds:
    """The feeds that there are, by stream."""

    def __init__(self, machines: Machines, core: Core) -> None:
        self._machines, self._core = machines, core
        self._feeds: dict[StreamKey, Feed] = {}

    def room_for(self, machine: Machine, agents: frozenset[str]) -> bool:
        """Whether this account may follow these agents too: everything that happens passes through all its feeds."""
        own = sum(1 for feed in self._feeds.values() if feed.machine.machine_id == machine.machine_id)
        return own < MOST_FEEDS or key_of(machine, agents) in self._feeds

    def of(self, machine: Machine, agents: frozenset[str]) -> Feed:
        """The feed of this account and these agents (none named: all of its own)."""
        key = key_of(machine, agents)
        stream = self._core.hub.stream(key)
        feed = self._feeds.get(key)
        if feed is None or feed.stream is not stream:
            feed = self._feeds[key] = Feed(self._machines, machine, agents, stream, self._core)
            mine = feed

            def over() -> None:
                if self._feeds.get(key) is mine:
                    del self._feeds[key]

            self._core.spawn(feed.run(over), f"feed-{machine.machine_id}")
        return feed
