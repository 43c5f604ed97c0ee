"""The core's sessions with the Asterisk nodes: what follows when one begins, when its node speaks, and when it ends.

Each node has a link, a heartbeat and a failsafe queue of its own, and none waits for another's: a node that dies or
hangs is away, and the calls of the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from panoramisk.message import Message

from app.secrets import secret, secret_in
from app.settings import Settings
from cti_bridge.agents import Agent
from cti_bridge.ami import AmiError, AmiLink, LinkState
from cti_bridge.asterisk import Asterisk
from cti_bridge.beat import Beat
from cti_bridge.board import Board
from cti_bridge.calls import WANTED, reduce
from cti_bridge.core import Core
from cti_bridge.dispatcher import Dispatcher
from cti_bridge.failsafe import FailsafeQueue
from cti_bridge.mandate import Mandate
from cti_bridge.nodes import Nodes
from cti_bridge.recovery import Recovery
from cti_bridge.takeback import TakeBack

log = structlog.get_logger(__name__)

SAID_AGAIN_S = 10.0
USER = "hotline"


class Sessions:
    """See the module's text. `notice(level, code, text, **more)` tells people; `attach` gives what events are for."""

    def __init__(self, settings: Settings, mandate: Mandate | None, notice: Callable[..., None]) -> None:
        self._mandate, self._notice = mandate, notice
        may_act = mandate.may_act if mandate is not None else None
        own = secret(settings, "ami")
        places = {settings.node: ((settings.ami_host, settings.ami_port), own)}
        for node in settings.nodes:
            places[node.name] = (node.manager, secret_in(node.ami_secret) if node.ami_secret else own)
        self.links = {
            name: AmiLink(*address, USER, password, listener=_Ear(self, name), wanted=WANTED, may_act=may_act)
            for name, (address, password) in places.items()
        }
        self.nodes = Nodes(self.links)
        self._wrong: dict[str, str] = {}  # node → why it cannot be used

    def attach(self, core: Core, dispatcher: Dispatcher, recovery: Recovery, take_back: TakeBack, board: Board) -> None:
        """What the sessions are for; before they begin."""
        self._core, self._dispatcher, self._recovery = core, dispatcher, recovery
        self._take_back, self._board = take_back, board
        self._beats = {node: Beat(core, node) for node in self.links}
        self._failsafes = {node: FailsafeQueue(core, node) for node in self.links}
        for beat in self._beats.values():
            beat.on_return = take_back.everybody
        recovery.beat = lambda node: self._beats[node].once()
        take_back.beating = lambda node: self._beats[node].fresh()
        dispatcher.deciding.on_agent = self._note
        for node in self.links:
            take_back.line_lost(node)  # until Asterisk has been asked for the first time

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs for ever beside the links."""
        own = [part.run() for parts in (self._beats, self._failsafes) for part in parts.values()]
        return [*own, *([self._remind()] if self.nodes.several else [])]

    def health(self) -> dict[str, str]:
        """Part → "ok", or what is wrong; the hotline's own node is just called "asterisk"."""
        found = {}
        for node, link in self.links.items():
            ok = link.state is LinkState.up and node in self.nodes.known
            mark = f"_{node}" if self.nodes.mark(node) else ""
            found[f"asterisk{mark}"] = "ok" if ok else self._wrong.get(node) or link.problem or "reading calls"
            found[f"heartbeat{mark}"] = "ok" if self._beats[node].fresh() else "not seen by Asterisk"
        return found

    # -- what the links tell ----------------------------------------------------------------------------------------

    async def up(self, node: str) -> None:
        """A session begins: learn everything anew, then hear the events that waited."""
        if self._mandate is not None:
            await self._mandate.announce(Asterisk(self.links[node]))
        if self.nodes.several:
            await self._check_name(node)
        await self._recovery.adopt(node)
        await self._failsafes[node].read()
        if self.nodes.several:
            self._notice("info", "node_back", f"电话节点 {node} 已恢复连接。", node=node)
        else:
            self._notice("info", "telephone_back", "电话系统已恢复连接。")

    def event(self, node: str, event: Message) -> None:
        """One event of a node."""
        if self._mandate is not None:
            self._mandate.hear(event)
        if self.nodes.mark(node):
            self.nodes.name(node, event)
        for change in reduce(self._core.telephony, event, self._core.now_ms()):
            self._board.note(change)
            self._dispatcher.change(change)

    def down(self, node: str, why: str) -> None:
        """A session is lost: the node's calls go on in Asterisk, we cannot see or touch them."""
        self.nodes.known.discard(node)
        self._take_back.line_lost(node)
        if self.nodes.several:
            log.warning("a node is away", node=node, why=why)
            self._recovery.lost(node)
            text = f"与电话节点 {node} 的连接中断，正在重新连接。该节点上的通话不受影响，其他节点照常。"
            self._notice("error", "node_away", text, node=node)
        else:
            self._notice("error", "telephone_away", "与电话系统的连接中断，正在重新连接。通话不受影响。")
        self._core.board_changed()

    async def _check_name(self, node: str) -> None:
        """Whoever answers must be the node: ids of calls tell where they are. Raises AmiError."""
        name = await self._core.at(node).system_name()
        if name in ("", node):
            self._wrong.pop(node, None)
            return
        host, port = self.links[node].address
        self._wrong[node] = f"the Asterisk at {host}:{port} calls itself {name}; its own setting `node` must be {node}"
        log.error("a node has another name", node=node, problem=self._wrong[node])
        raise AmiError(self._wrong[node])

    # -- inside -----------------------------------------------------------------------------------------------------

    def _note(self, agent: Agent) -> None:
        for queue in self._failsafes.values():
            queue.note(agent)

    async def _remind(self) -> None:
        """Call-backs that cannot be dialled rest only for a while: say again that their node is away."""
        while True:
            await asyncio.sleep(SAID_AGAIN_S)
            if self.nodes.own not in self.nodes.known:
                self._recovery.cannot_dial()


class _Ear:
    """Hears one node's link."""

    def __init__(self, sessions: Sessions, node: str) -> None:
        self._sessions, self._node = sessions, node

    async def on_up(self) -> None:
        await self._sessions.up(self._node)

    def on_event(self, event: Message) -> None:
        self._sessions.event(self._node, event)

    def on_down(self, why: str) -> None:
        self._sessions.down(self._node, why)
