"""The bridge's doors: the websocket `/ws`, and REST for outside systems (`rest`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from starlette.websockets import WebSocket

from app.auth.sessions import COOKIE
from app.errors import HotlineError, Unauthenticated
from app.machines.door import bearer
from cti_bridge.client import ClientSocket
from cti_bridge.machine_socket import MachineSocket
from cti_bridge.rest import make_rest

if TYPE_CHECKING:
    from cti_bridge.bridge import Bridge

log = structlog.get_logger(__name__)


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether the page that opens the socket came from this server (a foreign page would act with the user's cookie).

    A client that sends no Origin is no browser and carries no cookie that is not its own.
    """
    return origin is None or (bool(host) and urlsplit(origin).netloc.lower() == (host or "").lower())


def make_router(bridge_of: Callable[[], Bridge | None]) -> APIRouter:
    """The routes of the bridge that `bridge_of` gives at the moment; None while this core stands by."""
    router = APIRouter()
    router.include_router(make_rest(bridge_of))

    @router.websocket("/ws")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        # Whoever brings a token brings nothing of a browser's: there is no cookie that a foreign page could use.
        if (machine_token := bearer(socket.headers.get("authorization"))) is not None:
            await machine(socket, machine_token)
            return
        if not same_origin(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(4403, "foreign origin")
            return
        bridge = bridge_of()
        if bridge is None:
            await socket.close(1013, "this core stands by: another one is active, try again")
            return
        token = socket.cookies.get(COOKIE, "")
        try:
            actor = await asyncio.to_thread(bridge.domain.session_actor, token) if token else None
        except HotlineError:
            await socket.close(1013, "the database is busy, try again")
            return
        if actor is None:
            await socket.close(4401, "not signed in")
            return
        if actor.must_change_password:
            await socket.close(4403, "the password must be changed first")
            return

        async def alive() -> bool:
            try:
                now = await asyncio.to_thread(bridge.domain.session_actor, token)
            except HotlineError:
                return True  # a busy database is no reason to send an agent away
            return now is not None and now.agent_id == actor.agent_id and now.roles == actor.roles

        await ClientSocket(socket, actor, bridge.hub, bridge, alive).run()

    async def machine(socket: WebSocket, token: str) -> None:
        bridge = bridge_of()
        if bridge is None:
            await socket.close(1013, "this core stands by: another one is active, try again")
            return
        address = socket.client.host if socket.client else ""
        try:
            found = await bridge.machines.enter(token, address)
        except Unauthenticated:
            await socket.close(4401, "the token is unknown, expired, revoked, or not for this address")
            return
        except HotlineError as error:
            await socket.close(1013, f"{error.code}: try again in {error.retry_after or 1} s")
            return
        await MachineSocket(socket, found, bridge, token, address).run()

    return router
