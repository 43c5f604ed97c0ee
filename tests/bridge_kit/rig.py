"""The whole bridge against a played Asterisk and a domain in memory: quick, and every event is the test's choice."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.actor import Actor
from app.alerts.model import DEFAULTS, AlertKind, AlertRule
from app.alerts.watching import Alert
from app.auth.model import Role
from app.callbacks.model import AttemptOutcome, LineStep
from app.errors import Busy, Forbidden, Refused
from app.machines.model import Machine
from app.number_audits.dialling import Dial
from app.secrets import secret
from app.settings import Settings
from cti_bridge.bridge import Bridge, wall_clock_ms
from cti_bridge.ports import (
    AgentRecord,
    CallerKnown,
    CallForMachines,
    CallSeen,
    LineCallback,
    NuisanceSeen,
    QueueRules,
    TakenCallback,
)
from tests.bridge_kit.fake_ami import FakeAmi, Fields, listed, ok

NODE = "test-1795521600"


def ms() -> int:
    """Epoch milliseconds, as the bridge's clock gives them."""
    return wall_clock_ms()


class MemoryDomain:
    """A domain that remembers what it was told. `locked` makes every write fail as a locked database does."""

    def __init__(self, agents: Sequence[str] = ("1001", "1002", "1003")) -> None:
        self.staff = {
            one: AgentRecord(one, f"坐席{one}", {"zh": 5, "yue": 3}, ("general",), one, one == "1001") for one in agents
        }
        self.calls: dict[str, dict[str, Any]] = {}
        self.cards: list[tuple[str, str]] = []
        self.opened: list[tuple[str, str]] = []
        self.drafts: dict[str, int] = {}
        self.recordings: list[tuple[str, int]] = []
        self.callbacks: list[tuple[int, int, str, str]] = []
        self.forgotten: list[set[int]] = []
        self.promises: dict[int, LineCallback] = {}
        self.dialled: list[tuple[int, str, int]] = []
        self.noted: list[tuple[int, str, dict[str, Any]]] = []
        self.audited: list[tuple[str, str, str, str]] = []
        self.actors: dict[str, Actor] = {
            f"token-{one}": Actor(int(one), frozenset({Role.agent}), one, one) for one in self.staff
        }
        self.actors["token-watch"] = Actor(9, frozenset({Role.supervisor}), None, "watch", "王班长")
        self.actors["token-citizen"] = Actor(8, frozenset({Role.citizen}), None, "citizen")
        self.locked = False
        self.slow: threading.Event | None = None
        self.open: list[CallSeen] = []
        self.recent: list[CallSeen] = []
        self.known: dict[str, CallerKnown] = {}
        self.nuisance: list[NuisanceSeen] = []
        self.seats: dict[str, str] = {}  # post → staff number
        self.empty_seats: set[str] = set()
        self.rules_of_alerts: dict[AlertKind, AlertRule] = {}
        self.left_open: list[Alert] = []
        self.alerts: list[dict[str, Any]] = []
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.presence: dict[int, dict[str, Any]] = {}
        self.units: dict[str, tuple[int, str]] = {}  # number → unit
        self.audits_due: list[Dial] = []
        self.auditors: set[str] = set()
        self.audits_released: list[str] = []
        self.thirds: dict[str, dict[str, Any]] = {}  # leg → what is known
        self.pauses: list[tuple[str, dict[str, Any]]] = []
        self.closed: list[tuple[str, list[str]]] = []
        self.overseen: list[tuple[str, str, str, str]] = []
        self.secret_calls: set[str] = set()

    def _write(self) -> None:
        if self.slow is not None:
            self.slow.wait(10)
        if self.locked:
            raise Busy()

    def session_actor(self, token: str) -> Actor | None:
        return self.actors.get(token)

    def machine(self, token: str, address: str) -> Machine | None:
        return None

    def audit_machine(self, machine: Machine, what: str, agent_id: str, call_id: str = "", command: str = "") -> None:
        raise AssertionError("no outside system was let in")

    def call_for_machines(self, call_id: str, number: str) -> CallForMachines:
        raise AssertionError("no outside system was let in")

    def stored_call(self, machine: Machine, call_id: str) -> dict[str, Any]:
        raise AssertionError("no outside system was let in")

    def agents(self) -> Sequence[AgentRecord]:
        return list(self.staff.values())

    def remember_endpoint(self, agent_id: str, endpoint: str) -> None:
        self._write()

    def record(self, facts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._write()
        for call_id, fields in facts:
            self.calls.setdefault(call_id, {}).update({k: v for k, v in fields.items() if v is not None})

    def record_unseen(self, call_id: str, facts: Mapping[str, Any]) -> None:
        if not self.calls.get(call_id, {}).get("ended_at"):
            self.record([(call_id, facts)])

    def open_calls(self, since_ms: int) -> Sequence[CallSeen]:
        return self.open

    def recent_calls(self, since_ms: int) -> Sequence[CallSeen]:
        return self.recent

    def caller(self, number: str, since_ms: int) -> CallerKnown:
        self._write()
        return self.known.get(number, CallerKnown())

    def card(self, call: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
        self._write()
        call_id = str(call["call_id"])
        self.cards.append((call_id, agent_id))
        case = self.drafts.setdefault(call_id, len(self.drafts) + 1)
        return {
            "call_id": call_id,
            "number": call["number"],
            "waited_s": call["waited_s"],
            "draft": {"case_id": case, "case_number": f"20261124-{case:06}", "version": 1, "fields": {}},
        }

    def open_drafts(self, offers: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        self._write()
        for call, agent_id in offers:
            self.opened.append((str(call["call_id"]), agent_id))
            self.drafts.setdefault(str(call["call_id"]), len(self.drafts) + 1)

    def draft(self, call_id: str) -> dict[str, Any] | None:
        case = self.drafts.get(call_id)
        return {"case_id": case, "case_number": f"20261124-{case:06}", "version": 1, "state": "draft"} if case else None

    def adopt_recording(self, call_id: str, segment: int, citizen: Path, heard: Path) -> None:
        self._write()
        self.recordings.append((call_id, segment))
        citizen.unlink(missing_ok=True)
        heard.unlink(missing_ok=True)

    def audit_agent_state(self, actor: Actor, agent_id: str, state: str, reason: str) -> None:
        self._write()
        self.audited.append((actor.name, agent_id, state, reason))

    def audit_oversight(self, actor: Actor, call_id: str, agent_id: str, mode: str) -> None:
        self._write()
        if call_id in self.secret_calls:
            raise Forbidden()
        self.overseen.append((actor.name, call_id, agent_id, mode))

    def unit_of_number(self, number: str) -> tuple[int, str] | None:
        self._write()
        return self.units.get(number)

    def record_third(self, call_id: str, facts: Mapping[str, Any]) -> None:
        self._write()
        if "alive" in facts:
            self.closed.append((call_id, list(facts["alive"])))
            return
        known = self.thirds.setdefault(str(facts["leg"]), {"call_id": call_id})
        known |= {name: value for name, value in facts.items() if value is not None}

    def record_pause(self, call_id: str, facts: Mapping[str, Any]) -> None:
        self._write()
        self.pauses.append((call_id, dict(facts)))

    def nuisance_rules(self, now_ms: int) -> Sequence[NuisanceSeen]:
        self._write()
        return [one for one in self.nuisance if one.ended_by or one.until_ms > now_ms]

    def look_at_seats(self, at_work: Mapping[str, bool], now_ms: int) -> Sequence[str]:
        self._write()
        empty = {post for post, agent_id in self.seats.items() if not at_work.get(agent_id, False)}
        new, self.empty_seats = sorted(empty - self.empty_seats), empty
        return new

    def alert_rules(self) -> Mapping[AlertKind, AlertRule]:
        self._write()
        return {**DEFAULTS, **self.rules_of_alerts}

    def open_alerts(self) -> Sequence[Alert]:
        self._write()
        return self.left_open

    def note_alert(self, told: Mapping[str, Any]) -> None:
        self._write()
        self.alerts.append(dict(told))

    def acknowledge_alert(self, actor: Actor, told: Mapping[str, Any], at_ms: int) -> tuple[str, int]:
        self._write()
        return self.acknowledged.setdefault(str(told["alert_id"]), (actor.display_name, at_ms))

    def note_presence(self, told: Mapping[str, Any]) -> None:
        self._write()
        self.presence[int(told["began_ms"])] = dict(told)

    def take_callback(self, callback_id: int, agent_id: str) -> TakenCallback:
        self._write()
        return TakenCallback("13800000000", 1_795_521_600_000 + callback_id)

    def settle_callback(self, callback_id: int, taken_ms: int, outcome: AttemptOutcome, why: str) -> None:
        self._write()
        self.callbacks.append((callback_id, taken_ms - 1_795_521_600_000, outcome.value, why))

    def audit_calls(self, now_ms: int, calm: bool) -> tuple[Sequence[Dial], frozenset[str]]:
        self._write()
        dials, self.audits_due = (self.audits_due, []) if calm else ([], self.audits_due)
        return dials, frozenset(self.auditors)

    def release_audit_call(self, call_id: str, now_ms: int) -> None:
        self._write()
        self.audits_released.append(call_id)

    def line_callbacks(self) -> Sequence[LineCallback]:
        self._write()
        return [one for one in self.promises.values() if one.in_line is not False]

    def dial_callback(self, callback_id: int, agent_id: str, attempt: int) -> None:
        self._write()
        if callback_id not in self.promises or self.promises[callback_id].in_line is False:
            raise Refused("该回拨请求已处理。", "This call-back has been dealt with already.", code="wrong_state")
        self.dialled.append((callback_id, agent_id, attempt))
        self.promises[callback_id] = replace(self.promises[callback_id], dialling=True, attempts=attempt)

    def note_callback(self, callback_id: int, what: LineStep, data: Mapping[str, Any]) -> None:
        self._write()
        self.noted.append((callback_id, what.value, dict(data)))
        if what is LineStep.entered:
            self.promises[callback_id] = replace(
                self.promises[callback_id],
                in_line=True,
                placed_ms=data["placed_ms"],
                priority=data["priority"],
            )
        elif what is LineStep.rests:
            rests = {"dialling": False, "due_ms": data["due_ms"], "attempts": data["attempts"]}
            self.promises[callback_id] = replace(self.promises[callback_id], **rests)
        else:
            self.promises.pop(callback_id, None)

    def settle_forgotten_callbacks(self, alive: Collection[int]) -> None:
        self._write()
        self.forgotten.append(set(alive))


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
        self.bridge = Bridge(self.settings, domain=self.domain, clock=self.clock, rules=self.rules)
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
