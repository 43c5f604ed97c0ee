"""Freezes and clock jumps: timers stand still, nobody runs backwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.clock import Clock, Timers


def started(now: int = 1_000_000) -> Clock:
    clock = Clock(late_ms=10_000)
    clock.advance(now, None)
    return clock


def test_time_that_passes_as_asked_for_advances_both_clocks():
    clock = started()
    clock.advance(1_005_000, due=5_000)
    assert (clock.wall, clock.tau) == (1_005_000, 5_000)


def test_a_clock_set_back_an_hour_neither_stops_the_timers_nor_turns_the_order_round():
    clock = started()
    clock.advance(1_000_000 - 3_600_000, due=5_000)
    assert (clock.wall, clock.tau) == (1_000_000, 0)
    clock.advance(1_000_000 - 3_600_000 + 2_000, due=5_000)
    assert (clock.wall, clock.tau) == (1_002_000, 2_000)
    assert clock.given_of_wall(1_002_000) == 1_000_000 - 3_600_000 + 2_000


def test_a_clock_that_returns_from_a_jump_leaves_no_trace():
    clock = started()
    clock.advance(1_000_000 - 3_600_000, due=5_000)
    clock.advance(1_000_000 + 1_000, due=5_000)
    assert clock.offset <= 15_000
    assert clock.tau == 0


def test_jitter_below_a_second_is_waited_out():
    clock = started()
    clock.advance(999_500, due=None)
    assert (clock.wall, clock.offset) == (1_000_000, 0)
    clock.advance(1_000_100, due=None)
    assert clock.wall == 1_000_100


def test_after_a_freeze_timers_go_on_where_they_stood():
    clock = started()
    clock.advance(1_000_000 + 3_600_000, due=5_000)
    assert clock.wall == 1_000_000 + 3_600_000
    assert clock.tau == 0
    clock.advance(1_000_000 + 3_600_000 + 4_000, due=5_000)
    assert clock.tau == 4_000


def test_somebody_who_always_wakes_the_engine_late_gets_slow_timers_and_not_dead_ones():
    clock, timers, fired = started(), Timers(), 0
    timers.set(5_000, "wrapup", "1001")
    for minute in range(1, 6):
        clock.advance(1_000_000 + minute * 60_000, timers.first_due())
        fired += timers.pop_due(clock.tau) is not None
    assert fired == 1


def test_a_long_silence_without_timers_is_no_freeze():
    clock = started()
    clock.advance(1_000_000 + 3_600_000, due=None)
    assert clock.tau == 3_600_000


def test_timers_come_due_in_order_and_cancelled_ones_do_not():
    timers = Timers()
    timers.set(30, "c", "x")
    first = timers.set(10, "a", "x")
    timers.set(20, "b", "x")
    timers.cancel(first)
    timers.cancel(first)
    assert timers.first_due() == 20
    assert timers.pop_due(19) is None
    assert [timers.pop_due(50)[2] for _ in range(2)] == ["b", "c"]
    assert timers.pop_due(50) is None


@given(st.lists(st.tuples(st.sampled_from(["set", "cancel", "ring"]), st.integers(0, 40)), max_size=400))
def test_timers_ring_as_a_sorted_list_of_them_would_however_many_are_due_together(steps):
    timers, plain = Timers(), []
    for step, number in steps:
        if step == "set":
            plain.append(timers.set(number, "a", "x"))
        elif step == "cancel" and plain:
            timers.cancel(plain.pop(number % len(plain)))
        elif step == "ring":
            due = min((key for key in plain if key[0] <= number), default=None)
            assert timers.pop_due(number) == due
            plain = [key for key in plain if key != due]
        assert timers.first_due() == min((key[0] for key in plain), default=None)
        assert len(timers) == len(plain)
