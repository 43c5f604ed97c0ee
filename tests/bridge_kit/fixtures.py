"""pytest's door to the bridge on real Asterisk: the core as a process of its own, and agents' pages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from tests.bridge_kit.core import CoreProcess, seed
from tests.bridge_kit.page import OpenPage, Page
from tests.bridge_kit.rig import Rig
from tests.bridge_kit.served import Served
from tests.peers.agi import ends_with
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AGENTS, AsteriskUnderTest


@pytest.fixture(scope="module")
def core_process(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreProcess]:
    yield from running_core(exchange, tmp_path_factory)


def running_core(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreProcess]:
    """A core process on the exchange's Asterisk, for fixtures that prepare something before."""
    exchange.hotline.settings = exchange.hotline.settings.model_copy(update={"wrapup_s": 5, "offer_timeout_s": 8})
    settings = exchange.hotline.settings
    # The network came up after our Asterisk had asked for it the first time; the next time would be in half a minute.
    exchange.hotline.manager.action("PJSIPQualify", Endpoint="trunk")
    seed(settings, {account.agent_id: account.name for account in AGENTS})
    core = CoreProcess(settings, tmp_path_factory.mktemp("core") / "core.log")
    core.start()
    yield core
    core.stop()


@pytest.fixture
def hotline(asterisk_under_test: AsteriskUnderTest) -> AsteriskUnderTest:
    """Asterisk whose voice menu sends every caller straight to a person."""
    asterisk_under_test.backend.scripts["voice_menu"] = ends_with(NEXT="queue")
    asterisk_under_test.backend.scripts["satisfaction"] = ends_with()
    asterisk_under_test.backend.start()
    return asterisk_under_test


@pytest.fixture
def page(core_process: CoreProcess) -> Iterator[OpenPage]:
    """`page("1001")` opens an agent's page; all agents are signed out afterwards."""
    opened: list[Page] = []

    def open_page(name: str, **kind: object) -> Page:
        one = Page(core_process.base, name, **kind)  # type: ignore[arg-type]
        opened.append(one)
        return one

    yield open_page
    for one in opened:
        if one.name != "watch" and one.closed is None:
            one.command("agent.sign_out")
    for one in opened:
        one.close()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A bridge on a played Asterisk, behind a real HTTP server."""
    rig = await Rig(tmp_path / "home").start()
    app = FastAPI()
    app.include_router(rig.bridge.router)
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="websockets-sansio"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve(sockets=[door]))
    served = Served(rig, door.getsockname()[1])
    await rig.until(lambda: server.started, "the server")
    yield served
    for page in served.open:
        await page.close()
    server.should_exit = True
    await serving
    await rig.stop()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A bridge on a played Asterisk and a domain in memory."""
    rig = await Rig(tmp_path / "home").start()
    yield rig
    await rig.stop()
