"""The supervisor over real processes: what dies or freezes is replaced, what works is adopted, nothing stays behind."""

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.supervisor.single import end_leftovers, leftovers
from tests.integration.supervised import TIMING, Supervised, is_running


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    found = Supervised(tmp_path)
    yield found
    found.clean_up()


def test_a_killed_child_is_started_again_at_once(supervised: Supervised) -> None:
    process = supervised.start(core="")
    old = supervised.events("start", "core")[0][3]
    began = time.monotonic()
    os.kill(old, signal.SIGKILL)
    new = supervised.replaced("core", old)
    started = supervised.until(lambda: [event for event in supervised.events("start", "core") if event[3] == new])[0][0]
    assert started - began < 0.6
    status = supervised.status("core")
    assert (status["restarts"], status["last_reason"], status["last_exit"]) == (1, "killed by SIGKILL", -9)
    assert "core: killed by SIGKILL; starting it again now" in supervised.stop(process)


def test_a_frozen_child_is_killed_and_replaced_in_time(supervised: Supervised) -> None:
    supervised.start(core="", voice="")
    frozen, other = supervised.pid("core"), supervised.pid("voice")
    assert frozen
    assert other
    supervised.until(lambda: (supervised.folder / "core.beat").exists())
    began = time.monotonic()
    os.kill(frozen, signal.SIGSTOP)
    supervised.replaced("core", frozen)
    assert time.monotonic() - began < TIMING.beat_stale + 1.0
    assert not is_running(frozen)
    assert supervised.pid("voice") == other
    assert supervised.status("core")["last_reason"] == "frozen: no sign of life"


def test_a_child_that_never_becomes_ready_is_replaced_after_its_grace(supervised: Supervised) -> None:
    supervised.start(core="silent")
    first = supervised.events("start", "core")[0]
    supervised.replaced("core", first[3])
    supervised.until(lambda: len(supervised.events("start", "core")) == 2)
    second = supervised.events("start", "core")[1]
    assert TIMING.first_beat_grace <= second[0] - first[0] < TIMING.first_beat_grace + 2
    assert supervised.status("core")["last_reason"] == "never became ready"


def test_a_start_that_is_slow_on_a_busy_machine_is_given_longer_the_next_time(supervised: Supervised) -> None:
    """A full house on a busy machine: a core that needed 21 s to start was killed after 20, again and again."""
    supervised.start(core="late")
    supervised.until(lambda: (supervised.folder / "core.beat").exists(), 20)
    assert [event[1:3] for event in supervised.events()] == [("core", "start"), ("core", "start")]


def test_a_start_that_waits_for_the_processor_is_not_taken_for_frozen(supervised: Supervised) -> None:
    """A full house on two processors: a core that was ready after 20.1 s was killed at that moment, and callers waited
    for as long again."""
    supervised.start(core="crowded")
    began = supervised.events("start", "core")[0][0]
    supervised.until(lambda: (supervised.folder / "core.beat").exists(), 20)
    assert time.monotonic() - began > TIMING.first_beat_grace
    assert [event[1:3] for event in supervised.events()] == [("core", "start")]


def test_a_child_that_keeps_dying_is_started_ever_more_slowly_and_the_others_run_on(supervised: Supervised) -> None:
    supervised.start(core="dies", voice="")
    supervised.until(lambda: len(supervised.events("start", "core")) >= 6)
    times = [event[0] for event in supervised.events("start", "core")[:6]]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] < 0.4
    assert gaps[2] >= 0.4
    assert min(gaps[3:]) >= 0.8
    assert len(supervised.events("start", "voice")) == 1
    assert supervised.status("core")["last_reason"] == "ended with exit status 7 (then the reason)"


def test_a_program_that_does_not_exist_is_told_and_harms_nobody(supervised: Supervised) -> None:
    process = supervised.start(core="missing", voice="")
    supervised.until(lambda: supervised.status("core").get("restarts", 0) >= 2)
    assert supervised.status("voice")["state"] == "running"
    assert "could not be started" in supervised.stop(process)


def test_ctrl_c_stops_all_children_one_after_the_other_last_started_first(supervised: Supervised) -> None:
    process = supervised.start(asterisk="", voice="", core="")
    said = supervised.stop(process)
    assert process.returncode == 0, said
    assert [event[1] for event in supervised.events("term")] == ["core", "voice", "asterisk"]
    assert not any(is_running(event[3]) for event in supervised.events("start"))
    assert not list(supervised.folder.glob("*.pid"))


def test_the_terminals_ctrl_c_does_not_reach_the_children_directly(supervised: Supervised) -> None:
    process = supervised.start(asterisk="")
    child = supervised.pid("asterisk")
    assert child
    assert os.getpgid(child) != os.getpgid(process.pid)
    assert os.getsid(child) != os.getsid(process.pid)


def test_sigterm_stops_as_ctrl_c_does(supervised: Supervised) -> None:
    process = supervised.start(core="")
    supervised.stop(process, signal.SIGTERM)
    assert process.returncode == 0
    assert supervised.events("term", "core")


def test_a_child_that_does_not_stop_is_killed_after_its_grace(supervised: Supervised) -> None:
    process = supervised.start(core="deaf")
    began = time.monotonic()
    said = supervised.stop(process)
    assert 1.0 <= time.monotonic() - began < 3.0
    assert "has not stopped after 1 s; killing it" in said
    assert not any(is_running(event[3]) for event in supervised.events("start"))


def test_a_frozen_child_can_be_stopped(supervised: Supervised) -> None:
    process = supervised.start(core="")
    child = supervised.pid("core")
    assert child
    os.kill(child, signal.SIGSTOP)
    supervised.stop(process)
    assert supervised.events("term", "core")
    assert not is_running(child)


def test_a_second_ctrl_c_stops_at_once(supervised: Supervised) -> None:
    process = supervised.start(asterisk="deaf", voice="deaf", core="deaf")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    supervised.until(lambda: supervised.events("term", "core"))
    supervised.stop(process)
    assert time.monotonic() - began < 1.0
    assert not any(is_running(event[3]) for event in supervised.events("start"))


def test_a_second_supervisor_says_that_one_is_running_and_gives_up(supervised: Supervised) -> None:
    first = supervised.start(core="")
    second = supervised.launch(core="")
    said = second.communicate(timeout=10)[0]
    assert second.returncode == 1
    assert f"already running here (process {first.pid})" in said
    assert len(supervised.events("start")) == 1


def test_after_a_killed_supervisor_the_next_adopts_what_may_survive_and_replaces_the_rest(
    supervised: Supervised,
) -> None:
    first = supervised.start(asterisk="socket survives", core="")
    asterisk, core = supervised.pid("asterisk"), supervised.pid("core")
    assert asterisk
    assert core
    supervised.until(lambda: supervised.status("asterisk").get("state") == "running")
    first.kill()
    first.wait()
    assert is_running(asterisk)
    assert is_running(core)
    second = supervised.launch(asterisk="socket survives", core="")
    supervised.replaced("core", core)
    assert not is_running(core)
    assert supervised.pid("asterisk") == asterisk
    assert supervised.until(lambda: supervised.status("asterisk").get("adopted"))
    said = supervised.stop(second)
    assert "taken over" in said
    assert not is_running(asterisk)


def test_an_adopted_child_that_dies_is_started_again(supervised: Supervised) -> None:
    first = supervised.start(asterisk="socket survives")
    asterisk = supervised.pid("asterisk")
    assert asterisk
    first.kill()
    first.wait()
    supervised.launch(asterisk="socket survives")
    supervised.until(lambda: supervised.status("asterisk").get("adopted"))
    os.kill(asterisk, signal.SIGKILL)
    new = supervised.replaced("asterisk", asterisk)
    supervised.until(lambda: supervised.status("asterisk").get("adopted") is False)
    assert is_running(new)


def test_an_adopted_child_that_freezes_is_killed_and_started_again(supervised: Supervised) -> None:
    first = supervised.start(asterisk="socket survives")
    asterisk = supervised.pid("asterisk")
    assert asterisk
    first.kill()
    first.wait()
    supervised.launch(asterisk="socket survives")
    supervised.until(lambda: supervised.status("asterisk").get("adopted"))
    os.kill(asterisk, signal.SIGSTOP)
    supervised.replaced("asterisk", asterisk)
    assert not is_running(asterisk)


def test_what_a_killed_supervisor_left_can_be_ended_without_starting_another(supervised: Supervised) -> None:
    first = supervised.start(asterisk="socket survives", voice="", core="deaf")
    assert leftovers(supervised.folder) == {}
    first.kill()
    first.wait()
    assert list(leftovers(supervised.folder)) == ["core", "voice", "asterisk"]
    assert end_leftovers(supervised.folder, timeout=0.3) == ["core", "voice", "asterisk"]
    assert not any(is_running(event[3]) for event in supervised.events("start"))
    assert [event[1] for event in supervised.events("term")] == ["core", "voice", "asterisk"]
    assert end_leftovers(supervised.folder) == []


def test_a_survivor_that_no_longer_answers_is_replaced_and_not_adopted(supervised: Supervised) -> None:
    first = supervised.start(asterisk="socket survives")
    asterisk = supervised.pid("asterisk")
    assert asterisk
    first.kill()
    first.wait()
    os.kill(asterisk, signal.SIGSTOP)
    supervised.launch(asterisk="socket survives")
    supervised.replaced("asterisk", asterisk)
    assert not is_running(asterisk)
    assert supervised.status("asterisk")["adopted"] is False


def test_another_program_that_has_got_an_old_pid_is_left_alone(supervised: Supervised) -> None:
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        stale = {"pid": innocent.pid, "start_ticks": 1, "boot": boot}
        for name in ("core", "supervisor"):
            (supervised.folder / f"{name}.process").write_text(json.dumps(stale))
            (supervised.folder / f"{name}.pid").write_text(str(innocent.pid))
        supervised.start(core="")
        assert supervised.pid("core") == supervised.events("start", "core")[0][3]
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\0\0\0"])
def test_a_broken_file_about_a_process_is_no_obstacle(supervised: Supervised, content: str) -> None:
    (supervised.folder / "core.process").write_text(content)
    supervised.start(core="")
    assert is_running(supervised.events("start", "core")[0][3])


def test_what_a_dead_child_had_started_is_ended_with_it(supervised: Supervised) -> None:
    supervised.start(core="child")
    helper = supervised.until(lambda: supervised.events("helper"))[0][3]
    child = supervised.pid("core")
    assert child
    os.kill(child, signal.SIGKILL)
    supervised.replaced("core", child)
    supervised.until(lambda: not is_running(helper))


def test_no_helper_of_a_child_outlives_the_test_that_started_it(supervised: Supervised) -> None:
    supervised.start(core="child")
    helper = supervised.until(lambda: supervised.events("helper"))[0][3]
    supervised.clean_up()
    supervised.until(lambda: not is_running(helper))


def test_a_supervisor_that_was_halted_itself_kills_nobody(supervised: Supervised) -> None:
    process = supervised.start(core="")
    child = supervised.pid("core")
    supervised.until(lambda: (supervised.folder / "core.beat").exists())
    os.kill(process.pid, signal.SIGSTOP)
    # The halt itself is what is tested: it must last longer than a beat may be late.
    time.sleep(TIMING.beat_stale + 1.5)
    os.kill(process.pid, signal.SIGCONT)
    seen = os.stat(supervised.folder / "core.beat").st_mtime_ns
    supervised.until(lambda: os.stat(supervised.folder / "core.beat").st_mtime_ns != seen)
    said = supervised.stop(process)
    assert "frozen" not in said
    assert [event[3] for event in supervised.events("start", "core")] == [child]


# -- spares --------------------------------------------------------------------------------------------------------


def with_spare(supervised: Supervised) -> tuple[int, int]:
    """A core whose spare is ready: their pids."""
    supervised.start(core="spare")
    supervised.until(lambda: supervised.status("core")["spare"] == "ready")
    return supervised.events("start")[0][3], supervised.events("spare")[0][3]


def test_who_dies_is_followed_by_its_spare_and_another_spare_is_made(supervised: Supervised) -> None:
    first, spare = with_spare(supervised)
    (supervised.folder / "word").write_text("second")
    os.kill(first, signal.SIGKILL)
    assert supervised.replaced("core", first) == spare
    supervised.until(lambda: supervised.events("begin:second"), 2)  # with the settings as they are now
    assert supervised.status("core")["restarts"] == 1
    supervised.until(lambda: supervised.status("core")["spare"] == "ready")
    assert [event[3] for event in supervised.events("start")] == [first, spare]
    assert len(supervised.events("spare")) == 2


def test_a_spare_that_has_not_read_everything_is_not_waited_for(supervised: Supervised) -> None:
    supervised.start(core="spare unready")
    first = supervised.pid("core")
    assert first
    spare = supervised.until(lambda: supervised.events("spare"))[0][3]
    assert supervised.status("core")["spare"] == "reading"
    os.kill(first, signal.SIGKILL)
    assert supervised.replaced("core", first) != spare
    assert is_running(spare)  # it goes on reading, for the next time


def test_a_spare_that_cannot_be_told_everything_does_not_begin(supervised: Supervised) -> None:
    first, spare = with_spare(supervised)
    (supervised.folder / "long").touch()  # more than the line takes in one go
    os.kill(first, signal.SIGKILL)
    assert supervised.replaced("core", first) != spare
    supervised.until(lambda: not is_running(spare))
    assert not supervised.events("begin:first")


def test_a_spare_that_dies_is_replaced_after_a_while_and_nobody_else_notices(supervised: Supervised) -> None:
    process = supervised.start(core="spare")
    supervised.until(lambda: supervised.status("core")["spare"] == "ready")
    at, _, _, spare = supervised.events("spare")[0]
    os.kill(spare, signal.SIGKILL)
    supervised.until(lambda: len(supervised.events("spare")) == 2)
    assert supervised.events("spare")[1][0] - at >= TIMING.spare_again
    assert len(supervised.events("start")) == 1
    assert "core: a spare has died" in supervised.stop(process)


def test_spares_end_with_their_supervisor_whether_it_stops_or_is_killed(supervised: Supervised) -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        process = supervised.start(core="spare", voice="spare")
        supervised.until(lambda: {supervised.status(name)["spare"] for name in ("core", "voice")} == {"ready"})
        supervised.stop(process, number)
        supervised.until(lambda: not any(is_running(event[3]) for event in supervised.events("spare")))
        supervised.clean_up()
