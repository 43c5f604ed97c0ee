"""A bridge on two played Asterisks: `asterisk` is the hotline's own node, `second` a further one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.nodes import Node
from app.secrets import secret
from cti_bridge.bridge import wall_clock_ms
from tests.bridge_kit.rig import NODE, PlayedAsterisk, Rig, channel

SECOND = "second"


class TwoNodes(Rig):
    """See the module's text."""

    def __init__(self, home: Path, clock: Callable[[], int] = wall_clock_ms, **settings: object) -> None:
        super().__init__(home, clock, **settings)
        self.second = PlayedAsterisk(secret(self.settings, "ami"), NODE.replace("test", SECOND))

    async def start(self, *, phones: Sequence[str] = ("1001",), far: Sequence[str] = ("1002",)) -> TwoNodes:
        """Both nodes know every telephone; `phones` are registered at the first, `far` at the second."""
        for node, there in ((self.asterisk, phones), (self.second, far)):
            for endpoint in (*phones, *far):
                node.devices[f"PJSIP/{endpoint}"] = "NOT_INUSE" if endpoint in there else "UNAVAILABLE"
        await self.second.start()
        await self.start_without_the_second(phones)
        await self.until(lambda: len(self.bridge.core.nodes.known) == 2, "both nodes known")
        return self

    async def start_without_the_second(self, phones: Sequence[str] = ("1001",)) -> None:
        """The bridge, whether or not the second node answers."""
        further = Node(name=SECOND, sip="127.0.0.7:5060", ami_host="127.0.0.1", ami_port=self.second.port)
        self.settings = self.settings.model_copy(update={"nodes": [further]})
        await super().start(phones=phones)

    async def stop(self) -> None:
        """End everything."""
        await super().stop()
        await self.second.stop()

    async def away(self, node: PlayedAsterisk) -> None:
        """The node's line is cut, and nobody answers there until `back`."""
        name = self.name(node)
        await node.stop()
        await self.until(lambda: name not in self.bridge.core.nodes.known, f"{name} away")

    async def back(self, node: PlayedAsterisk) -> None:
        """It answers again."""
        await node.start()
        await self.until(lambda: self.name(node) in self.bridge.core.nodes.known, "the node back")

    def name(self, node: PlayedAsterisk) -> str:
        """What the core calls it."""
        return SECOND if node is self.second else self.settings.node

    def waiting(self) -> list[str]:
        """All callers in line, as the engine has them."""
        return self.bridge.engine.waiting_order("general")

    def offered(self) -> list[tuple[str, str]]:
        """(node, call) of every caller who was sent to a telephone, by node."""
        return [
            (self.name(node), f"{node.node}.{int(one['Channel'].rpartition('-')[2], 16)}")
            for node in (self.asterisk, self.second)
            for one in node.got("Redirect")
            if one["Context"] == "acd-connect"
        ]


def value(node: PlayedAsterisk, name: str) -> list[str]:
    """What a variable was set to at this node, in order."""
    return [one["Value"] for one in node.got("Setvar") if one["Variable"] == name]


def holding(call: str, joined_ms: int, phase: str = "hold", **more: str) -> list[tuple[str, str]]:
    """A caller as `Status` shows them."""
    return channel(call, CALL=call, PHASE=phase, NUMBER="13800000001", ATTEMPT="1", JOINED=str(joined_ms),
                   STARTED=str(joined_ms), **more)  # fmt: skip
