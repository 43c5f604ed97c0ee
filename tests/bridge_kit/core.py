"""The core process for the bridge's own tests: database, bridge and websocket, no pages. Run as `python -m`.

Settings come from the environment (`Settings.environment()`). Prints "ready" once it listens. `POST /api/login` signs
in the users that `seed` has made (name = staff number).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response

from app.agents.service import create_agent
from app.auth.model import Role
from app.auth.service import COOKIE, create_user, login
from app.compose import realtime_part
from app.db import Database, migrate
from app.errors import Conflict
from app.settings import REPO, Settings, get_settings
from cti_bridge.domain import AppDomain

PASSWORD = "Hotline-bridge-2026"


def seed(settings: Settings, agents: dict[str, str], *, may_dial_out: tuple[str, ...] = ("1001",)) -> None:
    """A database with these agents (staff number → name) and a supervisor called "watch"."""
    migrate(settings)
    db = Database(settings.url)
    for agent_id, name in agents.items():
        try:
            create_agent(
                db,
                name=name,
                agent_id=agent_id,
                password=PASSWORD,
                may_dial_out=agent_id in may_dial_out,
                skills={"zh": 5, "yue": 3, "en": 3},
            )
        except Conflict:
            continue
    try:
        create_user(db, name="watch", display_name="班长", roles={Role.supervisor}, password=PASSWORD)
    except Conflict:
        pass
    db.dispose()


async def _main(settings: Settings) -> None:
    db = Database(settings.url)
    bridge = realtime_part(settings, AppDomain(settings, db))
    app = FastAPI()
    app.include_router(bridge.router)

    @app.post("/api/login")
    async def sign_in(request: Request, response: Response) -> dict[str, Any]:
        body = await request.json()
        signed = await asyncio.to_thread(login, db, body["name"], body["password"], "127.0.0.1")
        response.set_cookie(COOKIE, signed.token, httponly=True)
        return {"csrf": signed.csrf}

    @app.get("/healthz")
    async def health() -> dict[str, Any]:
        return {"status": "ok" if bridge.healthy() else "degraded", "parts": bridge.health()}

    @app.get("/explain/{call_id}")
    async def explain(call_id: str) -> list[str]:
        return await asyncio.to_thread(bridge.explain, call_id)

    await bridge.start()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
        )
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await stop.wait()
    server.should_exit = True
    await serving
    await bridge.stop()


class CoreProcess:
    """The core as a process of its own, to be killed and started again."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings, self._log = settings, log
        self._process: subprocess.Popen[str] | None = None

    @property
    def base(self) -> str:
        """Where it listens."""
        return f"http://{self.settings.http_host}:{self.settings.http_port}"

    def start(self) -> CoreProcess:
        """Start and wait until it listens."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")} | self.settings.environment()
        with self._log.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.bridge_kit.core"],
                cwd=REPO,
                env=env,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line.strip() != "ready":
            raise RuntimeError(f"the core did not start: {line}{self._log.read_text()[-4000:]}")
        return self

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def stop(self) -> None:
        """End it as the supervisor does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


if __name__ == "__main__":
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.install()
    asyncio.run(_main(get_settings()))
