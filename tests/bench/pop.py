"""How soon is a call on the agent's screen? From Asterisk's events to the message in the page, and to the painted card.

The real thing end to end: Asterisk, `hotline serve --roles realtime,web`, 200 agents with a registered telephone and an
open websocket each, two of them real desks in a real Chromium, citizens who dial 12345 at 1, 5 and 20 calls a second.
Every call waits, is put to a free agent, pops up (citizen, history, a stored draft case), rings, is answered, ends;
the agent is through the wrap-up and free. The two real desks speak Mandarin best: they get a call whenever they can.
All of it once with 1,000 stored citizens and once with 1,000,000. Signalling only: the telephones send no sound.

Times of Asterisk's events are Asterisk's own (the event's Timestamp), those of messages are when the page has read
them; one machine, one clock (the pages' is compared with it).

- ring → message: the telephone begins to ring (Newstate Ringing) and the page has `call.ringing`; a goal
- ring → painted: the same, until a real desk that shows the card has painted what it made of that message; a goal
- pop before ring: by how much the card was there before the telephone rang; it must be, always
- join → pop: the caller enters the queue (AcdJoin) and a free agent's page has the card; no later than the time after
  which a pop goes out without citizen and history
- join → painted: the same, until the card is on a real desk's screen
- desk over bare page: from the socket to the painted card, as a ratio to a page beside it in the same browser that does
  nothing but write the number down

    make bench-pop        (or: python -m tests.bench.pop [--seconds 60] [--rates 1,5,20] [--citizens 1000,1000000])
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from panoramisk.message import Message
from rich.console import Console
from sqlalchemy import insert
from websockets.asyncio.client import ClientConnection, connect

from app.auth.sessions import COOKIE
from app.citizens.tables import Citizen, CitizenNumber
from app.db import Database, migrate
from app.secrets import secret
from cti_bridge.ami import AmiLink
from tests.bench._core import add_agents, phone_accounts, served
from tests.bench._load import cpu_s, family, named, rss_mb
from tests.bench._pop_desks import Desks
from tests.bench._pop_report import AGENTS, Step, report
from tests.bridge_kit.sip_load import Citizens, Phones
from tests.peers.agi import ends_with
from tests.peers.hotline import AsteriskUnderTest

REAL_DESKS = 2
RING_S = 0.3
TALK_S = 1.0
console = Console(stderr=True)


class Clock:
    """When each call reached each point, by call id."""

    def __init__(self) -> None:
        self.join: dict[str, float] = {}
        self.ring: dict[str, float] = {}
        self.pop: dict[str, float] = {}
        self.ringing: dict[str, float] = {}
        self._legs: dict[str, str] = {}

    # -- Listener of an AMI link of our own

    async def on_up(self) -> None:
        """Nothing to learn."""

    def on_down(self, why: str) -> None:
        """The bench will notice."""

    def on_event(self, event: Message) -> None:
        """Asterisk's times."""
        at = float(event.timestamp or 0)
        if event.event == "UserEvent" and event.userevent == "AcdJoin":
            self.join.setdefault(event.call, at)
        elif event.event == "DialBegin" and event.uniqueid:
            self._legs[event.destuniqueid] = event.uniqueid
        elif event.channelstatedesc == "Ringing" and event.uniqueid in self._legs:
            self.ring.setdefault(self._legs.pop(event.uniqueid), at)

    # -- pages

    def told(self, event: str, data: dict[str, Any], at: float = 0.0) -> None:
        """A page has read a message, now unless it says when."""
        if event == "call.pop":
            self.pop.setdefault(data["call_id"], at or time.time())
        elif event == "call.ringing":
            self.ringing.setdefault(data["call_id"], at or time.time())


async def page(clock: Clock, base: str, token: str, ready: asyncio.Semaphore) -> None:
    """One agent's page: on shift, ready, acknowledges pops, ends every wrap-up at once."""
    socket = await connect(
        base.replace("http", "ws", 1) + "/ws",
        additional_headers={"Cookie": f"{COOKIE}={token}"},
        origin=base,  # type: ignore[arg-type]
        compression=None,
    )
    await socket.send('{"type":"hello","streams":["agent"],"resume":null}')
    for number, name in enumerate(("agent.sign_in", "agent.ready")):
        await socket.send(json.dumps({"type": "command", "id": f"c{number}", "name": name, "args": {}}))
    try:
        await _live(clock, socket, ready)
    finally:
        await socket.close()


async def _live(clock: Clock, socket: ClientConnection, ready: asyncio.Semaphore) -> None:
    waiting = True
    async for text in socket:
        frame = json.loads(text)
        if frame["type"] == "ping":
            await socket.send('{"type":"pong"}')
        elif frame["type"] == "delta":
            event, data = frame["event"], frame["data"]
            clock.told(event, data)
            if event == "call.pop":
                await socket.send(f'{{"type":"ack","event_seq":{frame["seq"]}}}')
            elif event == "agent.state" and data["state"] == "wrap_up":
                await socket.send('{"type":"command","id":"w","name":"wrapup.done","args":{}}')
            elif event == "agent.state" and waiting and data["state"] == "ready" and not data["unreachable"]:
                waiting = False
                ready.release()


def fill(database: Database, citizens: int) -> None:
    """So many citizens."""
    now = datetime.now(UTC)
    with database.session() as session:
        for start in range(0, citizens, 20_000):
            ids = range(start + 1, min(citizens, start + 20_000) + 1)
            session.execute(
                insert(Citizen),
                [
                    {"id": n, "name": f"市民{n}", "area": "城南", "address": "", "language": "zh", "elderly": False,
                     "harassment": False, "confidential": False, "note": "", "version": 1, "created_at": now,
                     "updated_at": now}
                    for n in ids
                ],
            )  # fmt: skip
            session.execute(insert(CitizenNumber), [{"number": number_of(n), "citizen_id": n} for n in ids])


def number_of(n: int) -> str:
    """The n-th citizen's number."""
    return f"138{n:08d}"


async def with_citizens(citizens: int, rates: list[int], seconds: float, folder: Path) -> list[Step]:
    """Everything for one size of the database."""
    accounts = phone_accounts(AGENTS)
    hotline = AsteriskUnderTest(folder / "home", accounts, wrapup_s=5, offer_timeout_s=20)
    hotline.settings.ensure_dirs()
    console.print(f"[bold]{citizens:,} citizens[/]: filling the database …")
    migrate(hotline.settings)
    database = Database(hotline.settings.url)
    fill(database, citizens)
    real = [account.agent_id for account in accounts[:REAL_DESKS]]
    tokens = add_agents(database, accounts, {account.agent_id: 1 for account in accounts[REAL_DESKS:]})
    database.dispose()
    hotline.start()
    tasks: list[asyncio.Task[None]] = []
    clock = Clock()
    server = (hotline.settings.sip_host, hotline.settings.sip_port)
    phones = Phones("127.0.0.3", hotline.block.take(), server, ring_s=RING_S)
    callers = Citizens("127.0.0.2", hotline.block.take(), server)
    try:
        hotline.backend.scripts["voice_menu"] = ends_with(NEXT="queue", LANG="zh", SKILLS="zh:1")
        hotline.backend.scripts["satisfaction"] = ends_with()
        hotline.backend.start()
        await phones.register([(account.agent_id, account.secret) for account in accounts])
        await callers.open()
        link = AmiLink(
            hotline.settings.ami_host, hotline.settings.ami_port, "hotline", secret(hotline.settings, "ami"),
            listener=clock, wanted={"UserEvent", "DialBegin", "Newstate"},
        )  # fmt: skip
        await link.start()
        await link.wait_up()
        async with served(hotline.settings, folder / "core.log", "realtime,web") as core:
            ready = asyncio.Semaphore(0)
            base = f"http://{hotline.settings.http_host}:{hotline.settings.http_port}"
            others = [token for agent_id, token in tokens.items() if agent_id not in real]
            tasks = [asyncio.create_task(page(clock, base, token, ready)) for token in others]
            console.print(f"{AGENTS} agents sign in, {REAL_DESKS} of them in a browser …")
            async with asyncio.timeout(60):
                for _ in others:
                    await ready.acquire()
            steps = []
            assert hotline.process is not None
            assert hotline.process.child is not None
            parts = (family(core), [hotline.process.child.pid])
            async with Desks(base, {agent_id: tokens[agent_id] for agent_id in real}) as desks:
                await desks.open()
                for rate in rates:
                    steps.append(await at_rate(citizens, rate, seconds, clock, callers, parts, desks))
        await link.stop()
        return steps
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        phones.close()
        callers.close()
        hotline.stop()


async def at_rate(
    citizens: int,
    rate: int,
    seconds: float,
    clock: Clock,
    callers: Citizens,
    parts: tuple[list[int], list[int]],
    desks: Desks,
) -> Step:
    """Calls at this rate for so long. `parts` are the processes of the core, and of Asterisk."""
    loop = asyncio.get_running_loop()
    step = Step(citizens, rate)
    dice = random.Random(rate)
    known = set(clock.join)
    before = [*(cpu_s(pids) for pids in (*parts, [os.getpid()])), cpu_s(named("chrom"))]
    began = loop.time()
    total = int(rate * seconds)
    with console.status("") as status:
        for n in range(total):
            await asyncio.sleep(max(0.0, began + n / rate - loop.time()))
            ident = callers.call(number_of(dice.randint(1, citizens)), "12345")
            # Ring, staff number, talk; then the citizen hangs up.
            loop.call_later(RING_S + 1.5 + TALK_S, callers.hang_up, ident)
            status.update(f"{rate} calls/s: {n + 1} of {total}")
        took = loop.time() - began
        after = [*(cpu_s(pids) for pids in (*parts, [os.getpid()])), cpu_s(named("chrom"))]
        await asyncio.sleep(RING_S + 1.5 + TALK_S + 2)
    for found in (painted := await desks.told()):
        for one in found:
            clock.told(one.event, {"call_id": one.call_id}, one.got)
    step.measure(set(clock.join) - known, clock, *painted)
    step.core_cpu, step.asterisk_cpu, step.driver_cpu, step.browser_cpu = [
        (late - early) / took * 100 for late, early in zip(after, before, strict=True)
    ]
    step.core_mb, step.asterisk_mb = [rss_mb(pids) for pids in parts]
    step.browser_mb, step.clock_known_to_ms = rss_mb(named("chrom")), desks.clock_known_to_ms
    return step


async def main(rates: list[int], sizes: list[int], seconds: float) -> bool:
    """Measure and report."""
    steps: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="pop-") as folder:
        for size in sizes:
            place = Path(folder) / str(size)
            place.mkdir()
            steps += await with_citizens(size, rates, seconds, place)
    return report(steps, rates, sizes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rates", default="1,5,20")
    parser.add_argument("--citizens", default="1000,1000000")
    given = parser.parse_args()
    uvloop.install()
    rates = [int(one) for one in given.rates.split(",")]
    sizes = [int(one) for one in given.citizens.split(",")]
    sys.exit(0 if asyncio.run(main(rates, sizes, given.seconds)) else 1)
