"""A hotline whose core has a standby: PostgreSQL, and a second core process with the same home."""

from __future__ import annotations

import contextlib

from app.settings import Settings
from tests.bench._core import served
from tests.drills._scene import Say, Scene
from tests.integration.postgres_server import PostgresServer


class PairScene(Scene):
    """The core that the supervisor keeps acts, the other stands by; nothing starts that one again."""

    def __init__(self, say: Say, *, agents: int) -> None:
        self._postgres = PostgresServer()
        self._postgres.create("hotline")
        self._others = contextlib.AsyncExitStack()
        self._standby: int | None = None
        super().__init__(say, agents=agents, database_url=self._postgres.url("hotline"), standby=True)
        self.other: Settings = self.settings.model_copy(update={"http_port": self.system.take_port()})

    @property
    def other_base(self) -> str:
        """Where the second core has its pages."""
        return f"http://{self.other.http_host}:{self.other.http_port}"

    def processes(self) -> dict[str, int]:
        """The second core as well."""
        return super().processes() | ({"standby": self._standby} if self._standby is not None else {})

    async def _start(self) -> None:
        await super()._start()
        core = served(self.other, self.folder / "standby.log", "realtime,web")
        self._standby = await self._others.enter_async_context(core)

    async def __aexit__(self, *exception: object) -> None:
        self._standby = None
        try:
            await self._others.aclose()
        finally:
            await super().__aexit__(*exception)
            self._postgres.stop()
