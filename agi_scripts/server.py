"""A FastAGI server: a thread for each call, a hard cap, an answer for everything that can go wrong with a connection.

Measured alternatives are in docs/adr/0003: threads beat an event loop and small pools here because a script is nearly
always waiting. Above the cap a call is refused at once, since the dialplan's own queue serves it better than a wait.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping

import structlog

from . import metrics
from .door import SHORTEST_HEADER, open_door
from .errors import AgiFailure, CommandTimeout, Hangup, ProtocolError
from .guarded import Guarded
from .ledger import Ended, Ledger
from .safe_agi import HEADER_DEADLINE_S, SafeAgi
from .services import Services

log = structlog.get_logger(__name__)

Script = Callable[[SafeAgi, Guarded], None]
MOST_REFUSALS = 32
"""Refusals that are said politely (with HOTLINE_REFUSED) at the same time; more are only closed."""
PROBE = "alive"
PROBE_ANSWER = b"NOOP alive\n"
PROBE_HEADER = f"agi_network: yes\nagi_network_script: {PROBE}\nagi_padding: {'.' * SHORTEST_HEADER}\n\n".encode()
"""As long as Asterisk's, so that the door lets it in at once."""
IDLE_S = 30.0
"""How long a thread waits for the next call before it ends, if others wait as well."""


class FastAgiServer:
    """Serves scripts by name on `host:port` (0 takes a free port, see `address`).

    `header_deadline_s`: how long a connection may take to say which script it wants. `prepare` is run before the first
    call is served, while calls already queue at the door.
    """

    def __init__(
        self,
        host: str,
        port: int,
        scripts: Mapping[str, Script],
        services: Services,
        max_calls: int = 400,
        *,
        header_deadline_s: float = HEADER_DEADLINE_S,
        prepare: Callable[[Guarded], None] = lambda _: None,
    ) -> None:
        self._wanted = (host, port)
        self._scripts = dict(scripts)
        self._guarded = Guarded(services)
        self.max_calls = max_calls
        self._header_deadline_s = header_deadline_s
        self._prepare = prepare
        self._listener: socket.socket | None = None
        self._lock = threading.Condition()
        self._waiting = 0
        """Threads at the door, and those that are on their way there."""
        self._started = 0
        self._running: dict[int, socket.socket] = {}
        self._refusing = 0
        self._serial = 0
        self._stopping = False
        self.ledger = Ledger(lambda: self.running)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listens and returns. Raises OSError if the address is taken."""
        listener = open_door(*self._wanted, self._header_deadline_s)
        try:
            self._prepare(self._guarded)
        except Exception:
            # A script that can't be prepared hands its callers to the failsafe; the others work.
            log.exception("scripts could not be prepared")
        self._listener = listener
        self._stopping = False
        self.ledger.open()
        with self._lock:
            self._waiting += 1
        if not self._one_more():
            listener.close()
            raise OSError("no thread to serve calls")

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        if self._listener is None:
            return self._wanted
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    @property
    def running(self) -> int:
        """Scripts that run now."""
        return len(self._running)

    def stop(self, grace_s: float = 5.0) -> None:
        """Takes no more calls, lets running ones end for `grace_s`, then cuts them (the dialplan takes over)."""
        self._stopping = True
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            self._lock.wait_for(lambda: not self._running, grace_s)
            left = list(self._running.values())
        if left:
            log.warning("scripts cut at stop", left=len(left))
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._lock.wait_for(lambda: not self._running, 2)
        self._guarded.close()
        self.ledger.close()

    def alive(self, timeout_s: float = 1.0) -> bool:
        """True if a connection made now is answered: the accept loop runs and threads can be started.

        A refusal is an answer, so an overloaded server is alive.
        """
        if self._listener is None:
            return False
        try:
            with socket.create_connection(self.address, timeout_s) as probe:
                probe.sendall(PROBE_HEADER)
                answer = probe.recv(64)
                if answer.startswith(PROBE_ANSWER):
                    # The probe took a call's place: the question is over when that is free again.
                    with contextlib.suppress(OSError):
                        probe.recv(64)
                return answer.startswith((PROBE_ANSWER, b"SET VARIABLE")) or not self._stopping
        except OSError:
            return False

    # -- calls ----------------------------------------------------------------------------------------------------

    def _at_the_door(self, listener: socket.socket) -> None:
        """One of the threads: takes the next call, sees that somebody else stands at the door, and serves it."""
        waited_since = time.monotonic()
        while not self._stopping:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                if self._may_go(time.monotonic() - waited_since):
                    return
                continue
            except OSError as error:
                if self._stopping:
                    return
                # Out of file descriptors, mostly: the calls that run must go on, and new ones come to the failsafe.
                log.error("connection not accepted", error=str(error))
                metrics.REFUSED.labels("accept").inc()
                time.sleep(0.05)
                continue
            self._dispatch(connection)
            waited_since = time.monotonic()

    def _may_go(self, idle_s: float) -> bool:
        """Whether a thread that has waited so long in vain ends: others stand at the door as well."""
        with self._lock:
            go = self._waiting > 1 and idle_s >= IDLE_S
            self._waiting -= go
        return go

    def _dispatch(self, connection: socket.socket) -> None:
        """Serves or refuses a call on this thread; before that, another thread takes its place at the door."""
        with self._lock:
            self._waiting -= 1
            alone = self._waiting == 0
            self._waiting += alone
            room = len(self._running) < self.max_calls
            if room:
                self._serial += 1
                serial = self._serial
                self._running[serial] = connection
        try:
            if alone and not self._one_more():
                # No thread left for the door: nobody could come in while this one talks.
                if room:
                    self._finished(serial)
                metrics.REFUSED.labels("full").inc()
                connection.close()
            elif room:
                self._serve(serial, connection)
            else:
                self._refuse(connection)
        finally:
            with self._lock:
                self._waiting += 1

    def _one_more(self) -> bool:
        """Starts a thread for the door, which is counted as waiting there. False if the system gives none."""
        self._started += 1
        thread = threading.Thread(
            target=self._at_the_door, args=(self._listener,), name=f"agi-{self._started}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                self._waiting -= 1
            return False
        return True

    def _refuse(self, connection: socket.socket) -> None:
        """Says why and closes; where many are refused at once, it only closes."""
        metrics.REFUSED.labels("full").inc()
        with self._lock:
            polite = self._refusing < MOST_REFUSALS
            self._refusing += polite
        if not polite:
            connection.close()
            return
        try:
            with connection, contextlib.suppress(OSError, AgiFailure):
                agi = SafeAgi(connection, limit_s=self._header_deadline_s)
                agi.read_header(0.5)
                if agi.env.get("agi_network_script") != PROBE:
                    log.warning("call refused: too many scripts run", call=agi.call, running=self.running)
                agi.call_command("SET VARIABLE", "HOTLINE_REFUSED", "1", within_s=0.5)
        finally:
            with self._lock:
                self._refusing -= 1

    def _serve(self, serial: int, connection: socket.socket) -> None:
        quick: list[float] = []

        def observe(command: str, seconds: float) -> None:
            if command in metrics.QUICK_COMMANDS:
                quick.append(seconds)

        started = time.monotonic()
        agi = SafeAgi(connection, observe, limit_s=self._header_deadline_s)
        name, outcome, detail = "", "done", ""
        try:
            agi.read_header(self._header_deadline_s)
            name = script_name(agi.env)
            if name == PROBE:
                connection.sendall(PROBE_ANSWER)
                return
            script = self._scripts.get(name)
            if script is None:
                outcome, detail, name = "unknown", name, "unknown"
            else:
                script(agi, self._guarded)
        except Hangup:
            outcome = "hangup"
        except CommandTimeout as error:
            outcome, detail = "timeout", str(error)
        except ProtocolError as error:
            outcome, detail = "protocol", str(error)
        except AgiFailure as error:
            outcome, detail = "refused-command", str(error)
        except OSError as error:
            outcome, detail = "connection", str(error)
        except Exception as error:
            outcome, detail = "crashed", f"{type(error).__name__}: {error}"
            log.exception("script crashed", script=name, call=agi.call)
        finally:
            self._finished(serial)
            with contextlib.suppress(OSError):
                connection.close()
            if name != PROBE:
                seconds = time.monotonic() - started
                self.ledger.note(
                    Ended(name or "none", agi.call, outcome, detail, seconds, agi.commands, quick, time.time())
                )

    def _finished(self, serial: int) -> None:
        with self._lock:
            self._running.pop(serial, None)
            self._lock.notify_all()


def script_name(env: Mapping[str, str]) -> str:
    """Which script a request wants: the path of agi://host/NAME, without its query. "" if it names none properly."""
    wanted = env.get("agi_network_script") or env.get("agi_request", "").partition("://")[2].partition("/")[2]
    name = wanted.partition("?")[0].strip("/")
    return name if re.fullmatch(r"[a-z_]{1,40}", name) else ""
