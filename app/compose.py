"""The composition root: the only place that wires the parts together.

A process of the backend plays one or more roles (docs/architecture.md):

* `voice`    – the FastAGI server that speaks with callers (threads);
* `realtime` – the AMI link, the queue engine and the websocket hub; with `standby` only while this core holds the lock;
* `web`      – pages and REST;
* `worker`   – takes spooled messages in, chases what is late, sends notices, tells outside systems of calls, writes
  down what was said, prunes what has outlived its retention.

`realtime`, `web` and `worker` share one event loop; `voice` only shares it when somebody asks for everything in one
process. Each process proves that it works by touching its heartbeat file (see `app/heartbeat.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from app import logs, starting
from app.db import Database, migrate
from app.heartbeat import Heartbeat, http_answers
from app.settings import Settings
from app.worker import Job, Worker, outgoing_jobs, shipped_jobs, speech_jobs

log = structlog.get_logger(__name__)

ROLES = ("voice", "realtime", "web", "worker")
TURN_S = 0.001
TELEPHONE_FIRST_S = 2.0
"""What can wait begins after this time at the latest, also where Asterisk is away."""
DESKS_FIRST_S = 1.5
"""Where people talk, their pages are given this time to come back: they look for a server every second."""


def serve(settings: Settings, roles: Sequence[str] = ROLES) -> None:
    """Run the given roles until SIGTERM or SIGINT; running calls are left to Asterisk.

    Raises:
        ValueError: a role that does not exist.
    """
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise ValueError(f"no such role: {', '.join(unknown)}; there are {', '.join(ROLES)}")
    name = os.environ.get("HOTLINE_PROCESS", "serve")
    logs.configure(name)
    settings.ensure_dirs()
    database = Database(settings.url)
    if set(roles) == {"voice"}:
        _serve_voice_alone(settings, database, name)
        return
    migrate(settings)
    uvloop.install()
    asyncio.run(_serve_loop(settings, database, frozenset(roles), name))


def menu_ears(settings: Settings) -> Any:
    """Who hears what callers say in the voice menu, started; None where nobody does.

    It has recognisers of its own: nobody at the telephone waits for yesterday's calls.
    """
    from agi_scripts.ears import Ears
    from agi_scripts.keypad import ManagerKeypad
    from app.secrets import secret
    from app.speech.listener import Listeners
    from asterisk_conf.instance import EAR_SECRET

    if not (settings.speech_menu and settings.speech_folders):
        return None
    keypad = ManagerKeypad(settings.ami_host, settings.ami_port, secret(settings, EAR_SECRET))
    ears = Ears(Listeners(settings), keypad, settings.agi_host, settings.speech_menu)
    try:
        ears.start()
    except OSError as error:
        log.error("nobody can speak in the voice menu; keys work", error=str(error))
        return None
    return ears


def voice_server(settings: Settings, database: Database, ears: Any = None) -> Any:
    """The FastAGI server with every script, not yet started."""
    from agi_scripts.scripts import SCRIPTS
    from agi_scripts.server import FastAgiServer
    from agi_scripts.voice_menu import prepare, voice_menu
    from app.voice_services import VoiceServices

    return FastAgiServer(
        settings.agi_host,
        settings.agi_port,
        {**SCRIPTS, "voice_menu": partial(voice_menu, ears=ears)},
        VoiceServices(settings, database),
        max_calls=settings.max_calls,
        prepare=partial(prepare, ears=ears),
    )


def _serve_voice_alone(settings: Settings, database: Database, name: str) -> None:
    ears = menu_ears(settings)
    server = voice_server(settings, database, ears)
    server.start()
    starting.settled()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    beat = Heartbeat(settings.paths.run, name)
    log.info("voice scripts are ready", host=settings.agi_host, port=settings.agi_port)
    while not stop.wait(1.0):
        if server.alive():
            beat.touch()
    if ears is not None:
        ears.stop()
    server.stop()
    log.info("voice scripts stopped")


async def _serve_loop(settings: Settings, database: Database, roles: frozenset[str], name: str) -> None:
    # Telephones wait for the loop, nobody for the threads beside it: it gets its turn back sooner than after 5 ms.
    sys.setswitchinterval(TURN_S)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as stack:
        app = await stack.enter_async_context(running_app(settings, database, roles))
        ears = menu_ears(settings) if "voice" in roles else None
        if ears is not None:
            stack.callback(ears.stop)
        voice = voice_server(settings, database, ears) if "voice" in roles else None
        if voice is not None:
            voice.start()
            stack.callback(voice.stop)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=settings.http_host,
                port=settings.http_port,
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                ws="websockets-sansio",
                ws_max_size=256 * 1024,
                timeout_graceful_shutdown=2,
                server_header=False,
            )
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server._serve(), name="http")
        following: asyncio.Task[None] = app.state.following
        beating = asyncio.create_task(_beat(settings, name, voice, following), name="heartbeat")
        waiting = asyncio.create_task(stopping.wait(), name="stop")
        log.info("backend is ready", roles=sorted(roles), http=f"{settings.http_host}:{settings.http_port}")
        done, _ = await asyncio.wait({serving, waiting, following}, return_when=asyncio.FIRST_COMPLETED)
        if following in done and following.exception() is None:
            done, _ = await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=serving not in done)
        beating.cancel()
        waiting.cancel()
        if following in done:
            following.result()  # half an application serves nobody: end, and be started anew


@contextlib.asynccontextmanager
async def running_app(settings: Settings, database: Database, roles: frozenset[str]) -> AsyncIterator[FastAPI]:
    """The FastAPI application with its background parts started; they stop in reverse order on exit.

    Calls come first: the routes of the pages and the worker follow when they are looked after (`app.state.following`).
    """
    from app.notices.live import hear as hear_notices
    from app.speech.listener import Listeners
    from app.web import front
    from cti_bridge.clerk import Clerk, ClerkDomain

    import_module("app.tables")  # before the first look at the database: no table comes while others look
    async with contextlib.AsyncExitStack() as stack:
        bridge = clerk = None
        if "realtime" in roles:
            clerk = Clerk(settings)
            stack.push_async_callback(asyncio.to_thread, clerk.stop)
            ears = Listeners(settings) if settings.speech_live else None
            if ears is not None:
                stack.push_async_callback(asyncio.to_thread, ears.close)
            bridge = realtime_part(settings, ClerkDomain(settings, database, clerk), ears)
        app = front(settings, database, realtime=bridge)
        if bridge is not None:
            hear_notices(database, bridge.notices_told)
            app.include_router(bridge.router)
            await bridge.start()
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, bridge.reload_rules)
            stack.push_async_callback(bridge.stop)
        follow = _follow(settings, database, roles, app, clerk, stack)
        app.state.following = asyncio.create_task(follow, name="following")
        stack.push_async_callback(_ended, app.state.following)
        yield app


async def _follow(
    settings: Settings, database: Database, roles: frozenset[str], app: FastAPI, clerk: Any, stack: Any
) -> None:
    """What a core needs, and a caller does not wait for."""
    from app.web import complete

    await _calls_are_looked_after(app.state.web.realtime)
    await asyncio.to_thread(complete, app)
    app.state.web.whole.set()
    if clerk is not None:
        clerk.start()
    if "worker" in roles:
        _start_work(stack, *await asyncio.to_thread(_work, settings, database))
    starting.settled()
    log.info("everything is there")


async def _calls_are_looked_after(realtime: Any) -> None:
    """By this core, or by the one that it stands by for."""
    if realtime is None:
        return
    stands_by = getattr(realtime, "stands_by", lambda: False)
    latest = time.monotonic() + TELEPHONE_FIRST_S
    while time.monotonic() < latest and not (realtime.healthy() or stands_by()):
        await asyncio.sleep(0.02)
    if realtime.has_calls():
        await asyncio.sleep(DESKS_FIRST_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _work(settings: Settings, database: Database) -> tuple[list[list[Job]], Any, Any]:
    """The lists of jobs, who hears for them, and who pushes; made on a thread, for it imports much."""
    from app.pushes.sending import PushSender
    from app.speech.listener import Listeners

    listeners = Listeners(settings)
    lists = [shipped_jobs(settings, database), outgoing_jobs(settings, database)]
    if listeners.languages:
        lists.append(speech_jobs(settings, database, listeners))
    return lists, listeners, PushSender(database, settings)


def _start_work(stack: contextlib.AsyncExitStack, lists: list[list[Job]], listeners: Any, sender: Any) -> None:
    for jobs in lists:
        worker = Worker(jobs)
        worker.start()
        stack.push_async_callback(worker.stop)
    # Before the workers are waited for: what is being listened to ends at once, and is heard again later.
    stack.push_async_callback(asyncio.to_thread, listeners.close)
    sender.start()
    stack.push_async_callback(asyncio.to_thread, sender.stop)


def realtime_part(settings: Settings, domain: Any, ears: Any = None) -> Any:
    """The bridge; or, when there are two cores, the one of them that acts or stands by. Not yet started.

    `ears` are recognisers of its own: what is said now does not wait for what was said an hour ago.
    """
    from app.queues.source import RulesFile
    from cti_bridge.bridge import Bridge
    from cti_bridge.core_lock import AdvisoryLock
    from cti_bridge.standby import StandbyCore

    rules = RulesFile(settings)
    if not settings.standby:
        return Bridge(settings, domain=domain, rules=rules, recognizer=ears)
    lock = AdvisoryLock(settings.url, settings.node)
    return StandbyCore(
        lock, lambda mandate: Bridge(settings, domain=domain, rules=rules, mandate=mandate, recognizer=ears)
    )


async def _beat(settings: Settings, name: str, voice: Any, following: asyncio.Task[None]) -> None:
    """Touch the heartbeat once a second while the loop turns and every door answers, from when everything is there:
    a thread that reads modules on a busy machine holds the loop up, and must not look like a process that hangs."""
    beat = Heartbeat(settings.paths.run, name)
    await asyncio.wait({following})
    while True:
        if await http_answers(settings.http_host, settings.http_port) and (
            voice is None or await asyncio.to_thread(voice.alive)
        ):
            beat.touch()
        await asyncio.sleep(1.0)
