"""A lock for two cores without a database. That it behaves as the real one does is what test_core_lock.py proves."""

from __future__ import annotations

from cti_bridge.activity import Sight


class FakeServer:
    """The database's side: who has the lock."""

    def __init__(self) -> None:
        self.holder: FakeLock | None = None

    def end_session(self, lock: FakeLock) -> None:
        """The session is closed by the server, and its end reaches the core."""
        lock.drop()

    def lose_silently(self, lock: FakeLock) -> None:
        """The server gives the lock up for lost; the core is cut off and is not told."""
        lock.frozen = lock.unreachable = True
        if self.holder is lock:
            self.holder = None


class FakeLock:
    """One core's door. `frozen`: questions are not answered. `unreachable`: no new session can be made."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._session = False
        self.asked = 0
        self.frozen = False
        self.unreachable = False

    def take(self) -> Sight:
        """See `Lock`."""
        self.asked += 1
        if self.unreachable or self.frozen:
            return Sight.away
        self._session = True
        if self._server.holder is not None:
            return Sight.refused
        self._server.holder = self
        return Sight.taken

    def check(self) -> Sight:
        """See `Lock`."""
        if not self._session:
            return Sight.ended
        if self.frozen:
            return Sight.silent
        return Sight.held if self._server.holder is self else Sight.ended

    def ended(self) -> bool:
        """See `Lock`."""
        return not self._session

    def drop(self) -> None:
        """See `Lock`."""
        self._session = False
        if self._server.holder is self:
            self._server.holder = None
