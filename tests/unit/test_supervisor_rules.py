"""The rules of supervision: the table of states, the pauses between restarts, and when a process counts as frozen."""

import itertools
from pathlib import Path

import pytest

from app.settings import Settings
from app.supervisor import logfiles
from app.supervisor.model import (
    TRANSITIONS,
    Effect,
    Event,
    IllegalTransition,
    State,
    Timing,
    Watch,
    first_grace,
    pause_before_restart,
    step,
)
from app.supervisor.plan import has_room_for_spare, specs


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_pair_is_either_in_the_table_or_refused(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert step(state, event) == TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=str(event)):
            step(state, event)


def test_from_every_state_a_stop_leads_to_stopped() -> None:
    for state in State:
        now, _ = step(state, Event.stop)
        if now is State.stopping:
            now, _ = step(now, Event.exited)
        assert now is State.stopped


def test_nothing_is_started_while_stopping() -> None:
    spawning = {pair for pair, (_, effect) in TRANSITIONS.items() if effect is Effect.spawn}
    assert spawning == {(State.stopped, Event.start), (State.waiting, Event.due)}


def test_the_first_deaths_are_answered_at_once_and_later_ones_ever_more_slowly() -> None:
    timing = Timing()
    deaths: list[float] = []
    pauses = []
    for number in range(12):
        deaths.append(float(number))
        pauses.append(pause_before_restart(deaths, float(number), timing))
    assert pauses[:3] == [0, 0, 0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timing.pauses[-1]


def test_old_deaths_are_forgotten() -> None:
    timing = Timing()
    deaths = [float(number) for number in range(10)] + [1000.0]
    assert pause_before_restart(deaths, 1000.0, timing) == 0


def test_a_process_that_keeps_beating_is_never_frozen() -> None:
    watch = Watch(grace=20, stale=4, started=0)
    for second in range(1, 100):
        watch.look(second, float(second))
        assert not watch.is_frozen(second + 3.9)


def test_a_beat_that_no_longer_changes_is_no_sign_of_life() -> None:
    watch = Watch(grace=20, stale=4, started=0)
    watch.look("t1", 1.0)
    watch.look("t1", 5.0)
    assert not watch.is_frozen(5.0)
    assert watch.is_frozen(5.1)


def test_a_start_is_given_time_until_the_first_beat() -> None:
    watch = Watch(grace=20, stale=4, started=0)
    watch.look(None, 19.0)
    assert not watch.is_frozen(20.0)
    assert watch.is_frozen(20.1)


def test_the_time_for_which_others_had_the_processors_is_no_part_of_a_start() -> None:
    watch = Watch(grace=20, stale=4, started=0)
    for second in range(1, 61):
        watch.queued_so_far(second * 0.75, second)
        assert not watch.is_frozen(second)
    watch.queued_so_far(45.0, 65.1)
    assert watch.is_frozen(65.1)
    watch.look("t1", 66.0)
    watch.queued_so_far(100.0, 66.0)
    assert watch.is_frozen(70.1), "who has been at work is judged by the clock: callers wait meanwhile"


def test_threads_that_wait_at_once_do_not_make_a_start_shorter_than_no_time() -> None:
    watch = Watch(grace=20, stale=4, started=100)
    for second in range(1, 11):
        watch.queued_so_far(second * 30.0, 100 + second)
    watch.queued_so_far(300.0, 130.1)
    assert watch.is_frozen(130.1)


def test_every_start_in_vain_doubles_the_time_for_the_next_up_to_a_limit() -> None:
    assert [first_grace(20.0, in_vain, Timing()) for in_vain in range(6)] == [20, 40, 80, 160, 160, 160]


def test_a_supervisor_that_was_held_up_itself_blames_nobody() -> None:
    watch = Watch(grace=20, stale=4, started=0)
    watch.look("t1", 1.0)
    watch.excuse(30.0)
    assert not watch.is_frozen(31.0)
    assert watch.is_frozen(35.1)


def test_a_large_log_is_set_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "core.log"
    with log.open("ab", buffering=0) as writer:
        for round_number in range(4):
            writer.write(f"round {round_number} ".encode() + b"x" * 100)
            logfiles.rotate_all(tmp_path, largest=50, kept=2)
        writer.write(b"last words")
    assert log.read_bytes() == b"last words"
    assert (tmp_path / "core.log.1").read_bytes().startswith(b"round 3")
    assert (tmp_path / "core.log.2").read_bytes().startswith(b"round 2")
    assert not (tmp_path / "core.log.3").exists()


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "core.log").write_text("few words")
    logfiles.rotate_all(tmp_path, largest=50)
    assert [path.name for path in tmp_path.iterdir()] == ["core.log"]


def test_a_machine_that_is_a_further_node_runs_asterisk_and_voice_scripts_and_no_core(tmp_path: Path) -> None:
    for core, names in ((True, ["asterisk", "voice", "core"]), (False, ["asterisk", "voice"])):
        assert [spec.name for spec in specs(Settings(home=tmp_path, core=core))] == names


@pytest.mark.parametrize(
    ("told", "wanted", "room"),
    [
        ("MemTotal: 8000000 kB\nMemAvailable:    700000 kB\n", True, True),
        ("MemTotal: 8000000 kB\nMemAvailable:    500000 kB\n", True, False),
        ("MemTotal: 8000000 kB\nMemAvailable:    700000 kB\n", False, False),
        ("MemTotal: 8000000 kB\n", True, False),
        ("MemAvailable: much\n", True, False),
    ],
)
def test_a_spare_is_made_only_where_memory_is_free(tmp_path: Path, told: str, wanted: bool, room: bool) -> None:
    (tmp_path / "meminfo").write_text(told)
    assert has_room_for_spare(Settings(home=tmp_path, spares=wanted), tmp_path / "meminfo") is room
    assert not has_room_for_spare(Settings(home=tmp_path), tmp_path / "nothing")
