"""A running hotline with citizens, agents' telephones and agents' pages, ready to be broken.

Everything is real but the people: `hotline up` in a home of its own, a second Asterisk as the telephone network and as
the agents' desk phones, and pages that speak HTTP and websocket. Each citizen and each agent sends a tone of its own,
so that a talk can be heard from both ends.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from app.instance.readiness import healthz
from app.secrets import secret
from app.settings import REPO
from app.supervisor.identity import waited_for_cpu_s
from tests.drills._pages import Pages
from tests.drills._proxy import Relay
from tests.drills._report import Report
from tests.drills._usage import Usage
from tests.harness.system import HotlineSystem
from tests.peers.manager import Manager
from tests.peers.network import Line, PublicNetwork
from tests.peers.network_conf import TONES

Say = Callable[[str], None]
GREETED_S = 1.5
KNOWN_WITHIN_S = 5.0


@dataclass
class Citizen:
    """Somebody on the telephone. `call_id`, `joined_ms` are as Asterisk told them."""

    number: str
    line: Line
    tone: int
    answered_at: float = 0.0
    call_id: str = ""
    channel: str = ""
    joined_ms: int = 0

    @property
    def alive(self) -> bool:
        """Whether the citizen is still connected to us."""
        return self.line.answered.is_set() and not self.line.ended.is_set()


@dataclass
class Talk:
    """A citizen and an agent who hear each other."""

    citizen: Citizen
    agent_id: str
    phone: Line
    began_at: float  # monotonic
    begin: tuple[float, float, float] = (0.0, 0.0, 0.0)  # see _hold.py


class System(HotlineSystem):
    """The instance, whose core reaches the manager port through `relay_port` if one is given."""

    relay_port: int | None = None
    tolerated: frozenset[str] = frozenset()  # parts that a drill itself has made unwell

    def unwell(self) -> set[str]:
        """The parts that the backend says are not well; {"backend"} when it says nothing."""
        parts = healthz(self.settings).get("parts")
        return {name for name, state in parts.items() if state != "ok"} if parts else {"backend"}

    def healthy(self) -> bool:
        """Whether all parts work that the drill has not broken on purpose."""
        return self.unwell() <= self.tolerated

    def start(self, timeout: float = 120.0) -> None:
        """`hotline up`, until every part is healthy."""
        if self.relay_port is None:
            super().start(timeout)
            return
        with self._output.open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "tests.drills._up"],
                cwd=REPO,
                env={**self._env, "DRILL_AMI_PORT": str(self.relay_port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_healthy(timeout)


class Scene:
    """Use as an asynchronous context manager; everything it started is gone afterwards, unless DRILL_KEEP is set only
    the files of the home, which are kept then."""

    def __init__(
        self, say: Say, *, agents: int = 5, relay: bool = False, calls_out: bool = False, **settings: object
    ) -> None:
        self.say = say
        self.folder = Path(tempfile.mkdtemp(prefix="drill-"))
        given = {"opens": "00:00", "closes": "23:59", "wrapup_s": 2, "min_free_mb": 50, **settings}
        self.system = System(self.folder / "home", **given)
        self.settings = self.system.settings
        self.agent_ids = [str(1001 + index) for index in range(agents)]
        self.tones = {agent_id: TONES[index % len(TONES)] for index, agent_id in enumerate(self.agent_ids)}
        self.phones: dict[str, Line] = {}
        self.relay: Relay | None = None
        if relay:
            self.relay = Relay((self.settings.ami_host, self.settings.ami_port))
            self.system.relay_port = self.relay.port
        self._numbers = itertools.count(13_900_000_001)
        self.network = PublicNetwork(self.folder / "network", self.settings)
        if calls_out:
            self.system.configure(trunk_out=self.network.address)
            self.settings = self.system.settings
        self.everybody: list[Citizen] = []
        self.manager: Manager
        self.pages: Pages

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self) -> None:
        began = time.monotonic()
        self.system.home.mkdir(parents=True, exist_ok=True)
        if self.relay is not None:
            self.relay.__enter__()
        self.say("starting the hotline")
        await asyncio.to_thread(self.system.start)
        self.usage = Usage(self.processes)
        self.usage.__enter__()
        self.pages = Pages(self.system, self.agent_ids)
        secrets = await self.pages.make_people()
        self.network.agents = list(secrets.items())
        await asyncio.to_thread(self.network.start)
        for agent_id in self.agent_ids:
            self.network.answers(agent_id, 0.3, self._pick_up)
        self.watch()
        await self.wait_phones()
        await self.pages.open()
        self.say(f"hotline and {len(self.agent_ids)} agents are there after {time.monotonic() - began:.0f} s")

    async def __aexit__(self, *_: object) -> None:
        if hasattr(self, "pages"):
            await self.pages.close()
        if hasattr(self, "manager"):
            self.manager.close()
        await asyncio.to_thread(self.network.stop)
        await asyncio.to_thread(self.system.stop)
        if hasattr(self, "usage"):
            self.usage.__exit__()
        if self.relay is not None:
            self.relay.__exit__()
        if os.environ.get("DRILL_KEEP"):
            self.say(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> dict[str, int]:
        """Name → process id of what belongs to the hotline."""
        return self.system.pids()

    # ---- the telephone side --------------------------------------------------------------------------------------

    def watch(self) -> None:
        """(Re)opens our own manager line, which only looks."""
        if hasattr(self, "manager"):
            self.manager.close()
        self.manager = Manager(self.settings.ami_host, self.settings.ami_port, "hotline", secret(self.settings, "ami"))

    async def wait_phones(self, timeout: float = 40.0) -> float:
        """Seconds until every agent's telephone is registered."""
        return await until(
            lambda: all(
                self.manager.variable("", f"DEVICE_STATE(PJSIP/{agent_id})") in ("NOT_INUSE", "INUSE")
                for agent_id in self.agent_ids
            ),
            timeout,
            "the agents' telephones to be registered",
            every=0.2,
        )

    def _pick_up(self, line: Line) -> None:
        self.phones[line.number] = line
        line.tone(self.tones[line.number])

    async def call(self, count: int, *, gap_s: float = 0.15) -> list[Citizen]:
        """So many citizens call and hear the greeting of the voice menu; each sends its tone."""
        mark = self.manager.mark()
        citizens = []
        for index in range(count):
            number = str(next(self._numbers))
            citizens.append(Citizen(number, self.network.call(number), TONES[index % len(TONES)]))
            await asyncio.sleep(gap_s)
        self.everybody += citizens
        await asyncio.gather(*(asyncio.to_thread(self._connected, citizen, mark) for citizen in citizens))
        return citizens

    def _connected(self, citizen: Citizen, mark: int) -> None:
        citizen.line.wait_answered(20)
        citizen.answered_at = time.monotonic()
        start = self.manager.wait_event("HotlineStart", 10, mark, Number=citizen.number)
        citizen.call_id, citizen.channel = start["Call"], start["Channel"]
        citizen.line.tone(citizen.tone)

    async def to_queue(self, citizens: Iterable[Citizen], *, gap_s: float = 0.3) -> None:
        """They hear the greeting begin, press 0 one after the other, and wait for a person."""
        mark = self.manager.mark()
        chosen = list(citizens)
        for citizen in chosen:
            await asyncio.sleep(max(0.0, citizen.answered_at + GREETED_S - time.monotonic()))
            await asyncio.to_thread(self.press, citizen, "0")
            await asyncio.sleep(gap_s)
        for citizen in chosen:
            joined = await asyncio.to_thread(self.manager.wait_event, "AcdJoin", 25, mark, Call=citizen.call_id)
            citizen.joined_ms = int(joined["Joined"])

    @staticmethod
    def press(citizen: Citizen, digits: str) -> None:
        """Presses keys; the tone pauses for it, for a key is two tones itself."""
        citizen.line.quiet()
        citizen.line.press(digits)
        citizen.line.tone(citizen.tone)

    async def talks(self, citizens: Iterable[Citizen], mark: int = 0, timeout: float = 45.0) -> list[Talk]:
        """Until each of these citizens has been connected to an agent and hears that agent's tone."""
        return list(await asyncio.gather(*(self._talk(citizen, mark, timeout) for citizen in citizens)))

    async def _talk(self, citizen: Citizen, mark: int, timeout: float) -> Talk:
        answered = await asyncio.to_thread(self.manager.wait_event, "AcdAnswered", timeout, mark, Call=citizen.call_id)
        agent_id = answered["Agent"]

        def picked_up() -> bool:
            return agent_id in self.phones and not self.phones[agent_id].ended.is_set()

        await until(picked_up, 10, f"telephone {agent_id} to be picked up")
        talk = Talk(citizen, agent_id, self.phones[agent_id], time.monotonic())
        since = max(citizen.line.heard_s() - 1.0, 0.0)
        await asyncio.to_thread(citizen.line.wait_hears, self.tones[agent_id], 15.0, since)
        await asyncio.to_thread(talk.phone.wait_hears, citizen.tone, 15.0)
        return talk

    async def hang_up(self, citizens: Iterable[Citizen]) -> None:
        """These citizens hang up."""
        await asyncio.gather(*(asyncio.to_thread(citizen.line.hang_up) for citizen in citizens))

    async def clear(self) -> None:
        """Everybody hangs up and every agent takes a break: the next scenario begins from nothing."""
        await self.pages.connected()
        await self.pages.all_not_ready()
        await self.hang_up(citizen for citizen in self.everybody if citizen.alive)
        self.everybody.clear()
        await until(lambda: not self.manager.channels(), 20, "no channel to be left", every=0.2)
        await self.pages.wait_idle()
        await self.pages.all_not_ready()

    # ---- what is known ---------------------------------------------------------------------------------------------

    def prompt(self, name: str, language: str = "zh") -> Path:
        """A spoken prompt's file."""
        return self.settings.paths.prompts / language / f"{name}.wav"

    async def wait_replaced(self, before: dict[str, int], *names: str, timeout: float = 40.0) -> float:
        """Seconds until these parts run as other processes than `before` says."""

        def replaced() -> bool:
            now = self.system.pids()
            return all(name in now and now[name] != before[name] for name in names)

        return await until(replaced, timeout, f"{', '.join(names)} to be replaced")

    async def wait_waiting(self, call_ids: list[str], timeout: float = 30.0) -> list[dict[str, Any]]:
        """Until the queue's board lists exactly these calls; returns its rows, first in line first."""

        def look() -> list[dict[str, Any]] | None:
            rows = self.pages.board_waiting()
            found = {row["call_id"] for row in rows or []}
            return rows if rows is not None and found == set(call_ids) else None

        await self.pages.until_board(look, timeout, f"{len(call_ids)} callers on the board")
        return self.pages.board_waiting() or []

    def offered(self, call_ids: Iterable[str]) -> list[str]:
        """These calls in the order in which the queue first offered them to agents, from its journal."""
        wanted, found = set(call_ids), []
        for file in sorted(self.settings.paths.journal.glob("acd-*.jsonl")):
            for line in file.read_text().splitlines():
                if '"d":"Offer"' in line and (call_id := json.loads(line)["call_id"]) in wanted:
                    found.append(call_id)
        return list(dict.fromkeys(found))

    async def wait_order(self, order: list[str], timeout: float = 40.0, *, made_after_ms: int = 0) -> None:
        """Until the backend says that all its parts work and the board lists exactly these calls in this order.

        `made_after_ms` (epoch): a board that was made before does not count, nor one made without a telephone line.
        """
        await asyncio.to_thread(self.system.wait_healthy, timeout)
        await self.board_shows(order, timeout, made_after_ms=made_after_ms)

    async def board_shows(self, order: list[str], timeout: float, *, made_after_ms: int = 0) -> None:
        """The same, whatever the backend says of itself."""

        def same() -> bool:
            board, rows = self.pages.board(), self.pages.board_waiting()
            if board is None or rows is None or board["as_of_ms"] < made_after_ms or not board["telephone_connected"]:
                return False
            return [row["call_id"] for row in rows] == order

        await self.pages.until_board(same, timeout, f"the queue {order}")

    async def wait_manager(self, timeout: float) -> None:
        """Opens our own manager line anew, as soon as Asterisk listens again."""

        def opened() -> bool:
            try:
                self.watch()
            except (OSError, AssertionError):
                return False
            return True

        await until(opened, timeout, "Asterisk to listen again", every=0.2)

    def known_again(self, report: Report, name: str, within_s: float = KNOWN_WITHIN_S) -> None:
        """Notes that the restarted core knows everybody again: seconds since its process was started.

        The goal is for a machine of its own: the time for which the core stood in the queue for a CPU that other
        processes had is taken off, and told as a figure of its own.
        """
        pid = self.system.pids()["core"]
        taken, queued = time.time() - _started_at(pid), waited_for_cpu_s(pid)
        report.figure(f"{name}.known_again_wall_s", taken)
        report.figure(f"{name}.waited_for_cpu_s", queued)
        report.figure(f"{name}.known_again_s", taken - queued)
        report.goal(f"{name}.known_again_s", "<=", within_s)


def _started_at(pid: int) -> float:
    """Wall clock at which a process was started, by the kernel's account."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - (uptime - ticks / os.sysconf("SC_CLK_TCK"))


async def until(condition: Callable[[], object], timeout: float, what: str, every: float = 0.05) -> float:
    """Seconds until `condition()` (which may block) is true. Raises AssertionError naming `what`."""
    began = time.monotonic()
    while True:
        if await asyncio.to_thread(condition):
            return time.monotonic() - began
        if time.monotonic() - began > timeout:
            raise AssertionError(f"waited {timeout:.0f} s for {what}")
        await asyncio.sleep(every)
