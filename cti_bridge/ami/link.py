"""One lasting session with Asterisk's manager interface: actions in, one ordered stream of events out.

What it promises (docs/adr/0003): an action is sent at most once and is answered, refused or timed out; events, "up"
and "down" reach the listener one at a time in the order they happened; a listener that raises loses only that one
event; a dead peer is noticed within `ping_every + ping_deadline` seconds; a wrong secret is said aloud, not retried
in silence. Events that were missed cannot be fetched: after every "up" the listener must read the state anew, and
events that arrive meanwhile wait behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from enum import StrEnum
from typing import Any, Protocol

import structlog
from panoramisk.message import Message

from cti_bridge.ami.errors import ActionFailed, ActionTimeout, AmiError, LinkDown, WrongSecret
from cti_bridge.ami.protocol import HardenedProtocol, PendingAction
from cti_bridge.ami.wire import Value

log = structlog.get_logger(__name__)

BACKOFF_S = (0.1, 0.25, 0.5, 1.0)
REFUSED_RETRY_S = 15.0
MOST_EVENTS_WAITING = 50_000
MOST_AT_ONCE = 64  # a burst must not starve the websockets


class LinkState(StrEnum):
    """Where the session stands."""

    down = "down"
    up = "up"
    refused = "refused"
    stopped = "stopped"


class Listener(Protocol):
    """Who hears Asterisk. `on_up` may take its time: events wait, in order, until it returns."""

    async def on_up(self) -> None:
        """A new session: nothing known before may be trusted. Raising closes the session, and a new one is made."""

    def on_event(self, event: Message) -> None:
        """One event."""

    def on_down(self, why: str) -> None:
        """The session ended; events from here to the next `on_up` are lost."""


def only_event(name: str) -> dict[str, Value]:
    """The action after which a session gets events of this name, and of others that were asked for in this way."""
    return {"Action": "Filter", "Operation": "Add", "MatchCriteria": f"action(include),name({name}),method(none)"}


class AmiLink:
    """See the module's text. Times in seconds. `may_act` is asked before each action: "no" refuses it unsent."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        listener: Listener | None = None,
        wanted: Collection[str] | None = None,
        timeout: float = 5.0,
        ping_every: float = 2.0,
        ping_deadline: float = 5.0,
        refused_retry: float = REFUSED_RETRY_S,
        may_act: Callable[[], bool] | None = None,
    ) -> None:
        self.address = (host, port)
        self._login = (username, secret)
        self._listener = listener
        self._wanted = None if wanted is None else frozenset(wanted) | {"FullyBooted", "Shutdown"}
        self._timeout = timeout
        self._ping = (ping_every, ping_deadline)
        self._refused_retry = refused_retry
        self._may_act = may_act
        self._protocol: HardenedProtocol | None = None
        self._inbox: deque[Message | str | None] = deque()  # an event; None = up; a text = down, and why
        self._inbox_filled = asyncio.Event()
        self._resting = False  # nothing is in the inbox, and the listener is at nothing
        self._burst = (0.0, 0)  # when bytes came last, and how many of their events have been heard at once
        self._changed = asyncio.Condition()
        self._lost = asyncio.Event()
        self._booted: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.state = LinkState.down
        self.problem = "not started"
        self.generation = 0

    # -- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin connecting; returns at once. `wait_up` waits."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._keep_connected(), name="ami-connect")]
            if self._listener is not None:
                self._tasks.append(asyncio.create_task(self._deliver(self._listener), name="ami-deliver"))

    async def stop(self) -> None:
        """End the session; open actions end with LinkDown."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._protocol is not None:
            self._protocol.close()
        await self._become(LinkState.stopped, "stopped")

    async def wait_up(self, timeout: float = 10.0) -> None:
        """Return once a session is up. Raises WrongSecret when Asterisk refuses us, LinkDown after `timeout`."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: self.state in (LinkState.up, LinkState.refused))
        except TimeoutError:
            raise LinkDown(f"no AMI session within {timeout:g} s: {self.problem}") from None
        if self.state is LinkState.refused:
            raise WrongSecret(self.problem)

    # -- actions ----------------------------------------------------------------------------------------------------

    async def action(self, name: str, *, timeout: float | None = None, **headers: Value) -> Message:
        """Do one action and give its answer.

        Raises UnsafeValue (nothing sent), LinkDown, ActionTimeout (it may have been done), ActionFailed.
        """
        (result,) = await self.pipeline([{"Action": name, **headers}], timeout=timeout)
        if isinstance(result, Exception):
            raise result
        return result

    async def list_action(self, name: str, *, timeout: float | None = None, **headers: Value) -> list[Message]:
        """Do one action that answers with a list; the list's items without its first and last message.

        An "Error" answer raises ActionFailed; a plain answer is an empty list.
        """
        pending = self._submit({"Action": name, **headers})
        result = await self._answer(pending, name, timeout)
        return list(result[1:-1]) if isinstance(result, list) else []

    async def pipeline(
        self, actions: list[dict[str, Value]], *, timeout: float | None = None
    ) -> list[Message | AmiError]:
        """Write several actions at once; Asterisk does them in this order. Each gets its answer or its error.

        If one of them is unsafe none is sent (raises UnsafeValue); LinkDown is raised when there is no session.
        """
        return await self.write(actions, timeout=timeout)

    def write(
        self, actions: list[dict[str, Value]], *, timeout: float | None = None
    ) -> Coroutine[Any, Any, list[Message | AmiError]]:
        """Like `pipeline`, for who cannot wait: the actions are on their way when this returns; await the answers."""
        return self._answers(self._submit_all(actions), actions, timeout)

    async def _answers(
        self, pending: list[PendingAction], actions: list[dict[str, Value]], timeout: float | None
    ) -> list[Message | AmiError]:
        out: list[Message | AmiError] = []
        for one, fields in zip(pending, actions, strict=True):
            try:
                result = await self._answer(one, str(fields["Action"]), timeout)
                out.append(result[0] if isinstance(result, list) else result)
            except AmiError as error:
                out.append(error)
        return out

    def _submit(self, fields: dict[str, Value]) -> PendingAction:
        return self._submit_all([fields])[0]

    def _submit_all(self, actions: list[dict[str, Value]]) -> list[PendingAction]:
        protocol = self._protocol
        if protocol is None or self.state is not LinkState.up:
            raise LinkDown(f"no AMI session: {self.problem}")
        if self._may_act is not None and not self._may_act():
            raise LinkDown("another core may act by now")
        return protocol.submit_all(actions)

    async def _answer(self, pending: PendingAction, name: str, timeout: float | None) -> Message | list[Message]:
        try:
            async with asyncio.timeout(self._timeout if timeout is None else timeout):
                result: Message | list[Message] = await pending.future
        except TimeoutError:
            raise ActionTimeout(f"{name}: Asterisk did not answer in time") from None
        finally:
            if self._protocol is not None:
                self._protocol.forget(pending)
        first = result[0] if isinstance(result, list) else result
        if not first.success:
            raise ActionFailed(name, first.message or "refused without a reason")
        return result

    # -- connecting -------------------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            try:
                await self._open()
                failures = 0
                await self._watch()
            except WrongSecret as error:
                log.error("Asterisk refuses our AMI login", problem=str(error))
                await self._become(LinkState.refused, str(error))
                await asyncio.sleep(self._refused_retry)
                continue
            except (OSError, TimeoutError, AmiError) as error:
                problem = str(error) or "no answer from Asterisk in time"
                if problem != self.problem:
                    log.warning("no AMI session", problem=problem)
                self._session_over(problem)
                await self._become(LinkState.down, problem)
            finally:
                if self._protocol is not None:
                    self._protocol.close()
                    self._protocol = None
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._lost.clear()
        self._booted = loop.create_future()
        async with asyncio.timeout(self._timeout):
            _, protocol = await loop.create_connection(
                lambda: HardenedProtocol(self._wanted, self._on_event, self._on_lost), *self.address
            )
        self._protocol = protocol
        async with asyncio.timeout(self._timeout):
            await protocol.greeted
            user, secret = self._login
            login = protocol.submit(
                {
                    "Action": "Login",
                    "Username": user,
                    "Secret": secret,
                    "Events": "on" if self._listener is not None else "off",
                }
            )
            answer: Message = await login.future
        if not answer.success:
            raise WrongSecret(
                f"Asterisk refused the AMI login of “{user}” ({answer.message}): its manager.conf holds another "
                "secret than secrets/ami. Render the configuration again and reload the manager module."
            )
        if self._listener is not None:
            async with asyncio.timeout(60):
                await self._ask_for_events(protocol)
                await self._booted
        self.generation += 1
        self._put(None)
        await self._become(LinkState.up, "")
        log.info("AMI session is up", version=protocol.version, generation=self.generation)

    async def _ask_for_events(self, protocol: HardenedProtocol) -> None:
        """Have Asterisk send only what is wanted: every event that is not even written costs neither side anything.

        An Asterisk that knows no filters by name goes on sending all of them, and they are dropped when they come.
        Raises LinkDown when it has taken some filters but not all: then events that are wanted would be missing.
        """
        if self._wanted is None:
            return
        asked = protocol.submit_all([only_event(name) for name in sorted(self._wanted)])
        answers: list[Message] = [await one.future for one in asked]
        refused = [one.message for one in answers if not one.success]
        if len(refused) == len(answers):
            log.info("Asterisk sends all its events", why=refused[0])
        elif refused:
            raise LinkDown(f"Asterisk would not send every event that is needed: {refused[0]}")

    async def _watch(self) -> None:
        """Stay until the connection ends or falls silent."""
        every, deadline = self._ping
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._lost.wait()
                    raise LinkDown("Asterisk closed the AMI connection")
            protocol = self._protocol
            if protocol is None or loop.time() - protocol.heard < every:
                continue
            asked = loop.time()
            ping = protocol.submit({"Action": "Ping"})
            while protocol.heard < asked and not self._lost.is_set():
                if loop.time() - asked > deadline:
                    raise LinkDown(f"Asterisk has been silent for {every + deadline:g} s")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self._lost.wait()
            protocol.forget(ping)

    async def _become(self, state: LinkState, problem: str) -> None:
        async with self._changed:
            self.state, self.problem = state, problem
            self._changed.notify_all()

    # -- events -----------------------------------------------------------------------------------------------------

    def _on_event(self, event: Message) -> None:
        if event.event == "FullyBooted" and self._booted is not None and not self._booted.done():
            self._booted.set_result(None)
        if self.state is not LinkState.up or (self._wanted is not None and event.event not in self._wanted):
            return
        if self._resting and self._listener is not None and self._in_burst() < MOST_AT_ONCE:
            self._tell(self._listener, event)
        else:
            self._put(event)

    def _in_burst(self) -> int:
        """How many events of those that came together have been heard without giving the websockets a turn."""
        heard = self._protocol.heard if self._protocol is not None else 0.0
        since, count = self._burst
        self._burst = (heard, count + 1 if since == heard else 1)
        return self._burst[1] - 1

    def _tell(self, listener: Listener, event: Message) -> None:
        try:
            listener.on_event(event)
        except Exception:
            log.exception("a listener failed", event_name=event.event)

    def _on_lost(self, protocol: HardenedProtocol, error: Exception | None) -> None:
        if protocol is not self._protocol:
            return
        if self._booted is not None and not self._booted.done():
            self._booted.set_exception(LinkDown("the connection ended while Asterisk was starting"))
            self._booted.exception()
        self._session_over(str(error or "Asterisk closed the AMI connection"))
        self._lost.set()

    def _session_over(self, why: str) -> None:
        if self.state is LinkState.up:
            self.state, self.problem = LinkState.down, why
            self._put(why)

    def _put(self, item: Message | str | None) -> None:
        if self._listener is None:
            return
        if len(self._inbox) >= MOST_EVENTS_WAITING:
            # Better to know that we know nothing than to act on the hour before last: a new session reads all anew.
            log.error("too many events are waiting; the AMI session is made anew", waiting=len(self._inbox))
            self._inbox.clear()
            if self._protocol is not None:
                asyncio.get_running_loop().call_soon(self._protocol.close)
        self._inbox.append(item)
        self._resting = False
        self._inbox_filled.set()

    async def _deliver(self, listener: Listener) -> None:
        handled = 0
        while True:
            if not self._inbox:
                self._inbox_filled.clear()
                self._resting = True
                await self._inbox_filled.wait()
            item = self._inbox.popleft()
            try:
                if item is None:
                    await listener.on_up()
                elif isinstance(item, str):
                    listener.on_down(item)
                else:
                    self._tell(listener, item)
            except Exception:
                log.exception("a listener failed", event_name="down" if item else "up")
                if item is None and self._protocol is not None:
                    self._protocol.close()  # without a full picture no event can be understood
            handled += 1
            if handled % MOST_AT_ONCE == 0:
                await asyncio.sleep(0)
