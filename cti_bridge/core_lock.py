"""The lock that says which core acts: a PostgreSQL advisory lock on a connection of its own.

The server frees it when the session ends, however it ends. The key is a pair: 12345, and the CRC-32 of the instance's
`node`, so that several hotlines may share a database. Who has it:

    SELECT pid, objid FROM pg_locks WHERE locktype = 'advisory' AND classid = 12345 AND objsubid = 2 AND granted

Both ends watch the connection. The server gives up on a core from which it has heard nothing for 12 s, and not before;
so a core that is cut off knows by its own clock until when the lock is still its own. The connection must reach the
server itself: a pooler that shares sessions out would give the lock to whoever comes next.
"""

from __future__ import annotations

import select
import time
import zlib

import psycopg
import structlog
from psycopg import pq

from app.db import engine_url
from cti_bridge.activity import Sight

log = structlog.get_logger(__name__)

CLASS = 12345
SERVER_PATIENCE_S = 12
CONNECT_S = 2
ANSWER_S = 2.0
_SERVER = (
    f"-c tcp_keepalives_idle={SERVER_PATIENCE_S // 2} -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    f" -c tcp_user_timeout={SERVER_PATIENCE_S * 1000} -c statement_timeout=0"
)


def key_of(node: str) -> int:
    """The second half of the lock's key, as PostgreSQL's signed integer."""
    number = zlib.crc32(f"hotline-core:{node}".encode())
    return number - 2**32 if number >= 2**31 else number


class AdvisoryLock:
    """See the module's text; `cti_bridge.activity.Lock` says what the methods promise. For one thread at a time,
    except `ended`, which any thread may ask."""

    def __init__(self, url: str, node: str, *, answer_s: float = ANSWER_S) -> None:
        self._url = engine_url(url)
        if self._url.get_backend_name() != "postgresql":
            raise ValueError("only PostgreSQL has a lock that two cores can share")
        key = key_of(node)
        self._take = f"SELECT pg_try_advisory_lock({CLASS}, {key})".encode()
        self._mine = (
            "SELECT count(*) = 1 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted"
            f" AND classid = {CLASS} AND objid = {key % 2**32} AND objsubid = 2"
        ).encode()
        self._answer_s = answer_s
        self._connection: psycopg.Connection | None = None
        self._owed = False  # a question to which no answer has come yet
        self._problem = ""

    @property
    def server_pid(self) -> int | None:
        """The server's process for our session, None without one."""
        connection = self._connection
        return None if connection is None else connection.info.backend_pid

    def take(self) -> Sight:
        """Connect if need be, and try once: taken, refused or away."""
        answer, problem = None, ""
        try:
            if self._connection is None:
                self._connection = self._connect()
            answer = self._ask(self._take)
        except psycopg.Error as error:
            problem = type(error).__name__
        if answer is None:
            self._say(problem or "no answer")
            self.drop()  # the answer may still be yes: nobody would know
            return Sight.away
        self._say("")
        return Sight.taken if answer else Sight.refused

    def check(self) -> Sight:
        """Whether the lock is still ours: held, silent or ended."""
        try:
            answer = self._ask(self._mine)
        except psycopg.Error:
            return Sight.ended
        if answer is None:
            return Sight.silent
        return Sight.held if answer else Sight.ended

    def ended(self) -> bool:
        """Whether the kernel knows that the other end has closed, or there is no session."""
        connection = self._connection
        try:
            return connection is None or _hung_up(connection.pgconn.socket)
        except (psycopg.Error, OSError):
            return True

    def drop(self) -> None:
        """End the session."""
        connection, self._connection, self._owed = self._connection, None, False
        if connection is not None:
            connection.close()

    def _say(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("the lock of the active core cannot be asked for", problem=problem)
        self._problem = problem

    def _connect(self) -> psycopg.Connection:
        _, given = self._url.get_dialect()().create_connect_args(self._url)
        ours = {
            "autocommit": True,
            "connect_timeout": CONNECT_S,
            "application_name": "hotline-core",
            "options": f"{given.get('options', '')} {_SERVER}".strip(),
            "keepalives_idle": SERVER_PATIENCE_S // 2,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": SERVER_PATIENCE_S * 1000,
        }
        return psycopg.connect(**{**given, **ours})

    def _ask(self, question: bytes) -> bool | None:
        """The answer to a yes-or-no question; None if it does not come in time. Raises psycopg.Error.

        An answer that was not waited for any longer comes first and is thrown away.
        """
        assert self._connection is not None
        line, deadline = self._connection.pgconn, time.monotonic() + self._answer_s
        if self._owed and self._answer(line, deadline) is None:
            return None
        line.send_query(question)
        self._owed = True
        answer = self._answer(line, deadline)
        return None if answer is None else answer == b"t"

    def _answer(self, line: pq.abc.PGconn, deadline: float) -> bytes | None:
        """The first field of what the server says, or None after the deadline."""
        found: bytes | None = None
        while True:
            while line.is_busy():
                ready = select.poll()
                ready.register(line.socket, select.POLLIN)
                if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
                    return None
                line.consume_input()
            result = line.get_result()
            if result is None:
                self._owed = False
                return found
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise psycopg.OperationalError(result.get_error_message())
            found = result.get_value(0, 0)


def _hung_up(descriptor: int) -> bool:
    line = select.poll()
    line.register(descriptor, select.POLLRDHUP)
    return bool(line.poll(0))
