"""The rolling comparison of foretold waits with what came."""

from __future__ import annotations

from acd.calibration import Foretold, RollingCalibration

HOUR_MS = 3_600_000
TOLD = Foretold(at_ms=1_000, low_s=60, middle_s=90, high_s=150)


def test_within_the_range_both_ends_count() -> None:
    assert [TOLD.against(1_000 + s * 1_000) for s in (59, 60, 150, 151)] == [
        (False, 31.0),
        (True, 30.0),
        (True, -60.0),
        (False, -61.0),
    ]


def test_answered_callers_are_judged_and_those_who_left_are_counted_beside_them() -> None:
    rolling = RollingCalibration()
    for call_id in ("a", "b", "c", "d"):
        rolling.foretold(call_id, TOLD)
    rolling.answered("a", 1_000 + 80_000)
    rolling.answered("b", 1_000 + 200_000)
    rolling.left("c", 50_000)
    figure = rolling.figure(300_000)
    assert (figure.answered, figure.covered, figure.left) == (2, 1, 1)
    assert (figure.error_s, figure.bias_s) == (60.0, -50.0)


def test_whoever_was_told_nothing_counts_nowhere_and_what_is_told_twice_counts_once() -> None:
    rolling = RollingCalibration()
    rolling.answered("a", 5_000)
    rolling.foretold("b", TOLD)
    rolling.answered("b", 81_000)
    rolling.left("b", 90_000)  # the end of the talk
    rolling.foretold("b", TOLD)
    rolling.answered("b", 95_000)
    assert (rolling.figure(100_000).answered, rolling.figure(100_000).left) == (1, 0)


def test_a_caller_who_is_told_again_after_a_restart_is_judged_by_the_last_telling() -> None:
    rolling = RollingCalibration()
    rolling.foretold("a", TOLD)
    rolling.foretold("a", Foretold(61_000, 10, 20, 30))
    rolling.answered("a", 81_000)
    assert rolling.figure(90_000).error_s == 0


def test_what_is_older_than_the_window_no_longer_counts_in_whatever_order_it_was_told() -> None:
    rolling = RollingCalibration(window_ms=HOUR_MS)
    for call_id, at_ms in (("late", 2 * HOUR_MS), ("early", HOUR_MS)):
        rolling.foretold(call_id, Foretold(at_ms - 90_000, 60, 90, 150))
        rolling.answered(call_id, at_ms)
    assert rolling.figure(2 * HOUR_MS - 1).answered == 2
    assert rolling.figure(2 * HOUR_MS).answered == 1
    assert rolling.figure(3 * HOUR_MS) == RollingCalibration().figure()
