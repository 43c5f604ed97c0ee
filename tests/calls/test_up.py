"""`hotline up` as a whole: what it tells a person, one per home, doctor's verdict, and what survives which death."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import REPO
from tests.harness.system import HotlineSystem


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HotlineSystem]:
    with HotlineSystem(tmp_path_factory.mktemp("up") / "home") as started:
        yield started


def hotline(system: HotlineSystem, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "app.cli.main", *arguments]
    return subprocess.run(argv, cwd=REPO, env=system._env, capture_output=True, text=True, timeout=90)


def test_a_person_is_told_where_it_is_and_how_to_get_in(system: HotlineSystem) -> None:
    system.wait(lambda: "12345 is up" in system._output.read_text(), 20, "the banner")
    told = system._output.read_text()
    password = (system.home / "secrets/admin_password").read_text().strip()
    assert system.http in told
    assert f"one-time password: {password}" in told
    assert f"sip:12345@127.0.0.1:{system.settings.sip_port}" in told
    assert "Ctrl-C" in told


def test_a_second_one_in_the_same_home_gives_up_and_says_why(system: HotlineSystem) -> None:
    second = hotline(system, "up")
    assert second.returncode == 1
    assert "already running here" in second.stderr
    assert "Remedy" in second.stderr
    assert system.healthy()


def test_doctor_finds_all_well_and_its_test_call_is_answered(system: HotlineSystem) -> None:
    shown = hotline(system, "doctor", "--json")
    checks = {check["check"]: check for check in json.loads(shown.stdout)["checks"]}
    bad = [check for check in checks.values() if check["level"] == "broken"]
    assert not bad
    assert checks["test call"]["level"] == "ok"
    assert shown.returncode in (0, 1)


def test_status_shows_all_processes(system: HotlineSystem) -> None:
    shown = hotline(system, "status", "--json")
    assert shown.returncode == 0, shown.stdout
    assert set(json.loads(shown.stdout)["processes"]) == {"asterisk", "voice", "core"}


@pytest.mark.parametrize("name", ["voice", "core"])
def test_a_killed_backend_process_is_back_within_five_seconds(system: HotlineSystem, name: str) -> None:
    before = system.pids()
    system.kill(name)
    took = system.wait(lambda: system.pids().get(name) not in (None, before[name]), 5, f"another {name}")
    system.wait_healthy(10)
    assert took < 2
    assert {key: pid for key, pid in system.pids().items() if key != name} == {
        key: pid for key, pid in before.items() if key != name
    }


def test_a_frozen_voice_process_is_replaced_within_ten_seconds(system: HotlineSystem) -> None:
    before = system.pids()["voice"]
    # Until its first heartbeat a process is still starting, for which it is given longer.
    system.wait((system.home / "run/voice.beat").exists, 10, "the voice process's first heartbeat")
    system.kill("voice", number=signal.SIGSTOP)
    system.wait(lambda: system.pids().get("voice") not in (None, before), 10, "another voice process")
    system.wait_healthy(10)


def test_after_a_killed_supervisor_asterisk_goes_on_and_the_next_one_takes_it_over(system: HotlineSystem) -> None:
    before = system.pids()
    supervisor = int((system.home / "run/supervisor.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    system._supervisor.wait(10)  # type: ignore[union-attr]
    os.kill(before["asterisk"], 0)
    system.start()  # what the killed one left answers until its replacement does
    system.wait(lambda: system.pids().get("core") not in (None, before["core"]), 10, "another core")
    system.wait_healthy(20)
    assert system.pids()["asterisk"] == before["asterisk"]
    assert hotline(system, "doctor", "--json").returncode in (0, 1)


def test_a_core_and_a_voice_process_that_die_are_followed_by_those_that_have_read_everything(tmp_path: Path) -> None:
    with HotlineSystem(tmp_path / "home", spares=True) as system:
        system.wait_spares()
        before = system.pids()
        following = {name: system.spare_pid(name) for name in ("voice", "core")}
        system.kill("voice", "core")
        system.wait(lambda: system.pids().items() >= following.items(), 10, "the spares to follow")
        assert system.pids()["asterisk"] == before["asterisk"]
        system.wait_healthy(20)
        checks = json.loads(hotline(system, "doctor", "--json").stdout)["checks"]
        assert [check for check in checks if check["level"] == "broken"] == []
        system.wait_spares()
        assert {system.spare_pid(name) for name in following}.isdisjoint(following.values())


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    with HotlineSystem(tmp_path / "home") as system:
        pids = system.pids()
        assert set(pids) == {"asterisk", "voice", "core"}
        process = system._supervisor
        assert process is not None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        for pid in pids.values():
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        assert not list((system.home / "run").glob("*.pid"))
