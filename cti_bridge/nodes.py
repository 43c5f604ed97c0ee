"""Several Asterisk nodes as one: what is said of a call goes to its node, what a node says carries its name.

The first part of every unique id is its node's name (Asterisk's systemname), and everything about a call happens on
the node it came to, so the call's id says where. Names of channels and telephones are unique only within a node: those
of further nodes get the node's name in front (`hotline2:PJSIP/trunk-00000001`) where they come in, and lose it where
they go out. The hotline's own node is never named: with one node nothing is different.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterable, Mapping
from itertools import groupby
from typing import Any, Protocol

from panoramisk.message import Message

from cti_bridge.ami import AmiError, LinkState
from cti_bridge.ami.wire import Value
from cti_bridge.model import split

_ID = re.compile(r"(?:agent-|third-)?([a-z0-9]{1,32})-.+")
_IN_EVENTS = ("Channel", "DestChannel", "AgentChannel", "Newname", "Device")
_IN_ACTIONS = ("Channel", "ExtraChannel")


class Line(Protocol):
    """Where actions go."""

    async def pipeline(
        self, actions: list[dict[str, Value]], *, timeout: float | None = None
    ) -> list[Message | AmiError]:
        """Do several actions in order."""

    def write(
        self, actions: list[dict[str, Value]], *, timeout: float | None = None
    ) -> Coroutine[Any, Any, list[Message | AmiError]]:
        """The same, and they are on their way when this returns; await the answers."""

    async def list_action(self, name: str, *, timeout: float | None = None, **headers: Value) -> list[Message]:
        """Do one action that answers with a list."""


class Link(Line, Protocol):
    """A session with one Asterisk, as far as it is used here."""

    state: LinkState
    problem: str

    async def start(self) -> None:
        """Begin connecting."""

    async def stop(self) -> None:
        """End the session."""


class Nodes:
    """All nodes by name, the hotline's own first. An action is done by the node of the channel that it names.

    `known` are the nodes whose session stands and whose calls have been read in it.
    """

    def __init__(self, links: Mapping[str, Link]) -> None:
        self.links = dict(links)
        self.own = next(iter(self.links))
        self.known: set[str] = set()

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.links) > 1

    def of(self, handle: str) -> str:
        """The node of a call's id, or of a channel's unique id or name."""
        node, name = split(handle)
        if node in self.links:
            return node
        found = _ID.fullmatch(name)
        return found[1] if found is not None and found[1] in self.links else self.own

    def mark(self, node: str) -> str:
        """What stands for the node where names carry one: "" for the hotline's own."""
        return "" if node == self.own else node

    def reaches(self, handle: str) -> bool:
        """Whether this call or channel can be seen and told something at the moment."""
        return self.of(handle) in self.known

    def may_come(self, node: str) -> bool:
        """Whether a session with it is about to begin: it stands, or has not been tried yet."""
        link = self.links[node]
        return link.state is LinkState.up or link.problem == "not started"

    def named(self, node: str, rows: Iterable[Message]) -> list[Message]:
        """Rows or events of a node, with the node's name in their channels' and devices' names."""
        out = list(rows)
        if node != self.own:
            for row in out:
                self.name(node, row)
        return out

    def name(self, node: str, row: Message) -> None:
        """Put the node's name into one row or event of a further node."""
        for key in _IN_EVENTS:
            if name := row.get(key):
                row[key] = f"{node}:{name[-1] if isinstance(name, list) else name}"

    async def pipeline(
        self, actions: list[dict[str, Value]], *, timeout: float | None = None
    ) -> list[Message | AmiError]:
        """As `AmiLink.pipeline`, each action at its node: the next node is asked when the one before has answered."""
        if not self.several:
            return await self.links[self.own].pipeline(actions, timeout=timeout)
        out: list[Message | AmiError] = []
        for node, run in groupby(actions, key=self._node_of):
            out += await self.links[node].pipeline([_within_node(action) for action in run], timeout=timeout)
        return out

    def write(
        self, actions: list[dict[str, Value]], *, timeout: float | None = None
    ) -> Coroutine[Any, Any, list[Message | AmiError]]:
        """As `AmiLink.write`, if all actions are for one node; else they are only on their way when awaited."""
        nodes = {self._node_of(action) for action in actions}
        if len(nodes) > 1:
            return self.pipeline(actions, timeout=timeout)
        own = [_within_node(action) for action in actions] if self.several else actions
        return self.links[nodes.pop() if nodes else self.own].write(own, timeout=timeout)

    async def list_action(self, name: str, *, timeout: float | None = None, **headers: Value) -> list[Message]:
        """As `AmiLink.list_action`, at the hotline's own node; the others are asked each for itself (`links`)."""
        return await self.links[self.own].list_action(name, timeout=timeout, **headers)

    def _node_of(self, action: Mapping[str, Any]) -> str:
        # What we dial begins with whom to dial: its own id says where.
        return self.of(str(action.get("ChannelId") or action.get("Channel", "")))

    async def start(self) -> None:
        """Begin connecting to all."""
        for link in self.links.values():
            await link.start()

    async def stop(self) -> None:
        """End all sessions."""
        for link in self.links.values():
            await link.stop()


def _within_node(action: dict[str, Value]) -> dict[str, Value]:
    given = {key: split(str(action[key]))[1] for key in _IN_ACTIONS if key in action}
    return {**action, **given}
