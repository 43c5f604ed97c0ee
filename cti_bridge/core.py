"""What the parts of the bridge share: one object, made once, handed to each of them. Rules live in the parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from acd.model import CallbackRules
from app.settings import Settings
from cti_bridge.agents import AgentBook
from cti_bridge.asterisk import Asterisk
from cti_bridge.hub import Hub
from cti_bridge.model import BETWEEN, Call, Telephony
from cti_bridge.nodes import Nodes
from cti_bridge.ports import Domain
from cti_bridge.queueing import Queueing
from cti_bridge.writer import FactWriter

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Core:
    """The shared state of one running bridge. Touched from the event loop only."""

    settings: Settings
    now_ms: Callable[[], int]
    domain: Domain
    nodes: Nodes
    queue: Queueing
    book: AgentBook
    hub: Hub
    facts: FactWriter
    telephony: Telephony = field(default_factory=Telephony)
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    board_changed: Callable[[], None] = lambda: None
    caller_key: Callable[[str], str] = lambda _number: ""  # number → key, see `callers`
    callback_rules: Callable[[str], CallbackRules | None] = lambda _queue: (
        None
    )  # queue → whether it calls citizens back
    asterisk: Asterisk = field(init=False)  # all nodes as one
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.asterisk = Asterisk(self.nodes)

    @property
    def connected(self) -> bool:
        """Whether the picture of Asterisk, or of one node at least, is known and current."""
        return bool(self.nodes.known)

    def at(self, node: str) -> Asterisk:
        """One node."""
        return Asterisk(self.nodes.links[node])

    def out_of_reach(self, call_id: str) -> bool:
        """Whether the call's node is away while others may go on; with one node nobody can go on anyway."""
        return self.nodes.several and not self.nodes.reaches(call_id)

    def way(self, endpoint: str, call_id: str) -> str:
        """How the call's node dials this telephone: by its name, or at the node where it is registered."""
        here = self.nodes.of(call_id)
        at = self.phone_node(endpoint, here)
        return endpoint if at == here else f"{endpoint}@{BETWEEN}{at}"

    def phone_node(self, endpoint: str, prefer: str = "") -> str:
        """The node at which a telephone is registered; `prefer` if it is there too, or nowhere."""
        return self.telephony.where(endpoint, self.nodes.mark(prefer or self.nodes.own)) or self.nodes.own

    def call(self, call_id: str) -> Call | None:
        """A call that is going on."""
        return self.telephony.calls.get(call_id)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Do something beside the event loop's turn; what it raises is logged, not lost."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task failed", task=task.get_name(), exc_info=error)

    async def stop_tasks(self) -> None:
        """Cancel everything that was spawned."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
