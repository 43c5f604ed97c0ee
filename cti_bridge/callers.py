"""Who calls? A key that tells callers apart without saying who they are, and what the domain knows that moves a place.

The key is an HMAC of the number in its one spelling, with a secret of the instance: the queue and its journal never see
a number, and nobody can find one by trying all of them. It stays the same as long as the secret does.

The domain is asked when a call arrives, one caller after the other on a thread of their own, and has the length of the
menu to answer in. A join never waits: what is known by then goes with it, and while the domain hangs that is nothing.
Only a start that finds callers waiting gives the domain time, `KNOWN_WITHIN_S` for all of them together.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import structlog

from app.errors import HotlineError
from app.settings import Settings
from app.text import normal_number
from cti_bridge.core import Core
from cti_bridge.model import Call
from cti_bridge.ports import CallerKnown

log = structlog.get_logger(__name__)

KEY_SECRET = "caller_key"
KNOWN_WITHIN_S = 0.5
MOST_OPEN = 200  # more questions than this mean that the database is away: newcomers are not asked about
HOUR_MS = 3_600_000


def caller_key(key: bytes, number: str) -> str:
    """32 hexadecimal digits after a `k`, the same for every spelling of a number; "" for a withheld one."""
    normal = normal_number(number)
    return "k" + hmac.new(key, normal.encode(), hashlib.sha256).hexdigest()[:32] if normal else ""


class Callers:
    """See the module's text. Touched from the event loop only.

    `flags_wanted` are those that the queue gives points; `last_agents_wanted()` is whether any queue now keeps callers
    for the agent who spoke with them last.
    """

    def __init__(
        self,
        core: Core,
        settings: Settings,
        flags_wanted: Iterable[str],
        last_agents_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._core, self._flags_wanted = core, frozenset(flags_wanted)
        self._last_agents_wanted = last_agents_wanted
        self._since_ms = settings.last_agent_hours * HOUR_MS
        self._thread = ThreadPoolExecutor(1, "callers")
        self._open: set[asyncio.Task[None]] = set()

    def ask(self, call: Call) -> None:
        """Begin to find out about a caller; the answer is put into the call whenever it comes."""
        if not call.number or call.outbound or call.asked or len(self._open) >= MOST_OPEN:
            return
        if not self._flags_wanted and not self._last_agents_wanted():
            return  # by the rules that hold, no answer would move anybody
        call.asked = True
        answer = self._core.spawn(self._answer(call), f"caller-{call.call_id}")
        self._open.add(answer)
        answer.add_done_callback(self._open.discard)

    async def know(self, calls: Iterable[Call]) -> None:
        """Ask about all of these and wait for the answers, at most `KNOWN_WITHIN_S`."""
        for call in calls:
            self.ask(call)
        if self._open:
            await asyncio.wait(self._open, timeout=KNOWN_WITHIN_S)

    def idle(self) -> bool:
        """Whether every question has been answered."""
        return not self._open

    def close(self) -> None:
        """Ask nothing more; a question that hangs is left to itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, call: Call) -> None:
        since = self._core.now_ms() - self._since_ms
        try:
            known = await asyncio.get_running_loop().run_in_executor(self._thread, self._look, call.number, since)
        except HotlineError as error:
            call.asked = False  # the next join asks again
            log.info("nothing could be learnt about a caller", call=call.call_id, problem=error.code)
            return
        call = self._core.call(call.call_id) or call  # the picture may have been drawn anew meanwhile
        call.flags = tuple(sorted(known.flags & self._flags_wanted))
        call.last_agent = known.last_agent

    def _look(self, number: str, since_ms: int) -> CallerKnown:
        return self._core.domain.caller(number, since_ms)
