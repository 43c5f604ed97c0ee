"""A talk on a played Asterisk, and what was asked of it: for tests of what can be done in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.actor import Actor
from app.auth.model import Role
from cti_bridge.hub import StreamKey
from cti_bridge.model import Call, Leg
from tests.bridge_kit.fake_ami import Fields, message
from tests.bridge_kit.rig import Listener, Rig, ms, offer_of

BOSS = Actor(3, frozenset({Role.supervisor}), "1003", "boss", "王班长")


@dataclass
class Talk:
    """A citizen in a talk with agent 1001."""

    rig: Rig
    call_id: str
    leg_id: str

    @property
    def call(self) -> Call:
        """As the bridge knows it."""
        call = self.rig.bridge.core.call(self.call_id)
        assert call is not None
        return call

    @property
    def agent(self) -> Leg:
        """The agent's leg."""
        return self.call.legs[self.leg_id]

    @property
    def citizen(self) -> str:
        """The citizen's channel."""
        return self.rig.asterisk.name_of(self.call_id)

    def enter(self, *unique_ids: str) -> None:
        """These channels are in the room now."""
        for one in unique_ids:
            self.rig.asterisk.event("ConfbridgeJoin", Conference=f"room-{self.call_id}", Uniqueid=one, Channel="x")

    def leave(self, unique_id: str) -> None:
        """This channel is in the room no longer."""
        self.rig.asterisk.event("ConfbridgeLeave", Conference=f"room-{self.call_id}", Uniqueid=unique_id, Channel="x")

    async def gathered(self) -> None:
        """Both are in the room, as after a hold that is over."""
        self.enter(self.call_id, self.leg_id)
        await self.rig.until(lambda: self.agent.in_room and self.call.phase.value == "room", "both in the room")

    async def consulting(self, number: str = "02588886666") -> Leg:
        """The citizen on hold, the agent with a third party in the room; the third party's leg."""
        await self.rig.bridge.control.consult("1001", None, number)
        third = self.call.thirds[-1]
        self.enter(self.leg_id, third.unique_id)
        await self.rig.until(lambda: third.in_room, "the third party")
        third.channel = f"Local/{number}@acd-outbound-00000001;1"
        return third


async def talk(rig: Rig, number: str = "13800000001") -> Talk:
    """Begin one."""
    await rig.ready("1001")
    call = rig.asterisk.citizen(number, ms())
    rig.asterisk.join(call, number, ms())
    (offer_id,) = [offer_of(one).offer_id for one in await rig.redirects("acd-connect")]
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.picks_up(call, "1001", leg, offer_id)
    await rig.until(lambda: (known := rig.bridge.core.call(call)) is not None and known.talked, "a talk")
    return Talk(rig, call, leg)


def asked(rig: Rig, *names: str) -> list[tuple[str, ...]]:
    """What Asterisk was asked for, by these actions, in short."""
    told = {
        "MuteAudio": ("Channel", "State"),
        "MixMonitorMute": ("Channel", "State"),
        "Redirect": ("Channel", "Context"),
        "Setvar": ("Channel", "Variable", "Value"),
        "Hangup": ("Channel",),
    }
    return [
        tuple(one.get(key, "") for key in ("Action", *told[one["Action"]]))
        for one in rig.asterisk.actions
        if one["Action"] in names and "Channel" in one
    ]


def fails(rig: Rig, action: str, when: Callable[[Fields], bool] = lambda _: True) -> None:
    """From now on Asterisk says no to this action."""

    def answer(got: Fields) -> bytes:
        how = "Error" if when(got) else "Success"
        return message({"Response": how, "ActionID": got["ActionID"], "Message": "Cannot set mute flag"})

    rig.asterisk.on(action, answer)


def listens(rig: Rig, agent_id: str = "1001", *, board: bool = False) -> Listener:
    """A page that hears what its agent is told."""
    page = Listener()
    rig.bridge.hub.join(StreamKey(agent_id, board), page)
    return page


def told(page: Listener, event: str) -> list[dict[str, Any]]:
    """The data of every delta of this name."""
    frames = [json.loads(one) for one in page.frames]
    return [one["data"] for one in frames if one.get("event") == event]
