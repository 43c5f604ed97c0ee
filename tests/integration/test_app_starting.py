"""A core that is started anew looks after calls first; whoever asks for a page's data meanwhile waits, and gets it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, routing

from app import compose, warm
from app.db import Database
from app.settings import Settings
from app.web import complete, front

OURS = {"app", "acd", "agi_scripts", "asterisk_conf", "cti_bridge", "ivr", "recordings"}
STARTS = """
import asyncio, sys
from app.compose import running_app
from app.db import Database
from app.settings import get_settings

async def main():
    settings = get_settings()
    async with running_app(settings, Database(settings.url), frozenset({"realtime", "web", "worker"})) as app:
        print("app.routers" in sys.modules)
        await app.state.following
        print("app.routers" in sys.modules)

asyncio.run(main())
"""

TAKES_OVER = """
import asyncio, sys
from app import warm
roles = sys.argv[1].split(",")
warm.SHARE = 1.0
warm.read(roles)
read = set(sys.modules)

from app.compose import running_app, voice_server
from app.db import Database, migrate
from app.settings import get_settings

async def main():
    migrate(settings)
    async with running_app(settings, database, frozenset(roles)) as app:
        await app.state.following

settings = get_settings()
database = Database(settings.url)
if roles == ["voice"]:
    server = voice_server(settings, database)
    server.start()
    server.stop()
else:
    asyncio.run(main())
print("LATE", *(name for name in sorted(set(sys.modules) - read)))
"""


@pytest.fixture
def begun(settings: Settings, db: Database) -> FastAPI:
    """An application that has just begun."""
    return front(settings, db, phones_changed=lambda: None)


@pytest.fixture
async def client(begun: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(begun), base_url="http://hotline.test") as one:
        yield one


async def test_what_pages_ask_for_waits_until_it_is_there(begun: FastAPI, client: httpx.AsyncClient) -> None:
    asked = asyncio.create_task(client.get("/api/me"))
    done, _ = await asyncio.wait({asked}, timeout=0.3)
    assert not done
    assert (await client.get("/livez")).text == "ok"
    health = await client.get("/healthz")
    assert (health.status_code, health.json()["parts"]["pages"]) == (503, "starting")
    await asyncio.to_thread(complete, begun)
    begun.state.web.whole.set()
    assert (await asked).status_code == 401  # nobody has signed in: the route itself has answered
    assert (await client.get("/healthz")).json()["parts"]["pages"] == "ok"


async def test_an_address_that_does_not_exist_is_told_from_one_that_is_not_there_yet(
    begun: FastAPI, client: httpx.AsyncClient
) -> None:
    asked = asyncio.create_task(client.get("/api/nothing-of-the-kind"))
    done, _ = await asyncio.wait({asked}, timeout=0.1)
    assert not done
    complete(begun)
    begun.state.web.whole.set()
    assert (await asked).status_code == 404


async def test_the_first_who_asks_does_not_hold_up_calls_until_every_route_is_made_anew(
    begun: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did: a second of the event loop's time, on a busy machine so many that the core was taken for frozen."""
    complete(begun)
    begun.state.web.whole.set()
    made, really = [], routing._populate_api_route_state

    def counting(route: Any, path: str, *rest: Any, **more: Any) -> None:
        made.append(path)
        really(route, path, *rest, **more)

    monkeypatch.setattr(routing, "_populate_api_route_state", counting)
    for path in ("/agent", "/api/me", "/livez"):
        await client.get(path)
    assert set(made) <= {"/livez", "/healthz", "/metrics"}


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_core_reads_no_route_of_a_page_before_it_looks_after_calls(settings: Settings, db: Database) -> None:
    away = settings.model_copy(update={"ami_port": 1})  # Asterisk is not there: what can wait has two seconds
    found = subprocess.run(
        [sys.executable, "-c", STARTS], env=os.environ | away.environment(), capture_output=True, text=True, check=True
    )
    assert [line for line in found.stdout.splitlines() if line in ("True", "False")] == ["False", "True"]


@pytest.mark.parametrize("roles", ["realtime,web,worker", "voice"])
@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_a_spare_has_read_all_that_it_needs_to_begin(settings: Settings, db: Database, roles: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        free = one.getsockname()[1]
    away = settings.model_copy(update={"ami_port": 1, "agi_port": free})
    found = subprocess.run(
        [sys.executable, "-c", TAKES_OVER, roles],
        env=os.environ | away.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    late = next(line for line in found.stdout.splitlines() if line.startswith("LATE")).split()[1:]
    assert [name for name in late if name.partition(".")[0] in OURS] == []
    assert len(late) < 10


def test_a_spare_reads_so_slowly_that_those_who_talk_do_not_notice() -> None:
    reads = (
        "import time; from app import warm; warm.read(['web']); print(time.process_time(), time.perf_counter() - began)"
    )
    found = subprocess.run(
        [sys.executable, "-c", f"import time; began = time.perf_counter(); {reads}"],
        capture_output=True,
        text=True,
        check=True,
    )
    processor, taken = map(float, found.stdout.split())
    assert processor > 0.5
    assert processor < 1.6 * warm.SHARE * taken  # a module that takes long alone is read in one piece


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
async def test_a_core_whose_pages_cannot_be_read_ends_and_is_started_anew(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_app: FastAPI) -> None:
        raise ImportError("half a module")

    monkeypatch.setattr("app.web.complete", broken)
    with pytest.raises(ImportError, match="half a module"):
        await asyncio.wait_for(compose._serve_loop(settings, db, frozenset({"web"}), "core"), 20)


async def test_a_core_beats_from_when_everything_is_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answers(*_: object) -> bool:
        return True

    monkeypatch.setattr(compose, "http_answers", answers)
    settings.paths.run.mkdir(parents=True, exist_ok=True)
    beat, followed = settings.paths.run / "core.beat", asyncio.Event()
    following = asyncio.create_task(_until(followed))
    beating = asyncio.create_task(compose._beat(settings, "core", None, following))
    await asyncio.sleep(0.2)
    assert not beat.exists()
    followed.set()
    await asyncio.sleep(0.2)
    assert beat.exists()
    beating.cancel()


async def _until(told: asyncio.Event) -> None:
    await told.wait()
