"""The whole bridge against a played Asterisk and a domain in memory: quick, and every event is the test's choice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.secrets import secret
from app.settings import Settings
from app.speech.recognizer import Recognizer
from cti_bridge.bridge import Bridge, wall_clock_ms
from cti_bridge.ports import QueueRules
from tests.bridge_kit.fake_ami import FakeAmi, Fields, listed, ok
from tests.bridge_kit.memory_domain import MemoryDomain

NODE = "test-1795521600"


def ms() -> int:
    """Epoch milliseconds, as the bridge's clock gives them."""
    return wall_clock_ms()


class PlayedAsterisk(FakeAmi):
    """A FakeAmi that knows channels: `Status` and `DeviceStateList` answer with what was set.

    `node` begins every unique id; the channels of two nodes have the same names.
    """

    def __init__(self, password: str, node: str = NODE) -> None:
        super().__init__(password)
        self.node = node
        self.channels: dict[str, list[tuple[str, str]]] = {}
        self.devices: dict[str, str] = {}
        self.queue: dict[str, bool] = {}
        self._numbers = itertools.count(1)
        self.on(
            "Status", lambda a: listed(a, [[("Event", "Status"), *rows] for rows in self.channels.values()], "Status")
        )
        self.on(
            "DeviceStateList",
            lambda a: listed(
                a,
                [{"Event": "DeviceStateChange", "Device": d, "State": s} for d, s in self.devices.items()],
                "DeviceStateList",
            ),
        )
        self.on("QueueStatus", self._queue_status)
        self.on("QueueAdd", self._queue_change)
        self.on("QueuePause", self._queue_change)
        self.on("QueueRemove", self._queue_change)

    def _status(self, action: Fields) -> bytes:
        return listed(action, [[("Event", "Status"), *headers] for headers in self.channels.values()], "Status")

    def _queue_status(self, action: Fields) -> bytes:
        rows: list[dict[str, str] | list[tuple[str, str]]] = [
            {"Event": "QueueMember", "Location": one, "Paused": "1" if paused else "0"}
            for one, paused in self.queue.items()
        ]
        return listed(action, rows, "QueueStatus")

    def _queue_change(self, action: Fields) -> bytes:
        if action["Action"] == "QueueRemove":
            self.queue.pop(action["Interface"], None)
        else:
            self.queue[action["Interface"]] = action.get("Paused") == "true"
        return ok(action)

    # -- what happens to calls --------------------------------------------------------------------------------------

    def phone(self, endpoint: str, state: str = "NOT_INUSE") -> None:
        """A telephone's state changes."""
        self.devices[f"PJSIP/{endpoint}"] = state
        self.event("DeviceStateChange", Device=f"PJSIP/{endpoint}", State=state)

    def user_event(self, name: str, call: str, channel: str = "", unique_id: str = "", **fields: str | int) -> None:
        """A UserEvent of the dialplan."""
        self.event(
            "UserEvent",
            UserEvent=name,
            Channel=channel or self.name_of(call),
            Uniqueid=unique_id or call,
            Call=call,
            **fields,
        )

    @staticmethod
    def name_of(call: str) -> str:
        """The channel of a citizen's call."""
        return f"PJSIP/trunk-{int(call.rpartition('.')[2]):08x}"

    def citizen(self, number: str, started_ms: int) -> str:
        """A citizen's call arrives; its id."""
        call = f"{self.node}.{next(self._numbers)}"
        self.user_event("HotlineStart", call, Number=number, Name="张三", Line="12345", Started=started_ms)
        return call

    def join(self, call: str, number: str, joined_ms: int, attempt: int = 1, **more: str | int) -> None:
        """The caller is in the hold loop."""
        fields: dict[str, str | int] = {
            "Number": number,
            "Line": "12345",
            "Queue": "general",
            "Lang": "zh",
            "Skills": "",
            "Prio": 0,
            "Path": "welcome>person",
            "Started": joined_ms,
            "Joined": joined_ms,
            "Attempt": attempt,
        }
        self.user_event("AcdJoin", call, **{**fields, **more})

    def rings(self, call: str, agent_id: str, by: str = "") -> str:
        """The dialplan dials the agent; the leg's unique id. `by`: the endpoint that leads to another node."""
        leg = f"{self.node}.{next(self._numbers) + 1000}"
        channel = f"PJSIP/{by or agent_id}-{int(leg.rpartition('.')[2]):08x}"
        self.event(
            "DialBegin",
            DialString=f"{agent_id}@{by}" if by else agent_id,
            Channel=self.name_of(call),
            Uniqueid=call,
            Context="acd-connect",
            DestChannel=channel,
            DestUniqueid=leg,
        )
        self.event("Newstate", Channel=channel, Uniqueid=leg, ChannelStateDesc="Ringing")
        return leg

    def picks_up(self, call: str, agent_id: str, leg: str, offer_id: str) -> None:
        """The agent answers and the talk begins."""
        self.hears_staff_number(agent_id, leg)
        self.talk_begins(call, agent_id, leg, offer_id)

    def hears_staff_number(self, agent_id: str, leg: str) -> None:
        """The agent has picked up; the sentence with the staff number is being said."""
        channel = f"PJSIP/{agent_id}-{int(leg.rpartition('.')[2]):08x}"
        self.event("Newstate", Channel=channel, Uniqueid=leg, ChannelStateDesc="Up")

    def talk_begins(self, call: str, agent_id: str, leg: str, offer_id: str) -> None:
        """Agent and citizen are connected."""
        channel = f"PJSIP/{agent_id}-{int(leg.rpartition('.')[2]):08x}"
        self.user_event(
            "AcdAnswered",
            call,
            channel,
            leg,
            Agent=agent_id,
            OfferId=offer_id,
            AgentChannel=channel,
            Rec=f"/x/{call}-1",
        )
        for number, unique_id in enumerate((call, leg), start=1):
            self.event("BridgeEnter", Uniqueid=unique_id, Channel="x", BridgeNumChannels=number)

    def hangs_up(self, unique_id: str, cause: int = 16) -> None:
        """A channel ends."""
        self.event("Hangup", Uniqueid=unique_id, Channel="x", Cause=cause)


@dataclass(frozen=True)
class Offered:
    """What an offer's Redirect tells the dialplan."""

    agent_id: str
    endpoint: str
    timeout_s: int
    offer_id: str


def offer_of(redirect: Fields) -> Offered:
    """An offer as it was put to Asterisk: offer*<agent>*<endpoint>*<seconds>*<id>."""
    what, agent_id, endpoint, timeout_s, offer_id = redirect["Exten"].split("*")
    assert (redirect["Context"], what) == ("acd-connect", "offer")
    return Offered(agent_id, endpoint, int(timeout_s), offer_id)


def channel(unique_id: str, *, name: str = "", application: str = "Wait", **variables: str) -> list[tuple[str, str]]:
    """One row of Status; variables without their HOTLINE_."""
    return [
        ("Channel", name or PlayedAsterisk.name_of(unique_id)),
        ("Uniqueid", unique_id),
        ("Linkedid", unique_id),
        ("ChannelStateDesc", "Up"),
        ("Application", application.partition("(")[0]),
        ("Data", application.partition("(")[2]),
        ("BridgeID", ""),
        ("Seconds", "60"),
        *[("Variable", f"HOTLINE_{name}={value}") for name, value in variables.items()],
        ("Variable", "HOTLINE_CASE=(null)"),
    ]


def rows(*given: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Status rows as the AMI library gives them: repeated headers become lists."""
    out = []
    for pairs in given:
        row: dict[str, Any] = {}
        for key, value in pairs:
            row[key] = (
                [*row[key], value] if isinstance(row.get(key), list) else ([row[key], value] if key in row else value)
            )
        out.append(row)
    return out


def ringing(unique_id: str, name: str, **variables: str) -> list[tuple[str, str]]:
    """A row of Status: a telephone that Asterisk's own queue rings."""
    return [
        (key, "Ringing" if key == "ChannelStateDesc" else value)
        for key, value in channel(unique_id, name=name, application="AppQueue((Outgoing Line)", **variables)
    ]


class Listener:
    """A connected page without a socket."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.closed: tuple[int, str] | None = None
        self.changed = asyncio.Event()

    def send(self, text: str) -> None:
        self.frames.append(text)
        self.changed.set()

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        self.changed.set()


async def until(condition: Callable[[], object], what: str, timeout: float = 5.0) -> None:
    """Let the loop turn until something holds."""
    try:
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"not within {timeout} s: {what}") from None


class Rig:
    """Bridge, played Asterisk and memory domain, started."""

    def __init__(self, home: Path, clock: Callable[[], int] = wall_clock_ms, **settings: object) -> None:
        self.settings = Settings(home=home, ami_port=1, **settings)  # type: ignore[arg-type]
        self.settings.ensure_dirs()
        self.domain = MemoryDomain()
        self.clock = clock
        self.rules: QueueRules | None = None  # the settings' when there are none
        self.ears: Recognizer | None = None
        self.asterisk = PlayedAsterisk(secret(self.settings, "ami"))

    async def start(self, *, phones: Sequence[str] = ("1001", "1002", "1003")) -> Rig:
        """Asterisk first, then the bridge; returns when the bridge has the picture."""
        for endpoint in phones:
            self.asterisk.devices[f"PJSIP/{endpoint}"] = "NOT_INUSE"
        if not self.asterisk.port:
            await self.asterisk.start()
        self.settings = self.settings.model_copy(update={"ami_port": self.asterisk.port})
        await self.start_bridge()
        return self

    async def start_bridge(self) -> None:
        """A (new) bridge."""
        self.bridge = Bridge(
            self.settings, domain=self.domain, clock=self.clock, rules=self.rules, recognizer=self.ears
        )
        await self.bridge.start()
        await self.until(lambda: self.bridge.health()["heartbeat"] == "ok", "the picture, and a heart that beats")

    async def stop(self) -> None:
        """End everything."""
        await self.bridge.stop()
        await self.asterisk.stop()

    async def until(self, condition: Callable[[], object], what: str, timeout: float = 5.0) -> None:
        """Let the loop turn until something holds."""
        await until(condition, what, timeout)

    async def ready(self, *agents: str) -> None:
        """These agents are on shift with a telephone alone, and ready."""
        for agent_id in agents:
            await self.bridge.sign_in(agent_id)
        await self.until(lambda: all(self.state(one) == "ready" for one in agents), "ready agents")

    def state(self, agent_id: str) -> str:
        """An agent's state."""
        agent = self.bridge.core.book.get(agent_id)
        return agent.state.value if agent else "signed_out"

    async def redirects(self, context: str, count: int = 1) -> list[Fields]:
        """The Redirects to a context, once there are so many."""

        def found() -> list[Fields]:
            return [a for a in self.asterisk.got("Redirect") if context in (a["Context"], a.get("ExtraContext"))]

        await self.until(lambda: len(found()) >= count, f"{count} redirects to {context}")
        return found()
