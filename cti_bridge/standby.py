"""A core that has a twin: a bridge runs here only while this core holds the lock, and a new one for each activity.

While it stands by there is no session with Asterisk, no engine and no journal, and pages are told to try again. When
the lock is lost nothing more is decided or sent from that moment; the bridge is stopped, and the core stands by again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import structlog
from fastapi import APIRouter

from acd.model import EngineConfig
from cti_bridge.activity import ACTING, Effect, Holder, Lock, Sight, State
from cti_bridge.bridge import Bridge
from cti_bridge.mandate import SETTLE_S, Mandate
from cti_bridge.routes import make_router

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.5


def boot_clock_s() -> float:
    """Seconds since the machine started; goes on while it sleeps, and nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class StandbyCore:
    """See the module's text. `make_bridge` gives a bridge that has not been started."""

    def __init__(
        self,
        lock: Lock,
        make_bridge: Callable[[Mandate], Bridge],
        *,
        now_s: Callable[[], float] = boot_clock_s,
        look_every_s: float = LOOK_EVERY_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._holder = Holder(lock, now_s)
        self._make_bridge, self._look_every_s, self._settle_s = make_bridge, look_every_s, settle_s
        self._thread = ThreadPoolExecutor(1, "core-lock")  # of its own: a frozen database fills the common ones
        self._wake = asyncio.Event()
        self._over: Sight | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.bridge = self._new_bridge()
        self.router: APIRouter = make_router(self._serving)

    # -- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to look at the lock; returns at once."""
        self._task = asyncio.create_task(self._run(), name="standby")

    async def stop(self) -> None:
        """Let go of calls, then of the lock, so that the other core can go on at once."""
        if self._task is not None:
            self._stopping = True
            self._wake.set()
            await self._task
            self._task = None
        self._thread.shutdown()

    # -- for the web ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Whether this core acts."""
        return self._holder.state

    def stands_by(self) -> bool:
        """Whether another core is expected to act."""
        return self._holder.state not in ACTING

    def healthy(self) -> bool:
        """Whether calls can be offered and facts be stored, here."""
        return not self.stands_by() and all(state == "ok" for state in self.health().values())

    def health(self) -> dict[str, str]:
        """Part → "ok", or what is wrong."""
        known = self._holder.last in (Sight.taken, Sight.held, Sight.refused)
        lock = {"core_lock": "ok" if known else f"the database does not say who acts ({self._holder.last})"}
        return lock if self.stands_by() else {**self.bridge.health(), **lock}

    def has_calls(self) -> bool:
        """Whether this core looks after anybody."""
        return (serving := self._serving()) is not None and serving.has_calls()

    def phone_registered(self, agent_id: str) -> bool | None:
        """Whether one of the agent's telephones can be reached; None while this core cannot know."""
        return self.bridge.phone_registered(agent_id)

    def explain(self, call_id: str, language: str = "zh") -> list[str]:
        """Why this caller waited, from the journal that this core can read."""
        return self.bridge.explain(call_id, language)

    def rules_in_force(self) -> EngineConfig | None:
        """The rules that the queue goes by; None in a core that stands by."""
        return None if (serving := self._serving()) is None else serving.rules_in_force()

    def reload_rules(self) -> None:
        """Read the rules of the queue again now; a core that stands by reads them when it takes over."""
        if (serving := self._serving()) is not None:
            serving.reload_rules()

    def notices_told(self, agents: Collection[str]) -> None:
        """These agents were told something in their inbox; while this core stands by nobody's page is here."""
        if (serving := self._serving()) is not None:
            serving.notices_told(agents)

    def _serving(self) -> Bridge | None:
        return self.bridge if self._holder.state in ACTING and self.bridge.started else None

    # -- the right to act -------------------------------------------------------------------------------------------

    def _may_act(self) -> bool:
        """Asked before every action on Asterisk. The first "no" ends the activity."""
        if self._over is None and self._holder.may_act():
            return True
        self._give_up(self._holder.known() or Sight.ended)
        return False

    def _displaced(self) -> None:
        log.error("another core has said to Asterisk that it acts")
        self._give_up(Sight.displaced)

    def _give_up(self, why: Sight) -> None:
        if self._over is None and self._holder.state in ACTING:
            self._over = why
            self.bridge.halt()
            self._wake.set()

    # -- looking ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while self._holder.state is not State.stopped:
            try:
                await self._turn()
            except Exception:
                log.exception("the lock of the active core could not be looked after")
            await self._pause(self._look_every_s)
            self._wake.clear()

    async def _pause(self, seconds: float) -> None:
        """Until then, or until there is a reason to look."""
        if not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _turn(self) -> None:
        before = self._holder.state
        sight = self._over
        if sight is None and not self._stopping:
            seen = await asyncio.get_running_loop().run_in_executor(self._thread, self._holder.look)
            sight = self._over or seen  # what was noticed meanwhile is the newer
        if sight is None or self._stopping:
            sight = Sight.stop
        effect = self._holder.see(sight)
        if self._holder.state is not before:
            log.info("the core's part changes", part=self._holder.state.value, because=sight.value)
        if effect is Effect.begin:
            await self._begin()
        elif effect is Effect.end:
            await self._end()
        elif self._holder.state is State.stopped:
            self._holder.lock.drop()

    async def _begin(self) -> None:
        """First a moment's wait: a core that still lives sees at its next look that it has lost the lock, and writes
        its last lines into the journals, which may be ours as well."""
        await self._pause(self._settle_s)
        if self._stopping:
            return
        self.bridge = self._new_bridge()
        try:
            await self.bridge.start()
        except Exception:
            log.exception("the active core could not begin")
            self._give_up(Sight.ended)

    async def _end(self) -> None:
        """Calls live on in Asterisk; the lock is free for others once nothing here can act any more."""
        self.bridge.halt()
        try:
            await self.bridge.stop()
        finally:
            self._holder.lock.drop()
            self._over = None
            self.bridge = self._new_bridge()

    def _new_bridge(self) -> Bridge:
        return self._make_bridge(Mandate(self._may_act, self._displaced, settle_s=self._settle_s))
