"""A core that is started anew looks after calls first; whoever asks for a page's data meanwhile waits, and gets it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from app.db import Database
from app.settings import Settings
from app.web import complete, front

BEFORE_CALLS = "app.compose, app.web, app.notices.live, app.speech.listener, cti_bridge.clerk, cti_bridge.standby"


@pytest.fixture
async def client(settings: Settings, db: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of an application that has just begun."""
    app = front(settings, db, phones_changed=lambda: None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hotline.test") as one:
        one.app = app  # type: ignore[attr-defined]
        yield one


async def test_what_pages_ask_for_waits_until_it_is_there(client: httpx.AsyncClient) -> None:
    asked = asyncio.create_task(client.get("/api/me"))
    done, _ = await asyncio.wait({asked}, timeout=0.3)
    assert not done
    assert (await client.get("/livez")).text == "ok"
    health = await client.get("/healthz")
    assert (health.status_code, health.json()["parts"]["pages"]) == (503, "starting")
    app = client.app  # type: ignore[attr-defined]
    await asyncio.to_thread(complete, app)
    app.state.web.whole.set()
    assert (await asked).status_code == 401  # nobody has signed in: the route itself has answered
    assert (await client.get("/healthz")).json()["parts"]["pages"] == "ok"


async def test_an_address_that_does_not_exist_is_told_from_one_that_is_not_there_yet(client: httpx.AsyncClient) -> None:
    asked = asyncio.create_task(client.get("/api/nothing-of-the-kind"))
    await asyncio.sleep(0.05)
    app = client.app  # type: ignore[attr-defined]
    complete(app)
    app.state.web.whole.set()
    assert (await asked).status_code == 404


def test_a_core_reads_no_route_of_a_page_before_it_looks_after_calls() -> None:
    asked = f"import sys, {BEFORE_CALLS}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    routes = {name for name in found.stdout.split() if name.endswith("routes") or name == "app.routers"}
    assert routes == {"cti_bridge.routes"}
