"""The queue bench's world: one Asterisk with two queues before the same phones, callers, and who watches them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from panoramisk.message import Message

from app.db import Database, migrate
from app.secrets import secret
from app.settings import REPO
from asterisk_conf import staff_numbers
from asterisk_conf.instance import PHONE_SILENCE_S
from cti_bridge.ami import AmiLink
from tests.bench._core import add_agents, phone_accounts, served
from tests.bench._load import family
from tests.bench._queue_watch import FILTERS, Floor
from tests.peers.hotline import AsteriskUnderTest

OURS, NATIVE = "ours", "app_queue"
ARMS = (OURS, NATIVE)
NUMBERS = {OURS: "7101", NATIVE: "7102"}
CALLERS, PHONES = "127.0.0.2", "127.0.0.3"
RTP = (40_000, 59_999)
ROLES = "realtime,web,worker"  # of the process "core" as the supervisor starts it
OFFER_S = 20

# Both arms have all that stands around a queue in this hotline: the caller's filters, the recording of the talk, the
# note of the call's end, the survey (nobody serves it here: a goodbye). Only the queue differs.
DIALPLAN = """

[from-trunk](+)
exten => 7101,1,Goto(bench-ours,s,1)
exten => 7102,1,Goto(bench-native,s,1)

[bench-ours]
exten => s,1,Gosub(hotline-arrive,s,1(7101,menu))
 same => n,Answer()
 same => n,UserEvent(BenchJoin)
 same => n,Goto(acd-hold,s,1)

; As the failsafe goes to Asterisk's queue, without its apology and without a limit to the wait.
[bench-native]
exten => s,1,Gosub(hotline-arrive,s,1(7102,menu))
 same => n,Answer()
 same => n,UserEvent(BenchJoin)
 same => n,Gosub(hotline-record,name,1)
 same => n,MSet(_HOTLINE_FOR_CALL=${HOTLINE_CALL},_HOTLINE_FOR_CHANNEL=${CHANNEL},_HOTLINE_FOR_REC=${HOTLINE_REC})
 same => n,Queue(bench,ciI)
 same => n,Goto(hotline-survey,s,1)
"""
# retry: a caller for whom nobody was free is looked at again after so many seconds; app_queue knows no shorter time.
QUEUE = f"""
[bench]
musicclass = default
strategy = leastrecent
timeout = {OFFER_S}
retry = 1
ringinuse = no
wrapuptime = 0
announce-frequency = 0
announce-holdtime = no
membergosub = acd-failsafe-leg
"""


class BothQueues(AsteriskUnderTest):
    """Our Asterisk with app_queue beside our queue. Talks have no sound: none is spoken, and none is missed."""

    def prepare(self) -> None:
        """Writes the configuration and what the bench adds to it."""
        super().prepare()
        etc = self.settings.paths.asterisk / "etc"
        for name, more in (("extensions.conf", DIALPLAN), ("queues.conf", QUEUE)):
            (etc / name).write_text((etc / name).read_text() + more)
        phones = etc / "pjsip_agents.conf"
        phones.write_text(phones.read_text().replace(f"rtp_timeout = {PHONE_SILENCE_S}\n", "rtp_timeout = 3600\n"))
        for sentence in staff_numbers.folder(self.settings).rglob("*.wav"):
            sentence.unlink()  # the staff number is only said by us, and would lengthen our talks


class World:
    """See the module's text. `floor` is the session's picture of agents and callers."""

    def __init__(self, folder: Path, agents: int) -> None:
        self.folder = folder
        self.accounts = phone_accounts(agents)
        self.hotline = BothQueues(
            folder / "home", self.accounts, wrapup_s=0, offer_timeout_s=OFFER_S, rtp_start=RTP[0], rtp_end=RTP[1]
        )
        self.settings = self.hotline.settings
        self.floor = Floor(set())
        self.core: int | None = None
        self._people: asyncio.subprocess.Process | None = None

    # -- Listener of the watcher's AMI link

    async def on_up(self) -> None:
        """Nothing to learn."""

    def on_down(self, why: str) -> None:
        """Without the watcher there is nothing to measure."""

    def on_event(self, event: Message) -> None:
        """One of Asterisk's events that passed the filters."""
        if event.event in ("UserEvent", "Newstate", "Hangup"):
            self.floor.event(event)

    # -- life

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[World]:
        """Everything started for the body, everything ended after it."""
        settings = self.settings
        settings.ensure_dirs()
        await asyncio.to_thread(migrate, settings)
        database = Database(settings.url)
        add_agents(database, self.accounts)
        database.dispose()
        link = AmiLink(settings.ami_host, settings.ami_port, "hotline", secret(settings, "ami"), listener=self)
        try:
            await asyncio.to_thread(self.hotline.start)
            # This line only sends actions; every event that it heard would cost Asterisk something.
            self.hotline.manager.action("Events", EventMask="off")
            await link.start()
            await link.wait_up()
            for one in FILTERS:
                await link.action("Filter", Operation="Add", Filter=one)
            await self._start_people()
            yield self
        finally:
            await link.stop()
            if self._people is not None:
                self._people.terminate()
                await self._people.wait()
            await asyncio.to_thread(self.hotline.stop)

    async def _start_people(self) -> None:
        take, settings = self.hotline.block.take, self.settings
        places = [f"{settings.sip_host}:{settings.sip_port}", f"{CALLERS}:{take()}", f"{PHONES}:{take()}"]
        self._people = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench._queue_people", *places,
            cwd=REPO, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # callers and phones are machines of their own
        )  # fmt: skip
        await self.people("register", accounts=[[one.agent_id, one.secret] for one in self.accounts])

    async def people(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Has the people do something and gives what they say to it."""
        assert self._people is not None
        assert self._people.stdin is not None
        assert self._people.stdout is not None
        self._people.stdin.write(json.dumps([command, arguments]).encode() + b"\n")
        await self._people.stdin.drain()
        answer = await self._people.stdout.readline()
        if not answer:
            raise RuntimeError("callers and phones have ended")
        return dict(json.loads(answer))

    # -- sessions

    @contextlib.asynccontextmanager
    async def session(self, arm: str, agents: int) -> AsyncIterator[None]:
        """So many agents are ready in this arm's queue, and in no other."""
        ids = [account.agent_id for account in self.accounts[:agents]]
        self.floor = Floor(set(ids))
        for queue in ("hotline-failsafe", "bench"):
            for member in await asyncio.to_thread(self._members, queue):
                self.hotline.manager.action("QueueRemove", Queue=queue, Interface=member)
        async with contextlib.AsyncExitStack() as stack:
            if arm == OURS:
                self._sign_in(ids)
                self.core = await stack.enter_async_context(
                    served(self.hotline.settings, self.folder / "core.log", ROLES)
                )
                # The core makes a member of the failsafe queue of everybody whom it knows to be on shift.
                await until(lambda: self._count("hotline-failsafe") == agents, 30, "our queue to know everybody")
            else:
                for one in ids:
                    self.hotline.manager.action("QueueAdd", Queue="bench", Interface=f"PJSIP/{one}", MemberName=one)
            await until(lambda: self._reachable(ids[-1]), 20, "phones to be registered")
            yield
            self.core = None
        for left in (*self.settings.paths.record_spool.iterdir(), *self.settings.paths.call_spool.iterdir()):
            left.unlink(missing_ok=True)  # what the other arm's calls leave is no work of our core's

    def _sign_in(self, ids: list[str]) -> None:
        """Agents who have only a telephone, as the core remembers them from before a restart."""
        now = int(time.time() * 1000)
        rows = [
            {"agent_id": one, "endpoint": one, "needs_page": False, "state": "ready", "since_ms": now,
             "idle_since_ms": now, "until_ms": None, "not_ready_reason": ""}
            for one in ids
        ]  # fmt: skip
        (self.settings.paths.journal / "agents.json").write_text(json.dumps(rows))

    def _members(self, queue: str) -> list[str]:
        rows = self.hotline.manager.list_action("QueueStatus", "QueueStatusComplete", Queue=queue)
        return [row["Location"] for row in rows if row["Event"] == "QueueMember"]

    def _count(self, queue: str) -> int:
        return int(self.hotline.manager.variable("", f"QUEUE_MEMBER({queue},count)") or 0)

    def _reachable(self, agent_id: str) -> bool:
        return self.hotline.manager.variable("", f"DEVICE_STATE(PJSIP/{agent_id})") == "NOT_INUSE"

    @property
    def asterisk(self) -> int:
        """Asterisk's process id."""
        assert self.hotline.process is not None
        assert self.hotline.process.child is not None
        return self.hotline.process.child.pid

    @property
    def pids(self) -> list[int]:
        """The processes that serve the session's queue."""
        return [self.asterisk] + (family(self.core) if self.core is not None else [])

    @property
    def own(self) -> list[int]:
        """All living processes of the bench but this one."""
        return [*self.pids, *([self._people.pid] if self._people is not None else [])]


async def until(condition: Callable[[], object], timeout: float, what: str) -> None:
    """Returns when `condition()` is true. Raises RuntimeError naming `what` after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {timeout:.0f} s for {what}")
        await asyncio.sleep(0.1)
