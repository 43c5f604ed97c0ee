"""docs/cti.md cannot lie: its code is taken out and run against a real backend, and its tables are compared."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.actor import SYSTEM
from app.clock import utc_now
from app.machines.model import Scope
from app.pushes import service as pushes
from app.pushes.model import PushEvent
from app.pushes.sending import PushSender
from app.settings import REPO
from app.tools import tool
from cti_bridge.machines import ACTS, COMMANDS, STATES
from tests.bridge_kit.outside import House, until
from tests.bridge_kit.rig import ms, offer_of

DOCUMENT = (REPO / "docs/cti.md").read_text()
CODE = re.findall(r"^```(python|bash)\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
NUMBER = "13800138000"


def code(language: str) -> list[str]:
    """The document's blocks in that language, in order."""
    return [text for kind, text in CODE if kind == language]


def test_the_document_names_every_command_act_state_scope_and_event() -> None:
    desktop, receiver = code("python")
    assert "socket" in desktop
    assert "Receiver" in receiver
    words = set(re.findall(r"`([A-Za-z_.]+)`", DOCUMENT))
    for known in (COMMANDS, ACTS, STATES, [one.value for one in Scope], [one.value for one in PushEvent]):
        assert set(known) <= words, "not in docs/cti.md"
    told = set(re.findall(r"^\| `((?:agent|call|wrapup|callback)\.[a-z_.`, ]+)", DOCUMENT, re.MULTILINE))
    named = {one for line in told for one in re.findall(r"[a-z]+\.[a-z_]+", line)}
    assert named == set(COMMANDS)


class Program:
    """One of the document's programs, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self, words: str) -> None:
        """Until it has said that."""
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            line = (await self._process.stdout.readline()).decode().strip()
        assert line == words, await self.rest()

    async def rest(self) -> str:
        """What else it says until it ends; it must have ended well."""
        out, err = await asyncio.wait_for(self._process.communicate(), 30)
        assert self._process.returncode == 0, err.decode()[-3000:]
        return out.decode()

    async def kill(self) -> None:
        """End it, if it has not ended."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


Run = Callable[..., Awaitable[Program]]


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Starts a block of the document with these variables."""
    running: list[Program] = []

    async def start(*argv: str, **variables: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        running.append(Program(process))
        return running[-1]

    yield start
    for one in running:
        await one.kill()


@pytest.fixture
async def house(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[House]:
    """A house on a file."""
    file = tmp_path / "house.sqlite3"
    shutil.copyfile(sqlite_template, file)
    async with House(tmp_path / "home", f"sqlite:///{file}").open() as made:
        yield made


def listens(port: int) -> bool:
    """Whether somebody does there."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def sent(house: House, context: str) -> list[Any]:
    """What was sent to that context."""
    return [one for one in house.asterisk.got("Redirect") if one["Context"] == context]


async def test_the_documents_programs_do_what_they_say_in_a_real_call(house: House, run: Run) -> None:
    token = house.account(scopes=frozenset(Scope))
    access = {"HOTLINE_URL": house.base, "HOTLINE_TOKEN": token.token, "AGENT": "1001"}
    desktop_code, receiver_code = code("python")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with house.db.session() as session:
        address, key = pushes.add(
            session,
            SYSTEM,
            house.settings,
            token.machine_id,
            f"http://127.0.0.1:{port}/cti",
            signed=True,
            now=utc_now() - timedelta(minutes=1),
        )
    receiver = await run(sys.executable, "-c", receiver_code, PUSH_KEY=key or "", PORT=str(port))
    desktop = await run(sys.executable, "-c", desktop_code, **access)
    await desktop.says("follows ['坐席1001']")
    await desktop.says("ready")

    call = house.asterisk.citizen(NUMBER, ms())
    house.asterisk.join(call, NUMBER, ms())
    await until(lambda: sent(house, "acd-connect"), "an offer")
    leg = house.asterisk.rings(call, "1001")
    await desktop.says(f"rings {NUMBER}")
    house.asterisk.picks_up(call, "1001", leg, offer_of(sent(house, "acd-connect")[0]).offer_id)
    await until(lambda: sent(house, "acd-held"), "on hold")
    await house.asterisk.arrival("Hangup", timeout=20)
    house.asterisk.hangs_up(leg)
    house.asterisk.hangs_up(call)
    said = (await desktop.rest()).splitlines()
    assert re.fullmatch(r"talks (\d{8}-\d+)?", said[0]), said
    assert said[1:] == ["holds", "ended left"]

    await until(lambda: house.bridge.core.call(call) is None, "the end of the call")
    await until(lambda: house.bridge.core.facts.settle(0.0), "the facts stored")
    sender = PushSender(house.db, house.settings)
    await until(lambda: listens(port), "the receiver")
    await sender.look()
    await sender.settled()
    for words in (f"newCall {NUMBER}", f"answer {NUMBER} 坐席1001", f"hangup {NUMBER}  normalClearing"):
        await receiver.says(words)
    with house.db.read() as session:
        assert pushes.counts(session).get(address.id or 0) is None


async def test_the_documents_commands_for_curl_are_answered(house: House, run: Run) -> None:
    token = house.account()
    (curl,) = tool("curl")
    script = f'set -euo pipefail\ncurl() {{ {curl} "$@"; echo; }}\n' + code("bash")[0]
    access = {"HOTLINE_URL": house.base, "HOTLINE_TOKEN": token.token, "AGENT": "1001"}
    shell = await run("bash", "-c", script, **access)
    agents, signed_in, shown, hung_up = [one for one in (await shell.rest()).splitlines() if one]
    assert '"agent_id":"1001"' in agents
    assert '"state":"not_ready"' in signed_in
    assert '"number":"110"' in shown
    assert '"call_id":"' in hung_up
    assert len(house.asterisk.got("Hangup")) == 1
