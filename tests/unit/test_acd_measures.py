"""Rates with their numerator and denominator, the same whether counted once or kept as calls happen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.measures import CallRecord, Rate, RollingMeasures, figures, records
from acd.model import CallLeft, EngineConfig
from tests.acd_kit.lab import T0, Lab, patient

DAY = 24 * 3_600_000


def test_a_rate_shows_what_it_is_made_of():
    assert Rate(15_041, 15_721).value == 15_041 / 15_721
    assert Rate(0, 0).value is None


def test_answered_within_15_seconds_counts_who_answered_late_left_or_still_waits_past_it():
    calls = [
        CallRecord("fast", "general", T0, answered_ms=T0 + 15_000),
        CallRecord("slow", "general", T0, answered_ms=T0 + 15_001),
        CallRecord("gone", "general", T0, ended_ms=T0 + 3_000),
        CallRecord("waiting", "general", T0),
        CallRecord("just joined", "general", T0 + 15_000),
    ]
    seen = figures(calls, T0 + 20_000)
    assert seen.answered_in_target == Rate(1, 4)
    assert seen.connected == Rate(2, 3)
    assert (seen.depth, seen.longest_wait_s) == (2, 20)


def test_the_window_slides_over_midnight_by_join_time():
    calls = [
        CallRecord("a", "general", T0, answered_ms=T0 + 5_000),
        CallRecord("b", "general", T0 + 1, ended_ms=T0 + 5_000),
    ]
    assert figures(calls, T0 + DAY - 1).connected == Rate(1, 2)
    assert figures(calls, T0 + DAY).connected == Rate(0, 1)
    assert figures(calls, T0 + DAY + 1).connected == Rate(0, 0)


def test_records_are_read_from_the_journal_and_refused_events_do_not_count():
    lab = Lab(EngineConfig(queues=(patient(overflow_length=1),)))
    lab.talk("c1", "1001")
    lab.wait(1)
    lab.join("c2", joined_ms=lab.now - 400)
    lab.join("c3")
    lab.wait(20)
    lab.do(CallLeft("c2", "hangup"), CallLeft("c2", "hangup"), CallLeft("c1"))
    read = records(lab.lines)
    assert read == [
        CallRecord("c1", "general", T0, answered_ms=T0, ended_ms=T0 + 21_000),
        CallRecord("c2", "general", T0 + 600, ended_ms=T0 + 21_000),
        CallRecord("c3", "general", T0 + 1_000, ended_ms=T0 + 1_000),
    ]
    assert figures(read, lab.now).connected == Rate(1, 3)


happenings = st.lists(
    st.tuples(st.sampled_from(["join", "answer", "leave", "look"]), st.integers(0, 8), st.integers(0, 20_000)),
    max_size=60,
)


@given(happenings)
def test_the_rolling_figures_agree_with_counting_everything(happened):
    window = 60_000
    rolling, plain, now = RollingMeasures(window_ms=window), {}, T0
    for what, number, passed in happened:
        now += passed
        call_id = f"c{number}"
        known = plain.get(call_id)
        if known is not None and known.joined_ms <= now - window:
            rolling.rates(now)
            known = plain.pop(call_id)
            known = None
        if what == "join" and known is None:
            rolling.rates(now)
            plain[call_id] = CallRecord(call_id, "general", now)
            rolling.joined(call_id, "general", now)
        elif what == "answer" and known is not None and known.ended_ms is None:
            if known.answered_ms is None:
                plain[call_id] = CallRecord(call_id, "general", known.joined_ms, answered_ms=now)
            rolling.answered(call_id, now)
        elif what == "leave" and known is not None:
            if known.ended_ms is None:
                plain[call_id] = CallRecord(call_id, "general", known.joined_ms, known.answered_ms, now)
            rolling.left(call_id, now)
        expected = figures(plain.values(), now, window)
        assert rolling.rates(now) == (expected.answered_in_target, expected.connected)


def test_joining_twice_or_speaking_of_unknown_calls_counts_once_or_not_at_all():
    rolling = RollingMeasures()
    rolling.joined("c1", "general", T0)
    rolling.joined("c1", "general", T0 + 5)
    rolling.answered("c1", T0 + 10)
    rolling.answered("c1", T0 + 99_000)
    rolling.answered("c2", T0)
    rolling.left("c2", T0)
    assert rolling.rates(T0 + 20_000) == (Rate(1, 1), Rate(1, 1))
