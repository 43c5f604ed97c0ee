"""The lock of the active core on a real PostgreSQL, and the fake one of the other tests held to it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from app.settings import REPO
from cti_bridge.activity import LEASE_S, Effect, Holder, Lock, Sight, State
from cti_bridge.core_lock import SERVER_PATIENCE_S, AdvisoryLock
from cti_bridge.standby import boot_clock_s
from tests.bridge_kit.fake_lock import FakeLock, FakeServer
from tests.integration.postgres_server import PostgresServer

HANDED_OVER_WITHIN_S = 2.0  # a busy machine; a quiet one takes hundredths of a second
HOLD = """
import sys, time
from cti_bridge.core_lock import AdvisoryLock
lock = AdvisoryLock(sys.argv[1], sys.argv[2])
print(lock.take(), flush=True)
time.sleep(600)
"""


class Doors(Protocol):
    """Two cores' doors to one lock, and what can happen to them."""

    def lock(self) -> Lock:
        """Another core's door."""

    def end_session(self, lock: Lock) -> None:
        """The server ends a core's session."""

    def freeze(self, lock: Lock) -> None:
        """The server does not answer this core, whose session stands."""

    def thaw(self, lock: Lock) -> None:
        """It answers again."""

    def unreachable(self) -> Lock:
        """The door of a core that cannot reach the database."""


class FakeDoors:
    """On the fake."""

    def __init__(self) -> None:
        self._server = FakeServer()

    def lock(self) -> FakeLock:
        return FakeLock(self._server)

    def end_session(self, lock: FakeLock) -> None:
        self._server.end_session(lock)

    def freeze(self, lock: FakeLock) -> None:
        lock.frozen = True

    def thaw(self, lock: FakeLock) -> None:
        lock.frozen = False

    def unreachable(self) -> FakeLock:
        lock = self.lock()
        lock.unreachable = True
        return lock


class RealDoors:
    """On PostgreSQL."""

    def __init__(self, server: PostgresServer, node: str) -> None:
        self._server, self._node = server, node
        self.made: list[AdvisoryLock] = []
        self._frozen: set[int] = set()

    def lock(self) -> AdvisoryLock:
        lock = AdvisoryLock(self._server.url("postgres"), self._node, answer_s=0.3)
        self.made.append(lock)
        return lock

    def end_session(self, lock: AdvisoryLock) -> None:
        with self._server._connect("postgres") as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [lock.server_pid])

    def freeze(self, lock: AdvisoryLock) -> None:
        assert lock.server_pid is not None
        self._frozen.add(lock.server_pid)
        os.kill(lock.server_pid, signal.SIGSTOP)

    def thaw(self, lock: AdvisoryLock) -> None:
        assert lock.server_pid is not None
        self._frozen.discard(lock.server_pid)
        os.kill(lock.server_pid, signal.SIGCONT)

    def unreachable(self) -> AdvisoryLock:
        return AdvisoryLock("postgresql:///nothing?host=/nonexistent", self._node)

    def close(self) -> None:
        for pid in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for lock in self.made:
            lock.drop()


@pytest.fixture(params=["fake", "postgresql"])
def doors(request: pytest.FixtureRequest) -> Iterator[Doors]:
    if request.param == "fake":
        yield FakeDoors()
        return
    real = RealDoors(request.getfixturevalue("postgres_server"), request.node.name[:20])
    yield real
    real.close()


def may_cut_a_network() -> bool:
    """Whether this user can have a network of their own."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


def soon(condition: Callable[[], object], timeout: float = 5.0) -> float:
    """Wait until it holds; how long that took in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < timeout, "did not happen"
        time.sleep(0.005)
    return time.monotonic() - began


# -- the contract, on both -------------------------------------------------------------------------------------------


def test_the_first_gets_it_and_keeps_it_and_the_second_is_refused(doors: Doors) -> None:
    first, second = doors.lock(), doors.lock()
    assert (first.take(), second.take()) == (Sight.taken, Sight.refused)
    assert (first.check(), first.ended()) == (Sight.held, False)
    assert second.take() is Sight.refused


def test_before_anything_was_asked_there_is_no_session(doors: Doors) -> None:
    assert doors.lock().ended()


def test_letting_go_gives_it_to_the_other_at_once(doors: Doors) -> None:
    first, second = doors.lock(), doors.lock()
    first.take()
    first.drop()
    first.drop()
    assert first.ended()
    soon(lambda: second.take() is Sight.taken)
    assert first.take() is Sight.refused


def test_who_loses_the_session_knows_it_without_asking_and_the_other_gets_the_lock(doors: Doors) -> None:
    first, second = doors.lock(), doors.lock()
    first.take()
    doors.end_session(first)
    soon(first.ended)
    assert first.check() is Sight.ended
    soon(lambda: second.take() is Sight.taken)
    first.drop()
    assert first.take() is Sight.refused


def test_a_server_that_does_not_answer_leaves_the_lock_where_it_is(doors: Doors) -> None:
    first, second = doors.lock(), doors.lock()
    first.take()
    doors.freeze(first)
    assert (first.check(), first.check(), first.ended()) == (Sight.silent, Sight.silent, False)
    assert second.take() is Sight.refused
    doors.thaw(first)
    soon(lambda: first.check() is Sight.held)


def test_a_database_out_of_reach_is_away(doors: Doors) -> None:
    lock = doors.unreachable()
    assert (lock.take(), lock.take(), lock.ended()) == (Sight.away, Sight.away, True)


# -- PostgreSQL alone ------------------------------------------------------------------------------------------------


def test_a_core_killed_with_kill_9_is_followed_within_seconds(postgres_server: PostgresServer) -> None:
    url = postgres_server.url("postgres")
    process = subprocess.Popen([sys.executable, "-c", HOLD, url, "killed"], cwd=REPO, stdout=subprocess.PIPE, text=True)
    second = AdvisoryLock(url, "killed")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "taken"
        assert second.take() is Sight.refused
        process.kill()
        soon(lambda: second.take() is Sight.taken, HANDED_OVER_WITHIN_S)
    finally:
        process.kill()
        process.communicate()
        second.drop()


def test_a_server_that_restarts_ends_the_activity_and_one_of_the_two_goes_on() -> None:
    server = PostgresServer()
    try:
        cores = [Holder(AdvisoryLock(server.url("postgres"), "restart"), boot_clock_s) for _ in range(2)]
        assert [core.see(core.look()) for core in cores] == [Effect.begin, Effect.none]
        active = cores[0]
        assert isinstance(active.lock, AdvisoryLock)
        assert active.lock.server_pid is not None
        os.kill(active.lock.server_pid, signal.SIGKILL)  # PostgreSQL then ends every session and starts anew
        soon(lambda: not active.may_act())
        assert active.see(active.look()) is Effect.end
        active.lock.drop()

        def somebody_acts() -> bool:
            for core in cores:
                if core.state is State.standby:
                    core.see(core.look())
            return any(core.may_act() for core in cores)

        soon(somebody_acts, 20)
        assert sum(core.may_act() for core in cores) == 1
        for core in cores:
            core.lock.drop()
    finally:
        server.stop()


def test_what_the_address_says_of_the_connection_does_not_get_in_the_way(postgres_server: PostgresServer) -> None:
    url = f"{postgres_server.url('postgres')}&connect_timeout=30&application_name=other&options=-c%20work_mem%3D1MB"
    lock = AdvisoryLock(url, "address")
    assert (lock.take(), lock.check()) == (Sight.taken, Sight.held)
    assert lock._connection is not None
    assert lock._connection.execute("SHOW application_name").fetchone() == ("hotline-core",)
    assert lock._connection.execute("SHOW work_mem").fetchone() == ("1MB",)
    lock.drop()


def test_a_lock_that_was_given_back_behind_our_back_counts_as_lost(postgres_server: PostgresServer) -> None:
    lock = AdvisoryLock(postgres_server.url("postgres"), "pooler")
    lock.take()
    assert lock._connection is not None
    lock._connection.execute("SELECT pg_advisory_unlock_all()")
    assert (lock.ended(), lock.check()) == (False, Sight.ended)
    lock.drop()


def test_a_core_cut_off_from_the_database_stops_before_the_server_gives_its_lock_away() -> None:
    if not may_cut_a_network():
        pytest.skip("this user may not make a network of its own to cut (root, unshare and ip are needed)")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.integration.cut_off"],
        cwd=REPO, capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["stopped_s"] <= LEASE_S + 0.5
    assert SERVER_PATIENCE_S - 1 < found["taken_s"] < SERVER_PATIENCE_S + 6
