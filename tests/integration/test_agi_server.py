"""The FastAGI server over real sockets: caps, deadlines, refusals, probes and a stop that lets calls end."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agi_scripts.door import ENOUGH, SHORTEST_HEADER
from agi_scripts.errors import Hangup
from agi_scripts.guarded import Guarded
from agi_scripts.memory_services import MemoryServices
from agi_scripts.safe_agi import SafeAgi
from agi_scripts.server import FastAgiServer, script_name
from agi_scripts.services import VoiceSetup
from tests.unit.agi_fake_asterisk import header

WAIT_S = 20.0


class Gate:
    """A script that says that it runs and waits to be let on."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.let_on = threading.Event()
        self.ended: list[BaseException | None] = []

    def __call__(self, agi: SafeAgi, services: Guarded) -> None:
        self.entered.release()
        self.let_on.wait(WAIT_S)
        try:
            agi.call_command("NOOP", "done")
            self.ended.append(None)
        except Hangup as error:
            self.ended.append(error)
            raise


def crash(agi: SafeAgi, services: Guarded) -> None:
    raise ZeroDivisionError("on purpose")


def chat(agi: SafeAgi, services: Guarded) -> None:
    for _ in range(50):
        agi.call_command("NOOP")


@contextlib.contextmanager
def serving(
    tmp_path: Path, max_calls: int = 8, header_deadline_s: float = 0.3, **scripts: Any
) -> Iterator[FastAgiServer]:
    services = MemoryServices(VoiceSetup(tmp_path, lambda name: name, tmp_path, tmp_path))
    server = FastAgiServer("127.0.0.1", 0, scripts, services, max_calls, header_deadline_s=header_deadline_s)
    server.start()
    try:
        yield server
    finally:
        server.stop(0.1)


_open: list[socket.socket] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    """Closes what a test has left open."""
    yield
    while _open:
        _open.pop().close()


def connect(server: FastAgiServer) -> socket.socket:
    connection = socket.create_connection(server.address, WAIT_S)
    _open.append(connection)
    return connection


def call(server: FastAgiServer, script: str) -> socket.socket:
    connection = connect(server)
    connection.sendall(header({"agi_network_script": script}))
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while block := connection.recv(4096):
            received += block
    return received


def refused(address: tuple[str, int]) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return True
    return False


def until(condition: Any) -> None:
    """Waits for `condition()`; fails after WAIT_S."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "did not happen"
        threading.Event().wait(0.005)


def test_calls_run_side_by_side_each_on_its_thread(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, gate=gate) as server:
        connections = [call(server, "gate") for _ in range(5)]
        for _ in connections:
            assert gate.entered.acquire(timeout=WAIT_S)
        assert server.running == 5
        gate.let_on.set()
        assert [connection.recv(100) for connection in connections] == [b"NOOP done\n"] * 5
        for connection in connections:
            connection.sendall(b"200 result=0\n")
            assert rest_of(connection) == b""
        until(lambda: server.running == 0)


def test_above_the_cap_a_call_is_refused_at_once_and_told_so(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, max_calls=2, gate=gate) as server:
        held = [call(server, "gate") for _ in range(2)]
        for _ in held:
            assert gate.entered.acquire(timeout=WAIT_S)
        started = time.monotonic()
        refused = call(server, "gate")
        assert refused.recv(100) == b"SET VARIABLE HOTLINE_REFUSED 1\n"
        refused.sendall(b"200 result=1\n")
        assert rest_of(refused) == b""
        assert time.monotonic() - started < 1
        assert server.running == 2
        gate.let_on.set()
        until(lambda: gate.ended or held[0].recv(100))


def test_many_refusals_do_not_make_many_threads(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, max_calls=1, gate=gate) as server:
        held = call(server, "gate")
        assert gate.entered.acquire(timeout=WAIT_S)
        before = threading.active_count()
        silent = [connect(server) for _ in range(200)]
        assert threading.active_count() - before <= 40
        for connection in silent:
            rest_of(connection)
        gate.let_on.set()
        held.close()


def test_a_connection_that_never_says_what_it_wants_is_closed(tmp_path: Path) -> None:
    with serving(tmp_path, chat=chat) as server:
        with socket.create_connection(server.address, WAIT_S) as connection:
            connection.sendall(b"agi_network: yes\n")
            assert rest_of(connection) == b""
        until(lambda: server.running == 0)
        assert server.alive()


def test_a_header_is_understood_at_once_wherever_it_is_cut(tmp_path: Path) -> None:
    whole = header({"agi_network_script": "chat", "agi_callerid": "1", "agi_channel": "x"})
    assert len(whole) >= SHORTEST_HEADER
    with serving(tmp_path, header_deadline_s=WAIT_S, chat=chat) as server:
        for cut in (*range(1, len(whole), 23), *range(ENOUGH - 3, ENOUGH + 4), SHORTEST_HEADER - 1):
            with connect(server) as connection:
                connection.sendall(whole[:cut])
                threading.Event().wait(0.003)
                began = time.monotonic()
                connection.sendall(whole[cut:])
                assert connection.recv(5) == b"NOOP\n"
                assert time.monotonic() - began < WAIT_S / 2, f"cut after {cut} bytes it waited for the deadline"


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 50_000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\n\n", b"agi_x" * 9000, b"\x16\x03\x01\n\n"]
)
def test_garbage_is_closed_and_the_next_call_is_served(tmp_path: Path, garbage: bytes) -> None:
    gate = Gate()
    gate.let_on.set()
    with serving(tmp_path, gate=gate) as server:
        with socket.create_connection(server.address, WAIT_S) as connection, contextlib.suppress(OSError):
            connection.sendall(garbage)
            rest_of(connection)
        with call(server, "gate") as connection:
            assert connection.recv(100) == b"NOOP done\n"


def test_a_script_that_crashes_costs_only_its_own_call(tmp_path: Path) -> None:
    with serving(tmp_path, crash=crash, chat=chat) as server, capture_logs() as logs:
        assert rest_of(call(server, "crash")) == b""
        until(lambda: any(entry.get("outcome") == "crashed" for entry in logs))
        assert server.alive()


def test_an_unknown_script_is_closed_and_logged(tmp_path: Path) -> None:
    with serving(tmp_path, chat=chat) as server, capture_logs() as logs:
        assert rest_of(call(server, "frobnicate")) == b""
        until(lambda: any(entry.get("outcome") == "unknown" for entry in logs))


def test_a_call_is_logged_once_by_ids_only(tmp_path: Path) -> None:
    gate = Gate()
    gate.let_on.set()
    with serving(tmp_path, gate=gate) as server, capture_logs() as logs:
        with call(server, "gate") as connection:
            connection.recv(100)
            connection.sendall(b"200 result=0\n")
            rest_of(connection)
        until(lambda: any(entry["event"] == "script ended" for entry in logs))
    ended = [entry for entry in logs if entry["event"] == "script ended"]
    assert [(entry["script"], entry["outcome"], entry["commands"]) for entry in ended] == [("gate", "done", 1)]
    assert "13800000000" not in str(logs)


def test_scripts_that_end_well_are_written_down_together_and_one_that_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agi_scripts.ledger.GATHER_S", 60.0)
    with (
        serving(tmp_path, max_calls=20, well=lambda agi, services: None, crash=crash) as server,
        capture_logs() as logs,
    ):

        def written() -> list[str]:
            return [entry["script"] for entry in logs if entry["event"] == "script ended"]

        for _ in range(10):
            assert rest_of(call(server, "well")) == b""
        until(lambda: server.running == 0)
        assert not written()
        assert rest_of(call(server, "crash")) == b""
        until(lambda: "crash" in written())
        assert written().count("well") >= 9  # the last of them may have ended without having been noted yet
        until(lambda: server.ledger.write() or sorted(written()) == ["crash", *["well"] * 10])


def test_what_ended_last_is_written_down_at_the_stop(tmp_path: Path) -> None:
    with capture_logs() as logs:
        with serving(tmp_path, chat=lambda agi, services: None) as server:
            assert rest_of(call(server, "chat")) == b""
            until(lambda: server.running == 0)
        assert [entry["script"] for entry in logs if entry["event"] == "script ended"] == ["chat"]


def test_idle_threads_end_but_one_stays_at_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_scripts.server.IDLE_S", 0.1)
    gate = Gate()
    before = threading.active_count()
    with serving(tmp_path, max_calls=20, gate=gate) as server:
        connections = [call(server, "gate") for _ in range(10)]
        for _ in connections:
            assert gate.entered.acquire(timeout=WAIT_S)
        assert threading.active_count() - before >= 11
        gate.let_on.set()
        for connection in connections:
            connection.close()
        until(lambda: threading.active_count() - before <= 2)
        assert server.alive()


def test_a_caller_who_hangs_up_ends_the_script(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, gate=gate) as server:
        connection = call(server, "gate")
        assert gate.entered.acquire(timeout=WAIT_S)
        connection.close()
        gate.let_on.set()
        until(lambda: server.running == 0)
        assert isinstance(gate.ended[0], Hangup)


def test_stopping_lets_running_calls_end(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, gate=gate) as server:
        connection = call(server, "gate")
        assert gate.entered.acquire(timeout=WAIT_S)
        address = server.address
        stopper = threading.Thread(target=server.stop, args=(WAIT_S,))
        stopper.start()
        until(lambda: not server.alive() and refused(address))
        gate.let_on.set()
        assert connection.recv(100) == b"NOOP done\n"
        connection.sendall(b"200 result=0\n")
        stopper.join(WAIT_S)
        assert not stopper.is_alive()
        assert gate.ended == [None]


def test_stopping_cuts_a_call_that_does_not_end(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, gate=gate) as server:
        connection = call(server, "gate")
        assert gate.entered.acquire(timeout=WAIT_S)
        started = time.monotonic()
        stopper = threading.Thread(target=server.stop, args=(0.1,))
        stopper.start()
        assert rest_of(connection) == b""
        gate.let_on.set()
        stopper.join(WAIT_S)
        assert time.monotonic() - started < 4
        assert isinstance(gate.ended[0], Hangup)


def test_alive_is_true_also_when_full_and_false_when_stopped(tmp_path: Path) -> None:
    gate = Gate()
    with serving(tmp_path, max_calls=1, gate=gate) as server:
        assert server.alive()
        held = call(server, "gate")
        assert gate.entered.acquire(timeout=WAIT_S)
        assert server.alive()
        gate.let_on.set()
        held.close()
        server.stop(0.1)
        assert not server.alive()


def test_a_probe_leaves_its_place_before_it_is_answered_for(tmp_path: Path) -> None:
    with serving(tmp_path, max_calls=1, chat=chat) as server:
        for _ in range(50):
            assert server.alive()
            assert server.running == 0


def test_alive_is_false_when_the_accept_loop_is_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, chat=chat) as server:
        stuck = threading.Event()
        monkeypatch.setattr(server, "_dispatch", lambda connection: stuck.wait(WAIT_S))
        assert not server.alive(0.2)
        stuck.set()


def test_first_callers_wait_at_the_door_until_the_scripts_are_prepared(tmp_path: Path) -> None:
    gate, may_begin = Gate(), threading.Event()
    gate.let_on.set()
    services = MemoryServices(VoiceSetup(tmp_path, lambda name: name, tmp_path, tmp_path))
    server = FastAgiServer("127.0.0.1", 0, {"gate": gate}, services, prepare=lambda _: may_begin.wait(WAIT_S) and None)
    starter = threading.Thread(target=server.start)
    with socket.create_server(("127.0.0.1", 0)) as free:
        server._wanted = free.getsockname()[:2]
    starter.start()
    until(lambda: not refused(server.address))
    early = call(server, "gate")
    assert not gate.entered.acquire(timeout=0.05)
    may_begin.set()
    starter.join(WAIT_S)
    assert early.recv(100) == b"NOOP done\n"
    server.stop(0.1)


def test_what_cannot_be_prepared_does_not_keep_the_other_scripts_from_working(tmp_path: Path) -> None:
    def broken(_: Guarded) -> None:
        raise ValueError("line 7: no such node")

    services = MemoryServices(VoiceSetup(tmp_path, lambda name: name, tmp_path, tmp_path))
    server = FastAgiServer("127.0.0.1", 0, {"chat": chat}, services, prepare=broken)
    with capture_logs() as logs:
        server.start()
    assert any(entry["event"] == "scripts could not be prepared" for entry in logs)
    assert call(server, "chat").recv(5) == b"NOOP\n"
    server.stop(0.1)


def test_a_taken_port_is_an_error_at_start(tmp_path: Path) -> None:
    with serving(tmp_path, chat=chat) as server:
        services = MemoryServices(VoiceSetup(tmp_path, lambda name: name, tmp_path, tmp_path))
        second = FastAgiServer(*server.address, {"chat": chat}, services)
        with pytest.raises(OSError):
            second.start()


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"agi_network_script": "voice_menu"}, "voice_menu"),
        ({"agi_request": "agi://127.0.0.1:4573/voice_menu?x=1"}, "voice_menu"),
        ({"agi_network_script": "../../etc/passwd"}, ""),
        ({"agi_network_script": ""}, ""),
        ({}, ""),
    ],
)
def test_the_script_is_named_by_the_requests_path(env: dict[str, str], name: str) -> None:
    assert script_name(env) == name
