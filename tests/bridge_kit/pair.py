"""Two cores of one hotline on one played Asterisk, with a lock that the test can take away."""

from __future__ import annotations

import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.secrets import secret
from app.settings import Settings
from cti_bridge.bridge import Bridge
from cti_bridge.standby import StandbyCore, boot_clock_s
from tests.bridge_kit.fake_ami import Fields, ok
from tests.bridge_kit.fake_lock import FakeLock, FakeServer
from tests.bridge_kit.memory_domain import MemoryDomain
from tests.bridge_kit.rig import PlayedAsterisk, until

SETTLE_S = 0.1


class Twin:
    """One of the two cores."""

    def __init__(
        self, settings: Settings, domain: MemoryDomain, server: FakeServer, *, look_every_s: float, settle_s: float
    ) -> None:
        self.lock = FakeLock(server)
        self.asleep_s = 0.0  # how far this core's clock is ahead of what it has lived through
        self.core = StandbyCore(
            self.lock,
            lambda mandate: Bridge(settings, domain=domain, mandate=mandate),
            now_s=lambda: boot_clock_s() + self.asleep_s,
            look_every_s=look_every_s,
            settle_s=settle_s,
        )

    @property
    def bridge(self) -> Bridge:
        """The bridge of the present activity."""
        return self.core.bridge

    def acts(self) -> bool:
        """Whether it has the picture and beats."""
        return not self.core.stands_by() and self.bridge.health().get("heartbeat") == "ok"


class Pair:
    """See the module's text. Both homes share the secrets; `shared` names what else they share."""

    def __init__(self, folder: Path, *shared: str, settle_s: float = SETTLE_S) -> None:
        self._folder, self._shared, self._settle_s = folder, ("secrets", *shared), settle_s
        self.domain, self.server = MemoryDomain(), FakeServer()
        self.asterisk = PlayedAsterisk(secret(self._settings("first"), "ami"))
        self.asterisk.on("UserEvent", self._tell_everybody)
        self.twins: list[Twin] = []

    async def start(self) -> Pair:
        """Asterisk, and the core that comes first."""
        for endpoint in ("1001", "1002", "1003"):
            self.asterisk.devices[f"PJSIP/{endpoint}"] = "NOT_INUSE"
        await self.asterisk.start()
        return self

    async def core(self, name: str, *, look_every_s: float = 0.02) -> Twin:
        """Start one of the two, "first" or "second"."""
        twin = Twin(self._settings(name), self.domain, self.server, look_every_s=look_every_s, settle_s=self._settle_s)
        self.twins.append(twin)
        await twin.core.start()
        return twin

    async def both(self, *, first_looks_every_s: float = 0.02) -> tuple[Twin, Twin]:
        """One that acts, and one that stands by."""
        first = await self.core("first", look_every_s=first_looks_every_s)
        await until(first.acts, "the first core acts")
        second = await self.core("second")
        await until(lambda: second.core.health()["core_lock"] == "ok", "the second core waits")
        return first, second

    async def stop(self) -> None:
        """End everything."""
        for twin in self.twins:
            await twin.core.stop()
        await self.asterisk.stop()

    def offered(self) -> list[str]:
        """The channels that were sent to an agent's telephone, in order."""
        return [one["Channel"] for one in self.asterisk.got("Redirect") if one["Context"] == "acd-connect"]

    def _settings(self, name: str) -> Settings:
        home = self._folder / name
        if name != "first":
            home.mkdir(exist_ok=True)
            for part in self._shared:
                if not (home / part).exists():
                    (home / part).symlink_to(self._folder / "first" / part)
        port = self.asterisk.port if hasattr(self, "asterisk") else 1
        settings = Settings(home=home, ami_port=port)
        settings.ensure_dirs()
        return settings

    def _tell_everybody(self, action: Fields) -> bytes:
        self.asterisk.event("UserEvent", UserEvent=action["UserEvent"], Core=action["Core"])
        return ok(action)


class Door:
    """A real HTTP server for one core's websocket."""

    def __init__(self, twin: Twin) -> None:
        app = FastAPI()
        app.include_router(twin.core.router)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="websockets-sansio"))
        self.server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]

    async def serve(self) -> None:
        """Until `server.should_exit`."""
        await self.server.serve(sockets=[self._socket])
