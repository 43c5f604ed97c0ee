"""The drills' own instruments: a drill that cannot fail would prove nothing."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.supervisor.identity import waited_for_cpu_s
from tests.drills._hearing import longest_gap, prompt_at
from tests.drills._proxy import Relay
from tests.drills._report import Report, p99
from tests.drills._room import fill
from tests.drills._usage import read
from tests.peers import audio


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what it gets."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve(line: socket.socket) -> None:
        with line:
            while data := line.recv(1024):
                line.sendall(data)

    def accept() -> None:
        while True:
            try:
                line, _peer = door.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield door.getsockname()
    door.shutdown(socket.SHUT_RDWR)
    door.close()


def _said_back(line: socket.socket, text: bytes) -> bytes:
    line.sendall(text)
    return line.recv(1024)


def test_a_relay_passes_bytes_both_ways(echo: tuple[str, int]) -> None:
    with Relay(echo) as relay, socket.create_connection(("127.0.0.1", relay.port), timeout=5) as line:
        assert _said_back(line, b"Action: Ping") == b"Action: Ping"
        assert relay.accepted == 1


def test_a_cut_relay_ends_its_connections_and_refuses_new_ones_until_restored(echo: tuple[str, int]) -> None:
    with Relay(echo) as relay:
        line = socket.create_connection(("127.0.0.1", relay.port), timeout=5)
        assert _said_back(line, b"1") == b"1"
        relay.cut()
        assert line.recv(1) == b""
        line.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", relay.port), timeout=5)
        relay.restore()
        with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as again:
            assert _said_back(again, b"2") == b"2"


def test_a_muted_relay_accepts_but_passes_nothing_until_restored(echo: tuple[str, int]) -> None:
    with Relay(echo) as relay, socket.create_connection(("127.0.0.1", relay.port), timeout=5) as line:
        assert _said_back(line, b"1") == b"1"
        relay.mute()
        line.sendall(b"2")
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(1)
        line.settimeout(5)
        relay.restore()
        assert line.recv(1) == b"2"


async def test_a_report_is_met_only_if_every_goal_is(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("sample", say=lambda _text: None)
    async with report.scenario("first fault") as one:
        one.before = one.after = 3
        one.cases_lost = 0
    report.figure("known_again_s", 4.2)
    report.goal("known_again_s", "<=", 5.0)
    assert report.finish()["met"]
    report.goal("never_measured", "==", True)
    assert not report.finish()["met"]
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(last) == {"name", "figures", "goals", "missed", "met"}
    assert last["met"] is False


async def test_a_scenario_that_breaks_off_a_lost_caller_and_a_lost_case_are_goals_missed() -> None:
    report = Report("sample", say=lambda _text: None)
    async with report.scenario("breaks"):
        raise AssertionError("not within 3 s")
    async with report.scenario("loses") as one:
        one.before, one.after, one.cases_lost = 5, 4, 1
    words = " ".join(report.missed())
    for name in ("breaks.completed", "loses.callers_after", "loses.cases_lost"):
        assert name in words


async def test_a_scenario_that_never_counted_its_callers_afterwards_is_not_met() -> None:
    report = Report("sample", say=lambda _text: None)
    async with report.scenario("forgets") as one:
        one.before = 5
    assert report.missed()


def test_the_99th_percentile_of_few_is_the_largest() -> None:
    assert p99([1.0, 9.0, 2.0]) == 9.0
    assert p99([]) is None


def test_a_prompt_is_found_where_it_begins_through_noise_and_other_volume(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    voice = np.convolve(chance.normal(size=audio.RATE * 2), np.ones(8) / 8, "same") * 0.2
    prompt = audio.write_samples(tmp_path / "prompt.wav", np.concatenate((np.zeros(800), voice)))
    heard = np.concatenate((np.zeros(audio.RATE * 3), np.zeros(800), voice * 0.4, np.zeros(audio.RATE)))
    heard += chance.normal(size=len(heard)) * 0.01
    file = audio.write_samples(tmp_path / "heard.wav", heard)
    assert prompt_at(file, prompt) == pytest.approx(3.0, abs=0.02)
    assert prompt_at(file, prompt, since=4.0) is None
    other = audio.write_samples(tmp_path / "other.wav", chance.normal(size=audio.RATE * 4) * 0.1)
    assert prompt_at(other, prompt) is None


def test_a_gap_in_a_tone_is_measured(tmp_path: Path) -> None:
    at = np.arange(audio.RATE * 6) / audio.RATE
    tone = np.sin(2 * np.pi * 440 * at) * 0.2
    tone[audio.RATE * 2 : audio.RATE * 4] = 0
    file = audio.write_samples(tmp_path / "talk.wav", tone)
    assert longest_gap(file, 440, 0.0) == pytest.approx(2.0, abs=0.2)
    assert longest_gap(file, 440, 4.0) < 0.2
    assert longest_gap(file, 880, 0.0) > 5


def test_our_own_cpu_time_and_memory_can_be_read() -> None:
    found = read(os.getpid())
    assert found is not None
    cpu_s, memory_mb = found
    assert 0 < cpu_s < time.monotonic()
    assert 5 < memory_mb < 5000
    assert 0 <= waited_for_cpu_s(os.getpid()) < time.monotonic()
    assert read(2**22 + 1) is None


def test_a_disk_is_filled_up_to_what_is_to_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class State:
        f_bavail, f_frsize = 3, 2**20

    monkeypatch.setattr("tests.drills._room.os.statvfs", lambda _folder: State)
    fill(tmp_path, leave_mb=2)
    assert (tmp_path / ".filler").stat().st_size == 2**20
